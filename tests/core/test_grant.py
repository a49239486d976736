from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import GrantExpired, Unauthenticated
from service.core.grant import Grant, GrantKind, from_claims, to_claims
from service.core.naming import PERSON

NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
UPLOAD_ID: Final = "up_" + "0" * 32
MINUTES: Final = timedelta(minutes=1)


def upload_grant(**changes: Any) -> Grant:
    """Return a grant for two PDFs."""
    plain: dict[str, Any] = {
        "id": "gt_1",
        "account_id": "acme",
        "kind": GrantKind.UPLOAD,
        "meeting_id": "m1",
        "issued_at": NOW,
        "expires_at": NOW + 15 * MINUTES,
        "max_files": 2,
        "max_bytes": 1000,
        "types": frozenset({"pdf"}),
    }
    return Grant(**(plain | changes))


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a grant that an account minted itself; ``None`` takes one out."""
    plain = to_claims(upload_grant(), "greenroom") | {"iss": "acme", "sub": "acme"} | changes
    return {name: value for name, value in plain.items() if value is not None}


def read(given_claims: dict[str, Any], owner: str | None = "acme", now: datetime = NOW) -> Grant:
    """Read claims that were signed right."""
    return from_claims(given_claims, owner, "greenroom", now)


grants = st.builds(
    upload_grant,
    max_files=st.integers(1, 1000),
    max_bytes=st.integers(1, 1 << 50),
    types=st.frozensets(st.from_regex(r"[a-z0-9]{1,16}", fullmatch=True), max_size=64),
    meeting_id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}", fullmatch=True),
    person=st.none() | st.from_regex(PERSON, fullmatch=True),
) | st.builds(
    upload_grant,
    kind=st.just(GrantKind.DOWNLOAD),
    upload_id=st.none() | st.just(UPLOAD_ID),
    max_files=st.none(),
    max_bytes=st.none(),
    types=st.just(frozenset()),
)


@given(grants)
def test_a_grant_survives_its_token(grant: Grant) -> None:
    """What is minted is what is read, for either kind."""
    assert read(to_claims(grant, "greenroom"), None) == grant


ODD: Final[dict[str, dict[str, Any]]] = {
    "no issuer": {"iss": None},
    "another issuer": {"iss": "other"},
    "the service as issuer": {"iss": "greenroom"},
    "another account": {"sub": "other"},
    "an odd account": {"sub": "a b"},
    "a number as account": {"sub": 7},
    "no audience": {"aud": None},
    "another audience": {"aud": "elsewhere"},
    "a list of audiences": {"aud": ["greenroom", "elsewhere"]},
    "no id": {"jti": None},
    "an empty id": {"jti": ""},
    "a long id": {"jti": "x" * 65},
    "an odd id": {"jti": "a/b"},
    "no time of issue": {"iat": None},
    "no end": {"exp": None},
    "an end that is text": {"exp": "9999999999"},
    "an end that is true": {"exp": True},
    "an end in fractions": {"exp": NOW.timestamp() + 1.5},
    "an endless end": {"exp": 1 << 70},
    "a long life": {"exp": int((NOW + 16 * MINUTES).timestamp())},
    "issued tomorrow": {
        "iat": int(NOW.timestamp()) + 86400,
        "nbf": None,
        "exp": int(NOW.timestamp()) + 86500,
    },
    "not yet": {"nbf": int(NOW.timestamp()) + 31},
    "no kind": {"kind": None},
    "an unknown kind": {"kind": "admin"},
    "a list of kinds": {"kind": ["upload"]},
    "no meeting": {"meeting": None},
    "an odd meeting": {"meeting": "../m1"},
    "a file to upload": {"file": UPLOAD_ID},
    "no limit of files": {"max_files": None},
    "no files": {"max_files": 0},
    "less than no files": {"max_files": -1},
    "true files": {"max_files": True},
    "files as text": {"max_files": "2"},
    "too many files": {"max_files": 1001},
    "no limit of bytes": {"max_bytes": None},
    "no bytes": {"max_bytes": 0},
    "bytes in fractions": {"max_bytes": 1.5},
    "types as text": {"types": "pdf"},
    "odd types": {"types": ["p/f"]},
    "types that are no texts": {"types": [1]},
    "too many types": {"types": ["pdf"] * 65},
    "an unknown claim": {"scope": "everything"},
    "an empty person": {"person": ""},
    "a person with a slash": {"person": "a/b"},
    "a person in two lines": {"person": "ann\n"},
    "a number as person": {"person": 7},
    "a long person": {"person": "x" * 256},
    "downloads with a limit": {"kind": "download", "types": None},
    "a download of an odd file": {
        "kind": "download",
        "max_files": None,
        "max_bytes": None,
        "types": None,
        "file": "up_%",
    },
}


def test_the_plain_claims_are_good() -> None:
    """The claims that the odd ones below are made of."""
    assert read(claims()) == upload_grant()
    assert read(claims(sub=None, nbf=None)) == upload_grant()


@pytest.mark.parametrize("name", ODD)
def test_odd_claims_are_no_grant(name: str) -> None:
    """Also behind a right signature."""
    with pytest.raises(Unauthenticated):
        read(claims(**ODD[name]))


def test_no_account_can_speak_for_the_service() -> None:
    """A key of the service needs the service as issuer, an account's key the account."""
    with pytest.raises(Unauthenticated):
        read(claims(), None)
    with pytest.raises(Unauthenticated):
        read(to_claims(upload_grant(), "greenroom"), "acme")
    with pytest.raises(Unauthenticated):
        read({**to_claims(upload_grant(), "greenroom"), "iss": "other", "sub": "acme"}, "other")


def test_a_grant_ends_at_its_time() -> None:
    """Not a second of grace: our own clock decides."""
    last = NOW + 15 * MINUTES - timedelta(microseconds=1)
    assert read(claims(), now=last) == upload_grant()
    with pytest.raises(GrantExpired):
        read(claims(), now=NOW + 15 * MINUTES)


def test_clocks_may_be_a_little_ahead() -> None:
    """An issuer's clock may be 30 s ahead of ours."""
    assert read(claims(), now=NOW - timedelta(seconds=30)) == upload_grant()
    with pytest.raises(Unauthenticated):
        read(claims(), now=NOW - timedelta(seconds=31))


def test_rights_are_the_same_whenever_issued() -> None:
    """A refreshed token is the same grant; one with more files is not."""
    later = upload_grant(issued_at=NOW + MINUTES, expires_at=NOW + 2 * MINUTES)
    assert upload_grant().same_rights(later)
    assert not upload_grant().same_rights(upload_grant(max_files=3))
