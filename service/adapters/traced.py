"""Stands before the parts and tells the traces what became of uploads, so that no stage knows of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, cast

from service.core.upload import Event, LogLine, Upload
from service.core.verdict import Kind
from service.core.webhook import Notice
from service.core.webhook_schedule import Reply
from service.ports import Ledger, Side, Traces, WebhookSender

_VERDICTS: Final = frozenset({Event.FOUND_CLEAN, Event.FOUND_INFECTED, Event.NOT_SCANNABLE})
_FAILURES: Final = frozenset({Event.SCAN_FAILED, Event.SCAN_EXHAUSTED})


class _Ledger:
    """The ledger, where every move of every upload passes."""

    def __init__(self, ledger: Ledger, traces: Traces) -> None:
        self._ledger = ledger
        self._traces = traces

    def __getattr__(self, operation: str) -> Any:  # noqa: ANN401 - any call of the port
        return getattr(self._ledger, operation)

    def save(self, upload: Upload, **named: Any) -> Upload:  # noqa: ANN401 - as the port has them
        saved = self._ledger.save(upload, **named)
        for line in upload.unsaved if upload.traceparent else ():
            self._tell(upload, line)
        return saved

    def _tell(self, upload: Upload, line: LogLine) -> None:
        verdict = upload.verdict
        if line.event is Event.STORED:
            self._past("receive", upload, upload.created_at, line)
        elif line.event in _VERDICTS and verdict is not None:
            self._past("scan", upload, line.at - timedelta(seconds=verdict.duration), line)
        elif line.event in _FAILURES:
            self._past("scan", upload, line.at, line)
        elif line.event is Event.COPIED_OUT and verdict is not None and verdict.kind is Kind.CLEAN:
            # What a person cleared waited for the person.
            self._past("release", upload, verdict.at, line)

    def _past(self, name: str, upload: Upload, begun: datetime, line: LogLine) -> None:
        notes: dict[str, str | int | float] = {
            "greenroom.upload": upload.id,
            "greenroom.event": line.event.value,
            "greenroom.size": upload.size or 0,
        }
        if name == "scan" and upload.verdict is not None:
            notes["greenroom.verdict"] = upload.verdict.kind.value
        parent = upload.traceparent or ""
        self._traces.past(name, parent, begun, line.at, notes, failed=line.event in _FAILURES)


class _Sender:
    """The sender, whose messages take the trace of their upload along."""

    def __init__(self, sender: WebhookSender, traces: Traces) -> None:
        self._sender = sender
        self._traces = traces

    def vet(self, untrusted_url: str) -> None:
        self._sender.vet(untrusted_url)

    def send(self, url: str, message: Notice, secrets: Sequence[bytes], at: datetime) -> Reply:
        if message.traceparent is None:
            return self._sender.send(url, message, secrets, at)
        notes = {"greenroom.webhook": message.type, "greenroom.message": message.id}
        with self._traces.span("webhook", message.traceparent, Side.CLIENT, notes) as span:
            reply = self._sender.send(url, replace(message, traceparent=span.traceparent), secrets, at)
            if reply.status is not None:
                span.note("http.response.status_code", reply.status)
            else:
                span.note("error.type", str(reply.error))
            return reply


def traced_ledger(ledger: Ledger, traces: Traces) -> Ledger:
    """Return ``ledger``, traced."""
    return cast("Ledger", _Ledger(ledger, traces))


def traced_sender(sender: WebhookSender, traces: Traces) -> WebhookSender:
    """Return ``sender``, traced."""
    return _Sender(sender, traces)
