"""Stands before the parts and measures them, so that no stage knows of it.

What these give behaves as the part behind it does: same answers, same errors.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import wraps
from typing import Any, Final, cast

from service.core.errors import PartUnavailable
from service.core.measures import (
    BYTES,
    CANARY_ROUNDS,
    EVENTS,
    PART_ERRORS,
    PART_SECONDS,
    RESCANNED,
    SCAN_FAILURES,
    SIGNATURES_MADE,
    STAGES,
    VERDICTS,
)
from service.core.outcome import Engine
from service.core.upload import Event, LogLine, Upload
from service.core.verdict import Kind
from service.ports import Clock, Ledger, Metrics, ObjectStore, Rescans, Scanner, Source
from service.stages.gate import Health

_VERDICTS: Final = frozenset(
    {Event.FOUND_CLEAN, Event.FOUND_INFECTED, Event.NOT_SCANNABLE, Event.SCAN_EXHAUSTED}
)


class _Measured:
    """Hands every call on, notes how long it took, and counts those that found the part away."""

    def __init__(self, part: object, name: str, metrics: Metrics, clock: Clock) -> None:
        self._part = part
        self._name = name
        self._metrics = metrics
        self._clock = clock

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        call: Callable[..., Any] = getattr(self._part, operation)

        @wraps(call)
        def measured(*positional: Any, **named: Any) -> Any:  # noqa: ANN401 - any call of any port
            with self._around(operation):
                return call(*positional, **named)

        return measured

    @contextmanager
    def _around(self, operation: str) -> Iterator[None]:
        begun = self._clock.monotonic()
        try:
            yield
        except PartUnavailable:
            self._metrics.count(PART_ERRORS, self._name, operation)
            raise
        finally:
            self._metrics.time(PART_SECONDS, self._clock.monotonic() - begun, self._name, operation)


class _Ledger(_Measured):
    """The ledger, where every move of every upload passes."""

    def save(self, upload: Upload, **named: Any) -> Upload:  # noqa: ANN401 - as the port has them
        with self._around("save"):
            saved = cast("Ledger", self._part).save(upload, **named)
        for line in upload.unsaved:
            self._tell(upload, line)
        return saved

    def _tell(self, upload: Upload, line: LogLine) -> None:
        self._metrics.count(EVENTS, line.event.value)
        if line.event is Event.STORED:
            self._metrics.time(STAGES, (line.at - upload.created_at).total_seconds(), "receive")
            self._metrics.count(BYTES, "received", by=upload.size or 0)
        elif line.event is Event.SCAN_FAILED:
            self._metrics.count(SCAN_FAILURES, str(line.detail.get("failure")))
        elif line.event in _VERDICTS and upload.verdict is not None:
            self._metrics.count(VERDICTS, upload.verdict.kind.value)
            if upload.verdict.kind is not Kind.ERROR:
                self._metrics.time(STAGES, upload.verdict.duration, "scan")
                self._metrics.count(BYTES, "scanned", by=upload.verdict.size)
            self._metrics.time(STAGES, (line.at - upload.created_at).total_seconds(), "verdict")
        elif (
            line.event is Event.COPIED_OUT
            and upload.verdict is not None
            and upload.verdict.kind is Kind.CLEAN
        ):
            # What a person cleared waited for the person.
            self._metrics.time(STAGES, (line.at - upload.verdict.at).total_seconds(), "release")


class _Store(_Measured):
    """The store, with the bytes that are served from it."""

    def read_quarantined(self, *where: Any, **named: Any) -> AbstractContextManager[Source]:  # noqa: ANN401
        store = cast("ObjectStore", self._part)
        return self._opened("read_quarantined", store.read_quarantined(*where, **named))

    @contextmanager
    def read_released(self, *where: Any, **named: Any) -> Iterator[Source]:  # noqa: ANN401
        store = cast("ObjectStore", self._part)
        with self._opened("read_released", store.read_released(*where, **named)) as source:
            try:
                yield source
            finally:
                self._metrics.count(BYTES, "served", by=source.given)

    @contextmanager
    def _opened(self, operation: str, opening: AbstractContextManager[Source]) -> Iterator["_Counted"]:
        with ExitStack() as until_read:
            with self._around(operation):
                source = until_read.enter_context(opening)
            yield _Counted(source, lambda: self._metrics.count(PART_ERRORS, self._name, operation))


class _Counted:
    """A source that knows how many bytes it gave, and says when there was trouble."""

    def __init__(self, source: Source, trouble: Callable[[], None]) -> None:
        self._source = source
        self._trouble = trouble
        self.given = 0

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        try:
            chunk = self._source.read(size)
        except PartUnavailable:
            self._trouble()
            raise
        self.given += len(chunk)
        return chunk


class _Scanner(_Measured):
    """The scanner, with the age of its signatures."""

    def engine(self) -> Engine:
        with self._around("engine"):
            engine = cast("Scanner", self._part).engine()
        if engine.signatures_made_at is not None:
            self._metrics.note(SIGNATURES_MADE, engine.signatures_made_at.timestamp())
        return engine


class _Rescans(_Measured):
    """The rescans, with what becomes of the files that are taken."""

    def finish(self, *taken: Any, **named: Any) -> None:  # noqa: ANN401 - as the port has them
        with self._around("finish"):
            cast("Rescans", self._part).finish(*taken, **named)
        self._metrics.count(RESCANNED, "done")

    def put_off(self, *taken: Any) -> None:  # noqa: ANN401
        with self._around("put_off"):
            cast("Rescans", self._part).put_off(*taken)
        self._metrics.count(RESCANNED, "put_off")


def measured_ledger(ledger: Ledger, metrics: Metrics, clock: Clock) -> Ledger:
    """Return ``ledger``, measured."""
    return cast("Ledger", _Ledger(ledger, "ledger", metrics, clock))


def measured_store(store: ObjectStore, metrics: Metrics, clock: Clock) -> ObjectStore:
    """Return ``store``, measured."""
    return cast("ObjectStore", _Store(store, "store", metrics, clock))


def measured_scanner(scanner: Scanner, metrics: Metrics, clock: Clock) -> Scanner:
    """Return ``scanner``, measured."""
    return cast("Scanner", _Scanner(scanner, "scanner", metrics, clock))


def measured_rescans(rescans: Rescans, metrics: Metrics, clock: Clock) -> Rescans:
    """Return ``rescans``, measured."""
    return cast("Rescans", _Rescans(rescans, "ledger", metrics, clock))


def counted_rounds(metrics: Metrics) -> Callable[[Health], None]:
    """Return what counts the rounds of canaries."""
    return lambda health: metrics.count(CANARY_ROUNDS, "failed" if health.failures else "passed")


def begin_with_zero(metrics: Metrics) -> None:
    """Let every counter that an alert is about be there before it first counts, so that none is missed."""
    for event in Event:
        metrics.count(EVENTS, event.value, by=0)
    for kind in Kind:
        metrics.count(VERDICTS, kind.value, by=0)
    for result in ("passed", "failed"):
        metrics.count(CANARY_ROUNDS, result, by=0)
    for way in ("received", "scanned", "served"):
        metrics.count(BYTES, way, by=0)
    for result in ("done", "put_off"):
        metrics.count(RESCANNED, result, by=0)
