import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.compound import DAMAGED, CompoundFile
from service.core.errors import TypeNotAllowed
from service.core.objection import Objection
from service.core.outcome import Obstacle, Unscannable
from tests.core.compounds import END, NONE, compound, compound_file, patched
from tests.core.effort import at_most

TOO_LARGE = Unscannable(Obstacle.LIMITS, "Greenroom.Limits.Document")
CONTENTS = {
    "Empty": b"",
    "One": b"x",
    "Small": bytes(range(200)),
    "Nearly": bytes(range(256)) * 15,
    "Exactly": b"cutoff!!" * 512,
    "Large": bytes(range(251)) * 100,
}


def read(data: bytes) -> CompoundFile:
    """Read a compound file."""
    return CompoundFile(io.BytesIO(data))


def assert_objects(data: bytes, name: str) -> None:
    """State that the stream ``name``, whose promise the file does not keep, is damaged."""
    file = read(data)
    with pytest.raises(Objection) as caught:
        file.open(file.top[name]).read(1 << 20)
    assert caught.value.answer == DAMAGED


@pytest.mark.parametrize("before", [0, 1, 300, 14_000, 30_000])
@pytest.mark.parametrize("version", [3, 4])
def test_every_stream_is_read_as_it_was_written(version: int, before: int) -> None:
    """Small and large streams come out byte by byte, in files of both versions, also where the table is so
    long that its sectors are listed outside the header."""
    if version == 4 and before == 30_000:
        return
    file = read(compound(CONTENTS, version=version, before=before))
    assert file.names == {"ROOT ENTRY", *map(str.upper, CONTENTS)}
    for entry in file.streams:
        assert file.top[entry.name] is entry
        assert file.open(entry).read(1 << 20) == CONTENTS[entry.name.capitalize()]


@given(st.sampled_from(sorted(CONTENTS)), st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 3000))))
@settings(max_examples=60)
def test_a_stream_is_read_forwards_from_any_place(name: str, steps: list[tuple[int, int]]) -> None:
    """Skipping and reading in any order gives what the bytes in one piece would."""
    file = read(compound(CONTENTS))
    stream, plain = file.open(file.top[name.upper()]), io.BytesIO(CONTENTS[name])
    for skipped, length in steps:
        stream.skip(skipped)
        plain.seek(skipped, io.SEEK_CUR)
        assert stream.read(length) == plain.read(length)


def test_streams_in_a_storage_are_found_and_are_not_at_the_top() -> None:
    """All streams are known wherever they are; the top is the root's own level."""
    file = read(compound({"WordDocument": b"x" * 5000}, nested="ObjectPool"))
    assert file.names == {"ROOT ENTRY", "OBJECTPOOL", "WORDDOCUMENT"}
    assert [entry.name for entry in file.streams] == ["WORDDOCUMENT"]
    assert file.top == {}


HEADER = compound_file("WordDocument")
DIRECTORY = 0x200 + 512 * struct.unpack_from("<L", HEADER, 48)[0]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEADER[:511],
        b"PK" + HEADER[2:],
        patched(HEADER, 26, "<H", 5),
        patched(HEADER, 26, "<H", 4),
        patched(HEADER, 28, "<H", 0xFEFF),
        patched(HEADER, 30, "<H", 40),
        patched(HEADER, 32, "<H", 7),
        patched(HEADER, 48, "<L", END),
        patched(HEADER, 48, "<L", 0x00FFFFFF),
        patched(HEADER, 56, "<L", 64),
        patched(HEADER, 76, "<L", 0x00FFFFFF),
        HEADER[:DIRECTORY],
        HEADER[: DIRECTORY + 511],
        patched(HEADER, DIRECTORY + 128 + 68, "<L", 1),
    ],
    ids=[
        "empty",
        "cut header",
        "magic",
        "version",
        "sector size",
        "byte order",
        "huge sectors",
        "small sectors",
        "no directory",
        "directory outside",
        "cutoff",
        "no table",
        "cut before the directory",
        "cut in the directory",
        "loop in the tree",
    ],
)
def test_what_cannot_be_read_is_refused(data: bytes) -> None:
    """A header by another rule, or a directory that is not there, is no document."""
    with pytest.raises(TypeNotAllowed):
        read(data)


def test_two_streams_of_one_name_are_refused() -> None:
    """Names are the same in any case: with two, whoever opens the document chooses."""
    with pytest.raises(TypeNotAllowed):
        read(compound({"WordDocument": b"x" * 5000, "WORDDOCUMENT": b"y" * 5000}))


def test_a_stream_that_is_cut_or_led_astray_is_damaged() -> None:
    """A chain that ends early or leaves the file, for large streams and small ones, is damage, not an end."""
    data = compound({"Large": b"x" * 9000, "Small": b"y" * 900})
    entries = data.index("Large".encode("utf-16-le"))
    for start in (END, NONE, 0x00FFFFFF):
        assert_objects(patched(data, entries + 116, "<L", start), "LARGE")
        assert_objects(patched(data, entries + 128 + 116, "<L", start), "SMALL")
    assert_objects(patched(data, entries + 120, "<L", 1 << 30), "LARGE")
    root = entries - 128
    assert_objects(patched(data, root + 116, "<L", END), "SMALL")
    assert_objects(patched(data, root + 120, "<L", 64), "SMALL")
    assert_objects(patched(data, root + 120, "<L", 1 << 30), "SMALL")
    assert_objects(patched(data, 60, "<L", END), "SMALL")


def test_a_stream_behind_the_files_end_is_damaged() -> None:
    """A last sector that is cut holds as much as is there, and not what it promises beyond."""
    data = compound({"Large": b"x" * 9000})
    entries = data.index("Large".encode("utf-16-le"))
    last = len(data) // 512 - 1
    table = struct.unpack_from("<L", data, 76)[0]
    moved = patched(data, entries + 116, "<L", last)
    cut = patched(moved, 512 * (table + 1) + 4 * last, "<L", END) + b"z" * 100
    file = read(cut)
    assert file.open(file.top["LARGE"]).read(100) == b"z" * 100
    assert_objects(cut, "LARGE")


def test_a_loop_costs_no_more_than_the_allowance() -> None:
    """A chain that leads back to itself, in the directory, in the table's list or in a stream, ends when the
    allowance is used up: unscannable, in less than 2 s of processor time."""
    data = compound({"Large": b"x" * 9000}, before=200)
    table = struct.unpack_from("<L", data, 76)[0]
    first = struct.unpack_from("<L", data, 48)[0]
    entries = data.index("Large".encode("utf-16-le"))
    start = struct.unpack_from("<L", data, entries + 116)[0]
    looped = patched(data, 512 * (table + 1) + 4 * start, "<L", start)
    file = read(patched(looped, entries + 120, "<L", 0xFFFFFFFF))
    stream = file.open(file.top["LARGE"])
    stream.skip(0xFFFFFF00)
    with pytest.raises(Objection) as caught, at_most(seconds=2):
        stream.read(1)
    assert caught.value.answer == TOO_LARGE
    with pytest.raises(Objection) as caught, at_most(seconds=2):
        read(patched(data, 512 * (table + 1) + 4 * first, "<L", first))
    assert caught.value.answer == TOO_LARGE


def test_a_directory_of_two_megabytes_is_read_and_a_longer_one_is_not() -> None:
    """16 384 entries are more than any document has."""
    names = [f"s{number}" for number in range(16_383)]
    assert len(read(compound(dict.fromkeys(names, b""))).streams) == 16_383
    with pytest.raises(Objection) as caught:
        read(compound(dict.fromkeys([*names, "one", "two", "three", "four"], b"")))
    assert caught.value.answer == TOO_LARGE


@given(st.data())
@settings(max_examples=300)
def test_a_damaged_file_never_surprises(data: st.DataObject) -> None:
    """Whatever is overwritten, reading all streams ends in their bytes, a refusal or an objection."""
    whole = bytearray(compound({"Large": b"x" * 5000, "Small": b"y" * 500}))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place] = data.draw(st.integers(0, 255))
    try:
        file = read(bytes(whole))
        for entry in file.streams:
            file.open(entry).read(1 << 16)
    except (TypeNotAllowed, Objection):
        return
