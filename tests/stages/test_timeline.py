"""What is shown of an upload's log is what was signed, and whatever is not is seen."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from service.core.journal import Act, of_upload
from service.core.upload import State, Upload
from service.stages.desk.timeline import MOST_ACTS, Line, Timeline, timeline
from service.stages.log.checkpoint import EVERY, sign_when_due
from service.stages.log.place import place
from service.stages.log.proof import Proof
from service.verify.signature import check_checkpoint
from tests.stages.test_log import keep
from tests.stages.world import CALLER, PDF, World

ALL_PROVED: Final = [Proof.PROVED] * 4


def of(world: World, upload: Upload) -> Timeline:
    """Return the timeline as a page would."""
    now = world.ledger.find(upload.id)
    assert now
    return timeline(world.parts, now, check_checkpoint)


def proofs(shown: Timeline) -> list[Proof]:
    """Return what is proved of each line."""
    return [line.proof for line in shown.lines]


def quiet(shown: Timeline) -> bool:
    """Tell whether nothing is wrong."""
    return not shown.bad and not shown.troubles


def test_a_line_is_proved_once_a_checkpoint_is_over_it(world: World) -> None:
    """Before, it waits for its place, and then for the signature."""
    upload = world.upload(PDF)
    assert proofs(of(world, upload)) == [Proof.WAITING] * 4
    place(world.parts)
    assert proofs(of(world, upload)) == [Proof.UNSIGNED] * 4
    sign_when_due(world.parts)
    shown = of(world, upload)
    assert proofs(shown) == ALL_PROVED
    assert [line.position for line in shown.lines] == [0, 1, 2, 3]
    world.journal.append([of_upload(upload, Act.DOWNLOADED, world.clock.now(), "grant:ann")])
    assert proofs(of(world, upload)) == [*ALL_PROVED, Proof.WAITING]
    assert quiet(of(world, upload))


def test_lines_are_proved_in_a_large_log_too(world: World) -> None:
    """Whatever stands before and behind them, in other tiles."""
    first = world.upload(PDF)
    for count in (300, 5, 400):
        other = [of_upload(first, Act.UPLOAD_VIEWED, world.clock.now(), None)] * count
        world.journal.append([replace(entry, upload_id="up_other") for entry in other])
    second = world.upload(PDF)
    keep(world)
    assert proofs(of(world, first)) == proofs(of(world, second)) == ALL_PROVED


def test_who_it_was_is_told_in_the_rows_words_where_the_line_vouches_for_them(world: World) -> None:
    """The line has a pseudonym of a grant; without the account's key nothing else can be told."""
    upload = world.upload(PDF)
    world.journal.append([of_upload(upload, Act.DOWNLOADED, world.clock.now(), "grant:ann")])
    assert of(world, upload).lines[-1].actor == "grant:ann"
    keep(world)
    assert of(world, upload).lines[-1].actor == "grant:ann"
    world.checkpoints.destroy_pseudonym_key(CALLER.account_id, world.clock.now())
    last = of(world, upload).lines[-1]
    assert last.actor
    assert last.actor.startswith("grant:by_")
    assert (last.proof, last.contradicted) == (Proof.PROVED, [])


def test_of_many_downloads_the_newest_are_shown_and_all_moves(world: World) -> None:
    """However often a file is downloaded, its page is not longer than this."""
    upload = world.upload(PDF)
    download = of_upload(upload, Act.DOWNLOADED, world.clock.now(), "grant:ann")
    world.journal.append([download] * MOST_ACTS)
    assert len(of(world, upload).lines) == MOST_ACTS + 4
    world.journal.append([replace(download, actor="grant:bea")])
    shown = of(world, upload)
    assert (len(shown.lines), shown.cut) == (MOST_ACTS + 4, True)
    assert [line.actor for line in shown.lines[-2:]] == ["grant:ann", "grant:bea"]
    assert quiet(shown)


def _text(world: World, row: int, old: str, new: str) -> None:
    position, text = world.journal.places[row]
    assert old in text
    world.journal.places[row] = position, text.replace(old, new)


def _entry(world: World, row: int, **changes: object) -> None:
    world.journal.entries[row - 1] = replace(world.journal.entries[row - 1], **changes)  # type: ignore[arg-type]


def _tile(world: World, at: int) -> None:
    tile = bytearray(world.journal.tiles[0, 0])
    tile[at] ^= 1
    world.journal.tiles[0, 0] = bytes(tile)


def _note(world: World, old: str, new: str) -> None:
    signed = world.checkpoints.signed[-1]
    assert old in signed.note
    world.checkpoints.signed[-1] = replace(signed, note=signed.note.replace(old, new))


def _both(world: World) -> None:
    _text(world, 3, '"kind":"clean"', '"kind":"dirty"')
    _entry(world, 3, detail={**world.journal.entries[2].detail, "kind": "dirty"})


def _cut_tiles(world: World) -> None:
    world.journal.tiles[0, 0] = world.journal.tiles[0, 0][:-32]


ATTACKS: dict[str, Callable[[World], None]] = {
    "a line's text says something else": lambda world: _text(world, 3, "found_clean", "found_cleen"),
    "a line's text is no line": lambda world: _text(world, 3, '{"', "["),
    "a line's text is of another version": lambda world: _text(world, 3, '"v":1', '"v":2'),
    "text and row both say something else": _both,
    "a row says that another did it": lambda world: _entry(world, 1, actor="key:gr_other"),
    "a row says that it was later": lambda world: _entry(world, 2, at=world.clock.now() + EVERY),
    "a row has another detail": lambda world: _entry(world, 3, detail={"kind": "clean"}),
    "a row is another account's": lambda world: _entry(world, 3, account_id="other"),
    "a move is gone": lambda world: world.journal.entries.__setitem__(
        1, replace(world.journal.entries[1], upload_id="up_other")
    ),
    "the last move is gone": lambda world: _entry(world, 4, upload_id=None),
    "two lines have changed places": lambda world: world.journal.places.update(
        {2: (2, world.journal.places[2][1]), 3: (1, world.journal.places[3][1])}
    ),
    "a hash of the tree is another": lambda world: _tile(world, 5),
    "the tree is shorter": _cut_tiles,
    "the checkpoint has another root": lambda world: _note(world, "\n4\n", "\n3\n"),
    "the checkpoint is not signed by the log": lambda world: _note(world, "—", "-"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_was_changed_past_the_service_is_seen(world: World, attack: str) -> None:
    """By whoever can write to the database but has not the log's key."""
    upload = world.upload(PDF)
    keep(world)
    assert quiet(of(world, upload))
    ATTACKS[attack](world)
    assert not quiet(of(world, upload))


def test_a_row_that_says_another_state_is_seen(world: World) -> None:
    """The moves in the log lead to where the upload is, or somebody moved it past the log."""
    upload = world.upload(PDF)
    keep(world)
    now = world.ledger.find(upload.id)
    assert now
    shown = timeline(world.parts, replace(now, state=State.BLOCKED), check_checkpoint)
    assert shown.troubles == ["The log leaves the upload released, and its row says that it is blocked."]


def test_what_is_told_is_the_lines_text_and_not_the_row(world: World) -> None:
    """Someone who changes a row changes nothing that is read on the page."""
    upload = world.upload(PDF)
    keep(world)
    _entry(world, 3, event="found_infected", after=State.BLOCKED, actor="reviewer:rv_1")
    line: Line = of(world, upload).lines[2]
    assert line.told
    assert (line.told.event, line.told.after, line.actor) == ("found_clean", "cleared", None)
    assert line.contradicted == ["actor", "after", "event"]
    assert line.text
    assert json.loads(line.text)["event"] == "found_clean"
    assert line.proof is Proof.PROVED


def test_a_move_meanwhile_is_nothing_wrong(world: World) -> None:
    """The row was read before its newest line."""
    upload = world.begin(len(PDF))
    before = world.ledger.find(upload.id)
    assert before
    world.send(upload.id, 0, PDF)
    assert timeline(world.parts, before, check_checkpoint).troubles == []
