"""``ports.Reviewers``, ``Sessions`` and ``Attempts``: the same laws for the fake, SQLite and PostgreSQL."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import Engine, select

from service.adapters.schema import log
from service.adapters.sql_reviewers import SqlAttempts, SqlReviewers, SqlSessions
from service.core.errors import Conflict, Forbidden, NotFound
from service.core.journal import Act, Entry
from service.core.reviewer import Reviewer, Role, Session
from service.ports import Attempts, Reviewers, Sessions
from tests.contract.conftest import NOON
from tests.contract.databases import empty
from tests.contract.test_ledger_races import at_once
from tests.fakes.faults import Faults
from tests.fakes.journal import FakeJournal
from tests.fakes.reviewers import FakeAttempts, FakeReviewers

SECOND: Final = timedelta(seconds=1)
ADDED: Final = Entry(NOON, Act.REVIEWER_ADDED.value, {"n": 1}, "operator:command")
CHANGED: Final = Entry(NOON, Act.REVIEWER_CHANGED.value, {"n": 2}, "operator:command")
SIGNED_IN: Final = Entry(NOON, Act.SIGNED_IN.value, {}, "reviewer:rv_1")
SIGNED_OUT: Final = Entry(NOON, Act.SIGNED_OUT.value, {}, "reviewer:rv_1")


@dataclass
class Case:
    """The console's people; ``events`` gives what was logged, in order."""

    reviewers: Reviewers
    sessions: Sessions
    attempts: Attempts
    events: Callable[[], Sequence[str]]


def make_reviewer(number: int, **changes: Any) -> Reviewer:
    """Return a reviewer."""
    plain = Reviewer(f"rv_{number}", f"name{number}", Role.REVIEWER, NOON, "a hash")
    return replace(plain, **changes)


def make_session(number: int, reviewer: int = 1, **changes: Any) -> Session:
    """Return a session that began at noon."""
    return replace(Session(f"{number:064x}", f"rv_{reviewer}", NOON, NOON), **changes)


@pytest.fixture(params=["fake", "sqlite", "postgresql"])
def case(request: pytest.FixtureRequest) -> Case:
    """Each in turn, empty."""
    if request.param == "fake":
        journal = FakeJournal(Faults())
        fake = FakeReviewers(Faults(), journal)
        attempts = FakeAttempts(Faults())
        return Case(fake, fake.sessions, attempts, lambda: [one.event for one in journal.entries])
    engine: Engine = request.getfixturevalue(
        "sqlite_engine" if request.param == "sqlite" else "postgres_engine"
    )
    empty(engine)

    def events() -> Sequence[str]:
        with engine.connect() as connection:
            return [row.event for row in connection.execute(select(log).order_by(log.c.id))]

    return Case(SqlReviewers(engine), SqlSessions(engine), SqlAttempts(engine), events)


def test_reviewers_come_back_as_they_were_added(case: Case) -> None:
    """By id, name, subject, and all of them by name; each with the line that told of it."""
    second = make_reviewer(2, role=Role.ADMINISTRATOR, password_hash=None, subject="2" * 64, disabled_at=NOON)
    for reviewer in (second, make_reviewer(1)):
        case.reviewers.add(reviewer, ADDED)
    assert case.reviewers.get("rv_2") == second
    assert case.reviewers.named("name1") == make_reviewer(1)
    assert case.reviewers.all() == [make_reviewer(1), second]
    assert case.reviewers.get("rv_3") is None
    assert case.reviewers.named("NAME1") is None
    assert case.reviewers.vouched_for("2" * 64) == second
    assert case.reviewers.vouched_for("1" * 64) is None
    assert case.events() == ["reviewer_added", "reviewer_added"]


def test_a_name_is_one_persons(case: Case) -> None:
    """A second reviewer of a name or an id is refused, and no line says otherwise."""
    case.reviewers.add(make_reviewer(1), ADDED)
    for taken in (make_reviewer(2, name="name1"), make_reviewer(1, name="other")):
        with pytest.raises(Conflict):
            case.reviewers.add(taken, ADDED)
    assert case.events() == ["reviewer_added"]
    assert case.reviewers.all() == [make_reviewer(1)]


def test_a_subject_is_one_persons(case: Case) -> None:
    """Whom a provider vouches for is one reviewer; of those whom none does there may be many."""
    case.reviewers.add(make_reviewer(1, subject="1" * 64), ADDED)
    with pytest.raises(Conflict):
        case.reviewers.add(make_reviewer(2, subject="1" * 64), ADDED)
    for number in (3, 4):
        case.reviewers.add(make_reviewer(number), ADDED)


def test_of_names_added_at_once_one_is(case: Case) -> None:
    """Eight at once for one name: one reviewer, one line."""

    def add(number: int) -> bool:
        try:
            case.reviewers.add(make_reviewer(number, name="same"), ADDED)
        except Conflict:
            return False
        return True

    assert sum(at_once(8, add)) == 1
    assert (len(case.reviewers.all()), case.events()) == (1, ["reviewer_added"])


def test_a_changed_reviewer_is_signed_out(case: Case) -> None:
    """A change ends all sessions of that reviewer and nobody else's; an unknown one is not found."""
    for number in (1, 2):
        case.reviewers.add(make_reviewer(number), ADDED)
    for number, reviewer in ((1, 1), (2, 1), (3, 2)):
        case.sessions.begin(make_session(number, reviewer), make_reviewer(reviewer), NOON, SIGNED_IN)
    changed = make_reviewer(1, role=Role.READER, disabled_at=NOON)
    case.reviewers.change(make_reviewer(1), changed, CHANGED)
    assert case.reviewers.get("rv_1") == changed
    found = [case.sessions.find(make_session(number).token_sha256) for number in (1, 2, 3)]
    assert found == [None, None, make_session(3, 2)]
    assert case.events()[-1] == "reviewer_changed"
    with pytest.raises(NotFound):
        case.reviewers.change(make_reviewer(9), make_reviewer(9), CHANGED)
    assert case.events().count("reviewer_changed") == 1


@pytest.mark.parametrize(
    "meanwhile", [{"disabled_at": NOON}, {"role": Role.READER}, {"password_hash": "another"}]
)
def test_no_change_is_undone_by_one_who_did_not_see_it(case: Case, meanwhile: dict[str, Any]) -> None:
    """Neither by another change nor by a session that begins: both are of somebody who is no more."""
    case.reviewers.add(make_reviewer(1), ADDED)
    case.reviewers.change(make_reviewer(1), make_reviewer(1, **meanwhile), CHANGED)
    with pytest.raises(Conflict):
        case.reviewers.change(make_reviewer(1), make_reviewer(1, role=Role.ADMINISTRATOR), CHANGED)
    with pytest.raises(Conflict):
        case.sessions.begin(make_session(1), make_reviewer(1), NOON, SIGNED_IN)
    assert case.reviewers.get("rv_1") == make_reviewer(1, **meanwhile)
    assert case.sessions.find(make_session(1).token_sha256) is None
    assert case.events() == ["reviewer_added", "reviewer_changed"]


def test_of_a_change_and_sessions_at_once_none_outlives_it(case: Case) -> None:
    """Seven sessions begin while the password is changed: those before it are ended, the others refused."""
    case.reviewers.add(make_reviewer(1), ADDED)

    def act(number: int) -> bool:
        try:
            if number == 0:
                changed = make_reviewer(1, password_hash="another")
                case.reviewers.change(make_reviewer(1), changed, CHANGED)
            else:
                case.sessions.begin(make_session(number), make_reviewer(1), NOON, SIGNED_IN)
        except Conflict:
            return number > 0
        return True

    assert sum(at_once(8, act)) == 8
    assert [case.sessions.find(make_session(number).token_sha256) for number in range(1, 8)] == [None] * 7


def test_only_enabled_administrators_change_others(case: Case) -> None:
    """Nobody changes themselves, nor does anybody who is disabled, less than that, or not there."""
    head, former, simple = (
        make_reviewer(1, role=Role.ADMINISTRATOR),
        make_reviewer(2, role=Role.ADMINISTRATOR, disabled_at=NOON),
        make_reviewer(3),
    )
    for reviewer in (head, former, simple):
        case.reviewers.add(reviewer, ADDED)
    case.sessions.begin(make_session(1, 3), simple, NOON, SIGNED_IN)
    for by, whom in (("rv_1", head), ("rv_2", simple), ("rv_2", head), ("rv_3", head), ("rv_9", simple)):
        with pytest.raises(Forbidden):
            case.reviewers.change(whom, replace(whom, role=Role.READER), CHANGED, by)
    assert case.reviewers.all() == [head, former, simple]
    assert case.sessions.find(make_session(1).token_sha256)
    assert "reviewer_changed" not in case.events()
    case.reviewers.change(simple, replace(simple, role=Role.READER), CHANGED, "rv_1")
    assert case.events()[-1] == "reviewer_changed"


def test_of_administrators_who_turn_on_each_other_one_stays(case: Case) -> None:
    """Both at once disable the other: one does, the other is none any more."""
    heads = [make_reviewer(number, role=Role.ADMINISTRATOR) for number in (0, 1)]
    for head in heads:
        case.reviewers.add(head, ADDED)

    def disable(number: int) -> bool:
        other = heads[1 - number]
        try:
            case.reviewers.change(other, replace(other, disabled_at=NOON), CHANGED, heads[number].id)
        except (Conflict, Forbidden):
            return False
        return True

    assert sum(at_once(2, disable)) == 1
    assert [one.administers for one in case.reviewers.all()].count(True) == 1


def test_the_last_sign_in_outlives_its_session(case: Case) -> None:
    """Of each reviewer who ever signed in the newest one, after signing out and after changes too."""
    for number in (1, 2):
        case.reviewers.add(make_reviewer(number), ADDED)
    assert case.sessions.last_begun() == {}
    for number in (1, 2):
        session = make_session(number, 1, began_at=NOON + number * SECOND)
        case.sessions.begin(session, make_reviewer(1), NOON, SIGNED_IN)
    case.sessions.end(make_session(2).token_sha256, SIGNED_OUT)
    case.reviewers.change(make_reviewer(1), make_reviewer(1, role=Role.READER), CHANGED)
    assert case.sessions.last_begun() == {"rv_1": NOON + 2 * SECOND}


def test_a_session_lasts_until_it_is_ended(case: Case) -> None:
    """It is found by its token's digest, ended once, with one line."""
    case.reviewers.add(make_reviewer(1), ADDED)
    session = make_session(1)
    case.sessions.begin(session, make_reviewer(1), NOON, SIGNED_IN)
    assert case.sessions.find(session.token_sha256) == session
    assert case.sessions.find("0" * 64) is None
    assert case.sessions.end(session.token_sha256, SIGNED_OUT)
    assert not case.sessions.end(session.token_sha256, SIGNED_OUT)
    assert case.sessions.find(session.token_sha256) is None
    assert case.events() == ["reviewer_added", "signed_in", "signed_out"]


def test_a_sessions_last_use_only_moves_on(case: Case) -> None:
    """A later use is noted, an earlier one not, one of an ended session makes none."""
    case.reviewers.add(make_reviewer(1), ADDED)
    session = make_session(1)
    case.sessions.begin(session, make_reviewer(1), NOON, SIGNED_IN)
    case.sessions.seen(session.token_sha256, NOON + SECOND)
    case.sessions.seen(session.token_sha256, NOON)
    assert case.sessions.find(session.token_sha256) == replace(session, seen_at=NOON + SECOND)
    case.sessions.seen("0" * 64, NOON)
    assert case.sessions.find("0" * 64) is None


def test_old_sessions_are_forgotten_with_the_next(case: Case) -> None:
    """Those that began before the moment given, and no others."""
    case.reviewers.add(make_reviewer(1), ADDED)
    for number in (1, 2):
        session = make_session(number, began_at=NOON + number * SECOND)
        case.sessions.begin(session, make_reviewer(1), NOON, SIGNED_IN)
    case.sessions.begin(
        make_session(3, began_at=NOON + 9 * SECOND), make_reviewer(1), NOON + 2 * SECOND, SIGNED_IN
    )
    assert case.sessions.find(make_session(1).token_sha256) is None
    assert case.sessions.find(make_session(2).token_sha256) is not None


def test_tries_are_counted_for_each_name(case: Case) -> None:
    """A try counts from when it is noted, for its names alone, until it is forgiven or old."""
    case.attempts.note(["a", "b"], NOON, NOON)
    second = case.attempts.note(["a", "c"], NOON + SECOND, NOON)
    assert second.counts == {"a": 2, "c": 1}
    case.attempts.forgive(second)
    assert case.attempts.note(["a", "c"], NOON + SECOND, NOON).counts == {"a": 2, "c": 1}
    assert case.attempts.note(["a", "b"], NOON + 2 * SECOND, NOON + SECOND).counts == {"a": 2, "b": 1}


def test_tries_at_once_are_all_counted(case: Case) -> None:
    """Of ten at once no two see the same count: nobody gets in between another's count and note."""
    counts: list[int] = []

    def note(_: int) -> bool:
        counts.append(case.attempts.note(["a"], NOON, NOON).counts["a"])
        return True

    at_once(10, note)
    assert sorted(counts) == [*range(1, 11)]
