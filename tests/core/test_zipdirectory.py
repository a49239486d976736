import io
import struct

import pytest

from service.core.errors import TypeNotAllowed
from service.core.objection import Objection
from service.core.outcome import Obstacle, Unscannable
from service.core.zipdirectory import WIDE_NUMBERS, Directory, read_directory
from tests.core.effort import at_most
from tests.core.packages import crowded_zip
from tests.core.zips import WIDE, Part, zipped

TOO_LARGE = Unscannable(Obstacle.LIMITS, "Greenroom.Limits.Package")
TWO = (Part(b"one", b"first"), Part(b"dir/two", b"second" * 9, 8))


def read(data: bytes, *, comment_allowed: bool = False) -> Directory:
    """Read a zip's directory."""
    return read_directory(io.BytesIO(data), comment_allowed=comment_allowed)


def assert_refused(data: bytes, *, comment_allowed: bool = False) -> None:
    """State that a directory cannot be read."""
    with pytest.raises(TypeNotAllowed):
        read(data, comment_allowed=comment_allowed)


@pytest.mark.parametrize("wide", [False, True], ids=["narrow", "wide"])
def test_a_directory_tells_of_every_member(wide: bool) -> None:  # noqa: FBT001
    """Names, sizes and places come out by the members' order in the file, with zip64's ends too."""
    directory = read(zipped(TWO, wide=wide))
    assert [(member.name, member.size, member.method) for member in directory.members] == [
        (b"one", 5, 0),
        (b"dir/two", 54, 8),
    ]
    assert directory.members[1].place == 30 + 3 + 5
    assert directory.place == directory.members[1].place + 30 + 7 + directory.members[1].packed


def test_an_empty_zip_has_no_members() -> None:
    """Nothing but the end of a directory is a zip as well."""
    assert read(zipped([])) == Directory((), 0)


@pytest.mark.parametrize("field", ["size", "packed", "place"])
@pytest.mark.parametrize("extra", [b"", struct.pack("<2HQ", 1, 8, 5)])
def test_wide_numbers_of_a_member_are_not_scannable(field: str, extra: bytes) -> None:
    """Clamd 1.4 passes a member with ZIP64 numbers over and says OK: no such zip is taken for looked into."""
    with pytest.raises(Objection) as objection:
        read(zipped([Part(b"one", b"first", central_extra=extra, central=((field, WIDE),))]))
    assert objection.value.answer == WIDE_NUMBERS


def test_a_wide_extra_field_alone_is_not_scannable() -> None:
    """Among others, and with numbers that fit their fields."""
    extra = b"UT\1\0x" + struct.pack("<2H2Q", 1, 16, 5, 5)
    with pytest.raises(Objection) as objection:
        read(zipped([Part(b"one", b"first", central_extra=extra)]))
    assert objection.value.answer == WIDE_NUMBERS


def test_only_where_comments_are_allowed_may_one_follow() -> None:
    """A plain zip may end in a comment of up to 65 535 bytes, which must reach to the file's end."""
    for comment in (b"made by hand", b"x" * 0xFFFF):
        assert len(read(zipped(TWO, comment=comment), comment_allowed=True).members) == 2
        assert_refused(zipped(TWO, comment=comment))
        assert_refused(zipped(TWO, comment=comment) + b"!", comment_allowed=True)
        assert_refused(zipped(TWO, comment=comment)[:-1], comment_allowed=True)
    assert_refused(zipped(TWO, comment=b"PK\5\6"), comment_allowed=True)
    assert_refused(zipped(TWO, comment=zipped(TWO)[3:]), comment_allowed=True)


def test_two_zips_in_one_file_are_refused() -> None:
    """Of two zips glued together some readers see the first, others the second."""
    for one, other in ((TWO, [Part(b"x")]), ([Part(b"x")], TWO), (TWO, TWO)):
        assert_refused(zipped(one) + zipped(other))
        assert_refused(zipped(one) + zipped(other), comment_allowed=True)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\5\6",
        zipped(TWO)[:-1],
        zipped(TWO) + b"\0",
        zipped(TWO, end=[(0, 1)]),
        zipped(TWO, end=[(1, 1)]),
        zipped(TWO, end=[(2, 1)]),
        zipped(TWO, end=[(2, 1), (3, 1)]),
        zipped(TWO, end=[(2, 3), (3, 3)]),
        zipped(TWO, end=[(4, 1)]),
        zipped(TWO, end=[(5, 0)]),
        zipped(TWO, end=[(5, WIDE)]),
        zipped(TWO, end=[(6, 1)]),
        zipped(TWO, wide=True, end=[(5, 7)]),
        zipped(TWO, wide=True, wide_end=[(3, 1)]),
        zipped(TWO, wide=True, wide_end=[(4, 1)]),
        zipped(TWO, wide=True, wide_end=[(5, 1)]),
        zipped(TWO, wide=True, wide_end=[(7, 1)]),
        zipped(TWO, wide=True, wide_end=[(8, 1 << 63)]),
        zipped(TWO, wide=True, locator=[(0, 1)]),
        zipped(TWO, wide=True, locator=[(1, 0)]),
        zipped(TWO, wide=True, locator=[(2, 2)]),
        zipped(TWO, wide=True).replace(b"PK\6\6", b"PK\6\5"),
        zipped(TWO).replace(b"PK\1\2", b"PK\1\3"),
        zipped([Part(b"a", central=(("disk", 1),))]),
    ],
)
def test_a_directory_that_contradicts_itself_is_refused(data: bytes) -> None:
    """Counts, lengths, places, disks and the two ends must agree with each other and with the file."""
    assert_refused(data)


@pytest.mark.parametrize(
    "name",
    [
        b"",
        b"/etc/passwd",
        b"../up",
        b"a/../../up",
        b"a/..",
        b"..",
        b"\\up",
        b"a\\..\\up",
        b"C:/x",
        b"c:x",
        b"a\0b",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(name: bytes) -> None:
    """Absolute names, steps upwards, drives and zeros in names could make an unpacker write elsewhere."""
    assert_refused(zipped([Part(b"good"), Part(name)]))


def test_ordinary_names_are_good() -> None:
    """Dots, spaces, backslashes, folders and letters of any alphabet are no steps upwards."""
    names = (
        b"..a",
        b"a..",
        b"a/...",
        b"a b",
        b"dir/",
        b"word\\x.xml",
        "ü/ж".encode(),
        b"[Content_Types].xml",
    )
    assert len(read(zipped([Part(name) for name in names])).members) == len(names)


def test_one_name_twice_is_refused() -> None:
    """Of two members of one name readers choose different ones. In documents case makes no difference."""
    assert_refused(zipped([Part(b"a"), Part(b"a")]))
    assert_refused(zipped([Part(b"a"), Part(b"a")]), comment_allowed=True)
    assert_refused(zipped([Part(b"word/a.xml"), Part(b"Word/A.xml")]))
    assert len(read(zipped([Part(b"README"), Part(b"readme")]), comment_allowed=True).members) == 2


def test_the_limits_are_clamds() -> None:
    """10 000 members are read, 10 001 are unscannable: clamd leaves the rest unseen."""
    parts = [Part(b"%d" % number) for number in range(10_001)]
    assert len(read(zipped(parts[:-1])).members) == 10_000
    with pytest.raises(Objection) as caught:
        read(zipped(parts))
    assert caught.value.answer == TOO_LARGE


@pytest.mark.parametrize(
    "bomb",
    [
        crowded_zip(200_000),
        crowded_zip(9_999, b"x" * 250),
        zipped(TWO, wide=True, wide_end=[(5, 1 << 40), (6, 1 << 40)]),
    ],
    ids=["members", "long names", "a count of a million million"],
)
def test_a_huge_directory_costs_nothing(bomb: bytes) -> None:
    """Too many members or more than 2 MiB of directory are unscannable before any entry is read."""
    with pytest.raises(Objection) as caught, at_most(seconds=0.1):
        read(bomb)
    assert caught.value.answer == TOO_LARGE
