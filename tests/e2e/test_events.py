"""The log's events as the security team's systems get them from the real service."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from stack.clamd import Clamd
from stack.samples import EICAR
from stack.store import Store
from tests.adapters.certificates import Authority
from tests.adapters.rsyslog import INSTALLED, Rsyslog
from tests.e2e.serving import Backend, Service, compose, eventually, kill, prepare
from tests.faults.syslog_receiver import Receiver

#: Bar: an event is there at most this long after the verdict.
SECONDS = 5.0


def test_standard_output_tells_what_the_log_holds(backend: Backend) -> None:
    """As it is shipped: one line for each event, from the worker alone, seconds after it."""
    upload = backend.upload(EICAR, "eicar.txt")
    written: list[str] = []

    def told() -> bool:
        written[:] = [line for line in backend.web.service.logged().splitlines() if upload["id"] in line]
        return any("found_infected" in line for line in written)

    eventually(told, SECONDS, "the event")
    events = [json.loads(line) for line in written]
    assert [event["event"] for event in events] == ["stored", "scan_begun", "found_infected"]
    assert [event["position"] for event in events] == sorted({event["position"] for event in events})
    assert backend.account not in "".join(written)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Rsyslog | Receiver]:
    """A real rsyslog where there is one, a receiver of our own elsewhere."""
    authority = Authority(tmp_path)
    authority.file()
    receiver: Rsyslog | Receiver
    if INSTALLED:
        receiver = Rsyslog(tmp_path, authority.file(), authority.issued("localhost"))
    else:
        receiver = Receiver(authority.server("localhost"))
    authority.issued("greenroom")
    yield receiver
    receiver.stop()


@pytest.fixture
def feeding(
    receiver: Rsyslog | Receiver, parts_folder: Path, store: Store, clamd: Clamd, tmp_path: Path
) -> Iterator[Service]:
    """A service of its own that tells its log to the receiver; nothing runs yet."""
    told = {
        "GREENROOM_DATABASE_URL": f"sqlite:///{tmp_path / 'feeding.db'}",
        "GREENROOM_EVENTS": f"syslog+tls://localhost:{receiver.port}",
        "GREENROOM_EVENTS_FORM": "ocsf",
        "GREENROOM_EVENTS_CA": str(tmp_path / "authority.pem"),
        "GREENROOM_EVENTS_CERTIFICATE": str(tmp_path / "greenroom.pem"),
    }
    feeding = prepare(compose(parts_folder, store, clamd, "unused.db") | told, tmp_path)
    yield feeding
    feeding.stop()


def _events(receiver: Rsyslog | Receiver) -> list[dict[str, object]]:
    return [json.loads(message.split("] ", 1)[1]) for message in receiver.messages()]


def _positions(events: Sequence[dict[str, object]]) -> list[object]:
    return [event["metadata"]["sequence"] for event in events]  # type: ignore[index]


@pytest.mark.slow
def test_no_event_is_lost_whatever_is_killed(feeding: Service, receiver: Rsyslog | Receiver) -> None:
    """Seconds after the verdict while all is well; with the receiver gone uploads and places go on; and with
    the worker killed meanwhile every line is there in the end, in the log's order.
    """
    web = feeding.begin("--workers", "1")
    backend = web.backend()
    journal = feeding.parts.journal

    def arrived(upload_id: str) -> bool:
        return any("Malware found" in told and upload_id in told for told in receiver.messages())

    first = backend.upload(EICAR, "eicar.txt")["id"]
    eventually(lambda: arrived(first), SECONDS, "the event")

    receiver.stop()
    second = backend.upload(EICAR, "eicar.txt")["id"]
    eventually(lambda: not journal.waiting(1), SECONDS, "the places")
    worker = next(child for child in feeding.children if child.name == "worker0")
    kill(worker.pid)
    worker.process.wait()
    third = backend.upload(EICAR, "eicar.txt")["id"]
    receiver.start()
    feeding.worker()
    for upload_id in (second, third):
        eventually(partial(arrived, upload_id), 60, "the events of the outage")
    backend.close()
    eventually(lambda: len(set(_positions(_events(receiver)))) == journal.size(), SECONDS, "the last event")
    assert list(dict.fromkeys(_positions(_events(receiver)))) == list(range(journal.size()))
