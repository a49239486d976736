"""The real parts for the tests that ask for them: each starts once per test process, when first asked for.

Nothing here runs for a test that needs no part. Under pytest-xdist every worker has its own parts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from stack import clamd as stack_clamd
from stack import postgres as stack_postgres
from stack import store as stack_store
from stack.clamd import DEMO_SIGNATURES, Clamd, Signatures
from stack.ports import claim_block
from stack.postgres import Postgres
from stack.store import Store

CHROMIUM = "/usr/bin/chromium"
#: Folders whose files take long, the longest first.
LONG = ("stack", "e2e", "widget", "console", "web", "stages", "contract")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the long files first, so that the short ones at the end keep every worker busy; and skip what is
    thorough unless ``-m`` speaks of it.
    """
    items.sort(key=_turn)
    if "thorough" in config.option.markexpr:
        return
    for item in items:
        if item.get_closest_marker("thorough"):
            item.add_marker(pytest.mark.skip(reason="on demand: -m thorough"))


def _turn(item: pytest.Item) -> int:
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    return LONG.index(folder) if folder in LONG else len(LONG)


@pytest.fixture(scope="session")
def part_logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the parts log; pytest keeps this folder after the run, unlike the parts' data."""
    return tmp_path_factory.mktemp("parts")


@pytest.fixture(scope="session")
def parts_folder() -> Iterator[Path]:
    """Where the parts keep their data; short, because a unix socket's path may not be long."""
    with tempfile.TemporaryDirectory(prefix="greenroom-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def store(parts_folder: Path, part_logs: Path) -> Iterator[Store]:
    """A real SeaweedFS: `endpoint` host:port, `identities` per role, `client(role)` a minio client.

    Its two buckets are shared by all tests of the process, so a test uses keys of its own.
    """
    s3_port, claim = claim_block(stack_store.PORT_OFFSETS)
    with claim:
        running = stack_store.start(parts_folder / "store", s3_port, part_logs / "store.log")
        yield running
        running.stop()


@pytest.fixture(scope="session")
def clamd(parts_folder: Path, part_logs: Path) -> Iterator[Clamd]:
    """A real clamd with the shipped limits and the demo signatures; `socket` is its unix socket."""
    signatures = Signatures(DEMO_SIGNATURES, "demo")
    running = stack_clamd.start(parts_folder / "clamd", signatures, part_logs / "clamd.log")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def postgres(part_logs: Path) -> Iterator[Postgres]:
    """A real PostgreSQL server without any database of ours."""
    running = stack_postgres.start(part_logs / "postgres.log")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window. Each page of a test is in a context of its own.

    One at a time, because Playwright's event loop runs in the tests' own thread; and gone with the file,
    because other tests have loops of their own.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """The URL of an empty PostgreSQL database that no other test sees."""
    return postgres.fresh_database()
