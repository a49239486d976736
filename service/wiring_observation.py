"""Builds what those who run the service see of it: metrics, events, traces. A wing of wiring."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from service.adapters.clock import SystemClock
from service.adapters.database import open_engine
from service.adapters.file_events import FileEvents, NoEvents
from service.adapters.measured import (
    begin_with_zero,
    counted_rounds,
    measured_ledger,
    measured_rescans,
    measured_scanner,
    measured_store,
)
from service.adapters.prometheus_metrics import PrometheusMetrics, serve
from service.adapters.sql_archive import SqlArchive
from service.adapters.sql_checkpoints import SqlCheckpoints
from service.adapters.sql_journal import SqlJournal
from service.adapters.sql_rescans import SqlRescans
from service.adapters.structured_log import PrintedEvents
from service.adapters.syslog_events import SyslogEvents, trusting
from service.config import Settings
from service.core.errors import ConfigurationError
from service.observe_config import ObserveSettings, Plain, Syslog
from service.ports import Clock, EventSink, Ledger, ObjectStore, Rescans, Scanner, Traces
from service.stages.gate import Health
from service.stages.readings import readings


def measured(
    settings: ObserveSettings,
    clock: Clock,
    ledger: Ledger,
    stores: Mapping[str, ObjectStore],
    scanner: Scanner,
    rescans: Rescans,
) -> tuple[Ledger, Mapping[str, ObjectStore], Scanner, Rescans, Callable[[Health], None]]:
    """Return the parts that are measured, where anything is, and what is told of each round of canaries."""
    if settings.metrics_dir is None:
        return ledger, stores, scanner, rescans, lambda _: None
    metrics = PrometheusMetrics(settings.metrics_dir)
    return (
        measured_ledger(ledger, metrics, clock),
        {region: measured_store(store, metrics, clock) for region, store in stores.items()},
        measured_scanner(scanner, metrics, clock),
        measured_rescans(rescans, metrics, clock),
        counted_rounds(metrics),
    )


def event_sink(settings: ObserveSettings) -> EventSink:
    """Return where the log is told to. Raises ``ConfigurationError`` for certificates that cannot be read."""
    match settings.events:
        case Plain.NONE:
            return NoEvents()
        case Plain.STDOUT:
            return PrintedEvents(sys.stdout)
        case Path() as path:
            return FileEvents(path)
        case Syslog() as there:
            return SyslogEvents(there.host, there.port, trusting(there.ca, there.certificate))


def traces(settings: ObserveSettings) -> Traces | None:
    """Return what traces are told to, ``None`` for nothing."""
    if settings.traces is None:
        return None
    # The library takes its time and memory; who traces nothing does not pay for it.
    from service.adapters.otel_traces import otlp  # noqa: PLC0415

    return otlp(settings.traces)


def serve_metrics(settings: Settings, host: str, port: int) -> Callable[[], None]:
    """Serve the metrics of all processes on ``host:port`` until the returned is called.

    Raises ``ConfigurationError`` if nothing is measured or the address cannot be had.
    """
    if settings.observe.metrics_dir is None:
        raise ConfigurationError("GREENROOM_METRICS_DIR must name the folder that the metrics are kept in")
    begin_with_zero(PrometheusMetrics(settings.observe.metrics_dir))
    engine, clock = open_engine(settings.database_url), SystemClock()
    read_from = SqlArchive(engine), SqlJournal(engine), SqlCheckpoints(engine), SqlRescans(engine)
    try:
        return serve(settings.observe.metrics_dir, lambda: readings(*read_from, clock.now()), host, port)
    except OSError as error:
        raise ConfigurationError(f"metrics cannot be served on {host}:{port}: {error.strerror}") from None
