"""A trace goes with its upload: from the request through the job to the webhook."""

from dataclasses import replace

from service.adapters.traced import traced_ledger, traced_sender
from service.core.outcome import Failed, Failure
from service.ports import Side
from service.stages import webhooks
from tests.fakes.traces import FakeSpan, FakeTraces
from tests.stages.world import CALLER, PDF, World

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def traced() -> tuple[World, FakeTraces]:
    """Return a world in which everything is traced."""
    traces = FakeTraces()
    world = World(traces=traces)
    world.parts = replace(
        world.parts,
        ledger=traced_ledger(world.ledger, traces),
        webhook_sender=traced_sender(world.sender, traces),
    )
    return world, traces


def upload(world: World, traces: FakeTraces) -> FakeSpan:
    """Take one upload in on behalf of a request; return that request's span."""
    with traces.span("POST", PARENT, Side.SERVER, {}) as request:
        world.upload(PDF)
    return request


def test_every_stage_and_the_webhook_are_spans_of_the_request() -> None:
    """And the receiver of the webhook is told of the span in which it was sent."""
    world, traces = traced()
    webhooks.create(world.parts, CALLER, "https://hooks.example.com/", frozenset(), "")
    request = upload(world, traces)
    world.settle()
    assert [span.name for span in traces.spans] == ["receive", "scan", "release", "POST", "webhook"]
    children = [span for span in traces.spans if span.name != "POST"]
    assert {span.parent for span in children} == {request.traceparent}
    assert world.row().traceparent == request.traceparent
    (_, message, _, _) = world.sender.sent[0]
    assert message.traceparent == children[-1].traceparent
    assert children[-1].notes["http.response.status_code"] == 204
    scan = children[1]
    assert (scan.notes["greenroom.verdict"], scan.notes["greenroom.size"]) == ("clean", len(PDF))
    assert "deck" not in repr(traces.spans)


def test_a_scan_without_an_answer_is_a_span_that_failed() -> None:
    """The one that gave it later is not."""
    world, traces = traced()
    world.scanner.script.append(Failed(Failure.CONNECTION_LOST, "scripted"))
    request = upload(world, traces)
    world.settle()
    scans = [span for span in traces.spans if span.name == "scan"]
    assert [span.failed for span in scans] == [True, False]
    assert {span.parent for span in scans} == {request.traceparent}


def test_an_upload_that_nobody_traced_is_no_span() -> None:
    """It came while nothing was traced; its webhook has no header."""
    world, traces = traced()
    webhooks.create(world.parts, CALLER, "https://hooks.example.com/", frozenset(), "")
    world.upload(PDF)
    world.settle()
    assert traces.spans == []
    assert [message.traceparent for _, message, _, _ in world.sender.sent] == [None]


def test_where_nothing_is_traced_nothing_is_kept(world: World) -> None:
    """Neither on the upload nor for its webhooks."""
    webhooks.create(world.parts, CALLER, "https://hooks.example.com/", frozenset(), "")
    world.upload(PDF)
    world.settle()
    assert world.row().traceparent is None
    assert [message.traceparent for _, message, _, _ in world.sender.sent] == [None]
