"""Progress: somebody wants released files scanned again, and watches how far it has come."""

from collections.abc import Callable, Sequence

from service.core.errors import NotFound
from service.core.rescan import Rescan, Wanted
from service.stages.parts import Parts


def ask(parts: Parts, wanted: Wanted) -> Rescan:
    """Begin to scan again what is ``wanted``, which the workers do.

    Raises ``NotFound`` if nothing of it is released, ``LedgerUnavailable``.
    """
    begun = parts.rescans.begin(wanted, parts.clock.now())
    if begun is None:
        raise NotFound("There is no such released file to scan again.")
    return begun


def follow(
    parts: Parts,
    followed: Sequence[Rescan],
    tell: Callable[[Sequence[Rescan]], None],
    pause: Callable[[], object],
) -> Sequence[Rescan]:
    """Look at rescans until all have ended, ``tell`` how they are and ``pause`` in between; return them.

    Raises ``LedgerUnavailable``.
    """
    while True:
        found = [parts.rescans.find(one.id) for one in followed]
        now = [one for one in found if one is not None]
        tell(now)
        if all(one.ended_at is not None for one in now):
            return now
        pause()
