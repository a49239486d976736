"""Every snippet of docs/recipes.md is run, as it stands, against the real service."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from greenroom_client import Client
from stack import processes
from stack.clamd import ROOT
from stack.ports import LOOPBACK, free_port
from stack.processes import Child, wait_until
from stack.samples import clean_deck
from tests.client.scripted import upload_document
from tests.client.test_webhooks import OTHER, SECRET, signed
from tests.e2e.serving import Backend

PAGE = ROOT / "docs" / "recipes.md"
SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 120.0
START_SECONDS = 60.0
COMMANDS = {"sh": ["bash", "-euo", "pipefail"], "python": [sys.executable], "js": ["node"]}
ENDINGS = {"sh": "sh", "python": "py", "js": "mjs"}
MEETING = "town-hall"
#: What each snippet of a section prints; a receiver is waited for and sent to in a test of its own.
PRINTS = {
    "Send a file and wait for the verdict": r"up_\w+.*released",
    "Retry safely": r"released(?!.*another upload)",
    "List a meeting's files": r"up_\w+.*released",
    "Download a released file": r"\A\Z",
    "Mint a grant for a presenter": r"gt_\w+",
    "Upload with a grant": r"released",
    "Let a participant download": r"",
    "Sign grants yourself": r"released",
    "Register a webhook endpoint": r"whsec_",
}
RECEIVERS = "Verify a webhook"
SAVE = {"Download a released file", "Let a participant download"}


@dataclass(frozen=True)
class Recipe:
    """One snippet."""

    section: str
    language: str
    code: str

    def command(self, folder: Path) -> list[str]:
        """What runs it, its text written to `folder`."""
        path = folder / f"snippet.{ENDINGS[self.language]}"
        path.write_text(self.code)
        return [*COMMANDS[self.language], str(path)]


def read_page() -> list[Recipe]:
    """The snippets of the page."""
    return [
        Recipe(section, language, code)
        for section, text in SECTION.findall(PAGE.read_text())
        for language, code in BLOCK.findall(text)
    ]


def named(recipe: Recipe) -> str:
    """How a test of it is called."""
    return f"{recipe.section}-{recipe.language}"


RECIPES = read_page()
RUN = [pytest.param(recipe, id=named(recipe)) for recipe in RECIPES if recipe.section in PRINTS]
RECEIVE = [recipe for recipe in RECIPES if recipe.section == RECEIVERS]


def check_tools(recipe: Recipe) -> None:
    """Skip the test where the machine lacks what runs the snippet."""
    tool = {"sh": "curl", "js": "node"}.get(recipe.language)
    if tool and shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed on this machine")


@pytest.fixture
def surroundings(backend: Backend, tmp_path: Path) -> dict[str, str]:
    """What the page says the snippets take from the environment, and a deck in the folder."""
    (tmp_path / "deck.pptx").write_bytes(clean_deck())
    with Client(backend.web.url, backend.key, trust_env=False) as greenroom:
        upload = greenroom.upload(tmp_path / "deck.pptx", meeting=MEETING)
        grant = greenroom.grants.mint("upload", MEETING)
    assert upload.released
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "client"),
        "API_URL": backend.web.url,
        "API_KEY": backend.key,
        "ACCOUNT_ID": backend.account,
        "UPLOAD": upload.id,
        "GRANT": grant.token or "",
        "WEBHOOK_URL": f"http://{LOOPBACK}:{free_port()}/greenroom",
    }


def test_every_snippet_is_run() -> None:
    """The page shows each task in all three languages, but for those that are only one language's."""
    found = {(recipe.section, recipe.language) for recipe in RECIPES}
    everywhere = {(section, language) for section in PRINTS for language in COMMANDS}
    python_only = {("Sign grants yourself", "sh"), ("Sign grants yourself", "js")}
    receivers = {(RECEIVERS, "python"), (RECEIVERS, "js")}
    assert found == (everywhere - python_only) | receivers


@pytest.mark.parametrize("recipe", RUN)
def test_a_snippet_does_what_it_says(recipe: Recipe, surroundings: Mapping[str, str], tmp_path: Path) -> None:
    """It ends well, prints what the task gives, complains of nothing, and leaves the file that it saves."""
    check_tools(recipe)
    done = subprocess.run(
        recipe.command(tmp_path),
        cwd=tmp_path,
        env=dict(surroundings),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(PRINTS[recipe.section], done.stdout, re.DOTALL)
    minting_only = (recipe.section, recipe.language) == ("Let a participant download", "sh")
    if recipe.section in SAVE and not minting_only:
        assert (tmp_path / "checked.pptx").read_bytes() == (tmp_path / "deck.pptx").read_bytes()
        assert not (tmp_path / "checked.part").exists()


@pytest.fixture(params=RECEIVE, ids=named)
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Child, str]]:
    """A receiver of the page, running, and its address."""
    recipe: Recipe = request.param
    check_tools(recipe)
    port = free_port()
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "client"),
        "WEBHOOK_SECRET": SECRET,
        "PORT": str(port),
    }
    log = tmp_path / "receiver.log"
    child = processes.start("receiver", recipe.command(tmp_path), env=environ, log=log, cwd=tmp_path)
    url = f"http://{LOOPBACK}:{port}/greenroom"

    def answers() -> bool:
        child.check_alive()
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            return False
        return True

    wait_until(answers, START_SECONDS, "the receiver's start")
    yield child, url
    child.stop()


def test_a_receiver_believes_only_what_was_signed(receiver: tuple[Child, str]) -> None:
    """What the official library signed is taken and told; what was forged or is old is refused."""
    child, url = receiver
    event = {"type": "upload.released", "timestamp": "2026-11-21T23:42:28Z", "data": upload_document()}
    body = json.dumps(event).encode()

    def post(headers: dict[str, str]) -> int:
        return httpx.post(url, content=body, headers=headers, trust_env=False).status_code

    assert post(signed(body)) == 204
    assert post(signed(body, secret=OTHER)) == 400
    assert post({**signed(body), "Webhook-Timestamp": "1"}) == 400
    assert post({}) == 400
    assert child.log is not None
    told = child.log
    wait_until(lambda: "upload.released up_1 released" in told.read_text(), SECONDS, "telling the event")
