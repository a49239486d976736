"""``ports.Journal`` and ``ports.Checkpoints``: the fakes, SQLite and PostgreSQL."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from service.adapters.database import open_engine
from service.adapters.sql_checkpoints import SqlCheckpoints
from service.adapters.sql_journal import SqlJournal
from service.core.errors import Conflict, LedgerUnavailable
from service.core.journal import Act, Entry, Placed, SignedCheckpoint, Waiting, of_move, of_upload
from service.core.upload import Event
from service.ports import Checkpoints, Journal, LogKey, PseudonymKey
from tests.contract.conftest import NOON, LedgerCase, make_upload
from tests.contract.databases import sqlite_url
from tests.contract.test_ledger_races import at_once

SECOND: Final = timedelta(seconds=1)


@pytest.fixture
def journal(ledger_case: LedgerCase) -> Journal:
    """Each log in turn, empty."""
    return ledger_case.journal


@pytest.fixture
def checkpoints(ledger_case: LedgerCase) -> Checkpoints:
    """Each in turn, empty."""
    return ledger_case.checkpoints


def an_entry(number: int) -> Entry:
    """Return a line that is not about an upload."""
    return Entry(NOON, Act.CANARIES.value, {"number": number}, actor="key:gr_1")


def written(journal: Journal, count: int) -> list[int]:
    """Write that many lines and return their ids."""
    journal.append([an_entry(number) for number in range(count)])
    return [one.id for one in journal.waiting(1000)][-count:]


def test_a_line_waits_until_it_has_its_place(journal: Journal) -> None:
    """What was written comes back as it was, first waiting, then in its place with its text."""
    assert journal.waiting(10) == []
    rows = written(journal, 3)
    assert [one.entry for one in journal.waiting(10)] == [an_entry(number) for number in range(3)]
    assert [one.id for one in journal.waiting(2)] == rows[:2]
    journal.place(0, [(rows[0], '{"é":0}'), (rows[1], "1")], {(0, 0): b"\0\xff"})
    assert journal.size() == 2
    assert journal.waiting(10) == [Waiting(rows[2], an_entry(2))]
    placed = [Placed(0, '{"é":0}', an_entry(0)), Placed(1, "1", an_entry(1))]
    assert journal.lines(0, 10) == placed
    assert journal.lines(0, 1) == placed[:1]
    assert journal.lines(1, 10) == placed[1:]
    assert journal.lines(2, 10) == []


def test_an_uploads_lines_are_its_moves_and_what_else_happened(ledger_case: LedgerCase) -> None:
    """In the order in which they were written, in their places or waiting, and no other upload's."""
    journal = ledger_case.journal
    upload = ledger_case.ledger.save(make_upload(1))
    other = ledger_case.ledger.save(make_upload(2))
    stored = ledger_case.ledger.save(upload.moved(Event.STORED, NOON, {"size": 1}, actor="key:gr_1"))
    viewed = Entry(NOON, Act.UPLOAD_VIEWED.value, {}, "reviewer:rv_1", upload.id, "acme", "m1")
    journal.append([viewed])
    ledger_case.ledger.save(other.moved(Event.GAVE_UP, NOON))
    move = of_move(stored, replace(ledger_case.ledger.history(upload.id)[0]))
    assert [one.entry for one in journal.of_upload(upload.id)] == [move, viewed]
    (first, _, _) = journal.waiting(10)
    journal.place(0, [(first.id, "text")], {})
    found = journal.of_upload(upload.id)
    assert found[0] == Placed(0, "text", move)
    assert isinstance(found[1], Waiting)
    assert journal.of_upload("up_unknown") == []


def test_of_what_happened_to_an_upload_the_newest_can_be_asked_for(ledger_case: LedgerCase) -> None:
    """Its moves all the same, and each in its order."""
    journal = ledger_case.journal
    upload = ledger_case.ledger.save(make_upload(1))
    acts = [of_upload(upload, Act.DOWNLOADED, NOON + number * SECOND, "key:gr_1") for number in range(3)]
    journal.append(acts[:2])
    stored = ledger_case.ledger.save(upload.moved(Event.STORED, NOON))
    journal.append(acts[2:])
    move = of_move(stored, ledger_case.ledger.history(upload.id)[0])
    assert [one.entry for one in journal.of_upload(upload.id, 2)] == [acts[1], move, acts[2]]
    assert [one.entry for one in journal.of_upload(upload.id, 0)] == [move]
    assert [one.entry for one in journal.of_upload(upload.id, 9)] == [*acts[:2], move, acts[2]]


def test_the_newest_of_an_act(ledger_case: LedgerCase) -> None:
    """Newest first, waiting or in their places; no other act's and none about an upload."""
    journal = ledger_case.journal
    upload = ledger_case.ledger.save(make_upload(1))
    assert journal.newest(Act.CANARIES, 2) == []
    rows = written(journal, 3)
    journal.append([Entry(NOON, Act.SIGNATURES.value), of_upload(upload, Act.CANARIES, NOON, None)])
    journal.place(0, [(rows[1], "text")], {})
    assert journal.newest(Act.CANARIES, 2) == [Waiting(rows[2], an_entry(2)), Placed(0, "text", an_entry(1))]
    assert [one.entry for one in journal.newest(Act.CANARIES, 9)] == [an_entry(2 - n) for n in range(3)]


def test_of_moves_the_ledger_tells_and_of_nothing_else(ledger_case: LedgerCase) -> None:
    """A view of an upload is a line and no move."""
    upload = ledger_case.ledger.save(make_upload(1))
    ledger_case.journal.append([Entry(NOON, Act.UPLOAD_VIEWED.value, {}, None, upload.id, "acme", "m1")])
    ledger_case.ledger.save(upload.moved(Event.GAVE_UP, NOON))
    assert [line.event for line in ledger_case.ledger.history(upload.id)] == [Event.GAVE_UP]


def test_the_log_grows_from_its_end_only(journal: Journal) -> None:
    """From another size than it has, or with a line that has its place, nothing changes."""
    rows = written(journal, 3)
    journal.place(0, [(rows[0], "0")], {(0, 0): b"0"})
    wrong = {
        "a log that has grown": (0, [(rows[1], "1")]),
        "a log that is not so long": (2, [(rows[1], "1")]),
        "a line in its place": (1, [(rows[1], "1"), (rows[0], "2")]),
        "no line": (1, [(rows[1], "1"), (10**6, "2")]),
    }
    for size, lines in wrong.values():
        with pytest.raises(Conflict):
            journal.place(size, lines, {(0, 0): b"x"})
    assert journal.size() == 1
    assert [one.id for one in journal.waiting(10)] == rows[1:]
    assert journal.tile(0, 0) == b"0"


def test_tiles_are_kept_as_they_were_last(journal: Journal) -> None:
    """A tile that grew takes the place of its shorter self; one that is not there is empty."""
    rows = written(journal, 2)
    journal.place(0, [(rows[0], "0")], {(0, 0): b"a", (1, 7): b"b"})
    journal.place(1, [(rows[1], "1")], {(0, 0): b"ac"})
    assert [journal.tile(0, 0), journal.tile(1, 7), journal.tile(1, 0)] == [b"ac", b"b", b""]


@pytest.mark.parametrize("size", [0, 1])
def test_of_those_who_place_at_once_one_does(ledger_case: LedgerCase, size: int) -> None:
    """The others are told ``Conflict``, at the log's first lines and at later ones."""
    journal = ledger_case.journal
    rows = written(journal, size + 1)
    if size:
        journal.place(0, [(rows[0], "0")], {})

    def place(number: int) -> bool:
        try:
            journal.place(size, [(rows[size], str(number))], {(0, 0): b"%d" % number})
        except Conflict:
            return False
        return True

    won = at_once(4, place)
    assert sum(won) == 1
    winner = won.index(True)
    assert journal.lines(size, 10)[0].text == str(winner)
    assert journal.tile(0, 0) == b"%d" % winner


def test_a_reader_comes_on_from_where_it_was(journal: Journal) -> None:
    """Compare-and-swap: of two processes that read for the same reader one goes on."""
    assert journal.cursor("siem") == 0
    journal.move_cursor("siem", 0, 5)
    journal.move_cursor("siem", 5, 9)
    journal.move_cursor("witness", 0, 1)
    for was in (0, 5):
        with pytest.raises(Conflict):
            journal.move_cursor("siem", was, 10)
    with pytest.raises(Conflict):
        journal.move_cursor("new", 1, 2)
    assert [journal.cursor(reader) for reader in ("siem", "witness", "new")] == [9, 1, 0]


def test_one_reads_for_a_reader_at_a_time(journal: Journal) -> None:
    """Until it moves on, or its time is over; the same one may claim again. Nobody claims another place."""
    later, last = NOON + 20 * SECOND, NOON + 40 * SECOND
    assert journal.claim_cursor("siem", 0, "one", NOON, later)
    assert not journal.claim_cursor("siem", 0, "two", NOON, later)
    assert journal.claim_cursor("siem", 0, "one", NOON, later)
    assert journal.claim_cursor("witness", 0, "two", NOON, later)
    assert not journal.claim_cursor("siem", 3, "one", NOON, later)
    assert not journal.claim_cursor("new", 3, "one", NOON, later)
    journal.move_cursor("siem", 0, 5)
    assert not journal.claim_cursor("siem", 0, "two", NOON, later)
    assert journal.claim_cursor("siem", 5, "two", NOON, later)
    assert not journal.claim_cursor("siem", 5, "one", later - SECOND, last)
    assert journal.claim_cursor("siem", 5, "one", later, last)
    assert journal.cursor("siem") == 5


@pytest.mark.parametrize("known", [False, True])
def test_of_those_who_claim_at_once_one_may(journal: Journal, *, known: bool) -> None:
    """A reader that was there before, and a new one."""
    if known:
        journal.move_cursor("siem", 0, 0)
    later = NOON + 20 * SECOND
    won = at_once(4, lambda number: journal.claim_cursor("siem", 0, str(number), NOON, later))
    assert sum(won) == 1


def test_checkpoints_are_over_more_and_more_lines(checkpoints: Checkpoints) -> None:
    """As many or fewer are refused; they come back in order."""
    assert checkpoints.newest() is None
    signed = [SignedCheckpoint(size, NOON + size * SECOND, f"note\n\u2014 {size}\n") for size in (3, 5, 9)]
    for one in signed:
        checkpoints.add(one)
    for size in (9, 4, 1):
        with pytest.raises(Conflict):
            checkpoints.add(SignedCheckpoint(size, NOON, "other"))
    assert checkpoints.newest() == signed[-1]
    assert checkpoints.after(0, 10) == signed
    assert checkpoints.after(3, 1) == signed[1:2]


def test_of_checkpoints_signed_at_once_one_of_a_size_is_kept(checkpoints: Checkpoints) -> None:
    """Whatever the order, sizes only grow."""

    def sign(number: int) -> bool:
        try:
            checkpoints.add(SignedCheckpoint(1 + number % 2, NOON, str(number)))
        except Conflict:
            return False
        return True

    won = at_once(4, sign)
    newest = checkpoints.newest()
    assert newest
    assert newest.size == 2
    assert len(checkpoints.after(0, 10)) == sum(won) <= 2


def a_log_key(generation: int, name: str = "greenroom/log/1") -> LogKey:
    """Return a key that signs checkpoints."""
    return LogKey(generation, name, b"\0public\xff", b"\0sealed\xff", NOON)


def test_the_newest_log_key_is_the_first(checkpoints: Checkpoints) -> None:
    """They come back as they were added; a generation is added once."""
    for generation in (1, 2):
        checkpoints.add_log_key(a_log_key(generation))
    with pytest.raises(Conflict):
        checkpoints.add_log_key(a_log_key(2, "other"))
    assert checkpoints.log_keys() == [a_log_key(2), a_log_key(1)]


def test_an_account_has_one_key_and_gets_no_other(checkpoints: Checkpoints) -> None:
    """Not while it has it, and not when it was destroyed; another account is not concerned."""
    key = PseudonymKey("acme", b"\0sealed\xff", NOON)
    assert checkpoints.pseudonym_key("acme") is None
    for account in ("acme", "other"):
        checkpoints.add_pseudonym_key(replace(key, account_id=account))
    with pytest.raises(Conflict):
        checkpoints.add_pseudonym_key(replace(key, sealed=b"another"))
    assert checkpoints.pseudonym_key("acme") == key
    for _ in range(2):
        checkpoints.destroy_pseudonym_key("acme", NOON)
    assert checkpoints.pseudonym_key("acme") == replace(key, sealed=None)
    with pytest.raises(Conflict):
        checkpoints.add_pseudonym_key(key)
    assert checkpoints.pseudonym_key("other") == replace(key, account_id="other")


def test_an_account_that_is_forgotten_before_it_has_a_key_gets_none(checkpoints: Checkpoints) -> None:
    """Its lines may still wait for their places, and would name it by a new key."""
    checkpoints.destroy_pseudonym_key("acme", NOON)
    assert checkpoints.pseudonym_key("acme") == PseudonymKey("acme", None, NOON)
    with pytest.raises(Conflict):
        checkpoints.add_pseudonym_key(PseudonymKey("acme", b"sealed", NOON))


CALLS: Final[dict[str, Callable[[SqlJournal, SqlCheckpoints], object]]] = {
    "append": lambda journal, _: journal.append([an_entry(1)]),
    "waiting": lambda journal, _: journal.waiting(1),
    "size": lambda journal, _: journal.size(),
    "place": lambda journal, _: journal.place(0, [(1, "1")], {}),
    "lines": lambda journal, _: journal.lines(0, 1),
    "of_upload": lambda journal, _: journal.of_upload("up_1"),
    "tile": lambda journal, _: journal.tile(0, 0),
    "cursor": lambda journal, _: journal.cursor("siem"),
    "claim_cursor": lambda journal, _: journal.claim_cursor("siem", 0, "one", NOON, NOON + SECOND),
    "move_cursor": lambda journal, _: journal.move_cursor("siem", 0, 1),
    "add": lambda _, checkpoints: checkpoints.add(SignedCheckpoint(1, NOON, "note")),
    "newest": lambda _, checkpoints: checkpoints.newest(),
    "after": lambda _, checkpoints: checkpoints.after(0, 1),
    "log_keys": lambda _, checkpoints: checkpoints.log_keys(),
    "add_log_key": lambda _, checkpoints: checkpoints.add_log_key(a_log_key(1)),
    "pseudonym_key": lambda _, checkpoints: checkpoints.pseudonym_key("acme"),
    "add_pseudonym_key": lambda _, checkpoints: checkpoints.add_pseudonym_key(
        PseudonymKey("acme", b"", NOON)
    ),
    "destroy_pseudonym_key": lambda _, checkpoints: checkpoints.destroy_pseudonym_key("acme", NOON),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_log_that_is_away_says_so(tmp_path: Path, call: str) -> None:
    """Every call raises ``LedgerUnavailable`` and nothing else."""
    engine = open_engine(sqlite_url(tmp_path / "nowhere" / "ledger.db"))
    with pytest.raises(LedgerUnavailable):
        CALLS[call](SqlJournal(engine), SqlCheckpoints(engine))
    engine.dispose()
