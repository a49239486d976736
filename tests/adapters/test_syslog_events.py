"""Syslog over TLS to real receivers: RFC 5424 and 5425, and what a receiver has not got is not claimed."""

import re
import signal
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.adapters.syslog_events import SyslogEvents, trusting
from service.core.errors import ConfigurationError, SinkUnavailable
from service.core.siem import Telling
from service.core.siem.meaning import Severity
from stack.processes import wait_until
from tests.adapters.certificates import Authority
from tests.adapters.rsyslog import INSTALLED, WHY_NOT, Rsyslog
from tests.contract.test_event_sink import NOON, tellings, texts
from tests.faults.syslog_receiver import Manner, Receiver

#: RFC 5424, 6: the header with one structured element.
MESSAGE = re.compile(
    r"<(?P<pri>[0-9]{1,3})>1 (?P<at>[0-9-]{10}T[0-9:]{8}\.[0-9]{6}Z) (?P<host>[!-~]{1,255}) "
    r"(?P<app>[!-~]{1,48}) (?P<pid>[!-~]{1,128}) (?P<id>[!-~]{1,32}) "
    r'\[meta sequenceId="(?P<number>[0-9]+)"\] (?P<text>.*)'
)
#: Seconds that a receiver gets in tests in which it never answers.
SHORT = 0.5


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Who signs the receiver's certificate."""
    return Authority(tmp_path)


@pytest.fixture
def receiver(authority: Authority) -> Iterator[Receiver]:
    """A receiver at localhost."""
    receiver = Receiver(authority.server("localhost"))
    yield receiver
    receiver.stop()
    assert receiver.complaints == []


def test_messages_are_as_the_rfcs_say(authority: Authority, receiver: Receiver) -> None:
    """Facility 13, the severity by the event's, the time of the event, its name, its number in the log."""
    severities = {
        Severity.CRITICAL: 106,
        Severity.HIGH: 107,
        Severity.MEDIUM: 108,
        Severity.LOW: 109,
        Severity.INFORMATIONAL: 110,
    }
    told = [Telling(2**31 - 2 + n, NOON, "e" * 40, one, "CEF:0|é ✓") for n, one in enumerate(severities)]
    SyslogEvents("localhost", receiver.port, authority.trusted()).write(told)
    found = [MESSAGE.fullmatch(message) for message in receiver.messages()]
    read = [match.groupdict() for match in found if match]
    assert [int(one["pri"]) for one in read] == list(severities.values())
    assert [int(one["number"]) for one in read] == [2**31 - 1, 1, 2, 3, 4]
    assert {one["at"] for one in read} == {"2026-11-22T12:00:00.123456Z"}
    assert {(one["app"], one["id"], one["text"]) for one in read} == {("greenroom", "e" * 32, "CEF:0|é ✓")}


@pytest.mark.parametrize(
    ("manner", "arrives"),
    [(Manner.POLITE, True), (Manner.CURT, True), (Manner.DIES, False), (Manner.SILENT, False)],
)
def test_only_what_was_read_to_the_end_has_arrived(
    authority: Authority, receiver: Receiver, manner: Manner, *, arrives: bool
) -> None:
    """Not what a receiver had no time to read before it died, nor what it never says it has read."""
    receiver.manner = manner
    seconds = SHORT if manner is Manner.SILENT else 15.0
    sink = SyslogEvents("localhost", receiver.port, authority.trusted(), seconds)
    if arrives:
        sink.write(tellings(0, 3))
        assert len(receiver.messages()) == 3
        return
    with pytest.raises(SinkUnavailable):
        sink.write(tellings(0, 3))


def test_a_receiver_that_says_nothing_at_all_is_left(authority: Authority) -> None:
    """One that takes the connection and does not shake hands holds nobody for long."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        sink = SyslogEvents("localhost", mute.getsockname()[1], authority.trusted(), SHORT)
        with pytest.raises(SinkUnavailable, match="timed out"):
            sink.write(tellings(0, 1))


def test_nobody_listens(authority: Authority) -> None:
    """A port without a listener is a sink that is away."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(SinkUnavailable, match="refused"):
        SyslogEvents("localhost", port, authority.trusted()).write(tellings(0, 1))


@pytest.mark.parametrize("wrong", ["name", "authority", "expired"])
def test_a_receiver_that_is_not_proved_gets_nothing(tmp_path: Path, authority: Authority, wrong: str) -> None:
    """Another name, an unknown authority, an expired certificate: not a byte of a line."""
    trusted = authority.trusted()
    others = tmp_path / "others"
    others.mkdir()
    shown = {
        "name": lambda: authority.server("elsewhere.example"),
        "authority": lambda: Authority(others).server("localhost"),
        "expired": lambda: authority.server("localhost", expired=True),
    }[wrong]()
    receiver = Receiver(shown)
    try:
        with pytest.raises(SinkUnavailable):
            SyslogEvents("localhost", receiver.port, trusted).write(tellings(0, 1))
    finally:
        receiver.stop()
    assert receiver.messages() == []


def test_the_service_shows_its_own_certificate_to_who_wants_one(authority: Authority) -> None:
    """And is turned away without one, which is no delivery."""
    wants = authority.server("localhost")
    wants.load_verify_locations(authority.file())
    wants.verify_mode = ssl.CERT_REQUIRED
    receiver = Receiver(wants)
    try:
        with pytest.raises(SinkUnavailable):
            SyslogEvents("localhost", receiver.port, trusting(authority.file(), None)).write(tellings(0, 1))
        shown = trusting(authority.file(), authority.issued("greenroom"))
        SyslogEvents("localhost", receiver.port, shown).write(tellings(0, 1))
    finally:
        receiver.stop()
    assert len(receiver.messages()) == 1


def test_certificates_that_cannot_be_read_mean_no_start(tmp_path: Path, authority: Authority) -> None:
    """A file that is not there, and one that holds no certificate."""
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    for ca, certificate in ((tmp_path / "nothing", None), (nonsense, None), (authority.file(), nonsense)):
        with pytest.raises(ConfigurationError, match="GREENROOM_EVENTS_CA"):
            trusting(ca, certificate)


@pytest.mark.skipif(not INSTALLED, reason=WHY_NOT)
def test_rsyslog_gets_every_line(tmp_path: Path, authority: Authority) -> None:
    """The real one, which wants our certificate: in order, and after it was killed what came meanwhile."""
    rsyslog = Rsyslog(tmp_path, authority.file(), authority.issued("localhost"))
    tls = trusting(authority.file(), authority.issued("greenroom"))
    sink = SyslogEvents("localhost", rsyslog.port, tls)
    try:
        sink.write(tellings(0, 500))
        wait_until(lambda: len(rsyslog.messages()) == 500, 20, "rsyslog's writing")
        rsyslog.child.stop(signal.SIGKILL)
        with pytest.raises(SinkUnavailable):
            sink.write(tellings(500, 1))
        rsyslog.start()
        sink.write(tellings(500, 100))
        wait_until(lambda: len(rsyslog.messages()) == 600, 20, "rsyslog's writing")
    finally:
        rsyslog.stop()
    found = [match["text"] for message in rsyslog.messages() if (match := MESSAGE.fullmatch(message))]
    assert found == texts(600)
