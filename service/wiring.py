"""Builds the parts from the settings. The only module that knows the adapters, with its two wings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, text

from service import wiring_observation
from service.adapters.argon2_passwords import Argon2Passwords
from service.adapters.authlib_provider import AuthlibProvider, Client
from service.adapters.clamd_scanner import ClamdScanner
from service.adapters.clock import SystemClock
from service.adapters.database import open_engine
from service.adapters.dbos_queue import DbosQueue, DbosWorker, migrate_queue
from service.adapters.ed25519_signer import Ed25519Signer
from service.adapters.fernet_sealer import FernetSealer
from service.adapters.jwt_tokens import JwtTokens
from service.adapters.magic_sniffer import MagicSniffer
from service.adapters.master_key import KeyInHand, MasterKey, Succession, key_elsewhere, new_keyset
from service.adapters.memory_limiter import MemoryLimiter
from service.adapters.outbox import Outbox
from service.adapters.rs256_tokens import Rs256Tokens
from service.adapters.sql_accounts import SqlAccounts
from service.adapters.sql_answers import SqlAnswers
from service.adapters.sql_archive import SqlArchive
from service.adapters.sql_checkpoints import SqlCheckpoints
from service.adapters.sql_credentials import SqlCredentials
from service.adapters.sql_decisions import SqlAllowances, SqlDecisions
from service.adapters.sql_erasures import SqlErasures
from service.adapters.sql_exports import SqlExports
from service.adapters.sql_holds import SqlHolds
from service.adapters.sql_jitsi_files import SqlJitsiFiles
from service.adapters.sql_journal import SqlJournal
from service.adapters.sql_ledger import SqlLedger
from service.adapters.sql_limiter import SqlLimiter
from service.adapters.sql_meetings import SqlMeetings
from service.adapters.sql_rescans import SqlRescans
from service.adapters.sql_reviewers import SqlAttempts, SqlReviewers, SqlSessions
from service.adapters.sql_webhook_deliveries import SqlWebhookDeliveries
from service.adapters.sql_webhook_endpoints import SqlWebhookEndpoints
from service.adapters.structured_log import StructuredLog
from service.adapters.tink_cipher import TinkCipher
from service.adapters.traced import traced_ledger, traced_sender
from service.adapters.webhook_sender import HttpWebhookSender
from service.config import Settings, read_settings
from service.key_config import MasterKeySettings
from service.oidc_config import OidcSettings
from service.ports import (
    Clock,
    Ledger,
    Queue,
    QueueWorker,
    RateLimiter,
    Task,
    WebhookSender,
)
from service.stages.desk import Desk, Elsewhere
from service.stages.gate import Gate
from service.stages.heartbeat import Heartbeat
from service.stages.jitsi import Jitsi
from service.stages.keyring import Keyring
from service.stages.parts import Parts
from service.wiring_stores import stores
from service.wiring_witnesses import witnesses

#: Seconds in which GREENROOM_RATE_LIMIT creations are granted.
_RATE_WINDOW: Final = 60
#: Deliveries mostly wait for others, so they may be more.
_JOBS_AT_ONCE: Final = {Task.ADVANCE: 4, Task.DELIVER: 16}
_MIGRATION_LOCK: Final = 0x67726E72


@dataclass(frozen=True, slots=True)
class Services:
    """What a process of Greenroom works with; ``jitsi`` where a Jitsi Meet is served.

    ``rescan_rate`` is how many released files a worker scans again in a minute. ``desk`` is for the console,
    which browsers find at ``console_url``.

    Pages of the ``upload_origins`` may call it from a browser, those of the ``embed_origins`` may frame the
    upload widget.
    """

    parts: Parts
    queue: Queue
    queue_worker: QueueWorker
    rescan_rate: int
    jitsi: Jitsi | None
    upload_origins: frozenset[str]
    embed_origins: frozenset[str]
    desk: Desk
    console_url: str


def build(environ: Mapping[str, str]) -> Services:
    """Return the services that ``environ`` describes. Opens no connection.

    Raises ``ConfigurationError`` for an odd environment.
    """
    return build_from(read_settings(environ))


def build_from(settings: Settings) -> Services:
    """Return the services for ``settings``."""
    engine = open_engine(settings.database_url)
    queue = DbosQueue(engine)
    outbox = Outbox(queue.enqueue)
    ledger: Ledger = SqlLedger(engine, queue.enqueue, outbox.announce)
    clock, log = SystemClock(), StructuredLog(settings.log_level)
    ledger, by_region, scanner, rescans, heard = wiring_observation.measured(
        settings.observe,
        clock,
        ledger,
        stores(settings),
        ClamdScanner(settings.clamd, settings.scan_deadline),
        SqlRescans(engine),
    )
    traces = wiring_observation.traces(settings.observe)
    sender: WebhookSender = HttpWebhookSender(settings.webhooks)
    if traces is not None:
        ledger, sender = traced_ledger(ledger, traces), traced_sender(sender, traces)
    accounts, cipher = SqlAccounts(engine), TinkCipher(_masters(settings.master_keys))
    parts = Parts(
        ledger=ledger,
        journal=SqlJournal(engine),
        checkpoints=SqlCheckpoints(engine),
        accounts=accounts,
        erasures=SqlErasures(engine),
        holds=SqlHolds(engine),
        meetings=SqlMeetings(engine),
        rescans=rescans,
        credentials=SqlCredentials(engine),
        answers=SqlAnswers(engine),
        rate_limiter=_rate_limiter(settings, engine, clock),
        sealer=FernetSealer(settings.secrets_keys),
        cipher=cipher,
        keyring=Keyring(accounts, cipher, clock),
        signer=Ed25519Signer(),
        tokens=JwtTokens(),
        stores=by_region,
        scanner=scanner,
        sniffer=MagicSniffer(),
        clock=clock,
        heartbeat=Heartbeat(ledger, clock, log),
        gate=Gate(scanner, clock, log, settings.policy, settings.protection, heard),
        log=log,
        policy=settings.policy,
        protection=settings.protection,
        audience=settings.token_audience,
        webhook_endpoints=SqlWebhookEndpoints(engine),
        webhook_deliveries=SqlWebhookDeliveries(engine, outbox),
        webhook_sender=sender,
        witnesses=witnesses(settings),
        events=wiring_observation.event_sink(settings.observe),
        events_form=settings.observe.events_form,
        traces=traces,
        decisions=SqlDecisions(engine),
        allowances=SqlAllowances(engine),
        exports=SqlExports(engine),
    )
    worker = DbosWorker(settings.database_url, _JOBS_AT_ONCE)
    jitsi = _jitsi(settings, engine)
    return Services(
        parts,
        queue,
        worker,
        settings.rescan_rate,
        jitsi,
        settings.upload_origins,
        settings.embed_origins,
        _desk(parts, engine, settings),
        settings.console.url,
    )


def _desk(parts: Parts, engine: Engine, settings: Settings) -> Desk:
    return Desk(
        parts=parts,
        archive=SqlArchive(engine),
        reviewers=SqlReviewers(engine),
        sessions=SqlSessions(engine),
        attempts=SqlAttempts(engine),
        passwords=Argon2Passwords(),
        elsewhere=_elsewhere(settings.console.oidc),
    )


def _elsewhere(oidc: OidcSettings | None) -> Elsewhere | None:
    if oidc is None:
        return None
    client = Client(oidc.issuer, oidc.client_id, oidc.client_secret, oidc.scope, oidc.roles_claim)
    return Elsewhere(AuthlibProvider(client), oidc.roles)


def _jitsi(settings: Settings, engine: Engine) -> Jitsi | None:
    if settings.jitsi is None:
        return None
    return Jitsi(
        files=SqlJitsiFiles(engine),
        tokens=Rs256Tokens(settings.jitsi.public_key_pem),
        issuer=settings.jitsi.issuer,
        origins=settings.jitsi.origins,
        api_url=settings.jitsi.api_url,
    )


def migrate(settings: Settings) -> None:
    """Bring the ledger's and the queue's tables up to date. May run twice, and in two processes at once."""
    # The library takes its time; nobody else needs it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

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


def _rate_limiter(settings: Settings, engine: Engine, clock: Clock) -> RateLimiter:
    if settings.rate_limit_store == "ledger":
        return SqlLimiter(engine, clock, settings.rate_limit, _RATE_WINDOW)
    return MemoryLimiter(settings.rate_limit, _RATE_WINDOW)


def new_master_key() -> str:
    """Return a new master key, as a file of its own holds it."""
    return new_keyset()


def _masters(settings: Mapping[str, MasterKeySettings]) -> Mapping[str, MasterKey]:
    """Return the master key of each region that this process has one of, with the one before."""
    found: dict[str, MasterKey] = {}
    for region, one in settings.items():
        if key := _master(one):
            old = one.old and _master(one.old)
            found[region] = Succession(key, old) if old else key
    return found


def _master(settings: MasterKeySettings) -> MasterKey | None:
    if settings.keyset is not None:
        return KeyInHand(settings.keyset, settings.name)
    return key_elsewhere(settings.uri, settings.token, settings.name) if settings.uri else None
