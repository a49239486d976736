from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from service.core.errors import BadRequest
from service.ports import Credentials
from tests.contract.conftest import NOON, LedgerCase, make_key
from tests.contract.test_ledger_races import at_once

SECOND: Final = timedelta(seconds=1)


@pytest.fixture
def credentials(ledger_case: LedgerCase) -> Credentials:
    """Each credentials in turn."""
    return ledger_case.credentials


def test_an_account_has_at_most_two_live_keys(credentials: Credentials) -> None:
    """A third is refused; one revoked or expired makes room; another account is not concerned."""
    credentials.add_key(make_key(1, expires_at=NOON + SECOND), NOON, 2)
    credentials.add_key(make_key(2), NOON, 2)
    with pytest.raises(BadRequest):
        credentials.add_key(make_key(3), NOON, 2)
    assert credentials.key(make_key(3).prefix) is None
    credentials.add_key(make_key(4, "other"), NOON, 2)
    credentials.add_key(make_key(5), NOON + SECOND, 2)
    with pytest.raises(BadRequest):
        credentials.add_key(make_key(6), NOON + SECOND, 2)
    assert credentials.revoke_key(make_key(2).prefix, NOON)
    credentials.add_key(make_key(7), NOON + SECOND, 2)


def test_keys_come_back_as_they_were_added(credentials: Credentials) -> None:
    """By prefix, and listed oldest first, for one account or for all."""
    older, newer = make_key(9, "fresh"), make_key(8, "fresh", created_at=NOON + SECOND, expires_at=NOON)
    for key in (newer, older):
        credentials.add_key(key, NOON, 2)
    assert credentials.key(older.prefix) == older
    assert credentials.keys("fresh") == [older, newer]
    everyones = credentials.keys()
    assert [key for key in everyones if key.account_id == "fresh"] == [older, newer]
    assert credentials.key("gr_unknown") is None


def test_a_key_is_revoked_once(credentials: Credentials) -> None:
    """The first revocation counts and its time stays; an unknown prefix is no key."""
    credentials.add_key(make_key(1), NOON, 2)
    assert credentials.revoke_key(make_key(1).prefix, NOON)
    assert not credentials.revoke_key(make_key(1).prefix, NOON + SECOND)
    assert not credentials.revoke_key("gr_unknown", NOON)
    assert credentials.key(make_key(1).prefix) == replace(make_key(1), revoked_at=NOON)


def test_keys_added_at_once_keep_to_the_limit(ledger_case: LedgerCase) -> None:
    """Of eight keys added at once for a new account, two are."""

    def add(number: int) -> bool:
        try:
            ledger_case.credentials.add_key(make_key(number, "new"), NOON, 2)
        except BadRequest:
            return False
        return True

    assert sum(at_once(8, add)) == len(ledger_case.credentials.keys("new")) == 2
