"""What somebody does who may write to the database, and knows the signing key too.

They can make a log that is whole in itself. What they cannot do is make it go on from a checkpoint that
somebody kept before.
"""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from service.core import tree
from service.core.journal import Entry
from service.core.line import canonical
from service.core.tree import TileId
from service.verify.checkpoint import Checkpoint
from service.verify.invalid import Invalid
from service.verify.lines import check_lines
from service.verify.merkle import check_consistency, leaf_hash
from service.verify.signature import check_checkpoint
from tests.verify.signed import KEY, checkpoint, sign

_NOON: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _line(number: int, event: str = "found_infected") -> bytes:
    entry = Entry(
        _NOON + timedelta(seconds=number), event, {"sha256": "ab" * 32}, None, f"up_{number:032x}", "acme"
    )
    return canonical(entry, b"k" * 32).encode() + b"\n"


LOG: Final = [_line(number) for number in range(7)]
#: What an auditor kept, before five of the lines were followed by others.
KEPT: Final = [sign(checkpoint(LOG[:size])) for size in (3, 5)]


def found(untrusted_export: bytes, notes: list[str] = KEPT) -> bool:
    """Tell whether an auditor who kept ``notes`` finds something wrong with an export."""
    try:
        check_lines(io.BytesIO(untrusted_export), [check_checkpoint(note, KEY) for note in notes])
    except Invalid:
        return True
    return False


def test_the_log_itself_is_in_order() -> None:
    """Else the attacks below would prove nothing."""
    assert not found(b"".join(LOG))
    assert not found(b"".join(LOG[:5]))


def test_every_bit_of_the_log_counts() -> None:
    """Each of them, flipped by itself, below the newest checkpoint that was kept."""
    kept = [check_checkpoint(note, KEY) for note in KEPT]
    for bit in range(len(b"".join(LOG[:5])) * 8):
        wrong = bytearray(b"".join(LOG))
        wrong[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Invalid):
            check_lines(io.BytesIO(wrong), kept)


ATTACKS: Final[dict[str, Callable[[list[bytes]], list[bytes]]]] = {
    **{f"delete {n}": lambda log, n=n: log[:n] + log[n + 1 :] for n in range(5)},  # type: ignore[misc]
    **{f"duplicate {n}": lambda log, n=n: [*log[: n + 1], *log[n:]] for n in range(4)},  # type: ignore[misc]
    **{
        f"swap {n} and {m}": lambda log, n=n, m=m: [  # type: ignore[misc]
            log[m] if at == n else log[n] if at == m else line for at, line in enumerate(log)
        ]
        for n in range(5)
        for m in range(n)
    },
    **{f"cut off at {n}": lambda log, n=n: log[:n] for n in range(5)},  # type: ignore[misc]
    **{f"insert at {n}": lambda log, n=n: [*log[:n], _line(9), *log[n:]] for n in range(5)},  # type: ignore[misc]
    "another verdict": lambda log: [*log[:2], _line(2, "found_clean"), *log[3:]],
    "a line split in two": lambda log: [*log[:2], log[2][:20] + b"\n", log[2][20:], *log[3:]],
    "two lines joined": lambda log: [*log[:2], log[2][:-1] + log[3], *log[4:]],
    "an empty line": lambda log: [b"\n", *log],
    "a line of the same meaning": lambda log: [
        *log[:2],
        json.dumps(json.loads(log[2]), sort_keys=True).encode() + b"\n",
        *log[3:],
    ],
    "everything": lambda log: [_line(number, "found_clean") for number in range(len(log))],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_log_that_was_rewritten_with_all_its_hashes_is_found(attack: str) -> None:
    """It is whole and signed anew by who knows the key, and does not go on from what was kept before."""
    forged = ATTACKS[attack](LOG)
    theirs = sign(checkpoint(forged))
    assert not found(b"".join(forged), [theirs]), "whole in itself"
    assert found(b"".join(forged))
    assert found(b"".join(forged), [theirs, *KEPT])


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_proof_leads_from_what_was_kept_to_a_log_that_was_rewritten(attack: str) -> None:
    """A witness needs only the two checkpoints and the best proof that the forger can make."""
    forged = ATTACKS[attack](LOG)
    theirs, tiles = checkpoint(forged), _tiles(forged)
    for note in KEPT:
        mine = check_checkpoint(note, KEY)
        steps = tree.consistency(mine.size, theirs.size, tiles) if mine.size <= theirs.size else []
        if checkpoint(forged[: mine.size]).root == mine.root and len(forged) >= mine.size:
            continue
        with pytest.raises(Invalid):
            check_consistency(mine.size, mine.root, theirs.size, theirs.root, steps)


def test_a_fork_is_found_by_whoever_has_seen_both_sides() -> None:
    """Two logs that are one up to some line and two from there on: no order of the two is one log."""
    other = [*LOG[:4], *(_line(number, "found_clean") for number in range(4, 7))]
    mine, theirs = sign(checkpoint(LOG)), sign(checkpoint(other))
    for export in (LOG, other):
        assert found(b"".join(export), [mine, theirs])
    longer = [*other, _line(7)]
    for first, second in ((LOG, longer), (other, [*LOG, _line(7)])):
        steps = tree.consistency(7, 8, _tiles(second))
        one, two = checkpoint(first), checkpoint(second)
        with pytest.raises(Invalid):
            check_consistency(one.size, one.root, two.size, two.root, steps)


def test_a_checkpoint_that_was_made_up_is_found() -> None:
    """Over another number of lines, or for another log, or signed by another key."""
    good = checkpoint(LOG[:5])
    for forged in (Checkpoint(good.origin, 4, good.root), Checkpoint(good.origin, 6, good.root)):
        assert found(b"".join(LOG), [sign(forged)])
    assert found(b"".join(LOG), [sign(Checkpoint("greenroom/log/other", good.size, good.root))])
    assert found(b"".join(LOG), [KEPT[1].replace("greenroom/log/test", "greenroom/log/tesu")])


def _tiles(lines: list[bytes]) -> tree.Tiles:
    grown: dict[TileId, bytes] = tree.grow(0, [leaf_hash(line[:-1]) for line in lines], lambda *_: b"")
    return lambda level, number: grown.get((level, number), b"")
