"""Rate limits in HTTP (draft-ietf-httpapi-ratelimit-headers)."""

import math

from flask import Response, after_this_request

from service.core.caller import Caller
from service.core.errors import RateLimited
from service.ports import Allowance
from service.stages.parts import Parts


def throttle(parts: Parts, caller: Caller) -> None:
    """Count one creation by ``caller``, and tell in the answer, whatever it is, how many are left.

    Raises ``RateLimited``, and ``LedgerUnavailable`` where nobody can count now: uncounted is not unlimited.
    """
    allowance = parts.rate_limiter.hit(caller.account_id, caller.name)

    @after_this_request
    def tell(response: Response) -> Response:
        response.headers["RateLimit-Policy"] = f'"create";q={allowance.limit};w={allowance.window}'
        response.headers["RateLimit"] = f'"create";r={allowance.remaining};t={_seconds(allowance)}'
        return response

    if not allowance.granted:
        raise RateLimited(
            f"At most {allowance.limit} creations in {allowance.window} seconds. Wait, then send it again.",
            _seconds(allowance),
        )


def _seconds(allowance: Allowance) -> int:
    return max(1, math.ceil(allowance.reset))
