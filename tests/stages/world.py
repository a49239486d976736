"""A whole Greenroom on fakes: one upload's life from the first byte to rest, with time as an argument."""

import hashlib
import io
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from service.adapters.ed25519_signer import Ed25519Signer
from service.adapters.fernet_sealer import FernetSealer
from service.adapters.jwt_tokens import JwtTokens
from service.adapters.master_key import KeyInHand, new_keyset
from service.adapters.tink_cipher import TinkCipher
from service.core.account import HOME
from service.core.caller import Caller
from service.core.canary import EICAR
from service.core.decision import Standing
from service.core.errors import Conflict, ContentLost, GreenroomError, PartUnavailable
from service.core.policy import Policy, read_policy
from service.core.siem import Form
from service.core.upload import RESTING, Event, Leftover, Segment, State, Upload
from service.core.verdict import Kind, Protection
from service.jobs.reconcile import reconcile, tidy
from service.ports import Source, Stored, Task
from service.stages.access import SCOPES
from service.stages.advance import advance
from service.stages.deliver import deliver
from service.stages.gate import Gate, Health
from service.stages.heartbeat import Heartbeat
from service.stages.keyring import Keyring
from service.stages.parts import Parts
from service.stages.piece import Checksum, Piece
from service.stages.receive import CHUNK
from service.stages.resume import Creation, create, go_on, own_resumable
from service.stages.take_in import Arrival, take_in
from tests.fakes.accounts import FakeAccounts
from tests.fakes.answers import FakeAnswers
from tests.fakes.checkpoints import FakeCheckpoints
from tests.fakes.clock import FakeClock
from tests.fakes.credentials import FakeCredentials
from tests.fakes.decisions import FakeDecisions
from tests.fakes.erasures import FakeErasures
from tests.fakes.events import FakeEvents
from tests.fakes.exports import FakeExports
from tests.fakes.faults import Crash, Faults
from tests.fakes.holds import FakeHolds
from tests.fakes.journal import FakeJournal
from tests.fakes.ledger import FakeLedger
from tests.fakes.limiter import FakeLimiter
from tests.fakes.log import FakeLog
from tests.fakes.meetings import FakeMeetings
from tests.fakes.queue import FakeQueue
from tests.fakes.rescans import FakeRescans
from tests.fakes.scanner import FakeScanner
from tests.fakes.sniffer import FakeSniffer
from tests.fakes.store import FakeStore
from tests.fakes.traces import FakeTraces
from tests.fakes.webhooks import FakeSender, FakeWebhooks
from tests.fakes.witness import FakeWitness

CALLER: Final = Caller("acme", "gr_000000000000", SCOPES)
SECRETS_KEY: Final = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
MASTER_KEY: Final = new_keyset()
ROUND: Final = 5.0
DEADLINE: Final = 120.0
KIBI: Final = 1024
PDF: Final = b"%PDF-1.7\n" + bytes(range(256)) * 2400
_SHIPPED: Final = Path(__file__).parents[2] / "service" / "policy.toml"
_DECIDED: Final = frozenset(
    {Event.FOUND_CLEAN, Event.FOUND_INFECTED, Event.NOT_SCANNABLE, Event.SCAN_EXHAUSTED}
)


def policy(*switched_on: str) -> Policy:
    """Return the shipped policy, for files of up to 80 MiB so that two segments fit."""
    settings = tomllib.loads(_SHIPPED.read_text()) | {"max_file_size": 80 * KIBI * KIBI}
    for extension in switched_on:
        settings["types"][extension]["enabled"] = True
    return read_policy(settings)


def deck(filler: int = 200 * KIBI, main: str = "presentation", extra: bytes = b"") -> bytes:
    """Return a presentation whose content types lie ``filler`` bytes from both ends."""
    kind = f"application/vnd.openxmlformats-officedocument.presentationml.{main}.main+xml"
    types = f'<Types><Override PartName="/ppt/presentation.xml" ContentType="{kind}"/></Types>'
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        package.writestr(zipfile.ZipInfo("before.bin"), bytes(filler))
        package.writestr(zipfile.ZipInfo("[Content_Types].xml"), types)
        package.writestr(zipfile.ZipInfo("after.bin"), bytes(filler) + extra)
    return content.getvalue()


@dataclass
class Scripted:
    """A source that gives at most ``step`` bytes a time and runs ``between`` before each of them."""

    data: bytes
    step: int = 256 * KIBI
    between: Callable[[], None] = lambda: None
    ending: Exception | None = None

    def __post_init__(self) -> None:
        self._body = io.BytesIO(self.data)

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        self.between()
        piece = self._body.read(min(size, self.step))
        if not piece and self.ending is not None:
            raise self.ending
        return piece


class HandHeartbeat(Heartbeat):
    """A heartbeat that beats when told, by ``beat``, and never of itself."""

    def _run(self) -> None:
        return


@dataclass
class World:
    """The parts and what is needed to make time pass."""

    protection: Protection = Protection.OFFICIAL
    policy: Policy = field(default_factory=policy)
    traces: FakeTraces | None = None
    violations: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.faults = Faults()
        self.clock = FakeClock()
        self.queue = FakeQueue(self.faults, self.clock)
        self.answers = FakeAnswers(self.faults)
        self.webhooks = FakeWebhooks(self.faults, self.queue.enqueue)
        self.sender = FakeSender(self.faults)
        self.journal = FakeJournal(self.faults)
        self.accounts = FakeAccounts(self.faults, self.journal)
        self.webhooks.removed = self.accounts.is_removed
        self.meetings = FakeMeetings(self.faults, self.journal)
        self.credentials = FakeCredentials(self.faults, self.journal, self.accounts)
        self.accounts.known(CALLER.account_id, self.clock.now())
        self.checkpoints = FakeCheckpoints(self.faults)
        self.witness = FakeWitness(self.faults)
        self.decisions = FakeDecisions(self.faults, self.journal)
        self.holds = FakeHolds(self.faults, self.journal, self.accounts)
        self.ledger = FakeLedger(
            self.faults,
            self.queue.enqueue,
            self.credentials,
            self.answers,
            self.webhooks.announce,
            self.journal,
            self.decisions,
            self.holds,
        )
        self.erasures = FakeErasures(
            self.faults,
            self.ledger,
            self.journal,
            self.accounts,
            self.credentials,
            self.checkpoints,
            self.holds,
        )
        self.exports = FakeExports(self.faults, self.journal, self.ledger.rows)
        self.rescans = FakeRescans(self.faults, self.journal, self.ledger, self.accounts, self.meetings)
        self.store = FakeStore(self.faults, self.clock)
        self.store.watch = self._watch_release
        self.scanner = FakeScanner(self.faults, self.clock, deadline=DEADLINE)
        self.log = FakeLog()
        self.events_sink = FakeEvents(self.faults)
        self.heartbeat = HandHeartbeat(self.ledger, self.clock, self.log)
        cipher = TinkCipher({HOME: KeyInHand(MASTER_KEY)})
        self.parts = Parts(
            ledger=self.ledger,
            journal=self.journal,
            checkpoints=self.checkpoints,
            accounts=self.accounts,
            erasures=self.erasures,
            holds=self.holds,
            meetings=self.meetings,
            rescans=self.rescans,
            credentials=self.credentials,
            answers=self.answers,
            rate_limiter=FakeLimiter(self.clock, limit=600, window=60),
            sealer=FernetSealer([SECRETS_KEY]),
            cipher=cipher,
            keyring=Keyring(self.accounts, cipher, self.clock),
            signer=Ed25519Signer(),
            tokens=JwtTokens(),
            stores={HOME: self.store},
            scanner=self.scanner,
            sniffer=FakeSniffer(),
            clock=self.clock,
            heartbeat=self.heartbeat,
            gate=Gate(self.scanner, self.clock, self.log, self.policy, self.protection),
            log=self.log,
            policy=self.policy,
            protection=self.protection,
            audience="greenroom",
            webhook_endpoints=self.webhooks,
            webhook_deliveries=self.webhooks,
            webhook_sender=self.sender,
            witnesses=[self.witness],
            events=self.events_sink,
            events_form=Form.FLAT,
            traces=self.traces,
            decisions=self.decisions,
            allowances=self.decisions.allowances,
            exports=self.exports,
        )
        self.report_canaries()

    def report_canaries(self, *failures: str) -> None:
        """Let the canaries speak now: all is well, or these failed."""
        self.parts.gate.report(Health(self.clock.now(), failures))

    def upload(
        self,
        content: bytes | Source,
        name: str = "deck.pdf",
        *,
        announced: int | None = None,
        expected_sha256: str | None = None,
        patience: float = 30.0,
    ) -> Upload:
        """Take one upload in. The body's length is announced where ``content`` is bytes."""
        if isinstance(content, bytes):
            announced = len(content) if announced is None else announced
            content = Scripted(content)
        arrival = Arrival(CALLER, "m1", name, "", announced, None, expected_sha256, patience, "request-1")
        return take_in(self.parts, arrival, content)

    def begin(self, length: int, name: str = "deck.pdf") -> Upload:
        """Begin a resumable upload."""
        return create(self.parts, Creation(CALLER, "m1", name, "", length, "request-1"))

    def send(
        self,
        upload_id: str,
        offset: int,
        content: bytes | Source,
        *,
        announced: int | None = None,
        checksum: Checksum | None = None,
    ) -> Upload:
        """Go on with a resumable upload. The length is announced where ``content`` is bytes."""
        if isinstance(content, bytes):
            announced = len(content) if announced is None else announced
            content = Scripted(content)
        upload = own_resumable(self.parts, CALLER, upload_id)
        return go_on(self.parts, upload, Piece(offset, announced, checksum, 30.0, "request-2"), content)

    def settle(self, rounds: int = 100) -> None:
        """Let a worker work until all is at rest, and then once a day later."""
        for _ in range(rounds):
            self.clock.advance(ROUND)
            self.work()
            if self.at_rest():
                break
        for _ in range(2):
            self.clock.advance(timedelta(hours=25).total_seconds())
            self.work()

    def work(self) -> None:
        """Do one round of the background worker, which a kill ends and its supervisor starts again."""
        try:
            self.report_canaries()
            reconcile(self.parts, self.queue)
            for upload_id in self.queue.take():
                self._handle(upload_id)
            for endpoint_id in self.queue.take(Task.DELIVER):
                deliver(self.parts, endpoint_id)
            tidy(self.parts, self.queue)
        except PartUnavailable:
            return
        except Crash:
            self.faults.revive()

    def _handle(self, upload_id: str) -> None:
        try:
            advance(self.parts, upload_id)
        except (Conflict, GreenroomError):
            return

    def row(self) -> Upload:
        """Return the one upload there is."""
        (row,) = self.ledger.rows()
        return row

    def events(self, upload: Upload | None = None) -> list[Event]:
        """Return what happened to an upload, oldest first."""
        return [line.event for line in self.ledger.lines((upload or self.row()).id)]

    def at_rest(self) -> bool:
        """Tell whether nothing is left to do."""
        rows = self.ledger.rows()
        return all(row.state in RESTING and row.leftover is Leftover.NOTHING for row in rows)

    def keys(self) -> set[str]:
        """Return the keys of every object in the store, and of every unfinished one."""
        return {*self.store.quarantined, *self.store.released, *self.store.unfinished}

    def content(self, upload: Upload) -> bytes:
        """Return the released content of an upload."""
        return b"".join(self.opened(upload, s, self.store.released[s.key]) for s in upload.segments)

    def opened(self, upload: Upload, segment: Segment, data: bytes) -> bytes:
        """Return what an object holds, asking no part. Raises ``ContentLost`` where it was not sealed so."""
        assert upload.content_key
        assert len(data) == self.parts.cipher.sealed_size(segment.size)
        account = self.accounts.peek(upload.account_id)
        cipher = self.parts.cipher.account_key(account).content(upload.id, upload.content_key)
        stretch = self.parts.cipher.stretch(segment.size, 0, segment.size)
        source = cipher.open(segment.number, stretch, io.BytesIO(data))
        return b"".join(iter(lambda: source.read(CHUNK), b""))

    def _watch_release(self, stored: Stored, data: bytes) -> None:
        """Note a release that no durable clean verdict for the same bytes came before. Of an export the files
        were judged, not the whole.
        """
        if stored.key.startswith("ex_"):
            return
        found = [(row, s) for row in self.ledger.rows() for s in row.segments if s.key == stored.key]
        rows = [row for row, _ in found]
        verdict = rows[0].verdict if rows else None
        if not rows or rows[0].state not in {State.CLEARED, State.RELEASED}:
            self.violations.append("released without a durable CLEARED")
        decided = bool(rows) and self._was_decided(rows[0])
        clean = verdict is not None and verdict.kind is Kind.CLEAN and verdict.sha256 == rows[0].sha256
        if not clean and not decided:
            self.violations.append("released without a clean verdict or a decision for the same digest")
        try:
            [plain] = [self.opened(row, segment, data) for row, segment in found]
        except ContentLost:
            self.violations.append("released what cannot be opened")
            return
        if hashlib.sha256(plain).hexdigest() != found[0][1].sha256:
            self.violations.append("released other bytes than were received")
        if EICAR in plain and not decided:
            self.violations.append("released EICAR")
        # A few bytes stand in any noise.
        if len(plain) > 16 and plain[:KIBI] in data:
            self.violations.append("released what is not sealed")

    def _was_decided(self, row: Upload) -> bool:
        """Tell whether two people's confirmed decision for the same digest is what cleared an upload."""
        clearing = [line for line in self.ledger.lines(row.id) if line.after is State.CLEARED]
        if not clearing or clearing[-1].event is not Event.REVIEWER_CLEARED:
            return False
        decision = self.decisions.known(clearing[-1].detail["decision"])
        return (
            decision is not None
            and decision.standing is Standing.CONFIRMED
            and decision.settled_by not in {None, decision.proposed_by}
            and clearing[-1].actor == f"reviewer:{decision.settled_by}"
            and row.sha256 is not None
            and decision.sha256 == row.sha256
        )

    def broken_laws(self) -> list[str]:
        """Return what is wrong now that all should be at rest, the violations on the way included."""
        broken = list(self.violations)
        for row in self.ledger.rows():
            if row.state not in RESTING or row.leftover is not Leftover.NOTHING:
                broken.append(f"not at rest: {row.state}, leftover {row.leftover}")
            decided = [event for event in self.events(row) if event in _DECIDED]
            # One verdict, and one more for each time that a reviewer asked for it.
            asked = self.events(row).count(Event.RESCAN_ASKED)
            if row.state is not State.ERASED and len(decided) - asked != (
                row.state in {State.RELEASED, State.BLOCKED, State.HELD}
            ):
                broken.append(f"{row.state} after the verdicts {decided}")
            if row.state is State.RELEASED and {s.key for s in row.segments} - set(self.store.released):
                broken.append("released, but not in the bucket")
        return broken + self._orphans()

    def _orphans(self) -> list[str]:
        states = {row.id: row.state for row in self.ledger.rows()}
        wanted = {
            "quarantined": {State.HELD, State.BLOCKED},
            "released": {State.RELEASED},
            "unfinished": set(),
        }
        return [
            f"orphan in {place} of an upload that is {states.get(key.partition('/')[0])}"
            for place, allowed in wanted.items()
            for key in getattr(self.store, place)
            if states.get(key.partition("/")[0]) not in allowed
        ]
