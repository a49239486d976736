"""What becomes of every column at an erasure: the declared table against the schema, and against canaries."""

from collections.abc import Container
from typing import Any, Final

import pytest
from sqlalchemy import JSON, Column, Engine, LargeBinary, String, Table, Text, insert, select

from service.adapters.fates import FATES, OURS
from service.adapters.schema import Instant, metadata
from service.adapters.schema_exports import exports
from service.core.erasure import Erasure, Reach
from service.core.journal import Act, Entry
from tests.contract.conftest import NOON, LedgerCase
from tests.contract.databases import empty
from tests.contract.test_erasures import DONE, LATER, place_all

#: In every column that is not said to stay. Meetings, people and accounts are named by it too.
CANARY: Final = "kanari"
UPLOAD: Final = f"up_{1:032x}"
#: What a row needs to be one, or to be found.
GIVEN: Final[dict[str, dict[str, Any]]] = {
    "uploads": {"id": UPLOAD, "state": "erased", "leftover": "nothing", "erasure_id": None},
    "decisions": {"id": "de_1", "settled_by": "rv_2"},
    "allowances": {"confirmed_by": "rv_2", "decision_id": "de_1"},
    "log": {
        "actor": f"grant:{CANARY}",
        "detail": {"request": CANARY, "sha256": "1"},
        "position": None,
        "before": None,
        "after": None,
    },
    "exports": {"person": None},
    "erasures": {"id": "er_0", "subject": None, "mark": "me_0", "done_at": NOON},
}


def columns(table: Table) -> set[str]:
    """Return the names of a table's columns."""
    return {column.name for column in table.c}


def test_every_table_has_its_fate() -> None:
    """A table that nobody said anything of is one that would be forgotten when somebody's data is erased."""
    said = [fate.table for fate in FATES]
    assert len(said) == len(set(said))
    assert {*said, *OURS} == set(metadata.tables.values())
    assert not {*said} & OURS


@pytest.mark.parametrize("fate", FATES, ids=lambda fate: fate.table.name)
def test_every_column_has_its_fate(fate: Any) -> None:
    """Of a table whose rows stay for any reach, each column is named exactly once, and every name is one."""
    known = [*fate.emptied, *fate.marked, *fate.otherwise, *fate.stays]
    assert len(known) == len(set(known))
    assert set(known) <= columns(fate.table)
    if known or not (fate.goes or fate.goes_with_upload):
        assert set(known) == columns(fate.table)


def value(column: Column[Any], text: str) -> Any:
    """Return a value of a column's type that says ``text`` where it can say anything."""
    if isinstance(column.type, Instant):
        return NOON
    if isinstance(column.type, JSON):
        return {"said": text}
    if isinstance(column.type, LargeBinary):
        return text.encode()
    return text if isinstance(column.type, String | Text) else 1


def fill(engine: Engine, singing: Container[tuple[str, str]]) -> None:
    """Put one row of the account into every table, with canaries where they shall sing."""
    by_name = {fate.table.name: fate.table for fate in FATES}
    with engine.begin() as connection:
        for table in (one for one in metadata.sorted_tables if one.name in by_name):
            row = {
                column.name: value(column, CANARY if (table.name, column.name) in singing else "word")
                for column in table.c
            }
            names = {"account_id": CANARY, "upload_id": UPLOAD, "meeting_id": CANARY, "person": CANARY}
            row |= {name: held for name, held in names.items() if name in row}
            row |= {"id": CANARY} if table.name in {"accounts", "meetings"} else {}
            connection.execute(insert(table), row | GIVEN.get(table.name, {}))


def sung(engine: Engine) -> set[tuple[str, str]]:
    """Return the tables and columns in which there is a canary."""
    places = set()
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                held = (
                    (name, held if isinstance(held, bytes) else str(held).encode())
                    for name, held in row.items()
                )
                places |= {(table.name, name) for name, content in held if CANARY.encode() in content}
    return places


def of(reach: Reach) -> set[tuple[str, str]]:
    """Return the places that an erasure empties, by the declared table."""
    places: set[tuple[str, str]] = set()
    for fate in FATES:
        gone = reach in fate.goes or fate.goes_with_upload or reach is Reach.ACCOUNT
        marked = {name for name, reaches in fate.marked.items() if reach in reaches}
        names = columns(fate.table) - fate.stays if gone else {*fate.emptied, *marked}
        if fate.table is exports:
            # What else it says goes when it is dropped, which is done before.
            names = marked
        places |= {(fate.table.name, name) for name in names}
    of_uploads = {("webhook_events", "body"), ("log", "actor"), ("log", "detail")}
    of_grants = {("grants", "person")} if reach in {Reach.MEETING, Reach.PERSON} else set()
    return places | of_uploads | of_grants | ({("log", "meeting_id")} if reach is Reach.MEETING else set())


@pytest.mark.parametrize("reach", list(Reach))
def test_what_the_table_says_is_what_happens(sql_case: LedgerCase, reach: Reach) -> None:
    """A canary in every column that is to be emptied or to go: none is found after the erasure."""
    engine = sql_case.engine
    assert engine is not None
    empty(engine)
    fill(engine, of(reach))
    assert {("uploads", "name"), ("log", "detail"), ("segments", "key")} <= sung(engine)
    subject = UPLOAD if reach is Reach.UPLOAD else CANARY
    erasure = Erasure("er_1", CANARY, reach, subject, f"{reach}_1", "key:gr_1", LATER)
    sql_case.erasures.ask(erasure, Entry(LATER, Act.ERASURE_ASKED.value, {}, "key:gr_1", None, CANARY))
    sql_case.erasures.shut(erasure)
    sql_case.erasures.forget_uploads(erasure, sql_case.erasures.uploads(erasure, "", 9))
    place_all(sql_case)
    while sql_case.erasures.forget_others(erasure):
        pass
    sql_case.erasures.finish(sql_case.erasures.let_go(erasure), DONE)
    assert sung(engine) & of(reach) == set()
    if reach is Reach.ACCOUNT:
        assert sung(engine) == set()
