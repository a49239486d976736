"""What the stages need from the world, as promises in words.

Every implementation, real or fake, passes the contract suite in ``tests/contract``.
"""

from service.ports.answers import Answers, Claim, Entry, Reply
from service.ports.archive import Archive, Standing
from service.ports.clock import Clock
from service.ports.credentials import ApiKey, Credentials, GrantKey, KnownGrant, SigningKey
from service.ports.event_log import EventLog
from service.ports.jitsi_files import JitsiFile, JitsiFiles
from service.ports.journal import Journal
from service.ports.ledger import Ledger
from service.ports.queue import Job, Queue, QueueWorker, Task, advancing, delivering
from service.ports.rate_limiter import Allowance, RateLimiter
from service.ports.scanning import Scanner, ScanStream, Sniffer
from service.ports.sealer import Sealer
from service.ports.store import ObjectStore, Source, Stored
from service.ports.token_verifier import TokenVerifier
from service.ports.tokens import Jwk, Tokens
from service.ports.webhooks import WebhookDeliveries, WebhookEndpoints, WebhookSender

__all__ = [
    "Allowance",
    "Answers",
    "ApiKey",
    "Archive",
    "Claim",
    "Clock",
    "Credentials",
    "Entry",
    "EventLog",
    "GrantKey",
    "JitsiFile",
    "JitsiFiles",
    "Job",
    "Journal",
    "Jwk",
    "KnownGrant",
    "Ledger",
    "ObjectStore",
    "Queue",
    "QueueWorker",
    "RateLimiter",
    "Reply",
    "ScanStream",
    "Scanner",
    "Sealer",
    "SigningKey",
    "Sniffer",
    "Source",
    "Standing",
    "Stored",
    "Task",
    "TokenVerifier",
    "Tokens",
    "WebhookDeliveries",
    "WebhookEndpoints",
    "WebhookSender",
    "advancing",
    "delivering",
]
