import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import ContentRefused, DigestMismatch, TooLarge, Truncated
from service.ports import Source
from service.stages.receive import CHUNK, SEGMENT_SIZE, WINDOW, Intake, Leg, SegmentSource, read_head
from tests.core.bodies import LIMIT, Body, OneScan, Zeros, content, drained, sha256

SIZES = [1, 5, WINDOW - 1, WINDOW, WINDOW + 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + WINDOW + 7]


def intake(
    body: Source,
    *,
    announced: int | None = None,
    expected: str | None = None,
    limit: int = LIMIT,
    scanner: OneScan | None = None,
) -> Intake:
    """Return an intake of ``body`` whose head was read as the stages do."""
    head = read_head(body, announced)
    return Intake(
        body, head=head, announced=announced, expected_sha256=expected, limit=limit, leg=Leg(scanner)
    )


@pytest.mark.parametrize("size", [0, *SIZES])
@pytest.mark.parametrize("announce", [True, False], ids=["announced", "chunked"])
@pytest.mark.parametrize("sizes", [None, [1000], [1, 70_000, 3]], ids=["whole", "steady", "odd"])
def test_what_comes_out_is_what_came_in(size: int, announce: bool, sizes: list[int] | None) -> None:  # noqa: FBT001
    """However a body arrives, the store and the scanner get its very bytes, once and in order; size, digest
    and both ends are right; and the scanner is told the end exactly once."""
    data = content(size)
    scanner = OneScan()
    taken = intake(Body(data, sizes), announced=size if announce else None, scanner=scanner)
    assert drained(taken) == data
    assert b"".join(scanner.stream.fed) == data
    assert scanner.stream.calls.count("finish") == 1
    assert scanner.stream.calls[-1] == "finish"
    assert (taken.size, taken.sha256) == (size, sha256(data))
    assert taken.head == data[:WINDOW]
    assert taken.tail == data[-WINDOW:]
    assert not taken.more()
    assert taken.read(10) == b""


@given(
    data=st.binary(max_size=5000),
    sizes=st.lists(st.integers(1, 700), min_size=1, max_size=8),
    step=st.integers(1, 900),
    announce=st.booleans(),
)
def test_any_rhythm_gives_the_same_bytes(data: bytes, sizes: list[int], step: int, announce: bool) -> None:  # noqa: FBT001
    """The rhythm of the sender and of the reader change nothing."""
    scanner = OneScan()
    taken = intake(Body(data, sizes), announced=len(data) if announce else None, scanner=scanner)
    assert drained(taken, step) == data == b"".join(scanner.stream.fed)
    assert taken.sha256 == sha256(data)


@given(
    data=st.binary(min_size=1, max_size=3000),
    announced=st.integers(1, 4000),
    sizes=st.lists(st.integers(1, 700), min_size=1, max_size=5),
    limit=st.integers(1, 4000),
    step=st.integers(1, 900),
    lie=st.booleans(),
)
def test_only_a_whole_body_ends_well(
    data: bytes,
    announced: int,
    sizes: list[int],
    limit: int,
    step: int,
    lie: bool,  # noqa: FBT001
) -> None:
    """A body is read to its end without an error exactly if it is as long as announced, within the limit,
    and has the announced digest; bytes beyond the announced length are never read. Where it is not, the
    scanner is never told that it is complete."""
    arrives = data[:announced]
    expected = sha256(b"other" + arrives) if lie else sha256(arrives)
    scanner = OneScan()
    taken = intake(Body(data, sizes), announced=announced, expected=expected, limit=limit, scanner=scanner)
    try:
        whole = drained(taken, step)
    except ContentRefused:
        assert len(arrives) < announced or announced > limit or lie
        assert "finish" not in scanner.stream.calls
    else:
        assert whole == arrives
        assert announced == len(arrives) <= limit
        assert not lie


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("missing", [1, 2, 1000, CHUNK])
def test_a_short_body_is_truncated(size: int, missing: int) -> None:
    """A body shorter than announced, by one byte or by many, raises in the read that meets its end, naming
    both lengths; until then it gave what had come."""
    data = content(size)
    taken = intake(Body(data), announced=size + missing)
    with pytest.raises(Truncated, match=f"after {size} of {size + missing} bytes") as caught:
        drained(taken)
    assert taken.size == size
    assert caught.value.retryable


def test_more_meets_the_end_too() -> None:
    """Asking whether there is more raises for a body that ended early, so that no part after it is begun."""
    taken = intake(Body(b"12345"), announced=6)
    assert taken.more()
    assert taken.read(5) == b"12345"
    with pytest.raises(Truncated):
        taken.more()


def test_nothing_beyond_the_announced_length_is_read() -> None:
    """A longer body than announced is taken as announced; the rest is not asked for."""
    body = Body(content(3 * WINDOW))
    taken = intake(body, announced=2 * WINDOW)
    assert drained(taken) == content(3 * WINDOW)[: 2 * WINDOW]
    assert body.asked == [WINDOW, WINDOW]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("announce", [True, False], ids=["announced", "chunked"])
def test_the_limit_is_exact(size: int, announce: bool) -> None:  # noqa: FBT001
    """As many bytes as the limit pass; one more raises, and neither the scanner nor the store gets the
    chunk that went over."""
    data = content(size)
    announced = size if announce else None
    assert drained(intake(Body(data), announced=announced, limit=size)) == data
    scanner = OneScan()
    taken = intake(Body(data), announced=announced, limit=size - 1, scanner=scanner)
    with pytest.raises(TooLarge, match=f"the {size - 1} bytes"):
        drained(taken, 1000)
    assert sum(map(len, scanner.stream.fed)) < size
    assert "finish" not in scanner.stream.calls


@pytest.mark.parametrize("size", [0, *SIZES])
@pytest.mark.parametrize("announce", [True, False], ids=["announced", "chunked"])
def test_the_digest_must_be_the_announced_one(size: int, announce: bool) -> None:  # noqa: FBT001
    """The right digest passes; with another the last read raises instead of giving the last bytes, so no
    put can complete, and the scanner is not told that the bytes are whole."""
    data = content(size)
    announced = size if announce else None
    assert drained(intake(Body(data), announced=announced, expected=sha256(data))) == data
    scanner = OneScan()
    taken = intake(Body(data), announced=announced, expected=sha256(data + b"x"), scanner=scanner)
    with pytest.raises(DigestMismatch):
        drained(taken)
    assert "finish" not in scanner.stream.calls


def test_what_remains() -> None:
    """The bytes still to come are known exactly where the length was announced."""
    taken = intake(Body(content(1000)), announced=1000)
    assert taken.remaining == 1000
    taken.read(300)
    assert taken.remaining == 700
    drained(taken)
    assert taken.remaining == 0
    assert intake(Body(b"x")).remaining is None


@pytest.mark.parametrize("size", [0, 1, WINDOW - 1, WINDOW, WINDOW + 1])
@pytest.mark.parametrize("sizes", [None, [1, 999]], ids=["whole", "odd"])
def test_the_head(size: int, sizes: list[int] | None) -> None:
    """The head is the first 64 KiB, fewer only where the body or its announced length ends before."""
    data = content(size)
    assert read_head(Body(data, sizes), None) == data[:WINDOW]
    assert read_head(Body(data, sizes), size) == data[:WINDOW]
    assert read_head(Body(data, sizes), size // 2) == data[: size // 2][:WINDOW]


@pytest.mark.parametrize(
    ("size", "lengths"),
    [
        (SEGMENT_SIZE - 1, [SEGMENT_SIZE - 1]),
        (SEGMENT_SIZE, [SEGMENT_SIZE]),
        (SEGMENT_SIZE + 1, [SEGMENT_SIZE, 1]),
        (2 * SEGMENT_SIZE + 12_345, [SEGMENT_SIZE, SEGMENT_SIZE, 12_345]),
    ],
)
def test_segments_split_at_64_mib(size: int, lengths: list[int]) -> None:
    """A content becomes segments of 64 MiB and a rest, each with the digest of its own bytes."""
    taken = intake(Zeros(size))
    segments: list[tuple[int, str]] = []
    while taken.more():
        source = SegmentSource(taken, first=not segments)
        while source.read(5 * 1024 * 1024):
            pass
        segments.append((source.size, source.sha256()))
    assert segments == [(length, zeros_sha256(length)) for length in lengths]
    assert taken.size == size


def zeros_sha256(size: int) -> str:
    """Return the digest of ``size`` zero bytes, hashed block by block."""
    digest = hashlib.sha256()
    body = Zeros(size)
    while block := body.read(CHUNK):
        digest.update(block)
    return digest.hexdigest()


@pytest.mark.parametrize("sizes", [None, [1, 70_000, 3]], ids=["whole", "odd"])
@pytest.mark.parametrize("part", [1000, WINDOW, CHUNK + 1])
def test_a_segment_is_read_in_whole_parts(sizes: list[int] | None, part: int) -> None:
    """The store gets exactly as many bytes as it asks for, fewer only at the end of the content."""
    data = content(3 * CHUNK + 5)
    source = SegmentSource(intake(Body(data, sizes)), first=True)
    parts = []
    while piece := source.read(part):
        parts.append(piece)
    assert b"".join(parts) == data
    assert {len(piece) for piece in parts[:-1]} == {part}
    assert (source.size, source.sha256()) == (len(data), sha256(data))
