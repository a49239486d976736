import hashlib
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.canary import EICAR, Canary, Pieces, complaint, limit_canary, quick_canaries
from service.core.errors import ConfigurationError
from service.core.outcome import (
    Clean,
    Failed,
    Failure,
    Infected,
    Malformed,
    Obstacle,
    Outcome,
    Suspicious,
    Unscannable,
)

CHUNK = 256 * 1024
OUTCOMES: list[Outcome] = [
    Clean(),
    Infected("x"),
    Unscannable(Obstacle.LIMITS, "x"),
    Unscannable(Obstacle.ENCRYPTED, "x"),
    Malformed("x"),
    Suspicious("x"),
    *(Failed(failure, "x") for failure in Failure),
]
QUICK = {canary.name: canary for canary in quick_canaries()}


def whole(canary: Canary) -> bytes:
    """Return a canary's content, which must come in chunks of at most 256 KiB."""
    pieces = list(canary.pieces)
    assert all(0 < len(piece) <= CHUNK for piece in pieces)
    return b"".join(pieces)


def test_eicar_is_the_test_file() -> None:
    """The test file is the 68 bytes that eicar.org publishes, known by their SHA-256."""
    published = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
    assert len(EICAR) == 68
    assert hashlib.sha256(EICAR).hexdigest() == published


def test_the_canaries_of_every_minute() -> None:
    """The scanner is shown what it must find, plain and packed, and what it must say it cannot look into."""
    expected = {name: canary.expected for name, canary in QUICK.items()}
    assert expected == {
        "plain": Infected,
        "zipped": Infected,
        "encrypted": Obstacle.ENCRYPTED,
        "over the limit": Obstacle.LIMITS,
        "RAR": Obstacle.LIMITS,
        "locked document": Obstacle.ENCRYPTED,
    }


def test_what_the_canaries_hold() -> None:
    """Each canary is what its name says: EICAR, EICAR in a zip, a locked zip, zips 40 deep around EICAR, a
    RAR in a zip, a locked document.
    """
    assert whole(QUICK["plain"]) == EICAR
    with zipfile.ZipFile(io.BytesIO(whole(QUICK["zipped"]))) as package:
        assert [package.read(name) for name in package.namelist()] == [EICAR]
    with zipfile.ZipFile(io.BytesIO(whole(QUICK["encrypted"]))) as package:
        (locked,) = package.infolist()
        assert locked.flag_bits & 1
        with pytest.raises(RuntimeError, match="password required"):
            package.read(locked)
    content, depth = whole(QUICK["over the limit"]), 0
    while content != EICAR:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            (name,) = package.namelist()
            content, depth = package.read(name), depth + 1
    assert depth == 40
    with zipfile.ZipFile(io.BytesIO(whole(QUICK["RAR"]))) as package:
        assert [package.read(name)[:6] for name in package.namelist()] == [b"Rar!\x1a\x07"]
    entry = whole(QUICK["locked document"])[512:]
    assert entry[:64].decode("utf-16-le").rstrip("\0") == "EncryptedPackage"


def test_a_canary_can_be_sent_again() -> None:
    """A canary's content is made anew each time it is asked for."""
    for canary in [*QUICK.values(), limit_canary(600_000)]:
        assert whole(canary) == whole(canary)


@pytest.mark.parametrize("canary", [*QUICK.values(), limit_canary(1000)], ids=lambda canary: canary.name)
@pytest.mark.parametrize("outcome", OUTCOMES, ids=repr)
def test_a_law_is_kept_by_its_outcome_alone(canary: Canary, outcome: Outcome) -> None:
    """Of all outcomes exactly the expected one keeps a canary's law; clean and failed never do."""
    if isinstance(canary.expected, Obstacle):
        expected = outcome == Unscannable(canary.expected, "x")
    else:
        expected = isinstance(outcome, Infected)
    assert canary.kept(outcome) == expected


def test_complaints_name_the_law_and_what_was_said() -> None:
    """The operator reads which law was not kept and what the scanner answered instead."""
    plain = QUICK["plain"]
    assert complaint(plain, Clean()) == "plain: not so that EICAR is found (clean)"
    said = complaint(plain, Failed(Failure.TIMEOUT, "after 120 s"))
    assert said == "plain: not so that EICAR is found (timeout: after 120 s)"


@given(st.one_of(st.integers(400, 3000), st.integers(3000, 3 * CHUNK)))
@settings(max_examples=60)
def test_the_canary_at_the_limit(size: int) -> None:
    """It has exactly the size asked for, is a good zip, and its last member, just before the directory, is
    EICAR: a scanner that stops a little earlier does not find it."""
    canary = limit_canary(size)
    content = whole(canary)
    assert len(content) == size
    assert str(size) in canary.law
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert package.testzip() is None
        first, last = package.infolist()
        assert package.read(first) == b"first"
        assert package.read(last) == EICAR
        assert content.rindex(EICAR) + len(EICAR) == package.start_dir
    assert size - content.rindex(EICAR) < 300
    assert content.count(EICAR) == 1


@pytest.mark.parametrize("size", [512 * 1024 * 1024, 2_147_483_645])
def test_the_canary_at_a_large_limit_is_not_built(size: int) -> None:
    """Its gap is a number, not bytes: the pieces add up to the size without being held at once."""
    pieces = limit_canary(size).pieces
    assert len(pieces.before) + pieces.gap + len(pieces.behind) == size
    assert len(pieces.before) + len(pieces.behind) < 1000
    assert len(next(iter(Pieces(b"x", size)))) == 1


def test_the_least_limit() -> None:
    """A limit too small for the canary is a policy that cannot be proved: an error that tells the least."""
    with pytest.raises(ConfigurationError, match="max_file_size must be at least") as caught:
        limit_canary(1)
    least = int(str(caught.value).rpartition(" ")[2])
    assert len(whole(limit_canary(least))) == least
    with pytest.raises(ConfigurationError, match=f"at least {least}$"):
        limit_canary(least - 1)


@given(st.binary(min_size=1, max_size=9), st.integers(0, 3 * CHUNK), st.binary(max_size=9))
@settings(max_examples=40)
def test_pieces_are_their_parts(before: bytes, gap: int, behind: bytes) -> None:
    """The chunks are the front, the gap's zero bytes and the back, and nothing else."""
    assert b"".join(Pieces(before, gap, behind)) == before + bytes(gap) + behind
