"""What the security team searches uploads by, and where in the found ones it stands.

Filters stand in a page's address as they are, so that a search can be kept and sent to a colleague. Ids sort
by the time of their making, so a stretch of time is a range of ids, and a page goes on from an id (keyset):
what comes or goes meanwhile moves no later page.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, TypeVar

from service.core.errors import BadRequest
from service.core.naming import UPLOAD_ID, identifier
from service.core.representation import rfc3339
from service.core.upload import State
from service.core.verdict import Kind, Verdict
from service.core.webhook import ordered_id

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_SIGNATURE: Final = re.compile(r"[ -~]{1,512}")
_DAY_ALONE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_LONGEST_NAME: Final = 255
_UNWRITABLE: Final = frozenset({"Cc", "Cs"})
_FIRST_MOMENT: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_YEAR: Final = 9998

_T = TypeVar("_T")
_E = TypeVar("_E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a found upload must be, all of it at once; ``None`` asks for nothing.

    ``name`` is a part of the name and ``signature`` a part of the signature's, in any case of letters.
    ``since`` (included) and ``until`` (not included) are about the upload's beginning, to the millisecond.
    """

    upload_id: str | None = None
    sha256: str | None = None
    name: str | None = None
    account_id: str | None = None
    meeting_id: str | None = None
    signature: str | None = None
    kind: Kind | None = None
    state: State | None = None
    since: datetime | None = None
    until: datetime | None = None

    def parameters(self) -> dict[str, str]:
        """Return what ``read_filters`` reads these filters from."""
        values = {
            "id": self.upload_id,
            "sha256": self.sha256,
            "name": self.name,
            "account": self.account_id,
            "meeting": self.meeting_id,
            "signature": self.signature,
            "verdict": self.kind and self.kind.value,
            "state": self.state and self.state.value,
            "since": rfc3339(self.since) if self.since else None,
            "until": rfc3339(self.until) if self.until else None,
        }
        return {name: value for name, value in values.items() if value is not None}

    def ids(self) -> tuple[str | None, str | None]:
        """Return the range of ids that the time asks for: from the first on, and below the second."""
        since = first_id(self.since) if self.since else None
        return since, first_id(self.until) if self.until else None


def first_id(at: datetime) -> str:
    """Return what sorts before every id made at ``at`` or later, and after every earlier one."""
    return ordered_id("up", max(at, _FIRST_MOMENT), "")


def folded(text: str) -> str:
    """Return ``text`` without its case and its ways to write the same letter (Unicode's NFKC_Casefold but
    for what it ignores, Unicode 3.13), so that parts of it can be compared.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def searchable(name: str) -> str:
    """Return what of a name can be found by a part of it: the first 255 characters of it ``folded``.

    A few letters fold to many, and what an index can hold is limited.
    """
    return folded(name)[:_LONGEST_NAME]


def read_filters(untrusted: Mapping[str, str]) -> Filters:
    """Return the filters among parameters of an address; one that is empty asks for nothing.

    Times are RFC 3339, where a missing zone is UTC, or a day alone, which ``until`` includes. Raises
    ``BadRequest`` naming the parameter that cannot be read.
    """

    def read(name: str, reader: Callable[[str], _T]) -> _T | None:
        untrusted_value = untrusted.get(name, "").strip()
        return reader(untrusted_value) if untrusted_value else None

    filters = Filters(
        upload_id=read("id", _upload_id),
        sha256=read("sha256", _sha256),
        name=read("name", _name),
        account_id=read("account", lambda value: identifier(value, "account")),
        meeting_id=read("meeting", lambda value: identifier(value, "meeting")),
        signature=read("signature", _signature),
        kind=read("verdict", lambda value: _one_of(Kind, value, "verdict")),
        state=read("state", lambda value: _one_of(State, value, "state")),
        since=read("since", lambda value: _time(value, "since")),
        until=read("until", lambda value: _end(value, "until")),
    )
    if filters.since and filters.until and filters.until <= filters.since:
        raise BadRequest("until must be later than since.")
    return filters


def _upload_id(untrusted_id: str) -> str:
    if not UPLOAD_ID.fullmatch(untrusted_id):
        raise BadRequest("id must be the whole id of an upload: up_ and 32 hexadecimal digits.")
    return untrusted_id


def _sha256(untrusted_digest: str) -> str:
    if not _SHA256.fullmatch(untrusted_digest.lower()):
        raise BadRequest("sha256 must be 64 hexadecimal digits.")
    return untrusted_digest.lower()


def _name(untrusted_part: str) -> str:
    if len(untrusted_part) > _LONGEST_NAME or any(
        unicodedata.category(character) in _UNWRITABLE for character in untrusted_part
    ):
        raise BadRequest("name must be at most 255 characters on one line.")
    return untrusted_part


def _signature(untrusted_part: str) -> str:
    if not _SIGNATURE.fullmatch(untrusted_part):
        raise BadRequest("signature must be at most 512 characters of printable ASCII.")
    return untrusted_part


def _one_of(kinds: type[_E], untrusted_value: str, what: str) -> _E:
    try:
        return kinds(untrusted_value)
    except ValueError:
        raise BadRequest(f"{what} must be one of {', '.join(kinds)}.") from None


def read_span(untrusted_from: str, untrusted_to: str) -> tuple[datetime, datetime]:
    """Return a stretch of time, its end not included, from two times or days as ``read_filters`` takes them.

    Raises ``BadRequest``.
    """
    since, until = _time(untrusted_from.strip(), "from"), _end(untrusted_to.strip(), "to")
    if until <= since:
        raise BadRequest("to must be later than from.")
    return since, until


def _end(untrusted_time: str, what: str) -> datetime:
    at = _time(untrusted_time, what)
    return at + timedelta(days=1) if _DAY_ALONE.fullmatch(untrusted_time) else at


def _time(untrusted_time: str, what: str) -> datetime:
    try:
        at = datetime.fromisoformat(untrusted_time)
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest(f"{what} must be a time like 2026-11-22T09:30Z or a day like 2026-11-22.") from None
    if not _FIRST_MOMENT.year <= at.year <= _LAST_YEAR:
        raise BadRequest(f"{what} must lie between the years {_FIRST_MOMENT.year} and {_LAST_YEAR}.")
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


class Way(StrEnum):
    """Which way a page goes from its cursor."""

    OLDER = "older"
    NEWER = "newer"


@dataclass(frozen=True, slots=True)
class Cursor:
    """The uploads older or newer than ``upload_id``, those nearest to it."""

    way: Way
    upload_id: str


#: Where the oldest upload is the first that is found.
OLDEST_FIRST: Final = Cursor(Way.NEWER, "")


def read_cursor(untrusted: Mapping[str, str]) -> Cursor | None:
    """Return the cursor among parameters of an address: ``older`` or ``newer`` with an upload's id.

    Raises ``BadRequest`` for both at once and for what is no id.
    """
    given = [way for way in Way if untrusted.get(way.value)]
    if not given:
        return None
    if len(given) > 1:
        raise BadRequest("Ask for older or for newer uploads, not for both.")
    return Cursor(given[0], _upload_id(untrusted[given[0].value]))


@dataclass(frozen=True, slots=True)
class Record:
    """An upload as a search shows it: what is known of it, without its segments. Its fields are those of
    ``Upload``; it cannot be moved or saved.
    """

    id: str
    account_id: str
    meeting_id: str
    name: str
    declared_type: str
    detected_type: str
    state: State
    created_at: datetime
    updated_at: datetime
    size: int | None
    sha256: str | None
    verdict: Verdict | None
    reason: str | None
    attempts: int
    grant_id: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Found uploads, newest first, and the cursors of the pages beside this one where there are any."""

    records: Sequence[Record]
    newer: Cursor | None
    older: Cursor | None
