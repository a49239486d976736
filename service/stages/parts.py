"""The parts that the stages work with, handed in as one value."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.core.policy import Policy
from service.core.siem import Form
from service.core.verdict import Protection
from service.core.webhook import ordered_id
from service.ports import (
    Accounts,
    Allowances,
    Answers,
    Checkpoints,
    Cipher,
    Clock,
    Credentials,
    Decisions,
    Erasures,
    EventLog,
    EventSink,
    Exports,
    Holds,
    Journal,
    Ledger,
    Meetings,
    ObjectStore,
    RateLimiter,
    Rescans,
    Scanner,
    Sealer,
    Signer,
    Sniffer,
    Tokens,
    Traces,
    WebhookDeliveries,
    WebhookEndpoints,
    WebhookSender,
    Witness,
)
from service.stages.gate import Gate
from service.stages.heartbeat import Heartbeat
from service.stages.keyring import Keyring


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a stage may need. ``audience`` names this deployment in the grants for it; ``events`` takes
    the log's lines in ``events_form``; each region has one of the ``stores``; ``traces`` is ``None`` where
    nothing is traced.
    """

    ledger: Ledger
    journal: Journal
    checkpoints: Checkpoints
    accounts: Accounts
    erasures: Erasures
    holds: Holds
    meetings: Meetings
    rescans: Rescans
    credentials: Credentials
    answers: Answers
    rate_limiter: RateLimiter
    sealer: Sealer
    cipher: Cipher
    keyring: Keyring
    signer: Signer
    tokens: Tokens
    stores: Mapping[str, ObjectStore]
    scanner: Scanner
    sniffer: Sniffer
    clock: Clock
    heartbeat: Heartbeat
    gate: Gate
    log: EventLog
    policy: Policy
    protection: Protection
    audience: str
    webhook_endpoints: WebhookEndpoints
    webhook_deliveries: WebhookDeliveries
    webhook_sender: WebhookSender
    witnesses: Sequence[Witness]
    events: EventSink
    events_form: Form
    traces: Traces | None
    decisions: Decisions
    allowances: Allowances
    exports: Exports


def new_upload_id(now: datetime) -> str:
    """Return an id that sorts by time (48 bits of milliseconds) and cannot be guessed (80 random bits)."""
    return ordered_id("up", now, secrets.token_hex(10))


def new_event_id(now: datetime) -> str:
    """Return an id for a webhook event, made like an upload's."""
    return ordered_id("msg", now, secrets.token_hex(10))


def new_segment_key(upload_id: str) -> str:
    """Return a fresh object key below the upload's own prefix. Nothing a client sent is part of it."""
    return f"{upload_id}/{secrets.token_hex(16)}"
