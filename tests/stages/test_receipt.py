"""What a receipt says is what was hashed, whatever became of the rows."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from service.core.canary import EICAR
from service.core.errors import LogDamaged, NotSignedYet, NoVerdict
from service.core.journal import Act, Placed, Waiting, of_upload
from service.core.upload import Event, State, Upload
from service.stages.log.checkpoint import sign
from service.stages.log.keys import public_key
from service.stages.log.place import place
from service.stages.log.receipt import make_receipt
from service.verify.proof import check_receipt
from tests.fakes.faults import Faults
from tests.fakes.journal import FakeJournal
from tests.stages.world import PDF, World


def keep(world: World) -> None:
    """Place and sign everything."""
    while place(world.parts):
        pass
    sign(world.parts)


def proved_event(world: World, upload: Upload) -> str:
    """Return what the receipt of an upload proves to have happened to it."""
    proved = check_receipt(make_receipt(world.parts, upload), public_key(world.parts))
    assert proved.line["upload"] == upload.id
    return str(proved.line["event"])


def moved(world: World, upload: Upload, event: Event) -> Upload:
    """Move an upload and save it."""
    return world.ledger.save(upload.moved(event, world.clock.now()))


def test_every_verdict_has_its_receipt(world: World) -> None:
    """What the scanner found, and what people decided about it since."""
    clean, infected = world.upload(PDF), world.upload(PDF[:-64] + EICAR)
    keep(world)
    assert proved_event(world, clean) == "found_clean"
    assert proved_event(world, infected) == "found_infected"
    recalled = moved(world, clean, Event.RECALLED)
    with pytest.raises(NotSignedYet):
        make_receipt(world.parts, recalled)
    keep(world)
    assert proved_event(world, recalled) == "recalled"


def test_a_verdict_that_was_asked_for_anew_is_none(world: World) -> None:
    """From the question for another scan to its end, the old answer proves nothing."""
    infected = world.upload(PDF[:-64] + EICAR)
    keep(world)
    again = moved(world, infected, Event.RESCAN_ASKED)
    for _ in range(2):
        with pytest.raises(NotSignedYet):
            make_receipt(world.parts, again)
        keep(world)


def test_what_was_given_up_has_none(world: World) -> None:
    """And will have none."""
    upload = moved(world, world.begin(100), Event.GAVE_UP)
    assert upload.state is State.ABANDONED
    keep(world)
    with pytest.raises(NoVerdict):
        make_receipt(world.parts, upload)


@pytest.mark.parametrize("damage", ["its text", "not JSON", "another upload's", "no text", "no line"])
def test_no_receipt_is_given_that_would_prove_nothing(world: World, damage: str) -> None:
    """Whoever changed a published line in the database is found out here, not by the receipt's reader."""
    upload, other = world.upload(PDF), world.upload(PDF)
    keep(world)
    rows = {row: place for row, place in world.journal.places.items() if '"found_clean"' in place[1]}
    (row, (position, text)), (_, (_, others)) = rows.items()
    assert upload.id in text
    assert other.id in others
    changed = {
        "its text": text.replace('"kind":"clean"', '"kind":"CLEAN"'),
        "not JSON": text[:-1],
        "another upload's": others,
        "no text": None,
        "no line": "[]",
    }
    world.journal.places[row] = (position, changed[damage])  # type: ignore[assignment]
    with pytest.raises(LogDamaged):
        make_receipt(world.parts, upload)


class Watched(FakeJournal):
    """A log that remembers how many lines of an upload were asked for at once."""

    most = 0

    def of_upload(self, upload_id: str, others: int | None = None) -> Sequence[Placed | Waiting]:
        """Return an upload's lines."""
        found = super().of_upload(upload_id, others)
        self.most = max(self.most, len(found))
        return found


def test_a_receipt_costs_no_more_for_a_file_that_was_downloaded_often(world: World) -> None:
    """Whoever may download a file cannot make its receipt a burden by doing so again and again."""
    upload = world.upload(PDF)
    watched = Watched(Faults())
    watched.append(world.journal.entries)
    moves = len(watched.entries)
    at = world.clock.now()
    watched.append([of_upload(upload, Act.DOWNLOADED, at, "key:gr_000000000000") for _ in range(500)])
    parts = replace(world.parts, journal=watched)
    while place(parts):
        pass
    sign(parts)
    assert check_receipt(make_receipt(parts, upload), public_key(parts)).line["event"] == "found_clean"
    assert watched.most <= moves


def test_a_row_that_was_changed_changes_no_receipt(world: World) -> None:
    """The columns beside a published line are for the service's own work and prove nothing."""
    infected = world.upload(PDF[:-64] + EICAR)
    keep(world)
    for number, entry in enumerate(world.journal.entries):
        if entry.event == "found_infected":
            world.journal.entries[number] = replace(entry, event="found_clean", after=State.CLEARED)
    assert proved_event(world, infected) == "found_infected"
