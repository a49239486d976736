"""One trace through real processes: from an upload's request through the worker to the webhook's receiver."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from stack.clamd import ROOT
from tests.e2e.serving import Service, eventually, prepare
from tests.faults.otlp_collector import Collector
from tests.faults.receiver import Receiver

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
SOON = 30.0


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Who gets the spans."""
    with Collector() as collector:
        yield collector


@pytest.fixture
def traced(environ: dict[str, str], collector: Collector, tmp_path: Path) -> Iterator[Service]:
    """A service of its own that traces; nothing runs yet."""
    ours = {
        "GREENROOM_DATABASE_URL": f"sqlite:///{tmp_path / 'traced.db'}",
        "GREENROOM_TRACES": collector.url,
    }
    traced = prepare(environ | ours, tmp_path)
    yield traced
    traced.stop()


def test_one_trace_from_the_upload_to_the_webhook(traced: Service, collector: Collector) -> None:
    """Two processes tell of it, and the receiver is told where in it it stands."""
    backend = traced.begin("--workers", "1").backend()
    with Receiver() as receiver:
        made = backend.client.post("/v1/webhook-endpoints", json={"url": receiver.url})
        assert made.status_code == 201, made.text
        backend.upload(b"minutes", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
        spans: dict[str, Span] = {}

        def all_there() -> bool:
            spans.update({span.name: span for span in collector.of_trace(TRACE)})
            return {"POST /v1/uploads", "receive", "scan", "release", "webhook"} <= set(spans)

        eventually(all_there, SOON, "the spans")
        (got,) = receiver.got
    backend.close()
    request = spans["POST /v1/uploads"]
    assert request.parent_span_id.hex() == PARENT
    stages = [spans[name] for name in ("receive", "scan", "release", "webhook")]
    assert {span.parent_span_id for span in stages} == {request.span_id}
    assert all(request.start_time_unix_nano <= span.end_time_unix_nano for span in stages)
    assert got.headers["traceparent"] == f"00-{TRACE}-{spans['webhook'].span_id.hex()}-01"


def _loaded(environ: Mapping[str, str]) -> bool:
    ask = (
        "import os, sys; from service import wiring; wiring.build(os.environ); "
        "print(any(name.partition('.')[0] == 'opentelemetry' for name in sys.modules))"
    )
    command = [sys.executable, "-c", ask]
    done = subprocess.run(
        command, cwd=ROOT, env=dict(environ), capture_output=True, text=True, timeout=60, check=True
    )
    return {"True\n": True, "False\n": False}[done.stdout]


def test_who_traces_nothing_does_not_even_load_the_library(environ: dict[str, str]) -> None:
    """And who does, does."""
    assert not _loaded(environ)
    assert _loaded(environ | {"GREENROOM_TRACES": "http://127.0.0.1:4318"})
