"""``ports.Backlog``: the fake, SQLite and PostgreSQL."""

from datetime import timedelta

import pytest

from service.adapters.sql_backlog import SqlBacklog
from service.core.upload import State
from service.ports import Backlog, Standing
from service.stages.readings import STATES
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
