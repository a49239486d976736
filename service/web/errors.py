"""The one table from errors to HTTP, and problem details (RFC 9457) for all of them."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from flask import Flask, Response, g, json
from werkzeug.exceptions import HTTPException

from service.core import errors
from service.ports import EventLog

#: Error class -> status. The most specific class of an error that is listed counts.
STATUSES: Final[Mapping[type[errors.GreenroomError], int]] = {
    errors.BadRequest: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.LinkInvalid: 403,
    errors.OwnProposal: 403,
    errors.NotFound: 404,
    errors.TooSlow: 408,
    errors.NotReleased: 409,
    errors.NotSignedYet: 409,
    errors.NotRemoved: 409,
    errors.ExportNotReady: 409,
    errors.RangeNotSatisfiable: 416,
    errors.AccountExists: 409,
    errors.TooManyKeys: 409,
    errors.Busy: 409,
    errors.UnderHold: 409,
    errors.NotDecidable: 409,
    errors.AlreadyProposed: 409,
    errors.AlreadyAllowed: 409,
    errors.DecisionClosed: 409,
    errors.ProposerGone: 409,
    errors.EndpointDisabled: 409,
    errors.TooManyEndpoints: 409,
    errors.AddressNotAllowed: 422,
    errors.RangeNotAllowed: 422,
    errors.Conflict: 409,
    errors.IdempotencyInProgress: 409,
    errors.WrongOffset: 409,
    errors.Interrupted: 409,
    errors.Gone: 410,
    errors.GrantEnded: 410,
    errors.AccountRemoved: 410,
    errors.ProtocolUnsupported: 412,
    errors.TooLarge: 413,
    errors.TypeNotAllowed: 415,
    errors.IdempotencyMismatch: 422,
    errors.RateLimited: 429,
    errors.WrongMediaType: 415,
    errors.Truncated: 400,
    errors.DigestMismatch: 400,
    # tus 1.0.0's own.
    errors.ChecksumMismatch: 460,
    errors.Overloaded: 503,
    errors.PartUnavailable: 503,
}
#: Headers that every problem of a status comes with.
PROBLEM_HEADERS: Final[Mapping[int, Mapping[str, str]]] = {
    401: {"WWW-Authenticate": 'Bearer realm="greenroom"'},
    503: {"Retry-After": "5"},
}


def status_of(error: type[errors.GreenroomError]) -> int:
    """Return the status for errors of a class; 500 for one that a sender should never see."""
    for kind in error.__mro__:
        if kind in STATUSES:
            return STATUSES[kind]
    return 500


def title_of(error: type[errors.GreenroomError]) -> str:
    """Return what errors of a class mean, in one line."""
    return (error.__doc__ or "").split("\n")[0].rstrip(".")


def problem(status: int, code: str, title: str, detail: str, *, retryable: bool) -> Response:
    """Return a problem document. ``code`` is stable; ``detail`` is a sentence the sender can act on."""
    document = {
        "type": f"urn:greenroom:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "retryable": retryable,
        "request_id": g.get("request_id"),
    }
    response = Response(json.dumps(document), status, content_type="application/problem+json")
    response.headers.update(PROBLEM_HEADERS.get(status, {}))
    return response


def register(app: Flask, log: EventLog) -> None:
    """Answer every error of ``app`` with a problem document; what is not the sender's goes to the log."""

    @app.errorhandler(errors.GreenroomError)
    def known(error: errors.GreenroomError) -> Response:
        status = status_of(type(error))
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            return unknown(error)
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            log.failure("part_unavailable", error, {"code": error.code})
        answer = problem(status, error.code, title_of(type(error)), str(error), retryable=error.retryable)
        if isinstance(error, errors.RangeNotSatisfiable):
            answer.headers["Content-Range"] = f"bytes */{error.size}"
        if error.retry_after is not None:
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer

    @app.errorhandler(HTTPException)
    def routing(error: HTTPException) -> Response:
        status = error.code or 500
        code = error.name.lower().replace(" ", "_")
        answer = problem(status, code, error.name, error.description or error.name, retryable=False)
        for name, value in error.get_headers():
            if name.lower() != "content-type":
                answer.headers.setdefault(name, value)
        return answer

    @app.errorhandler(Exception)
    def unknown(error: Exception) -> Response:
        log.failure("internal_error", error, {})
        detail = "Something went wrong on our side. Quote the request id when you report it."
        return problem(500, "internal_error", "Internal error", detail, retryable=True)
