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
from service.web.public.operation import Header, Operation, Sent

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


def brought(operation: Operation) -> Brought:
    """Return what the declarations of ``operation`` bring with them."""
    headers: list[Header] = []
    answers = dict(EVERY_ANSWER)
    problems: list[type[errors.GreenroomError]] = []
    if operation.scope is not None:
        problems += [errors.Unauthenticated, errors.GrantExpired, errors.Forbidden, errors.LedgerUnavailable]
    if operation.query is not None or operation.body is not None:
        problems.append(errors.BadRequest)
    return Brought(headers, answers, problems)
