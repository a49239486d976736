"""The whole service, once for each test process: gunicorn and a worker over real store, clamd and SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.clamd import Clamd
from stack.store import Store
from tests.e2e.serving import Backend, Service, Web, compose, prepare


@pytest.fixture(scope="session")
def environ(parts_folder: Path, store: Store, clamd: Clamd) -> dict[str, str]:
    """What the service is configured with."""
    return compose(parts_folder, store, clamd, "e2e.db") | {
        # So that every route is there for those who try the published contract.
        "GREENROOM_EMBED_ORIGINS": "https://meet.example",
    }


@pytest.fixture(scope="session")
def service(environ: dict[str, str], part_logs: Path) -> Iterator[Service]:
    """The environment of the service, its database made; nothing runs yet."""
    service = prepare(environ, part_logs)
    yield service
    service.stop()


@pytest.fixture(scope="session")
def web(service: Service) -> Web:
    """The running service: a worker and gunicorn as shipped, both ready."""
    return service.begin()


@pytest.fixture
def backend(web: Web) -> Iterator[Backend]:
    """A backend with an account of its own."""
    backend = web.backend()
    yield backend
    backend.close()
