"""The whole service, once for each test process: gunicorn and a worker over real store, clamd and SQLite."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from service import config, wiring
from stack import environment
from stack.clamd import Clamd
from stack.processes import wait_until
from stack.settings import Settings
from stack.store import Store
from tests.e2e.serving import Backend, Service, Web

READY_SECONDS = 120.0


@pytest.fixture(scope="session")
def environ(parts_folder: Path, store: Store, clamd: Clamd) -> dict[str, str]:
    """What the service is configured with."""
    settings = Settings(parts_folder, 0, store.s3_port, clamd.signatures, "demo")
    ours = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    more = {
        "GREENROOM_DATABASE_URL": f"sqlite:///{parts_folder / 'e2e.db'}",
        # So that every route is there for those who try the published contract.
        "GREENROOM_EMBED_ORIGINS": "https://meet.example",
    }
    return environment.compose(ours, settings, store.identities) | more


@pytest.fixture(scope="session")
def service(environ: dict[str, str], part_logs: Path) -> Iterator[Service]:
    """The environment of the service, its database made; nothing runs yet."""
    wiring.migrate(config.read_settings(environ))
    service = Service(environ, part_logs, wiring.build(environ).parts)
    yield service
    service.stop()


@pytest.fixture(scope="session")
def web(service: Service) -> Web:
    """The running service: a worker and gunicorn as shipped, both ready."""
    worker = service.worker()
    web = service.web()

    def ready() -> bool:
        worker.check_alive()
        return web.ready()

    wait_until(ready, READY_SECONDS, "readiness")
    return web


@pytest.fixture
def backend(web: Web) -> Iterator[Backend]:
    """A backend with an account of its own."""
    backend = web.backend()
    yield backend
    backend.close()
