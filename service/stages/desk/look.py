"""Look: the security team searches the uploads of all accounts, and sees what is known of one."""

from collections.abc import Sequence
from typing import Any, Final

from service.core.line import pseudonym
from service.core.search import Cursor, Filters, Page, Record, Way
from service.ports import Archive
from service.stages.log.keys import SERVICE, pseudonym_key
from service.stages.parts import Parts

#: What is searched for that may tell of a person, and the kind of pseudonym that the log has for it. Anything
#: can be typed where a signature belongs, a person's name too.
_PERSONAL: Final = {"name": "na", "account": "ac", "meeting": "me", "signature": "si"}


def search(archive: Archive, filters: Filters, cursor: Cursor | None, size: int) -> Page:
    """Return a page of at most ``size`` uploads that ``filters`` let through. Raises ``LedgerUnavailable``.

    Where fewer are left on the way to the newest than fit on a page, it is the first page.
    """
    found = archive.page(filters, cursor, size + 1)
    more = len(found) > size
    if cursor is not None and cursor.way is Way.NEWER:
        if not more:
            return search(archive, filters, None, size)
        shown = found[1:]
        return Page(shown, _newer(shown), _older(shown))
    shown = found[:size]
    return Page(shown, _newer(shown) if cursor else None, _older(shown) if more else None)


def same_content(archive: Archive, upload_id: str, sha256: str, limit: int) -> Sequence[Record]:
    """Return at most ``limit`` other uploads of the content with that digest, newest first, whoever sent it.

    Raises ``LedgerUnavailable``.
    """
    found = archive.page(Filters(sha256=sha256), None, limit + 1)
    return [record for record in found if record.id != upload_id][:limit]


def logged(parts: Parts, filters: Filters) -> dict[str, Any]:
    """Return what the log says of a search: the filters' names, and each value as ``by_NAME``.

    What may tell of a person stands there as a pseudonym by a key of the service: two searches for the same
    can be told to be that, and what was searched for cannot be told. Raises ``LedgerUnavailable`` and
    ``SecretsUnreadable``.
    """
    values = filters.parameters()
    key = pseudonym_key(parts, SERVICE) if _PERSONAL.keys() & values.keys() else None
    hidden = {name: pseudonym(key, kind, values[name]) for name, kind in _PERSONAL.items() if name in values}
    said = {f"by_{name}": value for name, value in (values | hidden).items()}
    return {"filters": ",".join(values), **said}


def _newer(records: Sequence[Record]) -> Cursor | None:
    return Cursor(Way.NEWER, records[0].id) if records else None


def _older(records: Sequence[Record]) -> Cursor | None:
    return Cursor(Way.OLDER, records[-1].id) if records else None
