"""The example backend, end to end: a grant, an upload with it, the webhook, a participant's download."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from greenroom_client import Client, Forbidden, Unauthenticated
from stack import processes
from stack.clamd import ROOT
from stack.ports import LOOPBACK, free_port
from stack.processes import wait_until
from stack.samples import EICAR, clean_deck
from tests.client.scripted import upload_document
from tests.client.test_webhooks import OTHER, signed
from tests.e2e.serving import Backend

APP = ROOT / "examples" / "meeting_backend" / "app.py"
START_SECONDS = 60.0
WEBHOOK_SECONDS = 60.0


@dataclass
class Example:
    """The running example and one meeting there."""

    url: str
    secret: str
    meeting: str
    presenter: str
    participant: str

    def ask(self, method: str, path: str, code: str) -> httpx.Response:
        """Ask for something of the meeting with that code."""
        url = f"{self.url}/meetings/{self.meeting}/{path}"
        return httpx.request(method, url, headers={"Authorization": f"Bearer {code}"}, trust_env=False)

    def files(self) -> dict[str, str]:
        """The states of the meeting's files that a participant sees."""
        files: list[dict[str, str]] = self.ask("GET", "files", self.participant).json()["files"]
        return {file["id"]: file["state"] for file in files}


def answers(url: str) -> bool:
    """Whether it answers at all."""
    try:
        httpx.get(url, trust_env=False)
    except httpx.TransportError:
        return False
    return True


@pytest.fixture
def example(backend: Backend, tmp_path: Path) -> Iterator[Example]:
    """The example as its README starts it, told of by the service, with a meeting."""
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    with Client(backend.web.url, backend.key, trust_env=False) as greenroom:
        endpoint = greenroom.webhooks.create(f"{url}/webhooks/greenroom", description="example")
    assert endpoint.secret is not None
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "client"),
        "API_URL": backend.web.url,
        "API_KEY": backend.key,
        "WEBHOOK_SECRET": endpoint.secret,
        "PORT": str(port),
    }
    child = processes.start("example", [sys.executable, str(APP)], env=environ, log=tmp_path / "example.log")
    try:
        wait_until(lambda: answers(url), START_SECONDS, "the example's start")
        made: dict[str, Any] = httpx.post(f"{url}/meetings", trust_env=False).json()
        yield Example(url, endpoint.secret, **made)
    finally:
        child.stop()


def test_a_file_goes_from_presenter_to_participant(
    backend: Backend, example: Example, tmp_path: Path
) -> None:
    """A grant is minted, a presenter uploads with it, the webhook verifies, a participant downloads."""
    deck = clean_deck()
    grant = example.ask("POST", "upload-grant", example.presenter).json()
    with Client(backend.web.url, grant["token"], trust_env=False) as presenter:
        upload = presenter.wait_for_verdict(presenter.upload(deck, meeting=example.meeting, name="deck.pptx"))
        blocked = presenter.upload(EICAR, meeting=example.meeting, name="eicar.txt")
        with pytest.raises(Forbidden):
            presenter.upload(deck, meeting="another", name="deck.pptx")
    wait_until(lambda: len(example.files()) == 2, WEBHOOK_SECONDS, "the webhooks")
    assert example.files() == {upload.id: "released", blocked.id: "blocked"}
    assert example.ask("POST", f"files/{blocked.id}/download-grant", example.participant).status_code == 404
    granted = example.ask("POST", f"files/{upload.id}/download-grant", example.participant).json()
    assert granted["url"] == f"{backend.web.url}/v1/uploads/{upload.id}/content"
    with Client(backend.web.url, granted["token"], trust_env=False) as participant:
        participant.download(upload.id, tmp_path / "checked.pptx")
        with pytest.raises(Forbidden):
            participant.upload(deck, meeting=example.meeting, name="deck.pptx")
    assert (tmp_path / "checked.pptx").read_bytes() == deck


def test_strangers_get_nothing(backend: Backend, example: Example) -> None:
    """A wrong code brings no grant and opens nothing at the service; a forged webhook is not believed."""
    assert example.ask("POST", "upload-grant", example.participant).status_code == 403
    assert example.ask("POST", "upload-grant", "nobody").status_code == 403
    assert example.ask("GET", "files", "nobody").status_code == 403
    client = Client(backend.web.url, example.presenter, trust_env=False)
    with client, pytest.raises(Unauthenticated):
        client.get("up_" + "0" * 32)
    forged = httpx.Response(200, json={"data": upload_document(meeting=example.meeting)}).content
    headers = signed(forged, secret=OTHER)
    answer = httpx.post(f"{example.url}/webhooks/greenroom", content=forged, headers=headers, trust_env=False)
    assert (answer.status_code, example.files()) == (400, {})


def test_the_example_stays_small() -> None:
    """The example is read before it is run: under 150 lines."""
    assert len(APP.read_text().splitlines()) < 150
