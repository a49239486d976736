"""The step of the schema that brings the search, on databases that were in use before it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, make_url, text

from service import wiring
from service.adapters.database import open_engine
from service.adapters.sql_archive import SqlArchive
from service.core.search import Filters
from stack.postgres import Postgres
from tests.contract.databases import migrate, sqlite_url

NAMES: Final = ("Straße.pdf", "ﬁnal DECK.pptx", "\ufdfa" * 85, "")
ROW: Final = (
    "INSERT INTO uploads (id, account_id, meeting_id, name, declared_type, detected_type, state, created_at,"
    " updated_at, attempts, leftover, version) VALUES (:id, 'acme', 'm1', :name, '', '', 'released',"
    " '2026-11-22 12:00:00', '2026-11-22 12:00:00', 0, 'nothing', 1)"
)


def filled_before_the_search(url: str) -> Engine:
    """Return a database as it was before the search, with uploads."""
    engine = open_engine(url)
    config = Config()
    config.set_main_option("script_location", str(Path(wiring.__file__).with_name("migrations")))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0007")
        connection.execute(text("INSERT INTO accounts VALUES ('acme', '2026-11-22 12:00:00')"))
        uploads = [{"id": f"up_{number}", "name": name} for number, name in enumerate(NAMES)]
        connection.execute(text(ROW), uploads)
    return engine


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that holds nothing."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "ledger.db")
    server: Postgres = request.getfixturevalue("postgres")
    return server.fresh_database()


def found(engine: Engine, name: str) -> list[str]:
    """Return the names of what a search finds."""
    return [record.name for record in SqlArchive(engine).page(Filters(name=name), None, 10)]


def test_uploads_from_before_the_search_are_found_by_their_names(url: str) -> None:
    """In any case, as those that come after it; a name that folds to far more than it was is no obstacle."""
    engine = filled_before_the_search(url)
    migrate(url)
    assert found(engine, "STRASSE") == [NAMES[0]]
    assert found(engine, "final deck") == [NAMES[1]]
    assert found(engine, "\ufdfa") == [NAMES[2]]
    engine.dispose()


@pytest.fixture
def bare_url(postgres: Postgres) -> Iterator[str]:
    """A PostgreSQL database whose role may make tables but no extension."""
    url = postgres.fresh_database()
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS bare"))
        connection.execute(text("CREATE ROLE bare LOGIN PASSWORD 'bare'"))
        connection.execute(text("GRANT ALL ON SCHEMA public TO bare"))
        # What DBOS keeps its tables in, made for it.
        connection.execute(text("CREATE SCHEMA dbos AUTHORIZATION bare"))
    yield make_url(url).set(username="bare", password="bare").render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.execute(text("DROP OWNED BY bare CASCADE"))
        connection.execute(text("DROP ROLE bare"))
    engine.dispose()


def test_the_search_works_without_the_extension(bare_url: str) -> None:
    """Where no trigrams can be had the step goes on without their index, and names are found all the same."""
    engine = filled_before_the_search(bare_url)
    migrate(bare_url)
    assert found(engine, "final deck") == [NAMES[1]]
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'")) == 0
    engine.dispose()
