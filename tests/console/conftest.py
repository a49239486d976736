"""Consoles: one on fakes in this process, and one of gunicorn's with a browser in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.console.office import Office
from tests.console.site import Site, Sitting


@pytest.fixture
def office() -> Office:
    """A console on fakes."""
    return Office()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running console over an SQLite file. Tests share it: each has people and uploads of its own."""
    running = Site(tmp_path_factory.mktemp("console"))
    yield running
    running.stop()


@pytest.fixture
def sitting(browser: Browser, site: Site) -> Iterator[Callable[..., Sitting]]:
    """Begins sittings: `sitting(role or None, **options of the browser's context)`."""
    with ExitStack() as open_sittings:

        def begin(*role: Any, **options: Any) -> Sitting:
            return open_sittings.enter_context(Sitting(browser, site, *role, **options))

        yield begin
