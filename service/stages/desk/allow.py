"""Allow: the allow-list's entries end when one person says so, or by their time.

They are made by ``decide`` and relied on by ``judge``. What was released by one stays released.
"""

from service.core.decision import Allowance, reviewer
from service.core.errors import NotFound
from service.core.journal import Act, Entry
from service.stages.parts import Parts


def revoke(parts: Parts, reviewer_id: str, allowance_id: str) -> Allowance:
    """End an allowance now and return it. One that ended stays as it is.

    Nothing that is cleared afterwards is cleared by it, scans that are under way included. Raises
    ``NotFound`` and ``LedgerUnavailable``.
    """
    allowance = _found(parts, allowance_id)
    at = parts.clock.now()
    entry = Entry(at, Act.ALLOWANCE_REVOKED.value, allowance.detail(), reviewer(reviewer_id))
    parts.allowances.revoke(allowance_id, reviewer_id, at, entry)
    return _found(parts, allowance_id)


def _found(parts: Parts, allowance_id: str) -> Allowance:
    allowance = parts.allowances.find(allowance_id)
    if allowance is None:
        raise NotFound("There is no such entry of the allow-list.")
    return allowance
