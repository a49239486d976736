"""The line that is published of an entry, and hashed into the tree: canonical JSON (RFC 8785).

It holds no personal data. What an account chose to call itself, its meetings and its grants stands there as
a pseudonym: HMAC-SHA256 under a key of that account's own. While the key exists, the service can tell which
lines are the account's; once it is destroyed nobody can, and the tree is as whole as before.
"""

import hashlib
import hmac
import math
from datetime import UTC, datetime
from typing import Any, Final

import rfc8785

from service.core.journal import Entry

#: Stands in every line as ``v``: a reader that does not know the version must not guess.
VERSION: Final = 1
#: Kinds of actors whose ids are made by this service and tell nothing of a person.
OURS: Final = frozenset({"key", "operator", "reviewer"})
#: What is kept in the row for the operator and not published: a request's id may be the client's own words.
UNPUBLISHED: Final = frozenset({"request"})
_LARGEST: Final = 2**53 - 1


def canonical(entry: Entry, key: bytes | None) -> str:
    """Return the line of ``entry``; ``key`` makes the pseudonyms of its account.

    What does not apply is left out, and so are account and meeting without a ``key``, as for lines that are
    written after it was destroyed. Raises nothing: a line that cannot be written would hold up the log.
    """
    members: dict[str, Any] = {
        "v": VERSION,
        "at": _moment(entry.at),
        "event": entry.event,
        "actor": _actor(entry.actor, key),
        "upload": entry.upload_id,
        "account": pseudonym(key, "ac", entry.account_id),
        "meeting": pseudonym(key, "me", entry.meeting_id),
        "before": entry.before and entry.before.value,
        "after": entry.after and entry.after.value,
        "detail": {
            _text(name): _plain(value) for name, value in entry.detail.items() if name not in UNPUBLISHED
        },
    }
    return rfc8785.dumps({name: value for name, value in members.items() if value is not None}).decode()


def pseudonym(key: bytes | None, kind: str, name: str | None) -> str | None:
    """Return what stands for ``name`` in lines: ``kind`` and 128 bits of a keyed hash in hex."""
    if key is None or name is None:
        return None
    digest = hmac.digest(key, f"{kind}\0{name}".encode(errors="replace"), hashlib.sha256)
    return f"{kind}_{digest[:16].hex()}"


def _actor(actor: str | None, key: bytes | None) -> str | None:
    if actor is None:
        return None
    kind, _, name = actor.partition(":")
    if kind in OURS:
        return _text(actor)
    return f"{_text(kind)}:{pseudonym(key, 'by', name) or ''}"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a value that RFC 8785 can write: what it cannot (I-JSON, RFC 7493) becomes text."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= _LARGEST else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return _text(str(value))


def _text(value: str) -> str:
    """Return text without halves of surrogate pairs, which UTF-8 cannot write."""
    return value.encode(errors="replace").decode()
