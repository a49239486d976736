"""The trace of a request, from its header to the upload that it begins."""

from dataclasses import replace

import pytest

from service.core.traceparent import read_traceparent
from service.stages.parts import Parts
from service.web.public import create_app
from tests.fakes.traces import FakeTraces
from tests.web.conftest import SLOTS, Backend, new_backend

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def traces() -> FakeTraces:
    """What was traced."""
    return FakeTraces()


@pytest.fixture
def traced(parts: Parts, traces: FakeTraces) -> Backend:
    """A backend of an app that traces."""
    parts = replace(parts, traces=traces)
    return new_backend(create_app(parts, SLOTS), parts)


def _kept(backend: Backend, upload_id: str) -> str | None:
    upload = backend.parts.ledger.find(upload_id)
    assert upload
    return upload.traceparent


def test_an_upload_is_in_the_trace_of_its_request(traced: Backend, traces: FakeTraces) -> None:
    """As a child of the request, which is a child of who sent it; the route is named, not the path."""
    posted = traced.post(headers={"traceparent": PARENT})
    (request,) = traces.spans
    assert (request.name, request.parent) == ("POST /v1/uploads", PARENT)
    assert request.notes["http.response.status_code"] == posted.status_code == 201
    assert _kept(traced, posted.get_json()["id"]) == request.traceparent
    traced.get(posted.headers["Location"], headers={"traceparent": PARENT})
    assert traces.spans[-1].name == "GET /v1/uploads/<upload_id>"
    assert traces.current() is None


@pytest.mark.parametrize("odd", [None, "nonsense", PARENT + "-more"])
def test_an_upload_without_a_trace_begins_one(traced: Backend, traces: FakeTraces, odd: str | None) -> None:
    """What is odd is as if it were not there, and no reason to refuse anything."""
    posted = traced.post(headers={"traceparent": odd} if odd else {})
    assert posted.status_code == 201
    kept = read_traceparent(_kept(traced, posted.get_json()["id"]))
    assert kept
    assert str(kept) == traces.spans[0].traceparent
    assert traces.spans[0].parent is None


def test_a_look_without_a_trace_begins_none(traced: Backend, traces: FakeTraces) -> None:
    """Health checks and pages would bury the rest."""
    traced.get("/healthz")
    traced.get("/v1/policy")
    assert traces.spans == []


def test_what_is_refused_is_a_span_too(traced: Backend, traces: FakeTraces) -> None:
    """With its status, and nothing of it stays in the thread."""
    answer = traced.post(name="a.exe", headers={"traceparent": PARENT})
    assert traces.spans[0].notes["http.response.status_code"] == answer.status_code == 415
    assert traces.current() is None


def test_as_shipped_nothing_is_traced(backend: Backend) -> None:
    """A header that is sent changes nothing."""
    posted = backend.post(headers={"traceparent": PARENT})
    assert _kept(backend, posted.get_json()["id"]) is None
