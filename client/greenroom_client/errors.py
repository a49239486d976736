"""Everything that can go wrong, as one tree.

::

    GreenroomError               code, status, detail, retryable, request_id, retry_after
    +-- Unreachable              no answer: no connection, a broken one, or the time ran out
    +-- UnexpectedAnswer         an answer that no Greenroom gives: a redirect, no JSON, a missing field
    +-- Problem                  the service said no, and why (RFC 9457)
    |   +-- BadRequest           400  a parameter or header is missing or malformed
    |   +-- Unauthenticated      401  no key or grant, or one that is unknown, expired or revoked
    |   +-- Forbidden            403  the key or grant does not reach that far
    |   +-- NotFound             404  no such thing for this account
    |   +-- Conflict             409  not now: see ``code``
    |   |   +-- NotReleased           the content is not, or no longer, released
    |   |   +-- InProgress            the first request with this Idempotency-Key is still being answered
    |   +-- Gone                 410  the content was erased
    |   +-- AccountRemoved       410  the account was removed: until it is reactivated nothing of it answers
    |   +-- ContentRefused            nothing was kept: too_large, type_not_allowed, truncated, too_slow ...
    |   +-- KeyReused            422  the Idempotency-Key belongs to another request
    |   +-- RateLimited          429  too many; ``retry_after`` says when
    |   +-- Unavailable          5xx  the service or a part it stands on is away
    +-- NoVerdictYet             the time to wait is over; ``upload`` is what was last seen
    +-- SourceChanged            the file changed while it was sent
    +-- Damaged                  a download is not the released file; nothing of it was kept
    +-- UntrustedWebhook         the signature is missing, wrong or too old
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from greenroom_client.documents import Upload


class GreenroomError(Exception):
    """Base of all errors.

    ``code`` is stable; ``status`` is the HTTP status where there was an answer; ``detail`` is a sentence to
    act on; ``retryable`` says whether the same request may succeed later, ``retry_after`` after how many
    seconds, where the service said so; ``request_id`` is what to quote in a report.
    """

    code: str = "error"
    retryable: bool = False

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        status: int | None = None,
        retryable: bool | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = self.code if code is None else code
        self.status = status
        self.retryable = self.retryable if retryable is None else retryable
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        """Return the sentence, the code and, where there is one, the request's id."""
        request = f", request {self.request_id}" if self.request_id else ""
        return f"{self.detail} ({self.code}{request})"


class Unreachable(GreenroomError):
    """There was no answer: no connection, a broken one, or the time ran out."""

    code = "unreachable"
    retryable = True


class UnexpectedAnswer(GreenroomError):
    """An answer that no Greenroom gives: a redirect, no JSON, a field that is missing."""

    code = "unexpected_answer"


class Problem(GreenroomError):
    """The service said no, and why (RFC 9457)."""

    code = "problem"


class BadRequest(Problem):
    """A parameter or header is missing or malformed."""


class Unauthenticated(Problem):
    """No key or grant, or one that is unknown, expired or revoked."""


class Forbidden(Problem):
    """The key or grant does not reach that far."""


class NotFound(Problem):
    """There is no such thing for this account."""


class Conflict(Problem):
    """Not now; ``code`` says why."""


class NotReleased(Conflict):
    """The content is not, or no longer, released."""


class InProgress(Conflict):
    """The first request with this Idempotency-Key is still being answered."""


class Gone(Problem):
    """The content was erased."""


class AccountRemoved(Problem):
    """The account was removed. Until it is reactivated nothing of it answers."""


class ContentRefused(Problem):
    """The content was not taken and nothing of it was kept; ``code`` says why."""


class KeyReused(Problem):
    """The Idempotency-Key belongs to another request."""


class RateLimited(Problem):
    """Too many requests; ``retry_after`` says when there is room again."""

    retryable = True


class Unavailable(Problem):
    """The service, or a part that it stands on, is away."""

    code = "unavailable"


class NoVerdictYet(GreenroomError):
    """The time to wait is over. ``upload`` is the upload as it was last seen."""

    code = "no_verdict_yet"
    retryable = True
    upload: "Upload"

    @classmethod
    def after(cls, seconds: float, upload: "Upload") -> "NoVerdictYet":
        """Return the error about ``upload`` after ``seconds`` of waiting."""
        error = cls(f"No verdict within {seconds:g} s: the upload is {upload.state}.")
        error.upload = upload
        return error


class SourceChanged(GreenroomError):
    """The file changed while it was sent."""

    code = "source_changed"


class Damaged(GreenroomError):
    """A download is not the file that was released."""

    code = "damaged"


class UntrustedWebhook(GreenroomError):
    """A webhook's signature is missing, wrong or too old. Answer 400 and believe none of it."""

    code = "untrusted_webhook"


_CONTENT: Final = (
    "content_refused",
    "too_large",
    "type_not_allowed",
    "truncated",
    "digest_mismatch",
    "too_slow",
)
#: What a problem's code says more exactly than its status.
BY_CODE: Final[Mapping[str, type[Problem]]] = {
    "account_removed": AccountRemoved,
    "not_released": NotReleased,
    "idempotency_in_progress": InProgress,
    "idempotency_mismatch": KeyReused,
    **dict.fromkeys(_CONTENT, ContentRefused),
}
BY_STATUS: Final[Mapping[int, type[Problem]]] = {
    400: BadRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    413: ContentRefused,
    415: ContentRefused,
    429: RateLimited,
}
