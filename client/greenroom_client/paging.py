"""Lists that come in pages."""

from collections.abc import Iterator
from typing import TypeVar

from greenroom_client.errors import UnexpectedAnswer
from greenroom_client.reading import read_list
from greenroom_client.transport import Transport

T = TypeVar("T")


def pages(
    transport: Transport, path: str, query: dict[str, str | int], kind: type[T], name: str
) -> Iterator[T]:
    """Yield every entry of the list ``name`` at ``path``, fetching a page when it is needed."""
    seen: set[str] = set()
    while True:
        page = transport.json("GET", path, query=query)
        yield from read_list(kind, page, name)
        cursor = page.get("next")
        if not cursor:
            return
        if not isinstance(cursor, str) or cursor in seen:
            raise UnexpectedAnswer("The list has no end: a page leads to itself or to one before it.")
        seen.add(cursor)
        query = {**query, "cursor": cursor}
