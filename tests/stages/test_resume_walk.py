"""A resumable upload's life, with a fault at every operation, once and in every way."""

import hashlib
from collections.abc import Callable
from typing import Final

import pytest

from service.core.canary import EICAR
from service.core.errors import GreenroomError, Truncated, UploadEnded
from service.core.upload import State, Upload
from service.stages.piece import Checksum
from service.stages.resume import own_resumable
from tests.fakes.faults import Crash, Moment
from tests.stages.test_walk import a_kill, an_error
from tests.stages.world import CALLER, Scripted, World, deck

CLEAN: Final = deck(filler=80 * 1024)
INFECTED: Final = deck(filler=80 * 1024, extra=EICAR)
#: The pieces of a life: how many bytes come, and how it ends: well, with a drop, or checked by a checksum.
PIECES: Final = [(30_000, "drop"), (70_000, "well"), (20_000, "checked"), (10**6, "well")]
WHOLE: Final = [(10**6, "well")]
MOST_TRIES: Final = 40


class Client:
    """A client as the protocol has it: after any trouble it asks for the offset and goes on from there.

    ``acknowledged`` is the highest offset that it was ever told.
    """

    def __init__(self, world: World, content: bytes, pieces: list[tuple[int, str]]) -> None:
        self.world = world
        self.content = content
        self.pieces = list(pieces)
        self.acknowledged = 0
        self.lost: list[str] = []

    def live(self) -> None:
        """Send everything, whatever happens on the way."""
        upload_id = self._begun()
        for _ in range(MOST_TRIES):
            offset = self._ask(upload_id)
            if offset is None or offset == len(self.content):
                return
            self._send(upload_id, offset)

    def _begun(self) -> str:
        for _ in range(MOST_TRIES):
            upload = self._try(lambda: self.world.begin(len(self.content), "deck.pptx"))
            if upload:
                return upload.id
            self.world.clock.advance(1)
        raise AssertionError("it could never begin")

    def _ask(self, upload_id: str) -> int | None:
        """HEAD: the offset, which must be no less than was ever acknowledged and no more than is stored."""
        for _ in range(MOST_TRIES):
            upload = self._try(lambda: own_resumable(self.world.parts, CALLER, upload_id))
            if upload is None:
                continue
            self._check(upload)
            return upload.offset
        raise AssertionError("it could never ask")

    def _check(self, upload: Upload) -> None:
        if upload.offset < self.acknowledged:
            self.lost.append(f"acknowledged {self.acknowledged}, then {upload.offset}")
        self.acknowledged = max(self.acknowledged, upload.offset)
        if upload.state is State.RECEIVING:
            stored = self.world.store.quarantined
            known = b"".join(
                self.world.opened(upload, s, stored[s.key]) for s in upload.segments if s.key in stored
            )
            if known != self.content[: upload.offset]:
                self.lost.append(f"the first {upload.offset} bytes are not stored as they were sent")

    def _send(self, upload_id: str, offset: int) -> None:
        size, ending = self.pieces[0]
        data = self.content[offset : offset + size]
        checksum = Checksum("sha256", hashlib.sha256(data).digest()) if ending == "checked" else None
        error = Truncated("dropped") if ending == "drop" else None
        body = Scripted(data, 10_000, ending=error)
        announced = len(data) + 1 if error else len(data)
        upload = self._try(
            lambda: self.world.send(upload_id, offset, body, announced=announced, checksum=checksum)
        )
        if upload:
            self._check(upload)
        if len(self.pieces) > 1 and (upload or ending == "drop"):
            del self.pieces[0]

    def _try(self, call: Callable[[], Upload]) -> Upload | None:
        try:
            return call()
        except UploadEnded:
            raise
        except GreenroomError:
            return None
        except Crash:
            # Another process takes its place; what the dead one held is free after its lease.
            self.world.faults.revive()
            return None


def lived(world: World, content: bytes, pieces: list[tuple[int, str]]) -> Client:
    """Live one upload's life to its end."""
    client = Client(world, content, pieces)
    client.live()
    world.settle()
    return client


def operations(content: bytes, pieces: list[tuple[int, str]]) -> list[tuple[str, int]]:
    """Return every operation of a life without faults."""
    world = World()
    before = len(world.faults.calls)
    lived(world, content, pieces)
    assert world.broken_laws() == []
    return [(name, number) for name, number in world.faults.calls[before:] if number <= 40]


@pytest.mark.parametrize("strike", [an_error, a_kill])
@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("pieces", [PIECES, WHOLE], ids=["pieces", "one piece"])
@pytest.mark.parametrize("content", [CLEAN, INFECTED], ids=["clean", "eicar"])
def test_one_fault_at_every_operation_loses_no_acknowledged_byte(
    content: bytes,
    pieces: list[tuple[int, str]],
    moment: Moment,
    strike: Callable[[World, str, int, Moment], None],
) -> None:
    """Whatever one operation does to us, before or after persisting, error or kill -9: the offset never falls
    and is never ahead of what is stored; the client gets through by asking and going on; what is scanned and
    released is exactly what was sent, and EICAR never is; nothing stays that no row owns.
    """
    right = State.BLOCKED if content is INFECTED else State.RELEASED
    walked = 0
    for name, number in operations(content, pieces):
        world = World()
        strike(world, name, number - world.faults.count(name), moment)
        client = lived(world, content, pieces)
        assert not world.faults.armed(), f"{name} #{number} was never reached"
        broken = world.broken_laws() + client.lost
        ended = [row for row in world.ledger.rows() if row.state is right]
        # A creation whose answer was lost leaves one that nobody knows and that expires.
        others = {row.state for row in world.ledger.rows() if row not in ended}
        if len(ended) != 1 or not others <= {State.ABANDONED}:
            broken.append(f"ended {[row.state for row in world.ledger.rows()]}")
        for row in ended:
            if (row.size, row.sha256) != (len(content), hashlib.sha256(content).hexdigest()):
                broken.append("another content than was sent")
            if right is State.RELEASED and world.content(row) != content:
                broken.append("released other bytes than were sent")
        if content not in world.scanner.scanned:
            broken.append("the content was never scanned whole")
        assert broken == [], f"{moment} at {name} #{number}"
        walked += 1
    assert walked > 20


def test_a_life_without_faults_walks_every_part() -> None:
    """The walk is exhaustive only if the lives it walks touch what matters: the operations are named here."""
    names = {name for name, _ in operations(CLEAN, PIECES)} | {name for name, _ in operations(CLEAN, WHOLE)}
    assert names >= {
        "ledger.save", "ledger.find", "ledger.unattended", "ledger.with_leftovers", "ledger.swept",
        "store.put_part", "store.put", "store.read_quarantined", "store.read", "store.release",
        "store.discard_quarantined", "scanner.engine", "scanner.open", "scanner.feed", "scanner.finish",
        "scanner.outcome", "queue.enqueue",
    }  # fmt: skip
