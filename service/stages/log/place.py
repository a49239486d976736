"""Place: give the lines that wait their places in the tree."""

from collections.abc import Callable
from functools import cache
from typing import Final

from service.core.errors import Conflict
from service.core.line import canonical
from service.core.tree import grow
from service.stages.log.keys import pseudonym_key
from service.stages.parts import Parts
from service.verify.merkle import leaf_hash

#: Lines that get their places in one transaction; on SQLite writers wait while it is written.
_BATCH: Final = 500


def place(parts: Parts) -> int:
    """Place lines that wait, the oldest first; return how many, 0 when none waits or another was first.

    Raises ``PartUnavailable``, ``SecretsUnreadable`` if an account's key for pseudonyms cannot be opened and
    ``LogDamaged`` if the tree is not as long as the log.
    """
    size = parts.journal.size()
    waiting = parts.journal.waiting(_BATCH)
    if not waiting:
        return 0
    key_of: Callable[[str], bytes | None] = cache(lambda account_id: pseudonym_key(parts, account_id))
    texts = [
        canonical(one.entry, None if one.entry.account_id is None else key_of(one.entry.account_id))
        for one in waiting
    ]
    tiles = grow(size, [leaf_hash(text.encode()) for text in texts], parts.journal.tile)
    try:
        parts.journal.place(size, [(one.id, text) for one, text in zip(waiting, texts, strict=True)], tiles)
    except Conflict:
        return 0
    return len(waiting)
