"""Whether the scanner may be believed when it says clean.

A clean answer counts only while the newest canaries passed and the signatures are known to be fresh. An
answer that something was found always counts: it can only hold a file back.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from service.core.outcome import Engine, Failure
from service.core.policy import Policy
from service.core.verdict import Protection

#: The canaries run every 60 s; two missed rounds and their word no longer counts.
HEALTH_LASTS: Final = timedelta(seconds=150)
#: clamd prints its database's time without a zone: what seems made this far ahead is not believed.
_CLOCK_SLACK: Final = timedelta(hours=26)


def signature_age(engine: Engine, now: datetime) -> float | None:
    """Return the signatures' age in seconds (0 if they seem newer than ``now``), or ``None`` if unknown."""
    made_at = engine.signatures_made_at
    if made_at is None or made_at - now > _CLOCK_SLACK:
        return None
    return max(0.0, (now - made_at).total_seconds())


def distrust(
    *,
    checked_at: datetime | None,
    failures: Sequence[str],
    engine: Engine,
    protection: Protection,
    policy: Policy,
    now: datetime,
) -> tuple[Failure, str] | None:
    """Return why a clean answer does not count now, with a sentence for the operator, or ``None`` if it does.

    ``checked_at`` and ``failures`` are the newest word of the canaries; ``engine`` is the one that scans.
    Only ``Protection.DEMO``, the operator's explicit setting, excuses unknown or stale signatures.
    """
    if checked_at is None or abs(now - checked_at) > HEALTH_LASTS:
        return (
            Failure.UNTRUSTED,
            "the canaries have not reported within the last 150 s",
        )
    if failures:
        return Failure.UNTRUSTED, "canaries failed: " + "; ".join(failures)
    if protection is Protection.DEMO:
        return None
    age = signature_age(engine, now)
    if age is None:
        return Failure.STALE_SIGNATURES, "the scanner does not say how old its signatures are"
    if age > policy.signatures_max_age:
        return Failure.STALE_SIGNATURES, f"the signatures are {age / 3600:.0f} h old"
    return None
