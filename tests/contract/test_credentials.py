from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from service.core.errors import BadRequest, Conflict, QuotaExceeded, TooManyKeys, Unauthenticated
from service.core.grant import Grant, GrantKind
from service.core.upload import Event, State
from service.ports import Credentials, GrantKey, SigningKey
from tests.contract.conftest import LINE, NOON, LedgerCase, make_key, make_upload
from tests.contract.test_ledger_races import at_once

SECOND: Final = timedelta(seconds=1)


@pytest.fixture
def credentials(ledger_case: LedgerCase) -> Credentials:
    """Each credentials in turn."""
    return ledger_case.credentials


def test_an_account_has_at_most_two_live_keys(credentials: Credentials) -> None:
    """A third is refused; one revoked or expired makes room; another account is not concerned."""
    credentials.add_key(make_key(1, expires_at=NOON + SECOND), NOON, 2, LINE)
    credentials.add_key(make_key(2), NOON, 2, LINE)
    with pytest.raises(BadRequest):
        credentials.add_key(make_key(3), NOON, 2, LINE)
    assert credentials.key(make_key(3).prefix) is None
    credentials.add_key(make_key(4, "other"), NOON, 2, LINE)
    credentials.add_key(make_key(5), NOON + SECOND, 2, LINE)
    with pytest.raises(BadRequest):
        credentials.add_key(make_key(6), NOON + SECOND, 2, LINE)
    assert credentials.revoke_key(make_key(2).prefix, NOON, LINE)
    credentials.add_key(make_key(7), NOON + SECOND, 2, LINE)


def test_keys_come_back_as_they_were_added(credentials: Credentials) -> None:
    """By prefix, and listed oldest first, for one account or for all."""
    older, newer = make_key(9, "fresh"), make_key(8, "fresh", created_at=NOON + SECOND, expires_at=NOON)
    for key in (newer, older):
        credentials.add_key(key, NOON, 2, LINE)
    assert credentials.key(older.prefix) == older
    assert credentials.keys("fresh") == [older, newer]
    everyones = credentials.keys()
    assert [key for key in everyones if key.account_id == "fresh"] == [older, newer]
    assert credentials.key("gr_unknown") is None


def test_a_key_is_revoked_once(credentials: Credentials) -> None:
    """The first revocation counts and its time stays; an unknown prefix is no key."""
    credentials.add_key(make_key(1), NOON, 2, LINE)
    assert credentials.revoke_key(make_key(1).prefix, NOON, LINE)
    assert not credentials.revoke_key(make_key(1).prefix, NOON + SECOND, LINE)
    assert not credentials.revoke_key("gr_unknown", NOON, LINE)
    assert credentials.key(make_key(1).prefix) == replace(make_key(1), revoked_at=NOON)


def test_a_keys_line_is_written_with_it_or_not_at_all(ledger_case: LedgerCase) -> None:
    """A key that was refused, and one that was revoked already, leave no line."""
    credentials = ledger_case.credentials
    for number in (1, 2):
        credentials.add_key(make_key(number), NOON, 2, LINE)
    with pytest.raises(BadRequest):
        credentials.add_key(make_key(3), NOON, 2, LINE)
    assert [line.entry for line in ledger_case.journal.waiting(10)] == [LINE] * 2
    for _ in range(2):
        credentials.revoke_key(make_key(1).prefix, NOON, LINE)
    assert [line.entry for line in ledger_case.journal.waiting(10)] == [LINE] * 3


def test_keys_added_at_once_keep_to_the_limit(ledger_case: LedgerCase) -> None:
    """Of eight keys added at once for a new account, two are."""

    def add(number: int) -> bool:
        try:
            ledger_case.credentials.add_key(make_key(number, "new"), NOON, 2, LINE)
        except BadRequest:
            return False
        return True

    assert sum(at_once(8, add)) == len(ledger_case.credentials.keys("new")) == 2


def a_signing_key(generation: int, **changes: Any) -> SigningKey:
    """Return a signing key."""
    plain: dict[str, Any] = {
        "generation": generation,
        "id": f"sk_{generation}",
        "public_key": {"kty": "OKP", "crv": "Ed25519", "x": f"{generation}"},
        "sealed": b"\0sealed\xff",
        "created_at": NOON,
        "trusted_until": None,
    }
    return SigningKey(**(plain | changes))


def a_grant(name: str = "gt_1", account: str = "acme", **changes: Any) -> Grant:
    """Return a grant for three files of 300 bytes together, made for somebody."""
    plain: dict[str, Any] = {
        "id": name,
        "account_id": account,
        "kind": GrantKind.UPLOAD,
        "meeting_id": "m1",
        "issued_at": NOON,
        "expires_at": NOON + SECOND,
        "max_files": 3,
        "max_bytes": 300,
        "types": frozenset({"pdf", "txt"}),
        "person": "ann",
    }
    return Grant(**(plain | changes))


def test_the_newest_signing_key_outlives_those_before(credentials: Credentials) -> None:
    """A new generation ends the trust in older ones at a time, and never prolongs it."""
    credentials.add_signing_key(a_signing_key(1), NOON)
    credentials.add_signing_key(a_signing_key(2), NOON + SECOND)
    credentials.add_signing_key(a_signing_key(3), NOON + 9 * SECOND)
    assert list(credentials.signing_keys()) == [
        a_signing_key(3),
        a_signing_key(2, trusted_until=NOON + 9 * SECOND),
        a_signing_key(1, trusted_until=NOON + SECOND),
    ]


def test_a_generation_is_added_once(credentials: Credentials) -> None:
    """Of two processes that add one, the second is told, and nothing of its is kept."""
    credentials.add_signing_key(a_signing_key(1), NOON)
    with pytest.raises(Conflict):
        credentials.add_signing_key(a_signing_key(1, id="sk_other"), NOON)
    assert list(credentials.signing_keys()) == [a_signing_key(1)]


def test_an_accounts_keys_are_its_own(credentials: Credentials) -> None:
    """Listed oldest first, limited in number, revoked by their account alone and once."""
    older = GrantKey("gk_2", "acme", "prod", {"kty": "OKP"}, NOON, None)
    newer = GrantKey("gk_1", "acme", "staging", {"kty": "OKP"}, NOON + SECOND, None)
    credentials.add_grant_key(newer, 2)
    credentials.add_grant_key(older, 2)
    with pytest.raises(TooManyKeys):
        credentials.add_grant_key(replace(older, id="gk_3"), 2)
    assert credentials.grant_key("gk_3") is None
    credentials.add_grant_key(replace(older, id="gk_4", account_id="other"), 2)
    assert list(credentials.grant_keys("acme")) == [older, newer]
    assert not credentials.revoke_grant_key("other", "gk_1", NOON)
    assert credentials.revoke_grant_key("acme", "gk_1", NOON)
    assert not credentials.revoke_grant_key("acme", "gk_1", NOON + SECOND)
    assert credentials.grant_key("gk_1") == replace(newer, revoked_at=NOON)
    credentials.add_grant_key(replace(older, id="gk_5"), 2)


def test_a_grant_is_kept_as_it_was_first(credentials: Credentials) -> None:
    """A second one of the same account and id changes nothing; of another account it is another."""
    first = credentials.keep_grant(a_grant(), NOON)
    assert (first.grant, first.created_at, first.revoked_at) == (a_grant(), NOON, None)
    assert (first.files, first.bytes) == (0, 0)
    assert credentials.keep_grant(a_grant(max_files=9), NOON + SECOND) == first
    assert credentials.keep_grant(a_grant(account="other", max_files=9), NOON).grant.max_files == 9
    assert credentials.grant("acme", "gt_1") == first
    assert credentials.grant("acme", "gt_2") is None
    download = a_grant(
        "gt_3",
        kind=GrantKind.DOWNLOAD,
        max_files=None,
        max_bytes=None,
        types=frozenset(),
        upload_id="up_" + "0" * 32,
    )
    assert credentials.keep_grant(download, NOON).grant == download


def test_a_grant_is_prolonged_but_never_shortened(credentials: Credentials) -> None:
    """Only the times change."""
    credentials.keep_grant(a_grant(), NOON)
    later: dict[str, Any] = {"issued_at": NOON + SECOND, "expires_at": NOON + 2 * SECOND}
    credentials.prolong_grant(a_grant(max_files=9, **later))
    credentials.prolong_grant(a_grant())
    known = credentials.grant("acme", "gt_1")
    assert known
    assert known.grant == a_grant(**later)


def test_a_grant_is_revoked_once_and_by_its_account(credentials: Credentials) -> None:
    """The first revocation counts."""
    credentials.keep_grant(a_grant(), NOON)
    assert not credentials.revoke_grant("other", "gt_1", NOON)
    assert credentials.revoke_grant("acme", "gt_1", NOON)
    assert not credentials.revoke_grant("acme", "gt_1", NOON + SECOND)
    known = credentials.keep_grant(a_grant(), NOON)
    assert known.revoked_at == NOON


def test_old_grants_are_forgotten(credentials: Credentials) -> None:
    """Those that expired before a time, and no others."""
    credentials.keep_grant(a_grant(), NOON)
    credentials.keep_grant(a_grant("gt_2", expires_at=NOON + 2 * SECOND), NOON)
    credentials.forget_grants(NOON + 2 * SECOND)
    assert credentials.grant("acme", "gt_1") is None
    assert credentials.grant("acme", "gt_2") is not None


def test_an_upload_counts_by_what_is_kept_of_it(ledger_case: LedgerCase) -> None:
    """Reserved while it arrives, its size once it is known, nothing if it was given up."""
    credentials, ledger = ledger_case.credentials, ledger_case.ledger
    credentials.keep_grant(a_grant(), NOON)

    def used() -> tuple[int, int]:
        known = credentials.grant("acme", "gt_1")
        assert known
        return known.files, known.bytes

    first = ledger.save(make_upload(1, grant_id="gt_1", reserved=100))
    assert used() == (1, 100)
    second = ledger.save(make_upload(2, grant_id="gt_1", reserved=200))
    assert used() == (2, 300)
    with pytest.raises(QuotaExceeded):
        ledger.save(make_upload(3, grant_id="gt_1", reserved=1))
    assert ledger.find(make_upload(3).id) is None
    ledger.save(second.moved(Event.GAVE_UP, NOON))
    ledger.save(first.moved(Event.STORED, NOON, size=40, sha256="0" * 64))
    assert used() == (1, 40)
    ledger.save(make_upload(4, grant_id="gt_1", reserved=260))
    ledger.save(make_upload(5, grant_id="gt_1", state=State.REFUSED))
    assert used() == (2, 300)
    ledger.save(make_upload(6, grant_id="gt_1", reserved=0))
    with pytest.raises(QuotaExceeded):
        ledger.save(make_upload(7, grant_id="gt_1", reserved=0))


def test_no_upload_begins_under_a_grant_that_was_revoked(ledger_case: LedgerCase) -> None:
    """However long ago its holder was let in."""
    ledger_case.credentials.keep_grant(a_grant(), NOON)
    ledger_case.credentials.revoke_grant("acme", "gt_1", NOON)
    with pytest.raises(Unauthenticated):
        ledger_case.ledger.save(make_upload(1, grant_id="gt_1", reserved=1))
    assert ledger_case.ledger.find(make_upload(1).id) is None


def test_an_upload_under_no_known_grant_is_not_begun(ledger_case: LedgerCase) -> None:
    """A grant that is not stored, or is another account's, reserves nothing."""
    ledger_case.credentials.keep_grant(a_grant(account="other"), NOON)
    with pytest.raises(Conflict):
        ledger_case.ledger.save(make_upload(1, grant_id="gt_1", reserved=1))


@pytest.mark.parametrize(("files", "size", "fit"), [(7, 10**9, 7), (50, 1100, 11)])
def test_fifty_at_once_keep_to_the_quota(ledger_case: LedgerCase, files: int, size: int, fit: int) -> None:
    """Of fifty uploads of 100 bytes begun at once exactly as many begin as the grant has room for."""
    credentials, ledger = ledger_case.credentials, ledger_case.ledger
    credentials.keep_grant(a_grant(max_files=files, max_bytes=size), NOON)

    def begin(number: int) -> bool:
        try:
            ledger.save(make_upload(number, grant_id="gt_1", reserved=100))
        except QuotaExceeded:
            return False
        return True

    assert sum(at_once(50, begin)) == fit
    known = credentials.grant("acme", "gt_1")
    assert known
    assert (known.files, known.bytes) == (fit, fit * 100)
