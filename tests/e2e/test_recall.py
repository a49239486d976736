"""Recall with real parts: freshclam brings newer signatures, and what they find is called back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import update
from standardwebhooks import Webhook

from service.adapters.schema import uploads
from service.adapters.sql_ledger import SqlLedger
from service.core.journal import Act
from service.core.upload import Event, Leftover, State
from service.stages.sweep import SETTLED_AFTER
from stack.samples import EICAR, clean_deck
from stack.store import Store
from stack.store_policy import QUARANTINE, RELEASED
from tests.e2e import mirror as mirrors
from tests.e2e.mirror import ODDITY, Mirror
from tests.e2e.samples import pdf_attaching
from tests.e2e.serving import Backend, Service, eventually, prepare, stored_keys
from tests.e2e.variant import LIMIT, write_policy
from tests.faults.receiver import Receiver

BAD = pdf_attaching(EICAR)
ODD = b"Notes of a meeting. " + ODDITY
#: The worker asks its clamd for its version every second, and shows it the canaries every minute.
NOTICED_SECONDS = 90
MANY = 1000
#: What is promised for that many.
MANY_SECONDS = 600


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where these tests' service logs and keeps its database."""
    return tmp_path_factory.mktemp("recall")


@pytest.fixture
def mirror(parts_folder: Path, folder: Path, request: pytest.FixtureRequest) -> Iterator[Mirror]:
    """A mirror with version 2, and a clamd that has it."""
    published = folder / f"mirror-{request.node.name}"
    published.mkdir()
    server = mirrors.serve(published)
    own = parts_folder / f"clamd-{len(request.node.name)}"
    mirror, clamd = mirrors.start(own, server.url, published, folder / "updated-clamd.log")
    yield mirror
    clamd.stop()
    server.close()


@pytest.fixture
def backend(environ: dict[str, str], mirror: Mirror, folder: Path) -> Iterator[Backend]:
    """A backend of a service of its own, with a worker, whose scanner is that clamd."""
    ours = environ | {
        "GREENROOM_DATABASE_URL": f"sqlite:///{folder / f'{mirror.clamd.name}.db'}",
        "GREENROOM_CLAMD": f"unix:{mirror.clamd / 'clamd.sock'}",
        # Its canary at the limit is as small.
        "GREENROOM_POLICY_FILE": str(write_policy(folder / "policy.toml", LIMIT)),
    }
    service = prepare(ours, folder)
    backend = service.begin("--workers", "1").backend()
    yield backend
    backend.close()
    service.stop()


def released(backend: Backend, content: bytes, name: str) -> str:
    """Upload what is released under version 2, and return its id."""
    upload = backend.upload(content, name)
    assert upload["state"] == "released", upload
    assert known(backend.web.service, upload["id"]) == 2
    return str(upload["id"])


def known(service: Service, upload_id: str) -> int | None:
    """Return the version of the signatures behind the verdict on an upload."""
    upload = service.parts.ledger.find(upload_id)
    assert upload is not None
    assert upload.verdict is not None
    assert upload.verdict.engine is not None
    return upload.verdict.engine.signature_version


def ended(service: Service) -> bool:
    """Whether the newest rescan has ended."""
    return any(one.ended_at is not None for one in service.parts.rescans.newest(1))


def test_what_version_3_finds_is_called_back(backend: Backend, mirror: Mirror, store: Store) -> None:
    """Files that are clean under version 2 and were downloaded: with version 3, brought by freshclam, the one
    that it knows is blocked, the one that it is in doubt about is held, the third stays. The first two are
    downloaded no more, lie in quarantine alone, stand in the log, and the backend is told who has them.
    """
    service = backend.web.service
    with Receiver() as receiver:
        endpoint = backend.client.post(
            "/v1/webhook-endpoints", json={"url": receiver.url, "events": ["upload.recalled"]}
        ).json()
        bad, odd = released(backend, BAD, "deck.pdf"), released(backend, ODD, "notes.txt")
        good = released(backend, clean_deck(), "deck.pptx")
        for one, content in ((bad, BAD), (odd, ODD)):
            assert backend.client.get(f"/v1/uploads/{one}/content").content == content
        let_settle(service, bad, odd)

        mirror.publish(3)
        mirror.update()
        eventually(lambda: ended(service), NOTICED_SECONDS, "the rescan")

        states = {one: backend.ask(one)["state"] for one in (bad, odd, good)}
        assert states == {bad: "blocked", odd: "held", good: "released"}
        assert backend.ask(bad)["verdict"]["signature"] == "Eicar-Test-Signature"
        assert [known(service, one) for one in states] == [3, 3, 2]
        answers = {one: backend.client.get(f"/v1/uploads/{one}/content").status_code for one in states}
        assert answers == {bad: 409, odd: 409, good: 200}
        eventually(lambda: _lies(store, {bad, odd}) == (2, 0), 30, "the contents' return to quarantine")
        got = receiver.wait(2, 30)
        told = [Webhook(endpoint["secret"]).verify(one.body, one.headers) for one in got]
        check_told(told, {bad: "blocked", odd: "held"})
    check_logged(service, bad, odd)


def let_settle(service: Service, *upload_ids: str) -> None:
    """Make it seem that all was released ten minutes ago: a content does not come back to quarantine while
    those who deleted its copy there may still be at it.
    """

    def swept() -> bool:
        found = [service.parts.ledger.find(one) for one in upload_ids]
        return all(one is not None and one.leftover is Leftover.NOTHING for one in found)

    eventually(swept, 30, "dropping the quarantined copies")
    past = {"updated_at": datetime.now(UTC) - 2 * SETTLED_AFTER, "due_at": None}
    with cast("SqlLedger", service.parts.ledger)._database.engine.begin() as connection:
        connection.execute(update(uploads).values(past))


def _lies(store: Store, upload_ids: set[str]) -> tuple[int, int]:
    """Return how many of these uploads lie in quarantine, and how many in released."""
    keys = stored_keys(store, upload_ids)
    return len(keys[QUARANTINE]), len(keys[RELEASED])


def check_told(told: list[dict[str, Any]], states: dict[str, str]) -> None:
    """State that the backend was told of each that is no longer there, and of who has it, by key."""
    assert {one["type"] for one in told} == {"upload.recalled"}
    assert {one["data"]["id"]: one["data"]["state"] for one in told} == states
    for one in told:
        downloads = one["data"]["downloads"]
        (newest,) = downloads["newest"]
        assert (downloads["total"], newest["by"].startswith("key:gr_")) == (1, True)
        assert newest["at"] < one["timestamp"]


def check_logged(service: Service, bad: str, odd: str) -> None:
    """State what the log says: of each that was called back, and of the rescan as a whole."""
    lines = {one: service.parts.journal.of_upload(one) for one in (bad, odd)}
    moves = {one: [line.entry for line in lines[one] if line.entry.before is State.RELEASED] for one in lines}
    assert [(one.event, one.after) for one in moves[bad]] == [(Event.RECALLED, State.BLOCKED)]
    assert [(one.event, one.after) for one in moves[odd]] == [(Event.DOUBTED, State.HELD)]
    (rescan,) = service.parts.rescans.newest(1)
    assert rescan.wanted.signature_version == 3
    assert (rescan.total, rescan.done, rescan.recalled, rescan.held) == (3, 3, 1, 1)
    exported = service.run("log", "export").stdout
    assert all(f'"{act}"' in exported for act in (Act.RESCAN_BEGUN, Act.RESCAN_ENDED))


@pytest.mark.thorough
def test_a_thousand_are_called_back_within_ten_minutes(backend: Backend, mirror: Mirror) -> None:
    """From the moment at which the mirror has the signatures, at the rate that is shipped."""
    service = backend.web.service
    # One key may not create so many within a minute.
    keys = (backend, backend.web.backend())
    bad = [released(keys[number % 2], BAD, f"deck-{number}.pdf") for number in range(MANY)]
    let_settle(service, *bad)
    began = time.monotonic()
    mirror.publish(3)
    mirror.update()
    eventually(lambda: ended(service), MANY_SECONDS, f"calling back {MANY} files")
    took = time.monotonic() - began
    print(f"{MANY} released files were scanned again and called back within {took:.0f} s")  # noqa: T201
    assert service.parts.rescans.newest(1)[0].recalled == MANY
    assert {one.state for one in map(service.parts.ledger.find, bad) if one} == {State.BLOCKED}
    keys[1].close()
