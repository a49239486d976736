"""The demo page: examples/meeting_room over the stack's API, on a port of its own.

`python -m stack.demo` waits for the access that `make run` makes and becomes gunicorn, which knows the API's
address and key and nothing else of the stack: no key to the store, none to the ledger.
"""

from __future__ import annotations

import os
import sys
import time

import httpx
from flask import Flask

from examples.meeting_room.app import Sample, create_app
from greenroom_client import Client, Retry
from stack import processes, samples
from stack.clamd import ROOT
from stack.ports import LOOPBACK
from stack.settings import Settings, read
from stack.tryout import Access, kept_access

# A page that waits for longer than this is told that Greenroom is away.
ANSWER_SECONDS = 5.0
POLL_SECONDS = 0.5
SAMPLES = (
    Sample("welcome.pptx", samples.clean_deck, "A clean deck of one slide."),
    Sample(
        "eicar.txt",
        lambda: samples.EICAR,
        "EICAR: 68 harmless characters that scanners have agreed to report as malware.",
    ),
    Sample(
        "locked.pdf",
        samples.locked_pdf,
        f"A PDF that opens with a password ({samples.PASSWORD}), so no scanner can look inside.",
    ),
)


def app() -> Flask:
    """What gunicorn serves, as the environment describes it."""
    api_url = os.environ["API_URL"]
    greenroom = Client(
        api_url, os.environ["API_KEY"], timeout=ANSWER_SECONDS, retry=Retry(attempts=1), trust_env=False
    )
    return create_app(greenroom, api_url, SAMPLES)


def main() -> None:
    """Become the demo's web server once the API can be used."""
    settings = read(os.environ)
    access = _wait(settings)
    env = processes.bare_environment(settings.state) | {
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "client"))),
        "PYTHONUNBUFFERED": "1",
        "API_URL": access.api_url,
        "API_KEY": access.api_key,
    }
    command = [sys.executable, "-m", "gunicorn", "stack.demo:app()", "--no-control-socket"]
    command += ["--bind", f"{LOOPBACK}:{settings.demo_port}", "--workers", "1", "--threads", "8"]
    os.execve(command[0], command, env)


def _wait(settings: Settings) -> Access:
    """Wait for as long as it takes: when the stack fails to start, this process is stopped with it."""
    while True:
        try:
            access = kept_access(settings)
        except httpx.TransportError:
            access = None
        if access:
            return access
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    main()
