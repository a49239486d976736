"""``ports.Metrics`` on prometheus_client, in files that all processes of the service have in one folder.

Each process writes files of its own, mapped into its memory, so that nothing is lost when it is killed. What
``python -m service metrics`` serves is their sum, with readings that are taken at that moment.
"""

import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server, values
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from service.core.measures import BUCKETS, COUNTED, Measure, Reading, Sort

_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"


class PrometheusMetrics:
    """The metrics of this process, kept in ``folder``. One for each process."""

    def __init__(self, folder: Path) -> None:
        """Keep them in ``folder``, which is made if it is not there, once there is something to keep."""
        self._folder = folder
        self._registry: CollectorRegistry | None = None
        self._lock = threading.Lock()
        self._counters: dict[Measure, Counter] = {}
        self._histograms: dict[Measure, Histogram] = {}
        self._gauges: dict[Measure, Gauge] = {}

    def count(self, measure: Measure, *labels: str, by: float = 1) -> None:
        """Add ``by`` to a counter."""
        # A full disk must not stop what is being measured.
        with suppress(Exception):
            self._open()
            counter = self._counters[measure]
            (counter.labels(*labels) if labels else counter).inc(by)

    def time(self, measure: Measure, seconds: float, *labels: str) -> None:
        """Note one duration in a histogram."""
        with suppress(Exception):
            self._open()
            histogram = self._histograms[measure]
            (histogram.labels(*labels) if labels else histogram).observe(seconds)

    def note(self, measure: Measure, value: float) -> None:
        """Put ``value`` in place of what any process noted before."""
        with suppress(Exception):
            self._open()
            self._gauges[measure].set(value)

    def _open(self) -> None:
        """Begin with the first measurement: a command that counts nothing leaves no file."""
        with self._lock:
            if self._registry is not None:
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            # The library takes both from the environment when it is imported. It must be told later, because
            # importing a module decides nothing here, and of more than the number of the process, because
            # containers that share the folder have the same numbers.
            os.environ[_FOLDER] = str(self._folder)
            values.ValueClass = values.MultiProcessValue(_process)  # type: ignore[no-untyped-call]
            registry = CollectorRegistry()
            for measure in COUNTED:
                self._add(measure, registry)
            self._registry = registry

    def _add(self, measure: Measure, registry: CollectorRegistry) -> None:
        named = (measure.name, measure.help, measure.labels)
        match measure.sort:
            case Sort.COUNTER:
                self._counters[measure] = Counter(*named, registry=registry)
            case Sort.HISTOGRAM:
                self._histograms[measure] = Histogram(*named, buckets=BUCKETS, registry=registry)
            case Sort.GAUGE:
                self._gauges[measure] = Gauge(*named, multiprocess_mode="mostrecent", registry=registry)


class _Readings:
    """The collector of what is read when it is asked for."""

    def __init__(self, read: Callable[[], Iterable[Reading]]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """Give the readings, grouped by metric."""
        families: dict[Measure, GaugeMetricFamily] = {}
        for reading in self._read():
            measure = reading.measure
            if measure not in families:
                families[measure] = GaugeMetricFamily(measure.name, measure.help, labels=measure.labels)
            families[measure].add_metric(reading.labels, reading.value)
        yield from families.values()

    def describe(self) -> list[Metric]:
        """Say nothing, so that registering reads nothing."""
        return []


def serve(folder: Path, read: Callable[[], Iterable[Reading]], host: str, port: int) -> Callable[[], None]:
    """Serve what is in ``folder`` and what ``read`` gives on ``host:port`` until the returned is called."""
    folder.mkdir(parents=True, exist_ok=True)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
    registry.register(_Readings(read))
    server, thread = start_http_server(port, addr=host, registry=registry)

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop


def _process() -> str:
    # The library takes the name of a file apart at its underscores.
    return f"{socket.gethostname().replace('_', '-')}-{os.getpid()}"
