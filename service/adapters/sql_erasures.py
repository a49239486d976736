"""``ports.Erasures`` on SQLAlchemy. What becomes of which column stands in ``fates``."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Engine,
    RowMapping,
    and_,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)

from service.adapters import forgetting
from service.adapters.database import BUSY_WAIT, Database, serialize, translated
from service.adapters.fates import FATES
from service.adapters.rows import entry_to_row
from service.adapters.schema import log, uploads
from service.adapters.schema_erasures import erasures
from service.adapters.sql_holds import check_none_within
from service.adapters.sql_journal import write
from service.core.erasure import Erasure, Reach
from service.core.errors import Conflict, LedgerUnavailable
from service.core.journal import Entry

#: Milliseconds that readers of SQLite's write-ahead log are waited for.
_PATIENCE: Final = 500


class SqlErasures:
    """Erasures in the ledger's database."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``. Opens no connection yet."""
        self._database = Database(engine)

    def ask(self, erasure: Erasure, line: Entry) -> Erasure:
        """Add one, or return the one that is under way."""
        same = select(erasures).where(
            erasures.c.account_id == erasure.account_id,
            erasures.c.reach == erasure.reach.value,
            erasures.c.mark == erasure.mark,
            erasures.c.done_at.is_(None),
        )
        with self._database.writing() as connection:
            serialize(connection, "erasures")
            # A write first: on SQLite, reading would not yet keep others from writing.
            connection.execute(update(erasures).where(erasures.c.id == erasure.id).values(id=erasure.id))
            known = connection.execute(same).mappings().one_or_none()
            if known is not None:
                return _erasure(known)
            _check_holds(connection, erasure)
            connection.execute(insert(erasures), asdict(erasure) | {"reach": erasure.reach.value})
            write(connection, [line])
        return erasure

    def find(self, erasure_id: str) -> Erasure | None:
        """Return one."""
        found = self._database.read(select(erasures).where(erasures.c.id == erasure_id))
        return _erasure(found[0]) if found else None

    def of_upload(self, upload_id: str) -> Erasure | None:
        """Return the one that has forgotten an upload."""
        its = select(uploads.c.erasure_id).where(uploads.c.id == upload_id).scalar_subquery()
        found = self._database.read(select(erasures).where(erasures.c.id == its))
        return _erasure(found[0]) if found else None

    def undone(self, limit: int, *, let_go: bool, after: str = "") -> Sequence[Erasure]:
        """Return those to work on."""
        step = erasures.c.subject.is_(None) if let_go else erasures.c.subject.is_not(None)
        undone = select(erasures).where(erasures.c.done_at.is_(None), step, erasures.c.id > after)
        return [_erasure(row) for row in self._database.read(undone.order_by(erasures.c.id).limit(limit))]

    def unasked(self, limit: int) -> Sequence[str]:
        """Return what was erased alone."""
        # As the index has it: a parameter in the place of the state's name would not let it be used.
        unforgotten = and_(uploads.c.state == literal_column("'erased'"), uploads.c.erasure_id.is_(None))
        query = select(uploads.c.id).where(unforgotten).order_by(uploads.c.id).limit(limit)
        return [row["id"] for row in self._database.read(query)]

    def uploads(self, erasure: Erasure, after: str, limit: int) -> Sequence[str]:
        """Return the ids of what is not forgotten."""
        query = select(uploads.c.id).where(forgetting.carried(erasure), uploads.c.id > after)
        return [row["id"] for row in self._database.read(query.order_by(uploads.c.id).limit(limit))]

    def shut(self, erasure: Erasure) -> None:
        """Close the doors."""
        with self._database.writing() as connection:
            _check_holds(connection, erasure)
            match erasure.reach:
                case Reach.MEETING | Reach.PERSON:
                    forgetting.grants_of(connection, erasure)
                case Reach.ACCOUNT:
                    forgetting.tables(connection, erasure)

    def forget_uploads(self, erasure: Erasure, upload_ids: Sequence[str]) -> None:
        """Forget what uploads have."""
        with self._database.writing() as connection:
            if not forgetting.all_erased(connection, upload_ids):
                raise Conflict("An upload is not erased yet.")
            forgetting.uploads_and_theirs(connection, erasure, upload_ids)

    def forget_others(self, erasure: Erasure) -> int:
        """Forget the rest."""
        with self._database.writing() as connection:
            _check_holds(connection, erasure)
            return forgetting.tables(connection, erasure) + forgetting.lines(connection, erasure)

    def let_go(self, erasure: Erasure) -> Erasure:
        """Forget what it was about."""
        its = uploads.c.erasure_id == erasure.id
        counted = select(func.count(), func.coalesce(func.sum(uploads.c.size), 0)).where(its)
        with self._database.writing() as connection:
            # The row first: two workers at the same step wait for each other here.
            row = update(erasures).where(erasures.c.id == erasure.id)
            connection.execute(row.values(subject=None))
            _check_holds(connection, erasure)
            number, size = connection.execute(counted).one()
            connection.execute(row.values(uploads=int(number), size=int(size)))
            if erasure.reach is Reach.ACCOUNT:
                forgetting.account(connection, erasure)
            return _known(connection, erasure)

    def compact(self) -> None:
        """Truncate SQLite's WAL; vacuum PostgreSQL's tables."""
        with translated(), self._database.engine.connect() as plain:
            if plain.dialect.name == "postgresql":
                connection = plain.execution_options(isolation_level="AUTOCOMMIT")
                for table in (fate.table.name for fate in FATES):
                    connection.execute(text(f'VACUUM "{table}"'))
                return
            # Writers wait while it waits for readers, so it does not wait for long.
            plain.exec_driver_sql(f"PRAGMA busy_timeout={_PATIENCE}")
            try:
                busy, _, _ = plain.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            finally:
                plain.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_WAIT * 1000:.0f}")
            if busy:
                raise LedgerUnavailable("The database's write-ahead log is in use.")

    def finish(self, erasure: Erasure, line: Entry) -> Erasure:
        """Write the line, once."""
        undone = update(erasures).where(erasures.c.id == erasure.id, erasures.c.done_at.is_(None))
        with self._database.writing() as connection:
            if connection.execute(undone.values(done_at=line.at)).rowcount == 1:
                row = connection.execute(insert(log).returning(log.c.id), entry_to_row(line)).scalar_one()
                its = update(erasures).where(erasures.c.id == erasure.id)
                connection.execute(its.values(line=row))
            return _known(connection, erasure)


def _check_holds(connection: Connection, erasure: Erasure) -> None:
    """Raise ``UnderHold`` if anything in a meeting or an account must stay, and let none be placed meanwhile.

    SQLite's lock is taken by a write, so one that changes nothing comes first. What must stay of a person or
    an upload the ledger keeps, in the save that would erase it.
    """
    if erasure.reach not in {Reach.MEETING, Reach.ACCOUNT} or erasure.subject is None:
        return
    connection.execute(update(erasures).where(erasures.c.id == erasure.id).values(id=erasure.id))
    meeting_id = erasure.subject if erasure.reach is Reach.MEETING else None
    check_none_within(connection, erasure.account_id, meeting_id)


def _known(connection: Connection, erasure: Erasure) -> Erasure:
    return _erasure(connection.execute(select(erasures).where(erasures.c.id == erasure.id)).mappings().one())


def _erasure(row: RowMapping) -> Erasure:
    plain: dict[str, Any] = dict(row)
    return Erasure(**plain | {"reach": Reach(row["reach"])})
