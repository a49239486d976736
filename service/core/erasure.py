"""An erasure: what somebody asked to be erased for good, and how far it has come.

It goes on until nothing is left to do, and everything that it does may be done twice:

::

    asked -> every upload of it erased, in the ledger and in the store
          -> what else names it forgotten             what it is about still stands in its row
          -> let go: its row forgets it too, keys are destroyed
          -> the database gives up what it overwrote
          -> done: one line of the log, which is proved as every other and is its certificate
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from service.core.line import pseudonym
from service.core.representation import rfc3339
from service.core.webhook import ordered_id

#: What the ids of erasures look like.
ERASURE_ID: Final = re.compile(r"er_[0-9a-f]{32}")


class Reach(StrEnum):
    """What is erased: one upload, or all of a meeting, a person or an account."""

    UPLOAD = "upload"
    MEETING = "meeting"
    PERSON = "person"
    ACCOUNT = "account"


#: The kinds of the pseudonyms that stand for what was erased.
_KINDS: Final = {Reach.MEETING: "me", Reach.PERSON: "pe", Reach.ACCOUNT: "ac"}


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure.

    ``subject`` is the id of what is erased, as the account calls it; ``None`` once nothing else in the
    database says it. ``mark`` stands for it from then on: an upload's own id, else the pseudonym that the
    log has for it. Of an account ``account_id`` is the mark too from then on. ``asked_by`` is an actor of the
    log, ``None`` the service itself. ``uploads`` and ``size`` (bytes) count what was erased, once it is
    known. ``line`` is the row of the line that says so.
    """

    id: str
    account_id: str
    reach: Reach
    subject: str | None
    mark: str
    asked_by: str | None
    asked_at: datetime
    uploads: int | None = None
    size: int | None = None
    done_at: datetime | None = None
    line: int | None = None

    def detail(self) -> dict[str, Any]:
        """Return what lines of the log say of it."""
        counted = {"uploads": self.uploads, "bytes": self.size}
        told = {
            "erasure": self.id,
            "reach": self.reach.value,
            "mark": self.mark,
            "asked_at": rfc3339(self.asked_at),
        }
        return told | {name: value for name, value in counted.items() if value is not None}


def new_id(at: datetime, random_hex: str) -> str:
    """Return an id for an erasure, made like an upload's."""
    return ordered_id("er", at, random_hex)


def mark_of(key: bytes | None, reach: Reach, subject: str) -> str:
    """Return what stands for ``subject``; ``key`` makes the pseudonyms of its account."""
    if reach is Reach.UPLOAD:
        return subject
    mark = pseudonym(key, _KINDS[reach], subject)
    if mark is None:
        raise ValueError("an account without a key has nothing left to erase")
    return mark
