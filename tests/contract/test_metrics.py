"""``ports.Metrics``: the fake and the files of prometheus_client."""

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.parser import text_string_to_metric_families

from service.adapters.prometheus_metrics import PrometheusMetrics, serve
from service.core.measures import BYTES, CANARY_ROUNDS, SIGNATURES_MADE, STAGES, UPLOADS, VERDICTS, Reading
from service.ports import Metrics
from stack.ports import free_port
from tests.fakes.metrics import FakeMetrics

Read = Callable[..., float | None]


def _from_fake() -> tuple[Metrics, Read]:
    fake = FakeMetrics()
    return fake, lambda *labels: fake.numbers.get(labels)


def _from_files(folder: Path) -> tuple[Metrics, Read]:
    registry = CollectorRegistry()
    folder.mkdir()
    MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]

    def read(name: str, *values: str) -> float | None:
        for family in registry.collect():
            for sample in family.samples:
                if sample.name in {name, f"{name}_count"} and tuple(sample.labels.values()) == values:
                    return float(sample.value)
        return None

    return PrometheusMetrics(folder), read


@pytest.fixture(params=["fake", "prometheus"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Metrics, Read]:
    """Each of them, with a way to read one number."""
    return _from_fake() if request.param == "fake" else _from_files(tmp_path / "metrics")


def test_counters_add_up_by_label(kept: tuple[Metrics, Read]) -> None:
    """Each value of a label has its own sum, and 0 is a number."""
    metrics, read = kept
    metrics.count(VERDICTS, "clean")
    metrics.count(VERDICTS, "clean")
    metrics.count(VERDICTS, "infected", by=0)
    metrics.count(BYTES, "received", by=5 * 2**40)
    assert read(VERDICTS.name, "clean") == 2
    assert read(VERDICTS.name, "infected") == 0
    assert read(BYTES.name, "received") == 5 * 2**40


def test_durations_are_counted(kept: tuple[Metrics, Read]) -> None:
    """Each duration is one more in its histogram."""
    metrics, read = kept
    metrics.time(STAGES, 0.2, "scan")
    metrics.time(STAGES, 1e9, "scan")
    assert read(STAGES.name, "scan") == 2


def test_what_is_noted_replaces_what_was(kept: tuple[Metrics, Read]) -> None:
    """Of a moment the newest word counts."""
    metrics, read = kept
    metrics.note(SIGNATURES_MADE, 200.0)
    metrics.note(SIGNATURES_MADE, 100.0)
    assert read(SIGNATURES_MADE.name) == 100


def test_measuring_never_raises(kept: tuple[Metrics, Read]) -> None:
    """Labels that do not fit are a mistake of ours that must not fail an upload."""
    metrics, read = kept
    metrics.count(VERDICTS)
    metrics.time(STAGES, 1.0, "scan", "too many")
    assert read(VERDICTS.name) is None


def test_a_folder_that_cannot_be_made_fails_nothing(tmp_path: Path) -> None:
    """Where the files cannot be kept the service does its work unmeasured."""
    (tmp_path / "file").touch()
    metrics = PrometheusMetrics(tmp_path / "file" / "metrics")
    metrics.count(VERDICTS, "clean")
    metrics.time(STAGES, 1.0, "scan")
    metrics.note(SIGNATURES_MADE, 1.0)


def test_who_measures_nothing_leaves_no_file(tmp_path: Path) -> None:
    """A command that counts nothing adds no file to those that are read with every scrape."""
    PrometheusMetrics(tmp_path / "metrics")
    assert not (tmp_path / "metrics").exists()


_CHILD = """
import sys, time
from pathlib import Path
from service.adapters.prometheus_metrics import PrometheusMetrics
from service.core.measures import CANARY_ROUNDS, SIGNATURES_MADE
metrics = PrometheusMetrics(Path(sys.argv[1]))
metrics.count(CANARY_ROUNDS, "passed", by=int(sys.argv[2]))
metrics.note(SIGNATURES_MADE, 100.0)
print("counted", flush=True)
time.sleep(60)
"""


def test_killed_processes_keep_their_counts_and_leave_nothing_else(tmp_path: Path) -> None:
    """A kill -9 loses no count: the sum of all processes is served. No series bears a process' number, so a
    dead one leaves none behind, and what is read at the moment of asking is true then.
    """
    for number in (3, 4):
        with subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(tmp_path), str(number)],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"counted\n"
            child.send_signal(signal.SIGKILL)
    readings = [Reading(UPLOADS, 9, ("held",))]
    port = free_port()
    stop = serve(tmp_path, lambda: readings, "127.0.0.1", port)
    try:
        samples = _scraped(port)
        readings[0] = Reading(UPLOADS, 8, ("held",))
        again = _scraped(port)
    finally:
        stop()
    assert samples[CANARY_ROUNDS.name] == {("passed",): 7.0}
    assert samples[SIGNATURES_MADE.name] == {(): 100.0}
    assert (samples[UPLOADS.name], again[UPLOADS.name]) == ({("held",): 9.0}, {("held",): 8.0})


def _scraped(port: int) -> dict[str, dict[tuple[str, ...], float]]:
    with closing(urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10)) as answer:
        text = answer.read().decode()
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found
