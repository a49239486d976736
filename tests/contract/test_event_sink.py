"""``ports.EventSink``: the fake, standard output, a file and syslog over TLS."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.adapters.file_events import FileEvents, NoEvents
from service.adapters.structured_log import PrintedEvents
from service.adapters.syslog_events import SyslogEvents
from service.core.errors import SinkUnavailable
from service.core.siem import Telling
from service.core.siem.meaning import Severity
from service.ports import EventSink
from tests.adapters.certificates import Authority
from tests.fakes.events import FakeEvents
from tests.fakes.faults import Faults
from tests.faults.syslog_receiver import Receiver

NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


@dataclass
class Case:
    """A sink, what has arrived behind it, and how to take that away and bring it back."""

    sink: EventSink
    arrived: Callable[[], list[str]]
    away: Callable[[], object]
    back: Callable[[], object]


def _fake(_: Path) -> Iterator[Case]:
    faults = Faults()
    sink = FakeEvents(faults)
    away = SinkUnavailable("away")
    yield Case(
        sink,
        lambda: [one.text for one in sink.told],
        lambda: faults.take_away("events", away),
        lambda: faults.give_back("events"),
    )


class _Pipe(io.StringIO):
    broken = False

    def write(self, text: str) -> int:
        if self.broken:
            raise BrokenPipeError(32, "Broken pipe")
        return super().write(text)

    def breaks(self, *, broken: bool) -> None:
        """Take nothing from now on, or everything again."""
        self.broken = broken


def _stdout(_: Path) -> Iterator[Case]:
    pipe = _Pipe()
    yield Case(
        PrintedEvents(pipe),
        lambda: pipe.getvalue().splitlines(),
        lambda: pipe.breaks(broken=True),
        lambda: pipe.breaks(broken=False),
    )


def _file(folder: Path) -> Iterator[Case]:
    path, elsewhere = folder / "there" / "events", folder / "elsewhere"
    path.parent.mkdir()
    yield Case(
        FileEvents(path),
        lambda: path.read_text().splitlines(),
        lambda: path.parent.rename(elsewhere),
        lambda: elsewhere.rename(path.parent),
    )


def _syslog(folder: Path) -> Iterator[Case]:
    authority = Authority(folder)
    strangers = folder / "strangers"
    strangers.mkdir()
    tls = authority.trusted()
    receiver = Receiver(authority.server("localhost"))
    sink = SyslogEvents("localhost", receiver.port, tls)
    yield Case(
        sink,
        lambda: [message.split("] ", 1)[1] for message in receiver.messages()],
        lambda: receiver.show(Authority(strangers).server("localhost")),
        lambda: receiver.show(authority.server("localhost")),
    )
    receiver.stop()
    assert receiver.complaints == []


KINDS = {"fake": _fake, "stdout": _stdout, "file": _file, "syslog": _syslog}


@pytest.fixture(params=KINDS)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    """Each sink in turn."""
    yield from KINDS[request.param](tmp_path)


def tellings(first: int, count: int) -> list[Telling]:
    """Return lines as they follow each other."""
    return [
        Telling(n, NOON + timedelta(seconds=n), "found_clean", Severity.LOW, f'{{"n":{n},"é":"✓"}}')
        for n in range(first, first + count)
    ]


def texts(count: int) -> list[str]:
    """Return what arrives of them."""
    return [one.text for one in tellings(0, count)]


def test_lines_are_there_when_the_call_returned(case: Case) -> None:
    """Whole, in their order, one after another, few or many."""
    case.sink.write(tellings(0, 1))
    assert case.arrived() == texts(1)
    case.sink.write(tellings(1, 400))
    assert case.arrived() == texts(401)
    case.sink.write([])
    assert case.arrived() == texts(401)


def test_a_sink_that_is_away_says_so_and_takes_what_comes_after(case: Case) -> None:
    """``SinkUnavailable`` each time, and nothing is claimed to be there that is not."""
    case.sink.write(tellings(0, 2))
    case.away()
    for _ in range(2):
        with pytest.raises(SinkUnavailable):
            case.sink.write(tellings(2, 3))
    case.back()
    case.sink.write(tellings(2, 3))
    assert case.arrived() == texts(5)


def test_nowhere_takes_everything() -> None:
    """So that nothing is told later of the time in which nobody was to be told."""
    NoEvents().write(tellings(0, 3))
