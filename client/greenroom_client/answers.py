"""Answers told apart: good ones go on, the others become errors."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from greenroom_client.errors import BY_CODE, BY_STATUS, GreenroomError, Problem, Unavailable, UnexpectedAnswer

_LONGEST_DETAIL: Final = 1000
_LARGEST_DOCUMENT: Final = 8 * 1024 * 1024
_OF_CONTENT: Final = {"content-encoding", "content-length", "transfer-encoding"}


def check(answer: httpx.Response) -> httpx.Response:
    """Return a good ``answer``, its content read or not; raise the error that another one stands for."""
    if answer.status_code in {200, 201, 202, 204}:
        return answer
    if answer.is_client_error or answer.is_server_error:
        raise _problem(answer)
    said = "a redirect, which is not followed" if answer.is_redirect else f"status {answer.status_code}"
    raise UnexpectedAnswer(f"The address answers with {said}.", status=answer.status_code)


def plain(answer: httpx.Response) -> httpx.Response:
    """Return an ``answer`` whose content is as it came. Raises ``UnexpectedAnswer`` for a content coding."""
    if answer.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise UnexpectedAnswer(
            "The answer has an encoding that was not asked for.", status=answer.status_code
        )
    return answer


def loaded(answer: httpx.Response) -> httpx.Response:
    """Return a copy of the streamed ``answer`` that was read to its end, for a document.

    Raises ``UnexpectedAnswer`` for one with a content coding or of more than 8 MiB, before more is read. An
    error is told by its status all the same.
    """
    try:
        content = _content(plain(answer))
    except UnexpectedAnswer:
        if not answer.is_error:
            raise
        content = b""
    headers = [(name, value) for name, value in answer.headers.multi_items() if name not in _OF_CONTENT]
    return httpx.Response(answer.status_code, headers=headers, content=content)


def retry_after(answer: httpx.Response) -> float | None:
    """Return the seconds that ``Retry-After`` asks for (RFC 9110, 10.2.3), if it does."""
    said = answer.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        at = parsedate_to_datetime(said).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _content(answer: httpx.Response) -> bytes:
    content = bytearray()
    for chunk in answer.iter_raw():
        content += chunk
        if len(content) > _LARGEST_DOCUMENT:
            raise UnexpectedAnswer("The answer is larger than any document.", status=answer.status_code)
    return bytes(content)


def _problem(answer: httpx.Response) -> GreenroomError:
    document = _document(answer)
    status = answer.status_code
    code = _text(document, "code")
    detail = _text(document, "detail") or f"The service answered {status}."
    otherwise = Unavailable if answer.is_server_error else Problem
    kind = BY_CODE.get(code or "") or BY_STATUS.get(status, otherwise)
    request_id = _text(document, "request_id") or answer.headers.get("X-Request-Id")
    return kind(
        detail[:_LONGEST_DETAIL],
        code=code,
        status=status,
        # What stands in front of the service, and is not it, speaks in statuses alone.
        retryable=document.get("retryable") is True if code else status in {429, 502, 503, 504},
        request_id=request_id or None,
        retry_after=retry_after(answer),
    )


def _document(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        document = answer.json()
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _text(document: Mapping[str, Any], name: str) -> str | None:
    value = document.get(name)
    return value if isinstance(value, str) and value else None
