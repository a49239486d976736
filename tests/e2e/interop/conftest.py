"""Four tus clients, a line that breaks, and the service behind it."""

from __future__ import annotations

import functools
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from stack.clamd import ROOT
from stack.ports import LOOPBACK
from tests.e2e.interop.browsers import Page
from tests.e2e.interop.client import Client
from tests.e2e.interop.line import Line
from tests.e2e.interop.programs import Curl, Tuspy
from tests.e2e.interop.scene import Scene
from tests.e2e.serving import Backend, Service, Web

PAGES = Path(__file__).with_name("page")
MODULES = ROOT / "widget" / "node_modules"
IN_BROWSER = {"tus-js-client": "tus", "uppy": "uppy"}
PROGRAMS = {"tuspy": Tuspy, "curl": Curl}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named so in the standard library
        """Say nothing."""


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of the host pages, one below each browser client's name: not the service's own."""
    folder = tmp_path_factory.mktemp("pages")
    for name in IN_BROWSER.values():
        page = folder / name
        page.mkdir()
        (page / "index.html").write_text((PAGES / "index.html").read_text())
        bundle(PAGES / f"{name}.js", page / "client.js")
    server = ThreadingHTTPServer((LOOPBACK, 0), functools.partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, name="host pages", daemon=True).start()
    yield f"http://{LOOPBACK}:{server.server_port}"
    server.shutdown()
    server.server_close()


def bundle(source: Path, target: Path) -> None:
    """Make one module of a page's script and the packages that it imports."""
    command = [
        str(MODULES / ".bin" / "esbuild"),
        str(source),
        "--bundle",
        "--format=esm",
        f"--outfile={target}",
    ]
    done = subprocess.run(
        command, env={**os.environ, "NODE_PATH": str(MODULES)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def web(web: Web, service: Service, host: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A gunicorn that pages of the host may call, beside the one whose worker it shares."""
    environ = {**service.environ, "GREENROOM_UPLOAD_ORIGINS": host}
    other = replace(service, environ=environ, folder=tmp_path_factory.mktemp("interop"), children=[])
    yield other.web()
    for child in other.children:
        child.stop()


@pytest.fixture(scope="module")
def pages(browser: Browser, host: str) -> dict[str, Client]:
    """A page for each client that lives in one."""
    return {name: Page(browser, f"{host}/{folder}/") for name, folder in IN_BROWSER.items()}


@pytest.fixture(params=[*IN_BROWSER, *PROGRAMS])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Client]:
    """Each of the clients in turn, with no memory of anything."""
    name: str = request.param
    pages: dict[str, Client] = request.getfixturevalue("pages") if name in IN_BROWSER else {}
    client = pages[name] if name in pages else PROGRAMS[name](tmp_path)
    yield client
    client.close()


@pytest.fixture
def line(web: Web) -> Iterator[Line]:
    """The line to the service."""
    line = Line(web.port)
    yield line
    line.close()


@pytest.fixture
def scene(client: Client, line: Line, backend: Backend, tmp_path: Path) -> Scene:
    """All of it, with a grant."""
    return Scene(client, line, backend, tmp_path)
