"""One service over the real parts whose scans can be held, for the tests of the widget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from stack.clamd import Clamd
from stack.store import Store
from tests.e2e.gate import Gate
from tests.e2e.interop.line import Line
from tests.e2e.serving import Backend, Web, compose, prepare
from tests.widget.hosts import Host
from tests.widget.reach import Scene
from tests.widget.visit import Visit


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    """A web site of its own origin, from which uploads may come and on which /embed may be framed."""
    host = Host()
    yield host
    host.close()


@pytest.fixture(scope="session")
def still_gate(parts_folder: Path, clamd: Clamd) -> Iterator[Gate]:
    """The gate in front of clamd."""
    gate = Gate(parts_folder / "widget.sock", clamd.socket)
    yield gate
    gate.close()


@pytest.fixture
def gate(still_gate: Gate) -> Iterator[Gate]:
    """The gate in front of clamd, open, and open again afterwards."""
    yield still_gate
    still_gate.open()


@pytest.fixture(scope="session")
def widget_environ(
    parts_folder: Path, store: Store, clamd: Clamd, still_gate: Gate, host: Host
) -> dict[str, str]:
    """What the service is configured with."""
    return compose(parts_folder, store, clamd, "widget.db") | {
        "GREENROOM_CLAMD": f"unix:{still_gate.path}",
        "GREENROOM_UPLOAD_ORIGINS": host.url,
        "GREENROOM_EMBED_ORIGINS": host.url,
    }


@pytest.fixture(scope="session")
def served(widget_environ: dict[str, str], part_logs: Path) -> Iterator[Web]:
    """The running service."""
    service = prepare(widget_environ, part_logs / "widget")
    yield service.begin()
    service.stop()


@pytest.fixture
def backend(served: Web) -> Iterator[Backend]:
    """A meeting backend with an account of its own."""
    backend = served.backend()
    yield backend
    backend.close()


@pytest.fixture
def line(served: Web) -> Iterator[Line]:
    """A line to the service that can be held and cut."""
    line = Line(served.port)
    # Else the browser sends a request again on its own when a connection ends that it used before.
    line.single_use = True
    yield line
    line.close()


@pytest.fixture
def visit(browser: Browser, backend: Backend) -> Iterator[Callable[..., Visit]]:
    """Begins visits: `visit(origin, **options of the browser's context)`."""
    with ExitStack() as open_visits:

        def begin(origin: str = "", **options: Any) -> Visit:
            return open_visits.enter_context(Visit(browser, backend, origin, **options))

        yield begin


@pytest.fixture
def scene(visit: Callable[..., Visit], backend: Backend, line: Line, gate: Gate) -> Scene:
    """What the states are reached with."""
    return Scene(visit, backend, line, gate)
