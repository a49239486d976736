"""What the migrations make of a ledger that has been at work."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, insert

import service
from service.adapters.database import open_engine
from service.adapters.rows import entry_to_row
from service.adapters.schema import log
from service.adapters.sql_journal import SqlJournal
from service.core.journal import Act, Entry
from service.stages.feed import READER
from stack.postgres import Postgres
from tests.contract.conftest import NOON
from tests.contract.databases import migrate, sqlite_url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "ledger.db")
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.fresh_database()


def _migrate_before(engine: Engine, revision: str) -> None:
    """Bring the database to where it was before ``revision``."""
    config = Config()
    config.set_main_option("script_location", str(Path(service.__file__).with_name("migrations")))
    before = ScriptDirectory.from_config(config).get_revision(revision).down_revision
    assert isinstance(before, str)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, before)


def test_years_of_lines_are_not_told_again(url: str) -> None:
    """The feed begins with the first line after the upgrade, be the old ones in their places or waiting."""
    engine = create_engine(url)
    _migrate_before(engine, "0011")
    with engine.begin() as connection:
        connection.execute(insert(log), [entry_to_row(Entry(NOON, Act.CANARIES.value)) for _ in range(3)])
    engine.dispose()
    migrate(url)
    engine = open_engine(url)
    assert SqlJournal(engine).cursor(READER) == 3
    engine.dispose()


def test_of_a_new_log_everything_is_told(url: str) -> None:
    """From its first line on."""
    migrate(url)
    engine = open_engine(url)
    assert SqlJournal(engine).cursor(READER) == 0
    engine.dispose()
