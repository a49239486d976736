"""What operations have in common, in one place: what is enforced for all of them and said of each of them.

A rule that holds for a kind of operation (every one with a scope, every POST with a scope) is added to
``brought``; the OpenAPI document follows.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from service.core import errors
from service.core.caller import Scope
from service.core.naming import UPLOAD_ID
from service.web.public.operation import (
    Header,
    Operation,
    PathPart,
    Sent,
    creates,
    headers_of,
    problems_of,
)

#: A caller's own request id that is taken over.
REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
#: What every answer carries, problems too.
EVERY_ANSWER: Final[Mapping[str, Sent]] = {
    "X-Request-Id": Sent(
        "The request's id: your own `X-Request-Id` if it is 8 to 64 of `A-Z a-z 0-9 _ -`, or a new one.",
        {"type": "string", "pattern": f"^{REQUEST_ID.pattern}$"},
        always=True,
    )
}
_RATE: Final = "(draft-ietf-httpapi-ratelimit-headers)."
#: What every answer to a request that creates something carries beside that, once the caller is known.
CREATING_ANSWERS: Final[Mapping[str, Sent]] = {
    "RateLimit-Policy": Sent(f"How many creations are allowed in how many seconds {_RATE}"),
    "RateLimit": Sent(f"How many creations are left, and for how many seconds {_RATE}"),
    "Idempotent-Replayed": Sent(
        "Says that this is the answer of an earlier request with the same `Idempotency-Key`.",
        {"const": "true"},
    ),
}
#: What a problem of a status may carry.
PROBLEM_ANSWERS: Final[Mapping[int, Mapping[str, Sent]]] = {
    409: {
        "Retry-After": Sent("Seconds after which to send it again, where that helps.", {"type": "integer"})
    },
    416: {"Content-Range": Sent("`bytes */SIZE`: how many bytes there are.", always=True)},
    429: {
        "Retry-After": Sent("Seconds after which there is room again.", {"type": "integer"}, always=True),
        "RateLimit-Policy": Sent(f"How many creations are allowed in how many seconds {_RATE}", always=True),
        "RateLimit": Sent(f"How many creations are left, and for how many seconds {_RATE}", always=True),
    },
}
#: The path of what is about one upload.
UPLOAD_PATH: Final = {
    "upload_id": PathPart(
        "The upload's id.", f"^{UPLOAD_ID.pattern}$", example="up_0199f3a1c2d45e6f708192a3b4c5d6e7"
    )
}
#: What a grant can permit; an API key can permit everything.
GRANTABLE: Final = frozenset({Scope.UPLOAD, Scope.READ, Scope.DOWNLOAD})


@dataclass(frozen=True, slots=True)
class Brought:
    """What an operation has beside what it declares of its own.

    ``headers`` are read from its requests, ``answers`` come with its successful answers, ``problems`` may
    be what it answers.
    """

    headers: Sequence[Header]
    answers: Mapping[str, Sent]
    problems: Sequence[type[errors.GreenroomError]]


def brought(operation: Operation, method: str) -> Brought:
    """Return what ``method`` (upper case) and the declarations of ``operation`` bring with them."""
    answers = dict(EVERY_ANSWER)
    problems: list[type[errors.GreenroomError]] = []
    if operation.scope is not None:
        problems += [errors.Unauthenticated, errors.GrantExpired, errors.Forbidden, errors.LedgerUnavailable]
    if operation.scope not in {None, Scope.ADMIN}:
        problems.append(errors.AccountRemoved)
    if operation.query is not None or operation.body is not None:
        problems.append(errors.BadRequest)
    if isinstance(operation.body, type):
        problems += [errors.Truncated, errors.TooSlow]
    if creates(operation, method):
        answers |= CREATING_ANSWERS
    return Brought(
        headers_of(operation, method)[len(operation.headers) :],
        answers,
        [*problems, *problems_of(operation, method)[len(operation.problems) :]],
    )
