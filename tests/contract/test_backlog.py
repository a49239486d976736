"""``ports.Backlog``: the fake, SQLite and PostgreSQL."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from service.adapters.sql_backlog import SqlBacklog
from service.core.errors import LedgerUnavailable
from service.core.measures import LEDGER_UP, Reading
from service.core.upload import State
from service.ports import Backlog, Standing
from service.stages.readings import STATES, readings
from tests.contract.conftest import NOON, LedgerCase, make_upload
from tests.fakes.backlog import FakeBacklog
from tests.fakes.ledger import FakeLedger


@pytest.fixture
def backlog(ledger_case: LedgerCase) -> Backlog:
    """The backlog of each ledger in turn."""
    if ledger_case.engine is not None:
        return SqlBacklog(ledger_case.engine)
    assert isinstance(ledger_case.ledger, FakeLedger)
    return FakeBacklog(ledger_case.ledger)


def test_nothing_waits_in_an_empty_ledger(backlog: Backlog) -> None:
    """States in which nothing is are not named."""
    assert list(backlog.waiting(STATES)) == []


def test_each_state_has_its_number_and_its_oldest(ledger_case: LedgerCase, backlog: Backlog) -> None:
    """Uploads are counted by state, since the one that is there longest; other states do not count."""
    placed = [(State.HELD, 5), (State.HELD, 60), (State.QUARANTINED, 1), (State.RELEASED, 90)]
    for number, (state, minutes) in enumerate(placed):
        since = NOON - timedelta(minutes=minutes)
        ledger_case.ledger.save(make_upload(number, state=state, updated_at=since))
    assert sorted(backlog.waiting(STATES), key=lambda one: one.state) == [
        Standing(State.HELD, 2, NOON - timedelta(minutes=60)),
        Standing(State.QUARANTINED, 1, NOON - timedelta(minutes=1)),
    ]


def test_readings_of_an_empty_ledger_are_0(backlog: Backlog) -> None:
    """Of a state in which nothing is the reading is 0, so that an alert ends when its reason does."""
    told = {(reading.measure.name, *reading.labels): reading.value for reading in readings(backlog, NOON)}
    assert told["greenroom_ledger_up",] == 1
    assert {told["greenroom_uploads", state.value] for state in STATES} == {0}
    assert {told["greenroom_uploads_longest_seconds", state.value] for state in STATES} == {0}


class Away:
    """A ledger's database that does not answer."""

    def waiting(self, states: Sequence[State]) -> Sequence[Standing]:
        """Fail."""
        raise LedgerUnavailable("The ledger's database does not answer.")


def test_of_a_ledger_that_is_away_only_that_is_said() -> None:
    """Nothing that was true before is told as the present."""
    assert list(readings(Away(), NOON)) == [Reading(LEDGER_UP, 0)]
