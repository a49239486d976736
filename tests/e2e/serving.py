"""The service's own processes for the end-to-end tests: gunicorn and the worker, over the shared parts."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx

from service import config, wiring
from service.adapters.sql_ledger import SqlLedger
from service.stages.access import SCOPES, create_key
from service.stages.parts import Parts
from stack import environment, processes
from stack.clamd import ROOT, Clamd
from stack.ports import LOOPBACK, free_port
from stack.processes import Child, wait_until
from stack.settings import Settings
from stack.store import Store
from stack.store_policy import QUARANTINE, RELEASED

GUNICORN = ("gunicorn", "--config", "service/gunicorn.conf.py", "service.wsgi:app")
START_SECONDS = 60.0
READY_SECONDS = 120.0
COMMAND_SECONDS = 120.0


def compose(parts_folder: Path, store: Store, clamd: Clamd, database: str) -> dict[str, str]:
    """What a service over the real parts is configured with; `database` is the name of its SQLite file."""
    settings = Settings(parts_folder, 0, store.s3_port, clamd.signatures, "demo")
    ours = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    ledger = {"GREENROOM_DATABASE_URL": f"sqlite:///{parts_folder / database}"}
    return environment.compose(ours, settings, store.identities) | ledger


def prepare(environ: Mapping[str, str], folder: Path) -> Service:
    """Make the database that `environ` names; nothing runs yet. Processes will log to `folder`."""
    wiring.migrate(config.read_settings(environ))
    return Service(environ, folder, wiring.build(environ).parts)


@dataclass
class Service:
    """One environment, and the processes that run in it; `parts` are the same service in this process."""

    environ: Mapping[str, str]
    folder: Path
    parts: Parts
    children: list[Child] = field(default_factory=list)

    def run(self, *arguments: str, seconds: float = COMMAND_SECONDS) -> subprocess.CompletedProcess[str]:
        """Run `python -m service` with `arguments` to its end."""
        command = [sys.executable, "-m", "service", *arguments]
        return subprocess.run(
            command,
            cwd=ROOT,
            env=dict(self.environ),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def start(self, name: str, argv: Sequence[str]) -> Child:
        """Start a process; its output goes to `name`.log."""
        log = self.folder / f"{name}.log"
        child = processes.start(name, argv, env=self.environ, log=log, cwd=ROOT)
        self.children.append(child)
        return child

    def worker(self) -> Child:
        """Start a background worker."""
        number = sum(child.name.startswith("worker") for child in self.children)
        return self.start(f"worker{number}", [sys.executable, "-m", "service", "worker"])

    def web(self, *options: str) -> Web:
        """Start gunicorn with `options` on a free port and return when it answers."""
        port = free_port()
        number = sum(child.name.startswith("web") for child in self.children)
        child = self.start(f"web{number}", [*GUNICORN, "--bind", f"{LOOPBACK}:{port}", *options])
        web = Web(self, child, port)
        wait_until(web.answers, START_SECONDS, "gunicorn's start")
        return web

    def begin(self, *options: str) -> Web:
        """Start a worker and gunicorn, and return when both are ready."""
        worker = self.worker()
        web = self.web(*options)

        def ready() -> bool:
            worker.check_alive()
            return web.ready()

        wait_until(ready, READY_SECONDS, "readiness")
        return web

    def new_key(self) -> tuple[str, str]:
        """Make a key in an account of its own; return the account and the key."""
        account = f"acc-{secrets.token_hex(6)}"
        return account, create_key(self.parts, account, "test", SCOPES, None)

    def logged(self) -> str:
        """Everything that the processes wrote."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    def stop(self) -> None:
        """End every process that was started here, by its id."""
        for child in reversed(self.children):
            child.stop()
        cast("SqlLedger", self.parts.ledger)._database.engine.dispose()


@dataclass
class Web:
    """A running gunicorn."""

    service: Service
    child: Child
    port: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.port}"

    def answers(self) -> bool:
        """Whether it answers at all."""
        self.child.check_alive()
        try:
            return httpx.get(f"{self.url}/healthz", timeout=5, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def ready(self) -> bool:
        """Whether it says that it is ready."""
        return httpx.get(f"{self.url}/readyz", timeout=15, trust_env=False).is_success

    def processes(self) -> list[int]:
        """The ids of gunicorn's worker processes."""
        children = Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def backend(self) -> Backend:
        """A meeting backend with an account of its own."""
        account, key = self.service.new_key()
        return Backend(self, account, key)

    def connect(self, seconds: float = 60.0) -> socket.socket:
        """A raw connection."""
        return socket.create_connection((LOOPBACK, self.port), timeout=seconds)


@dataclass
class Backend:
    """A meeting backend that speaks to one `Web`."""

    web: Web
    account: str
    key: str
    meeting: str = "m1"

    def __post_init__(self) -> None:
        self.client = httpx.Client(
            base_url=self.web.url,
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=120,
            trust_env=False,
        )

    def close(self) -> None:
        """Let the connections go."""
        self.client.close()

    def post(self, content: Any, name: str = "notes.txt", **options: Any) -> httpx.Response:
        """Upload a raw body: bytes with a length, an iterator in chunks."""
        query = {"meeting": self.meeting, "name": name}
        return self.client.post("/v1/uploads", params=query, content=content, **options)

    def upload(self, content: Any, name: str = "notes.txt", **options: Any) -> dict[str, Any]:
        """Upload and return the document, which must say that it was taken in."""
        answer = self.post(content, name, **options)
        assert answer.status_code in {201, 202}, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def ask(self, upload_id: str, wait: int = 0) -> dict[str, Any]:
        """Return the document of one upload."""
        document: dict[str, Any] = self.client.get(f"/v1/uploads/{upload_id}", params={"wait": wait}).json()
        return document

    def until(self, upload_id: str, states: set[str], seconds: float) -> dict[str, Any]:
        """Return the document once the upload is in one of `states`."""
        wait_until(lambda: self.ask(upload_id)["state"] in states, seconds, f"reaching {states}")
        return self.ask(upload_id)

    def uploads(self) -> list[dict[str, Any]]:
        """Every upload of the meeting."""
        found: list[dict[str, Any]] = []
        query = {"meeting": self.meeting, "limit": "200"}
        while True:
            page = self.client.get("/v1/uploads", params=query).json()
            found += page["uploads"]
            if page["next"] is None:
                return found
            query["cursor"] = page["next"]

    def head(self, length: int | None, name: str = "notes.txt", more: str = "") -> bytes:
        """The head of a POST for a raw connection: with a length, or chunked."""
        framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
        return (
            f"POST /v1/uploads?meeting={self.meeting}&name={name} HTTP/1.1\r\nHost: {LOOPBACK}\r\n"
            f"Authorization: Bearer {self.key}\r\nConnection: close\r\n{framing}\r\n{more}\r\n"
        ).encode()


def read_answer(link: socket.socket) -> tuple[int, dict[str, Any]]:
    """Read one answer to its end and return its status and its JSON; (0, {}) where none came."""
    data = b""
    try:
        while piece := link.recv(65536):
            data += piece
    except (ConnectionError, TimeoutError):
        pass
    # gunicorn says 100 Continue to whoever asks for it, before the service has seen the request.
    head, _, body = data.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").partition(b"\r\n\r\n")
    return (int(head.split()[1]), json.loads(body)) if head else (0, {})


def stored_keys(store: Store, upload_ids: set[str] | None = None) -> dict[str, list[str]]:
    """The keys in both buckets, all or only those of some uploads; unfinished multipart uploads count too."""
    janitor = store.client("janitor")
    found = {}
    for bucket in (QUARANTINE, RELEASED):
        keys = [item.object_name or "" for item in janitor.list_objects(bucket, recursive=True)]
        keys += [part.object_name or "" for part in janitor._list_multipart_uploads(bucket).uploads]
        found[bucket] = [key for key in keys if upload_ids is None or key.partition("/")[0] in upload_ids]
    return found


def kill(pid: int) -> None:
    """End one process at once, as a crash would."""
    os.kill(pid, signal.SIGKILL)


def eventually(predicate: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll until it is so."""
    wait_until(predicate, seconds, what)
