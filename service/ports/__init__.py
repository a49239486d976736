"""What the stages need from the world, as promises in words.

Every implementation, real or fake, passes the contract suite in ``tests/contract``.
"""

from service.ports.clock import Clock
from service.ports.credentials import ApiKey, Credentials, GrantKey, KnownGrant, SigningKey
from service.ports.event_log import EventLog
from service.ports.ledger import Ledger
from service.ports.queue import Queue, QueueWorker
from service.ports.scanning import Scanner, ScanStream, Sniffer
from service.ports.sealer import Sealer
from service.ports.store import ObjectStore, Source, Stored
from service.ports.tokens import Jwk, Tokens

__all__ = [
    "ApiKey",
    "Clock",
    "Credentials",
    "EventLog",
    "GrantKey",
    "Jwk",
    "KnownGrant",
    "Ledger",
    "ObjectStore",
    "Queue",
    "QueueWorker",
    "ScanStream",
    "Scanner",
    "Sealer",
    "SigningKey",
    "Sniffer",
    "Source",
    "Stored",
    "Tokens",
]
