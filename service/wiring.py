"""Builds the parts from the settings. The only module that knows the adapters."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from service.adapters.clamd_scanner import ClamdScanner
from service.adapters.clock import SystemClock
from service.adapters.database import open_engine
from service.adapters.dbos_queue import DbosQueue, DbosWorker, migrate_queue
from service.adapters.fernet_sealer import FernetSealer
from service.adapters.jwt_tokens import JwtTokens
from service.adapters.magic_sniffer import MagicSniffer
from service.adapters.minio_store import Buckets, Identity, MinioStore, Role
from service.adapters.sql_credentials import SqlCredentials
from service.adapters.sql_ledger import SqlLedger
from service.adapters.structured_log import StructuredLog
from service.config import Settings, read_settings
from service.ports import Queue, QueueWorker
from service.stages.gate import Gate
from service.stages.heartbeat import Heartbeat
from service.stages.parts import Parts

_JOBS_AT_ONCE: Final = 4
_MIGRATION_LOCK: Final = 0x67726E72


@dataclass(frozen=True, slots=True)
class Services:
    """What a process of Greenroom works with, and the origins whose pages may call it from a browser."""

    parts: Parts
    queue: Queue
    queue_worker: QueueWorker
    upload_origins: frozenset[str]


def build(environ: Mapping[str, str]) -> Services:
    """Return the services that ``environ`` describes. Opens no connection.

    Raises ``ConfigurationError`` for an odd environment.
    """
    return build_from(read_settings(environ))


def build_from(settings: Settings) -> Services:
    """Return the services for ``settings``."""
    engine = open_engine(settings.database_url)
    queue = DbosQueue(engine)
    ledger, clock, log = SqlLedger(engine, queue.enqueue), SystemClock(), StructuredLog(settings.log_level)
    scanner = ClamdScanner(settings.clamd, settings.scan_deadline)
    parts = Parts(
        ledger=ledger,
        credentials=SqlCredentials(engine),
        sealer=FernetSealer(settings.secrets_keys),
        tokens=JwtTokens(),
        store=_store(settings),
        scanner=scanner,
        sniffer=MagicSniffer(),
        clock=clock,
        heartbeat=Heartbeat(ledger, clock, log),
        gate=Gate(scanner, clock, log, settings.policy, settings.protection),
        log=log,
        policy=settings.policy,
        protection=settings.protection,
        audience=settings.token_audience,
    )
    return Services(parts, queue, DbosWorker(settings.database_url, _JOBS_AT_ONCE), settings.upload_origins)


def migrate(settings: Settings) -> None:
    """Bring the ledger's and the queue's tables up to date. May run twice, and in two processes at once."""
    engine = open_engine(settings.database_url)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()
    migrate_queue(settings.database_url)


def _store(settings: Settings) -> MinioStore:
    return MinioStore(
        settings.s3_endpoint,
        secure=settings.s3_secure,
        region=settings.s3_region,
        buckets=Buckets(settings.quarantine_bucket, settings.released_bucket),
        identities={Role(role): Identity(*keys) for role, keys in settings.identities.items()},
    )
