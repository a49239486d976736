"""``ports.Journal`` on SQLAlchemy."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Connection, Engine, RowMapping, bindparam, delete, func, insert, or_, select, update

from service.adapters.database import Database
from service.adapters.rows import entry_to_row, row_to_entry
from service.adapters.schema import log
from service.adapters.schema_log import log_cursors, log_tiles, log_tree
from service.core.errors import Conflict
from service.core.journal import Act, Entry, Placed, Waiting
from service.core.tree import TileId

_TREE = 1


class SqlJournal:
    """The log in the ledger's database."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``."""
        self._database = Database(engine)

    def append(self, entries: Sequence[Entry]) -> None:
        """Write lines in one transaction."""
        with self._database.writing() as connection:
            write(connection, entries)

    def waiting(self, limit: int) -> Sequence[Waiting]:
        """Return lines without a place."""
        query = select(log).where(log.c.position.is_(None)).order_by(log.c.id).limit(limit)
        return [Waiting(row["id"], row_to_entry(row)) for row in self._database.read(query)]

    def size(self) -> int:
        """Return the tree's size."""
        found = self._database.read(select(log_tree.c.size).where(log_tree.c.id == _TREE))
        return int(found[0]["size"]) if found else 0

    def place(self, size: int, lines: Sequence[tuple[int, str]], tiles: Mapping[TileId, bytes]) -> None:
        """Let the tree grow in one transaction. Writers of lines are not waited for, nor do they wait."""
        with self._database.writing() as connection:
            _swap_size(connection, size, size + len(lines))
            placed = connection.execute(
                update(log)
                .where(log.c.id == bindparam("row_id"), log.c.position.is_(None))
                .values(position=bindparam("place"), line=bindparam("text")),
                [
                    {"row_id": row_id, "place": size + number, "text": text}
                    for number, (row_id, text) in enumerate(lines)
                ],
            )
            if placed.rowcount != len(lines):
                raise Conflict("Another process gave a line its place first.")
            _keep_tiles(connection, tiles)

    def lines(self, first: int, limit: int) -> Sequence[Placed]:
        """Return lines in their places."""
        query = select(log).where(log.c.position >= first).order_by(log.c.position).limit(limit)
        return [_placed(row) for row in self._database.read(query)]

    def of_upload(self, upload_id: str, others: int | None = None) -> Sequence[Placed | Waiting]:
        """Return the lines of an upload."""
        its = log.c.upload_id == upload_id
        query = select(log).where(its).order_by(log.c.id)
        if others is not None:
            acts = select(log.c.id).where(its, log.c.after.is_(None)).order_by(log.c.id.desc()).limit(others)
            query = query.where(or_(log.c.after.is_not(None), log.c.id.in_(acts)))
        return [_line(row) for row in self._database.read(query)]

    def newest(self, act: Act, limit: int) -> Sequence[Placed | Waiting]:
        """Return the newest lines of an act."""
        query = select(log).where(log.c.upload_id.is_(None), log.c.event == act.value)
        return [_line(row) for row in self._database.read(query.order_by(log.c.id.desc()).limit(limit))]

    def find(self, line: int) -> Placed | Waiting | None:
        """Return a line."""
        found = self._database.read(select(log).where(log.c.id == line))
        return _line(found[0]) if found else None

    def downloads(self, account_id: str, actors: Sequence[str], limit: int) -> Sequence[Entry]:
        """Return downloads by some."""
        theirs = (log.c.account_id == account_id, log.c.actor.in_(actors))
        query = select(log).where(log.c.event == Act.DOWNLOADED.value, *theirs)
        found = self._database.read(query.order_by(log.c.id.desc()).limit(limit))
        return [row_to_entry(row) for row in reversed(found)]

    def tile(self, level: int, number: int) -> bytes:
        """Return a tile."""
        query = select(log_tiles.c.hashes).where(log_tiles.c.level == level, log_tiles.c.number == number)
        found = self._database.read(query)
        return bytes(found[0]["hashes"]) if found else b""

    def cursor(self, reader: str) -> int:
        """Return a reader's place."""
        found = self._database.read(select(log_cursors.c.position).where(log_cursors.c.reader == reader))
        return int(found[0]["position"]) if found else 0

    def claim_cursor(self, reader: str, at: int, holder: str, now: datetime, until: datetime) -> bool:
        """Claim by compare-and-swap."""
        place = log_cursors.c
        free = or_(place.holder.is_(None), place.holder == holder, place.held_until <= now)
        here = update(log_cursors).where(place.reader == reader, place.position == at, free)
        claim = {"holder": holder, "held_until": until}
        with suppress(Conflict), self._database.writing() as connection:
            if connection.execute(here.values(claim)).rowcount == 1:
                return True
            if at == 0:
                # A new reader; one that is held or elsewhere is a row already.
                connection.execute(insert(log_cursors), {"reader": reader, "position": 0, **claim})
                return True
        return False

    def move_cursor(self, reader: str, was: int, to: int) -> None:
        """Move a reader on by compare-and-swap."""
        here = update(log_cursors).where(log_cursors.c.reader == reader, log_cursors.c.position == was)
        with self._database.writing() as connection:
            if connection.execute(here.values(position=to, holder=None, held_until=None)).rowcount == 1:
                return
            if was != 0:
                raise Conflict("Another process moved the reader first.")
            # A new reader; one that is known and elsewhere is a row already.
            connection.execute(insert(log_cursors), {"reader": reader, "position": to})


def write(connection: Connection, entries: Sequence[Entry]) -> None:
    """Write lines within the caller's transaction."""
    if entries:
        connection.execute(insert(log), [entry_to_row(entry) for entry in entries])


def downloads(connection: Connection, upload_id: str, limit: int) -> tuple[int, Sequence[Entry]]:
    """Return how many downloads of an upload are logged, and the newest of them, newest first."""
    its = (log.c.upload_id == upload_id, log.c.event == Act.DOWNLOADED.value)
    total = connection.scalar(select(func.count()).where(*its)) or 0
    newest = select(log).where(*its).order_by(log.c.id.desc()).limit(limit)
    return total, [row_to_entry(row) for row in connection.execute(newest).mappings()]


def _swap_size(connection: Connection, size: int, to: int) -> None:
    here = update(log_tree).where(log_tree.c.id == _TREE, log_tree.c.size == size).values(size=to)
    if connection.execute(here).rowcount == 1:
        return
    if size != 0:
        raise Conflict("Another process let the log grow first.")
    # The log's first lines; where others were first, the row is there already.
    connection.execute(insert(log_tree), {"id": _TREE, "size": to})


def _keep_tiles(connection: Connection, tiles: Mapping[TileId, bytes]) -> None:
    for (level, number), hashes in tiles.items():
        this = (log_tiles.c.level == level, log_tiles.c.number == number)
        connection.execute(delete(log_tiles).where(*this))
        connection.execute(insert(log_tiles), {"level": level, "number": number, "hashes": hashes})


def _line(row: RowMapping) -> Placed | Waiting:
    return Waiting(row["id"], row_to_entry(row)) if row["position"] is None else _placed(row)


def _placed(row: RowMapping) -> Placed:
    return Placed(row["position"], row["line"], row_to_entry(row))
