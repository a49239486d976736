import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.container import Container, inspect
from service.core.errors import TypeNotAllowed
from service.core.outcome import Answer, Malformed, Obstacle, Unscannable
from service.core.zipdirectory import WIDE_NUMBERS
from tests.core.zips import WIDE, Part, deflated, zipped

# clamd 1.4 answers OK to EICAR in nearly all of these: it does not say what it could not unpack.

DAMAGED = Malformed("Greenroom.Package.Damaged")
LAYOUT = Malformed("Greenroom.Package.Layout")
ENCRYPTED = Unscannable(Obstacle.ENCRYPTED, "Greenroom.Encrypted.Package")
COMPRESSION = Unscannable(Obstacle.LIMITS, "Greenroom.Package.Compression")
ARCHIVE = Unscannable(Obstacle.LIMITS, "Greenroom.Package.Archive")
TEXT = b"some text, some text, some text " * 40
GOOD = Part(b"good", TEXT, 8)


def look(*parts: Part, **changes: object) -> Answer | None:
    """Look into a plain zip of ``parts``."""
    return inspect(Container("zip"), io.BytesIO(zipped(parts, **changes)))  # type: ignore[arg-type]


def descriptor(form: str, content: bytes, *magic: bytes) -> bytes:
    """Return what follows streamed data."""
    return struct.pack(form, *magic, zlib.crc32(content), len(deflated(content)), len(content))


@given(
    st.lists(
        st.tuples(
            st.binary(max_size=3000),
            st.sampled_from([0, 8]),
            st.sampled_from([0, 8, 0x808, 2]),
            st.binary(max_size=40),
        ),
        min_size=1,
        max_size=8,
    ),
    st.booleans(),
)
@settings(max_examples=100)
def test_a_whole_zip_passes(members: list[tuple[bytes, int, int, bytes]], wide: bool) -> None:  # noqa: FBT001
    """Members of any content, stored or deflated, streamed or not, with extra fields of their own, pass."""
    parts = [
        Part(b"%d" % number, content, method, flags, extra=struct.pack("<2H", 0xA220, len(extra)) + extra)
        for number, (content, method, flags, extra) in enumerate(members)
        if not content.startswith((b"Rar!", b"7z", b"LZIP", b"\x28\xb5"))
    ]
    if parts:
        assert look(*parts, wide=wide) is None


@pytest.mark.parametrize(
    "behind",
    [
        descriptor("<4s3L", TEXT, b"PK\7\10"),
        descriptor("<3L", TEXT),
        descriptor("<4sL2Q", TEXT, b"PK\7\10"),
        descriptor("<L2Q", TEXT),
    ],
)
def test_all_forms_of_a_descriptor_pass(behind: bytes) -> None:
    """APPNOTE 4.3.9: with its signature or without, wide or not; no byte of it may be other."""
    assert look(Part(b"a", TEXT, 8, 8, behind=behind), GOOD) is None
    assert look(GOOD, Part(b"a", TEXT, 8, 8, behind=behind)) is None
    for place in range(len(behind)):
        odd = behind[:place] + bytes([behind[place] ^ 1]) + behind[place + 1 :]
        assert look(Part(b"a", TEXT, 8, 8, behind=odd), GOOD) == LAYOUT


def test_streamed_headers_may_tell_their_numbers_or_zeros() -> None:
    """Some writers put the numbers where zeros are asked for; others are damage, wide ones unscannable."""
    numbers = (("crc", zlib.crc32(TEXT)), ("packed", len(deflated(TEXT))), ("size", len(TEXT)))
    assert look(Part(b"a", TEXT, 8, 8, local=numbers)) is None
    assert look(Part(b"a", TEXT, 8, 8, local=numbers[:2])) == DAMAGED
    wide = (("packed", WIDE), ("size", WIDE))
    extra = struct.pack("<2H2Q", 1, 16, 0, 0)
    assert look(Part(b"a", TEXT, 8, 8, extra=extra, local=wide)) == WIDE_NUMBERS
    assert look(Part(b"a", TEXT, 8, 8, extra=extra)) == WIDE_NUMBERS
    assert look(Part(b"a", TEXT, 8, 8, local=wide)) == WIDE_NUMBERS


@pytest.mark.parametrize(
    "field",
    [
        ("magic", b"PK\3\5"),
        ("flags", 2),
        ("flags", 1),
        ("method", 0),
        ("crc", 1),
        ("packed", 1),
        ("size", 1),
        ("name", b"eviL"),
    ],
    ids=lambda field: f"{field[0]} {field[1]!r}",
)
def test_the_two_headers_of_a_member_agree(field: tuple[str, object]) -> None:
    """Readers go by the one or the other: what they say differently is damage."""
    assert look(GOOD, Part(b"evil", TEXT, 8, local=(field,))) == DAMAGED


@pytest.mark.parametrize("method", [1, 6, 9, 12, 14, 19, 93, 95, 97, 98, 0xFFFF])
def test_other_compressions_are_unscannable(method: int) -> None:
    """LZMA, Zstandard and others clamd has not, and says OK to a damaged bzip2: stored and deflated only."""
    assert look(GOOD, Part(b"a", TEXT, method)) == COMPRESSION


@pytest.mark.parametrize(
    ("flags", "method"), [(1, 0), (1, 8), (1, 99), (0, 99), (64, 8), (1 << 13, 8), (9, 8)]
)
def test_an_encrypted_member_is_unscannable(flags: int, method: int) -> None:
    """Any way of a zip's own encryption, whatever else is wrong with the member."""
    assert look(GOOD, Part(b"a", TEXT, method, flags)) == ENCRYPTED


@pytest.mark.parametrize(
    "packed",
    [
        deflated(TEXT)[:-1],
        deflated(TEXT)[:10],
        b"",
        deflated(TEXT) + b"\0",
        deflated(TEXT) + deflated(b"another"),
        deflated(TEXT) + b"\0" * (1 << 20),
        deflated(TEXT[:-1]),
        deflated(TEXT + b"!"),
        deflated(TEXT.upper()),
        b"\xff" + deflated(TEXT)[1:],
        zlib.compress(TEXT),
        deflated(bytes(1 << 24)),
    ],
    ids=[
        "cut",
        "cut early",
        "nothing",
        "a byte behind",
        "a stream behind",
        "much behind",
        "too short",
        "too long",
        "another text",
        "no deflate",
        "zlib's header",
        "a bomb",
    ],
)
def test_a_damaged_stream_is_malformed(packed: bytes) -> None:
    """A deflated member must end where its entry says, and give just the bytes whose CRC that has."""
    assert look(GOOD, Part(b"a", TEXT, 8, packed=packed)) == DAMAGED


def test_a_stored_member_is_checked_too() -> None:
    """Its two sizes are the same, and its CRC fits."""
    assert look(Part(b"a", TEXT)) is None
    assert look(Part(b"a", TEXT, packed=TEXT[:-1])) == DAMAGED
    assert look(Part(b"a", TEXT, packed=TEXT + b"!")) == DAMAGED
    assert look(Part(b"a", TEXT, packed=TEXT.upper())) == DAMAGED


def test_nothing_lies_between_the_members() -> None:
    """From the first byte to the directory every byte belongs to a member: zeros elsewhere count, too."""
    for hidden in (b"\0", b"x" * 100, zipped([GOOD])):
        assert look(GOOD, Part(b"a", TEXT, before=hidden)) == LAYOUT
        assert look(GOOD, gap=hidden) == LAYOUT
        assert look(Part(b"a", TEXT, 8, 8), gap=hidden) == LAYOUT
        assert look(GOOD, Part(b"a", TEXT, 8, 8, behind=hidden)) == LAYOUT
    assert look(Part(b"a", TEXT, 8, 8, behind=b"")) == LAYOUT
    first = zipped([Part(b"a", TEXT, before=b"PK\3\4" + bytes(60))])
    assert inspect(Container("zip"), io.BytesIO(first)) == LAYOUT


def test_members_do_not_overlap() -> None:
    """A bomb of members that share their data is told from the directory alone; so is an extra field that
    reaches into the next member."""
    data = bytes(1 << 20)
    kernel = Part(b"kernel", data, 8)
    shared = [Part(b"%d" % number, b"", 8, packed=b"", central=(("place", 0),)) for number in range(500)]
    assert look(kernel, *shared) == LAYOUT
    long = Part(b"a", b"", central=(("packed", 10),))
    assert look(long, GOOD) in {LAYOUT, DAMAGED}
    reaching = zipped([Part(b"a", b"", extra=b""), GOOD])
    assert inspect(Container("zip"), io.BytesIO(reaching[:28] + b"\5\0" + reaching[30:])) == LAYOUT


@pytest.mark.parametrize(
    "magic",
    [b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00", b"7z\xbc\xaf\x27\x1c", b"\x28\xb5\x2f\xfd", b"LZIP\1"],
)
@pytest.mark.parametrize("method", [0, 8])
def test_an_archive_that_clamd_does_not_open_is_unscannable(magic: bytes, method: int) -> None:
    """Debian's clamd has no RAR, and says OK to what it cannot unpack of the others."""
    assert look(GOOD, Part(b"a.png", magic + TEXT, method)) == ARCHIVE
    assert look(GOOD, Part(b"a.png", b" " + magic + TEXT, method)) is None
    trickle = b"".join(b"\0\1\0\xfe\xff" + bytes([byte]) for byte in magic[:-1])
    dripping = trickle + b"\1\1\0\xfe\xff" + magic[-1:]
    assert look(Part(b"a", magic, 8, packed=dripping)) == ARCHIVE


@given(st.data())
@settings(max_examples=300)
def test_no_byte_can_be_changed_unseen(data: st.DataObject) -> None:
    """Every byte but the times and what a program notes about itself is held to account: with a byte of a
    member's data, size, name or place changed, the zip never passes as the same."""
    whole = bytearray(zipped([GOOD, Part(b"two", TEXT[:90], 0, 8), Part(b"three", TEXT[:9], 8)]))
    original = bytes(whole)
    place = data.draw(st.integers(0, len(whole) - 1))
    value = data.draw(st.integers(0, 255))
    changed = value != whole[place]
    whole[place] = value
    try:
        answer = inspect(Container("zip"), io.BytesIO(bytes(whole)))
    except TypeNotAllowed:
        return
    if answer is None and changed and _counts(bytes(whole), place):
        # The bits behind the end of a deflated stream say nothing: the members must be the same all the same.
        assert _contents(bytes(whole)) == _contents(original)


def _contents(whole: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(whole)) as package:
        return {name: package.read(name) for name in package.namelist()}


def _counts(whole: bytes, place: int) -> bool:
    """Tell whether the byte is none of versions, times, attributes and extra fields of the headers."""
    for magic, free in (
        (b"PK\3\4", range(4, 6)),
        (b"PK\3\4", range(10, 14)),
        (b"PK\1\2", (*range(4, 8), *range(12, 16), *range(36, 42))),
    ):
        at = whole.find(magic)
        while at >= 0:
            if place - at in free:
                return False
            at = whole.find(magic, at + 1)
    return True
