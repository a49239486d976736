"""``ports.EventLog``: the fake and the structured log on standard output."""

import contextlib
import io
import json
import threading
from collections.abc import Callable
from typing import Any, Final

import pytest

from service.adapters.structured_log import StructuredLog
from service.ports import EventLog
from tests.fakes.log import FakeLog


class Unprintable:
    """Something that no encoder knows, and that cannot even say what it is."""

    def __repr__(self) -> str:
        raise RuntimeError("no words")


class BrokenPipe(io.StringIO):
    """An output whose reader is gone."""

    def write(self, _text: str, /) -> int:
        """Fail as a closed pipe or a full disk does."""
        raise BrokenPipeError


def on_fake() -> tuple[EventLog, Callable[[], list[dict[str, Any]]]]:
    """Return the fake and a way to read its lines."""
    fake = FakeLog()
    return fake, lambda: [{"event": event, **fields} for event, fields in fake.lines]


def on_stdout() -> tuple[EventLog, Callable[[], list[dict[str, Any]]]]:
    """Return the structured log and a way to read its lines."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        log = StructuredLog("info")
    return log, lambda: [json.loads(line) for line in output.getvalue().splitlines()]


Made = tuple[EventLog, Callable[[], list[dict[str, Any]]]]


@pytest.fixture(params=[on_fake, on_stdout])
def made(request: pytest.FixtureRequest) -> Made:
    """Each log in turn, with a way to read it."""
    pair: Made = request.param()
    pair[0].bind()
    return pair


def test_a_line_has_its_event_and_its_fields(made: Made) -> None:
    """What is handed in comes out, one line each."""
    log, lines = made
    log.emit("stored", {"upload": "up_1", "size": 3, "none": None})
    log.emit("refused", {"code": "ü\n"})
    first, second = lines()
    assert first.items() >= {"event": "stored", "upload": "up_1", "size": 3, "none": None}.items()
    assert second.items() >= {"event": "refused", "code": "ü\n"}.items()


def test_what_is_bound_is_on_every_further_line_and_nothing_else_is(made: Made) -> None:
    """A new binding takes the place of the old one: no request's id on another's lines."""
    log, lines = made
    log.bind(request="r1", route="uploads")
    log.emit("a", {})
    log.bind(request="r2")
    log.emit("b", {})
    first, second = lines()
    assert (first["request"], first["route"]) == ("r1", "uploads")
    assert second["request"] == "r2"
    assert "route" not in second


def test_what_a_thread_bound_is_its_own() -> None:
    """One request's id is not on the lines of another thread."""
    log, lines = on_stdout()
    log.bind(request="r1")

    def other() -> None:
        log.emit("other", {})

    thread = threading.Thread(target=other)
    thread.start()
    thread.join(10)
    assert "request" not in lines()[0]
    log.bind()


ODD: Final[dict[str, dict[str, Any]]] = {
    "bytes": {"content": b"\xff"},
    "unprintable": {"thing": Unprintable()},
    "the name of the event": {"event": "twice"},
    "the name of the level": {"level": "twice"},
    "half a surrogate": {"text": "\ud800"},
}


@pytest.mark.parametrize("fields", ODD)
def test_odd_fields_raise_nothing(made: Made, fields: str) -> None:
    """A line that cannot be written must not undo the work that it tells of."""
    log, _ = made
    log.emit("odd", ODD[fields])
    log.failure("odd", ValueError("why"), ODD[fields])


def test_an_output_that_is_gone_raises_nothing() -> None:
    """A closed pipe or a full disk costs the text; the ledger's lines are the log."""
    with contextlib.redirect_stdout(BrokenPipe()):
        log = StructuredLog("info")
    log.emit("stored", {})
    log.failure("failed", ValueError("why"), {})


def test_a_failure_is_told_with_its_traceback() -> None:
    """The operator sees what happened; it is one line all the same."""
    log, lines = on_stdout()
    try:
        int("the reason")
    except ValueError as error:
        log.failure("failed", error, {"upload": "up_1"})
    (line,) = lines()
    assert (line["event"], line["level"], line["upload"]) == ("failed", "error", "up_1")
    assert "the reason" in line["exception"]
