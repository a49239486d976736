"""``Idempotency-Key`` (draft-ietf-httpapi-idempotency-key-header): reading it, and giving an answer again."""

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from flask import Response, current_app, json, request
from flask.typing import ResponseReturnValue

from service.core.errors import BadRequest
from service.ports import Claim, Reply
from service.stages import once
from service.stages.parts import Parts

#: Printable ASCII, as RFC 9651 allows it in strings.
_BARE: Final = re.compile(r"[!#-~](?:[ -~]{0,253}[!-~])?", re.ASCII)
_QUOTED: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\]){1,510})"', re.ASCII)
_LONGEST: Final = 255
_SERVER_ERRORS: Final = 500
#: What the sender is to try again, although the request is its own.
_PASSING: Final = frozenset({408, 409, 429})
#: Not part of an answer that is kept: made anew with each response.
_PER_RESPONSE: Final = frozenset({"content-length", "date"})


def idempotency_key(untrusted_header: str) -> str:
    """Return the key that ``Idempotency-Key`` holds: quoted, as the draft has it, or bare, as most send it.

    Both forms of one text are one key. Raises ``BadRequest`` unless it is 1 to 255 printable ASCII.
    """
    text = untrusted_header.strip(" \t")
    if _BARE.fullmatch(text):
        return text
    quoted = _QUOTED.fullmatch(text)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else ""
    if not 1 <= len(key) <= _LONGEST:
        raise BadRequest(f"Idempotency-Key must be 1 to {_LONGEST} printable ASCII characters.")
    return key


def given_key() -> str | None:
    """Return the key that the current request carries, if any. Raises ``BadRequest`` for a malformed one."""
    untrusted_header = request.headers.get("Idempotency-Key")
    return None if untrusted_header is None else idempotency_key(untrusted_header)


def document_fingerprint(document: bytes) -> str:
    """Return what tells the current request from others; ``document`` is its JSON, empty if it takes none."""
    # Numbers as texts, because Python refuses to read very long ones.
    said = json.loads(document, parse_int=str) if document else None
    return _fingerprint(json.dumps(said, sort_keys=True))


def content_fingerprint(announced_by: Sequence[str]) -> str:
    """Return what tells the current request, whose body is a file, from others before that is read.

    ``announced_by`` names the headers that do; without any its media type and length do.
    """
    if announced_by:
        return _fingerprint([request.headers.get(name) for name in announced_by])
    form = request.mimetype == "multipart/form-data"
    # Another boundary makes a form of the same file a little longer or shorter.
    return _fingerprint([request.mimetype, None if form else request.content_length])


def _fingerprint(body: Any) -> str:  # noqa: ANN401 - any JSON
    query = sorted(request.args.items(multi=True))
    text = json.dumps([request.method, request.path.rstrip("/"), query, body])
    return hashlib.sha256(text.encode()).hexdigest()


def first_time(parts: Parts, claim: Claim, view: Callable[[], ResponseReturnValue]) -> Response:
    """Return what ``view`` answers, and keep it for the next time if it is final.

    An error that may pass is not kept: the key of a document is let go, that of an upload is as free as what
    became of the upload says.
    """
    retryable = False
    try:
        answer = current_app.make_response(view())
    except Exception as error:  # noqa: BLE001 - an error's answer is an answer too
        retryable = getattr(error, "retryable", False)
        answer = current_app.make_response(current_app.handle_user_exception(error))
    if not (retryable or answer.status_code >= _SERVER_ERRORS or answer.status_code in _PASSING):
        headers = {name: value for name, value in answer.headers if name.lower() not in _PER_RESPONSE}
        once.settle(parts, claim, answer.status_code, headers, answer.get_data())
    elif claim.running_until is not None:
        once.release(parts, claim)
    return answer


def again(parts: Parts, reply: Reply) -> Response:
    """Return an answer as it was given the first time, marked ``Idempotent-Replayed``."""
    answer = Response(parts.sealer.unseal(reply.sealed_body), reply.status, dict(reply.headers))
    answer.headers["Idempotent-Replayed"] = "true"
    return answer
