"""``ports.Archive``: the same laws for the fake, SQLite and PostgreSQL."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, event, text

from service.adapters.database import open_engine
from service.adapters.sql_archive import SqlArchive
from service.core import outcome
from service.core.errors import LedgerUnavailable
from service.core.search import OLDEST_FIRST, Cursor, Filters, Record, Way
from service.core.upload import Event, Segment, State, Upload
from service.core.verdict import Kind, Protection, Verdict
from service.core.webhook import ordered_id
from service.ports import Archive, Standing
from stack.ports import LOOPBACK, free_port
from tests.contract.conftest import NOON, LedgerCase, make_upload
from tests.contract.databases import sqlite_url
from tests.fakes.archive import FakeArchive
from tests.fakes.faults import Faults
from tests.fakes.ledger import FakeLedger

MINUTE: Final = timedelta(minutes=1)
NAMES: Final = (
    "Straße nach Zürich.PDF",
    "100%_sure\\.docx",
    "会議の資料.pptx",
    "\uff26\uff35\uff2c\uff2c width \ufb01le.pdf",
    "",
)
SIGNATURES: Final = ("Eicar-Test-Signature", "Win.Test.EICAR_HDB-1", "Heuristics.Encrypted.PDF", "odd_%.name")


def made(number: int, **changes: object) -> Upload:
    """Return an upload begun ``number`` minutes after noon."""
    at = NOON + number * MINUTE
    plain: dict[str, object] = {
        "id": ordered_id("up", at, f"{number:020x}"),
        "created_at": at,
        "updated_at": at,
    }
    return make_upload(number, **(plain | changes))


def verdict(kind: Kind, signature: str | None = None) -> Verdict:
    """Return a verdict of that kind."""
    engine = outcome.Engine("1.4.6", 27826, NOON)
    return Verdict(
        kind, kind.value, signature, "f" * 64, 3 << 30, engine, Protection.DEMO, "e" * 64, 0.25, NOON
    )


@pytest.fixture
def archive(ledger_case: LedgerCase) -> Archive:
    """The archive of each ledger."""
    if ledger_case.engine is not None:
        return SqlArchive(ledger_case.engine)
    assert isinstance(ledger_case.ledger, FakeLedger)
    return FakeArchive(Faults(), ledger_case.ledger.rows)


def ids(found: Any) -> list[str]:
    """Return the ids of records."""
    return [record.id for record in found]


def test_a_record_is_the_upload_without_its_segments(ledger_case: LedgerCase, archive: Archive) -> None:
    """Every field of a record is the upload's own, to the microsecond; segments are not loaded."""
    piece = Segment(0, "a-key", 64 << 20, "a" * 64, "etag")
    upload = made(
        1,
        state=State.BLOCKED,
        size=3 << 30,
        sha256="f" * 64,
        segments=(piece,),
        verdict=verdict(Kind.INFECTED, "Eicar"),
        reason="infected",
        attempts=3,
    )
    ledger_case.ledger.save(upload)
    (record,) = archive.page(Filters(), None, 10)
    assert record == Record(**{field.name: getattr(upload, field.name) for field in fields(Record)})


def test_pages_go_newest_first_and_both_ways(ledger_case: LedgerCase, archive: Archive) -> None:
    """A page holds those nearest to its cursor, whose id needs no upload; newest first either way."""
    uploads = [ledger_case.ledger.save(made(number)) for number in range(6)]
    newest = ids(uploads)[::-1]
    assert ids(archive.page(Filters(), None, 4)) == newest[:4]
    assert ids(archive.page(Filters(), Cursor(Way.OLDER, newest[3]), 4)) == newest[4:]
    assert ids(archive.page(Filters(), Cursor(Way.NEWER, newest[4]), 2)) == newest[2:4]
    assert ids(archive.page(Filters(), OLDEST_FIRST, 2)) == newest[4:]
    between = ordered_id("up", NOON + 2.5 * MINUTE, "0" * 20)
    assert ids(archive.page(Filters(), Cursor(Way.OLDER, between), 1)) == [newest[3]]
    assert ids(archive.page(Filters(), Cursor(Way.NEWER, between), 1)) == [newest[2]]
    assert archive.page(Filters(), Cursor(Way.OLDER, newest[-1]), 4) == []
    assert archive.page(Filters(state=State.ERASED), None, 4) == []


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("STRASSE", [0]),
        ("zürich", [0]),
        ("zu\u0308rich", [0]),
        (".pdf", [0, 3]),
        ("%", [1]),
        ("_", [1]),
        ("\\", [1]),
        ("100%_SURE\\.docx", [1]),
        ("会議", [2]),
        ("料", [2]),
        ("full WIDTH file", [3]),
        ("nowhere", []),
    ],
)
def test_a_part_of_a_name_is_found_in_any_case(
    ledger_case: LedgerCase, archive: Archive, asked: str, found: list[int]
) -> None:
    """Case, width, ligatures and composition make no difference; what LIKE knows is text as any other."""
    uploads = [ledger_case.ledger.save(made(number, name=name)) for number, name in enumerate(NAMES)]
    assert ids(archive.page(Filters(name=asked), None, 10)) == [uploads[n].id for n in reversed(found)]


def test_a_name_that_is_erased_is_found_no_more(ledger_case: LedgerCase, archive: Archive) -> None:
    """Nothing of the name stays behind in what is searched."""
    held = ledger_case.ledger.save(made(1, name="Secret.pdf", state=State.HELD))
    ledger_case.ledger.save(held.moved(Event.DELETED, NOON, name=""))
    assert archive.page(Filters(name="secret"), None, 10) == []
    if ledger_case.engine is not None:
        with ledger_case.engine.connect() as connection:
            assert connection.scalar(text("SELECT name_folded FROM uploads")) == ""


@pytest.mark.parametrize(
    ("asked", "found"),
    [("eicar", [0, 1]), ("EICAR_", [1]), ("Encrypted.pdf", [2]), ("_%.", [3]), ("xyz", [])],
)
def test_a_part_of_a_signature_is_found_in_any_case(
    ledger_case: LedgerCase, archive: Archive, asked: str, found: list[int]
) -> None:
    """As for names; an upload without a signature is never found by one."""
    uploads = [
        ledger_case.ledger.save(made(number, verdict=verdict(Kind.INFECTED, signature)))
        for number, signature in enumerate(SIGNATURES)
    ]
    ledger_case.ledger.save(made(10, verdict=verdict(Kind.CLEAN)))
    ledger_case.ledger.save(made(11))
    assert ids(archive.page(Filters(signature=asked), None, 10)) == [uploads[n].id for n in reversed(found)]


def test_a_time_is_a_range_that_leaves_out_its_end(ledger_case: LedgerCase, archive: Archive) -> None:
    """What began at ``since`` is in, what began at ``until`` is not; before 1970 is before everything."""
    uploads = ids(ledger_case.ledger.save(made(number)) for number in range(5))
    asked = Filters(since=NOON + MINUTE, until=NOON + 3 * MINUTE)
    assert ids(archive.page(asked, None, 10)) == [uploads[2], uploads[1]]
    assert ids(archive.page(Filters(until=NOON + MINUTE), None, 10)) == [uploads[0]]
    long_ago = NOON.replace(year=1900)
    assert len(archive.page(Filters(since=long_ago), None, 10)) == len(uploads)
    assert archive.page(Filters(until=long_ago), None, 10) == []


def mixed() -> Iterator[Upload]:
    """Yield uploads that share each single thing with others."""
    kinds = [None, *Kind]
    states = list(State)
    for number in range(60):
        kind = kinds[number % len(kinds)]
        signature = SIGNATURES[number % len(SIGNATURES)] if kind not in {None, Kind.CLEAN} else None
        yield made(
            number,
            account_id="acme" if number % 3 else "other",
            meeting_id=f"m{number % 5}",
            name=NAMES[number % len(NAMES)],
            sha256=f"{number % 4:064x}" if number % 7 else None,
            state=states[number % len(states)],
            verdict=None if kind is None else verdict(kind, signature),
        )


MIXED: Final = list(mixed())


def some(values: list[Any]) -> st.SearchStrategy[Any]:
    """Ask for one of the values, or for nothing."""
    return st.none() | st.sampled_from(values)


ANY_MIX: Final = st.builds(
    Filters,
    upload_id=st.none() | st.none() | st.sampled_from(ids(MIXED)),
    sha256=some([f"{number:064x}" for number in range(5)]),
    name=some(["pdf", "%", "资", "料", "zürich", "FILE"]),
    account_id=some(["acme", "other", "nobody"]),
    meeting_id=some([f"m{number}" for number in range(6)]),
    signature=some(["eicar", "Encrypted", "%"]),
    kind=some(list(Kind)),
    state=some(list(State)),
    since=some([NOON + n * MINUTE for n in (0, 7, 31)]),
    until=some([NOON + n * MINUTE for n in (30, 50)]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(filters=ANY_MIX, limit=st.integers(1, 61), start=some(ids(MIXED)), way=st.sampled_from(Way))
def check_mixes(archive: Archive, filters: Filters, limit: int, start: str | None, way: Way) -> None:
    """Compare one search with the fake's."""
    cursor = None if start is None else Cursor(way, start)
    expected = FakeArchive(Faults(), lambda: MIXED).page(filters, cursor, limit)
    assert ids(archive.page(filters, cursor, limit)) == ids(expected)


def test_any_mix_of_filters_finds_what_all_of_them_let_through(
    ledger_case: LedgerCase, archive: Archive
) -> None:
    """The databases find, in any mix and from any place, exactly what a look at every upload finds."""
    for upload in MIXED:
        ledger_case.ledger.save(upload)
    check_mixes(archive)


def test_activity_is_counted_by_stretch_of_time_and_verdict(
    ledger_case: LedgerCase, archive: Archive
) -> None:
    """Each upload counts in the stretch it began in, under the verdict it has by now; none outside."""
    kinds = [Kind.CLEAN, Kind.CLEAN, None, Kind.INFECTED, Kind.CLEAN]
    for number, kind in enumerate(kinds):
        ledger_case.ledger.save(made(number, verdict=kind and verdict(kind)))
    edges: list[datetime] = [NOON + n * MINUTE for n in (1, 2, 4, 4.5, 5)]
    assert archive.activity(edges[:4]) == [{Kind.CLEAN: 1}, {None: 1, Kind.INFECTED: 1}, {Kind.CLEAN: 1}]
    assert archive.activity(edges[3:]) == [{}]


def test_standings_tell_how_many_and_since_when(ledger_case: LedgerCase, archive: Archive) -> None:
    """Only the asked states that hold something; the longest wait and the oldest move may be two's."""
    again = NOON + 8 * MINUTE
    ledger_case.ledger.save(made(0, state=State.HELD, waiting_since=again, updated_at=again))
    ledger_case.ledger.save(made(1, state=State.HELD, updated_at=NOON + 9 * MINUTE))
    ledger_case.ledger.save(made(2, state=State.HELD, updated_at=NOON + 4 * MINUTE))
    ledger_case.ledger.save(made(3, state=State.RELEASED))
    assert archive.standings([State.HELD, State.QUARANTINED]) == {
        State.HELD: Standing(3, NOON + MINUTE, NOON + 4 * MINUTE)
    }


def test_how_long_uploads_stand_is_counted_from_their_last_move(
    ledger_case: LedgerCase, archive: Archive
) -> None:
    """Before an edge, not at it; of one state alone."""
    for number in range(4):
        ledger_case.ledger.save(made(number, state=State.HELD))
    ledger_case.ledger.save(made(5, state=State.BLOCKED, updated_at=NOON - MINUTE))
    edges = [NOON, NOON + MINUTE, NOON + 9 * MINUTE]
    assert archive.moved_before(State.HELD, edges) == [0, 1, 4]
    assert archive.moved_before(State.ERASED, edges) == [0, 0, 0]


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (Filters(account_id="acme"), "uploads_by_account"),
        (Filters(meeting_id="m1"), "uploads_by_meeting_alone"),
        (Filters(sha256="f" * 64, account_id="acme"), "uploads_by_sha256"),
    ],
)
def test_sqlite_asks_the_index_that_tells_the_most(
    sqlite_engine: Engine, filters: Filters, index: str
) -> None:
    """Not the one of verdicts or of states, which nearly all uploads share."""
    plans: list[str] = []

    def explain(connection: Connection, _cursor: object, query: str, values: Any, *_: object) -> None:
        if query.startswith("SELECT uploads.id, "):
            plans.extend(
                row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)
            )

    event.listen(sqlite_engine, "before_cursor_execute", explain)
    SqlArchive(sqlite_engine).page(replace(filters, kind=Kind.CLEAN, state=State.HELD), None, 50)
    assert [index in plan for plan in plans if "uploads_by_" in plan] == [True]


@pytest.mark.parametrize("url", ["sqlite", "postgresql"])
def test_a_database_that_is_away_is_told_as_such(tmp_path: Any, url: str) -> None:
    """Each call raises ``LedgerUnavailable``."""
    urls = {
        "sqlite": sqlite_url(tmp_path / "empty.db"),
        "postgresql": f"postgresql+psycopg://nobody@{LOOPBACK}:{free_port()}/none",
    }
    engine = open_engine(urls[url])
    archive = SqlArchive(engine)
    calls: list[Callable[[], object]] = [
        lambda: archive.page(Filters(), None, 1),
        lambda: archive.activity([NOON, NOON + MINUTE]),
        lambda: archive.standings([State.HELD]),
        lambda: archive.moved_before(State.HELD, [NOON]),
    ]
    for call in calls:
        with pytest.raises(LedgerUnavailable):
            call()
    engine.dispose()
