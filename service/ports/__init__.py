"""What the stages need from the world, as promises in words.

Every implementation, real or fake, passes the contract suite in ``tests/contract``.
"""

from service.ports.clock import Clock
from service.ports.credentials import ApiKey, Credentials
from service.ports.event_log import EventLog
from service.ports.ledger import Ledger
from service.ports.queue import Job, Queue, QueueWorker, Task, advancing, delivering
from service.ports.scanning import Scanner, ScanStream, Sniffer
from service.ports.sealer import Sealer
from service.ports.store import ObjectStore, Source, Stored
from service.ports.webhooks import WebhookDeliveries, WebhookEndpoints, WebhookSender

__all__ = [
    "ApiKey",
    "Clock",
    "Credentials",
    "EventLog",
    "Job",
    "Ledger",
    "ObjectStore",
    "Queue",
    "QueueWorker",
    "ScanStream",
    "Scanner",
    "Sealer",
    "Sniffer",
    "Source",
    "Stored",
    "Task",
    "WebhookDeliveries",
    "WebhookEndpoints",
    "WebhookSender",
    "advancing",
    "delivering",
]
