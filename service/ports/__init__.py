"""What the stages need from the world, as promises in words.

Every implementation, real or fake, passes the contract suite in ``tests/contract``.
"""

from service.ports.accounts import Accounts
from service.ports.answers import Answers, Claim, Entry, Reply
from service.ports.archive import Archive, Standing
from service.ports.checkpoints import Checkpoints, LogKey, PseudonymKey
from service.ports.cipher import AccountKey, Cipher, ContentCipher, Stretch
from service.ports.clock import Clock
from service.ports.credentials import ApiKey, Credentials, GrantKey, KnownGrant, SigningKey
from service.ports.decisions import Allowances, Decisions
from service.ports.erasures import Erasures
from service.ports.event_log import EventLog
from service.ports.event_sink import EventSink
from service.ports.exports import Exports
from service.ports.holds import Holds
from service.ports.identity_provider import IdentityProvider, Journey
from service.ports.jitsi_files import JitsiFile, JitsiFiles
from service.ports.journal import Journal
from service.ports.ledger import Ledger
from service.ports.meetings import Meetings
from service.ports.metrics import Metrics
from service.ports.queue import Job, Queue, QueueWorker, Task, advancing, delivering
from service.ports.rate_limiter import Allowance, RateLimiter
from service.ports.rescans import Rescans
from service.ports.reviewers import Attempts, Passwords, Reviewers, Sessions, Tried
from service.ports.scanning import Scanner, ScanStream, Sniffer
from service.ports.sealer import Sealer
from service.ports.signer import Signer
from service.ports.store import ObjectStore, Source, Stored
from service.ports.token_verifier import TokenVerifier
from service.ports.tokens import Jwk, Tokens
from service.ports.traces import Notes, Side, Span, Traces
from service.ports.webhooks import WebhookDeliveries, WebhookEndpoints, WebhookSender
from service.ports.witness import Witness

__all__ = [
    "AccountKey",
    "Accounts",
    "Allowance",
    "Allowances",
    "Answers",
    "ApiKey",
    "Archive",
    "Attempts",
    "Checkpoints",
    "Cipher",
    "Claim",
    "Clock",
    "ContentCipher",
    "Credentials",
    "Decisions",
    "Entry",
    "Erasures",
    "EventLog",
    "EventSink",
    "Exports",
    "GrantKey",
    "Holds",
    "IdentityProvider",
    "JitsiFile",
    "JitsiFiles",
    "Job",
    "Journal",
    "Journey",
    "Jwk",
    "KnownGrant",
    "Ledger",
    "LogKey",
    "Meetings",
    "Metrics",
    "Notes",
    "ObjectStore",
    "Passwords",
    "PseudonymKey",
    "Queue",
    "QueueWorker",
    "RateLimiter",
    "Reply",
    "Rescans",
    "Reviewers",
    "ScanStream",
    "Scanner",
    "Sealer",
    "Sessions",
    "Side",
    "Signer",
    "SigningKey",
    "Sniffer",
    "Source",
    "Span",
    "Standing",
    "Stored",
    "Stretch",
    "Task",
    "TokenVerifier",
    "Tokens",
    "Traces",
    "Tried",
    "WebhookDeliveries",
    "WebhookEndpoints",
    "WebhookSender",
    "Witness",
    "advancing",
    "delivering",
]
