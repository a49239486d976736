from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.outcome import BLAMELESS, Engine, Failure
from service.core.policy import Policy
from service.core.trust import HEALTH_LASTS, distrust, signature_age
from service.core.verdict import Protection
from tests.core.shipped import POLICY

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def engine(made_at: datetime | None) -> Engine:
    """Return a scanner whose signatures were made then."""
    return Engine("ClamAV 1.4.6", 27826, made_at)


def doubt(
    *,
    checked_at: datetime | None = NOW,
    failures: tuple[str, ...] = (),
    made_at: datetime | None = NOW - HOUR,
    protection: Protection = Protection.OFFICIAL,
    policy: Policy = POLICY,
) -> tuple[Failure, str] | None:
    """Return the doubt about a scanner that is healthy in all that is not named."""
    return distrust(
        checked_at=checked_at,
        failures=failures,
        engine=engine(made_at),
        protection=protection,
        policy=policy,
        now=NOW,
    )


def reason(found: tuple[Failure, str] | None) -> Failure | None:
    """Return a doubt's kind."""
    return found[0] if found else None


def test_a_healthy_scanner_is_believed() -> None:
    """New canaries without a failure and fresh signatures: a clean answer counts."""
    assert doubt() is None


@pytest.mark.parametrize("protection", Protection)
@pytest.mark.parametrize(
    "checked_at",
    [
        None,
        NOW - HEALTH_LASTS - timedelta(microseconds=1),
        NOW + HEALTH_LASTS + timedelta(microseconds=1),
        NOW - timedelta(days=400),
    ],
    ids=["never", "too old", "from the future", "long ago"],
)
def test_silent_canaries_are_not_believed(checked_at: datetime | None, protection: Protection) -> None:
    """Without a word of the canaries from the last 150 s (a clock that jumped included) nothing is clean,
    whatever the signatures: the demo setting does not excuse blindness."""
    assert reason(doubt(checked_at=checked_at, protection=protection)) is Failure.UNTRUSTED


@pytest.mark.parametrize("checked_at", [NOW - HEALTH_LASTS, NOW, NOW + HEALTH_LASTS])
def test_the_canaries_word_lasts(checked_at: datetime) -> None:
    """Up to and including 150 s, before or after, the canaries' word counts."""
    assert doubt(checked_at=checked_at) is None


@pytest.mark.parametrize("protection", Protection)
def test_one_failed_canary_is_enough(protection: Protection) -> None:
    """Any law that a canary did not keep makes the scanner untrusted, and the operator reads which."""
    found = doubt(failures=("plain: not so", "zipped: not so"), protection=protection)
    assert reason(found) is Failure.UNTRUSTED
    assert found is not None
    assert "plain: not so; zipped: not so" in found[1]


@pytest.mark.parametrize(
    "made_at",
    [
        None,
        NOW - timedelta(seconds=POLICY.signatures_max_age, microseconds=1),
        NOW + timedelta(hours=26, microseconds=1),
        NOW + timedelta(days=3650),
    ],
    ids=["unknown", "stale", "just from the future", "far future"],
)
def test_unknown_or_stale_signatures_make_nothing_clean(made_at: datetime | None) -> None:
    """Signatures of unknown or unbelievable age, or over 48 h old, make nothing clean ..."""
    assert reason(doubt(made_at=made_at)) is Failure.STALE_SIGNATURES


@pytest.mark.parametrize("made_at", [None, NOW - timedelta(days=400)])
def test_only_the_operator_excuses_them(made_at: datetime | None) -> None:
    """... unless the operator said that these are demo signatures."""
    assert doubt(made_at=made_at, protection=Protection.DEMO) is None


@pytest.mark.parametrize(
    "made_at",
    [NOW - timedelta(seconds=POLICY.signatures_max_age), NOW, NOW + timedelta(hours=26)],
    ids=["just not stale", "new", "zone of the clock"],
)
def test_fresh_signatures_are_believed(made_at: datetime) -> None:
    """48 h exactly is not stale, and clamd's local time without a zone may seem to be up to 26 h ahead."""
    assert doubt(made_at=made_at) is None


def test_the_age_of_signatures() -> None:
    """Age is in seconds, unknown where the engine does not tell, and never negative."""
    assert signature_age(engine(NOW - HOUR), NOW) == 3600
    assert signature_age(engine(NOW + HOUR), NOW) == 0
    assert signature_age(engine(None), NOW) is None
    assert signature_age(engine(NOW + timedelta(hours=27)), NOW) is None


@given(
    checked=st.none() | st.timedeltas(timedelta(days=-9), timedelta(days=9)),
    failures=st.lists(st.text(), max_size=3).map(tuple),
    made=st.none() | st.timedeltas(timedelta(days=-9), timedelta(days=9)),
    protection=st.sampled_from(Protection),
)
def test_trust_is_earned(
    checked: timedelta | None,
    failures: tuple[str, ...],
    made: timedelta | None,
    protection: Protection,
) -> None:
    """A clean answer counts only with recent canaries that all passed, and signatures that are known to be
    fresh or are the operator's own; every doubt is one that the file is not blamed for, in a sentence."""
    found = doubt(
        checked_at=None if checked is None else NOW + checked,
        failures=failures,
        made_at=None if made is None else NOW + made,
        protection=protection,
    )
    if found is None:
        assert checked is not None
        assert abs(checked) <= HEALTH_LASTS
        assert not failures
        fresh = made is not None and -timedelta(hours=48) <= made <= timedelta(hours=26)
        assert fresh or protection is Protection.DEMO
    else:
        assert found[0] in BLAMELESS
        assert found[1]
