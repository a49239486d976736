"""The log's lines and the tree they stand in."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from service.core.journal import Act, Entry, Placed, Waiting
from service.core.tree import TileId


class Journal(Protocol):
    """The log. Lines that are moves of an upload are written by the ledger, with the move.

    A line is written first and gets its place in the tree a moment later, so that nobody who writes waits
    for another. Safe for many threads and processes at once. All raise ``LedgerUnavailable``.
    """

    def append(self, entries: Sequence[Entry]) -> None:
        """Write lines, all or none; they are durable when the call returned."""

    def waiting(self, limit: int) -> Sequence[Waiting]:
        """Return lines without a place, in the order in which they were begun to be written.

        The lines of one upload come in the order of its moves.
        """

    def size(self) -> int:
        """Return how many lines have their place."""

    def place(self, size: int, lines: Sequence[tuple[int, str]], tiles: Mapping[TileId, bytes]) -> None:
        """Give ``lines`` (row ids and canonical texts) the places from ``size`` on and keep these ``tiles``,
        all or nothing.

        Raises ``Conflict`` unless the log has ``size`` places taken and none of the lines has one.
        """

    def lines(self, first: int, limit: int) -> Sequence[Placed]:
        """Return at most ``limit`` lines from position ``first`` on, in order. What is returned is final:
        a later line never gets an earlier place."""

    def of_upload(self, upload_id: str, others: int | None = None) -> Sequence[Placed | Waiting]:
        """Return every line of an upload, oldest first: its moves, and what else happened to it, of which
        only the newest ``others`` where that is given. A file can be downloaded a million times.
        """

    def newest(self, act: Act, limit: int) -> Sequence[Placed | Waiting]:
        """Return at most ``limit`` lines that tell of ``act`` and of no upload, newest first."""

    def find(self, line: int) -> Placed | Waiting | None:
        """Return the line of a row's id."""

    def downloads(self, account_id: str, actors: Sequence[str], limit: int) -> Sequence[Entry]:
        """Return the newest ``limit`` downloads of an account's files by these actors, oldest first."""

    def tile(self, level: int, number: int) -> bytes:
        """Return a tile's hashes, nothing where there is none (see ``service.core.tree``)."""

    def cursor(self, reader: str) -> int:
        """Return how far a reader of the log has come, 0 for a new one."""

    def claim_cursor(self, reader: str, at: int, holder: str, now: datetime, until: datetime) -> bool:
        """Take for ``holder`` alone, until then or until the reader moves on, what a reader does next; return
        whether it may. It may not while another holds it, or if the reader is not at ``at``.
        """

    def move_cursor(self, reader: str, was: int, to: int) -> None:
        """Note how far a reader has come; its claim ends. Raises ``Conflict`` unless it was at ``was``."""
