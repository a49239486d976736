"""The parts that the stages work with, handed in as one value."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from service.core.policy import Policy
from service.core.verdict import Protection
from service.ports import Clock, Credentials, EventLog, Ledger, ObjectStore, Scanner, Sealer, Sniffer, Tokens
from service.stages.gate import Gate
from service.stages.heartbeat import Heartbeat

#: What ``new_upload_id`` gives.
UPLOAD_ID: Final = re.compile(r"up_[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a stage may need. ``audience`` names this deployment in the grants for it."""

    ledger: Ledger
    credentials: Credentials
    sealer: Sealer
    tokens: Tokens
    store: ObjectStore
    scanner: Scanner
    sniffer: Sniffer
    clock: Clock
    heartbeat: Heartbeat
    gate: Gate
    log: EventLog
    policy: Policy
    protection: Protection
    audience: str


def new_upload_id(now: datetime) -> str:
    """Return an id that sorts by time (48 bits of milliseconds) and cannot be guessed (80 random bits)."""
    return f"up_{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"


def new_segment_key(upload_id: str) -> str:
    """Return a fresh object key below the upload's own prefix. Nothing a client sent is part of it."""
    return f"{upload_id}/{secrets.token_hex(16)}"
