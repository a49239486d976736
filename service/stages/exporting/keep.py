"""Keep: how long exports can be had, and how they go again: their objects, and what was said of them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from service.core.errors import Conflict, StoreUnavailable
from service.core.export import REMEMBERED, Export, Phase
from service.core.journal import Act
from service.core.upload import Leftover
from service.stages.contents import store_of
from service.stages.exporting.ask import entry
from service.stages.parts import Parts
from service.stages.sweep import SETTLED_AFTER

_BATCH: Final = 50


def tidy(parts: Parts) -> None:
    """End what is over, withdraw what may not be handed out any more, delete what must go.

    One that cannot be deleted does not keep the others: ``StoreUnavailable`` is raised after all were tried.
    """
    now = parts.clock.now()
    for export in parts.exports.expired(now, _BATCH):
        _end(parts, export, Act.EXPORT_EXPIRED)
    for export in parts.exports.spoiled(_BATCH):
        withdraw(parts, export)
    _sweep(parts, parts.exports.with_leftovers(now, _BATCH))


def forget_old(parts: Parts) -> None:
    """Forget exports that are long over."""
    parts.exports.forget(parts.clock.now() - REMEMBERED)


def withdraw(parts: Parts, export: Export) -> None:
    """Let a finished export be built anew: something in it is not released any more."""
    again = replace(_emptied(export), phase=Phase.QUEUED, ready_at=None, expires_at=None, done=0, attempts=0)
    _unless_lost(parts, again, Act.EXPORT_WITHDRAWN)


def drop(parts: Parts, exports: Iterable[Export]) -> None:
    """Erase exports, with all that they have in the store.

    Nothing of them can be handed out from then on, and their rows name nobody. May be repeated. Raises
    ``StoreUnavailable`` while something is left in the store, and ``Conflict`` if one was changed meanwhile.
    """
    for export in exports:
        gone = parts.exports.save(_ended(parts, export))
        _delete(parts, gone)
        # What a process was just writing goes once more, a while later.
        swept = replace(gone, person=None, sweep_at=parts.clock.now() + SETTLED_AFTER)
        parts.exports.save(swept)


def is_dropped(export: Export) -> bool:
    """Tell whether nothing is to be dropped of an export: it is over, and what it had is deleted."""
    return export.phase is Phase.EXPIRED and (
        export.leftover is Leftover.NOTHING or export.sweep_at is not None
    )


def _end(parts: Parts, export: Export, act: Act) -> None:
    _unless_lost(parts, _ended(parts, export), act)


def _ended(parts: Parts, export: Export) -> Export:
    over = export.expires_at or parts.clock.now()
    return replace(_emptied(export), phase=Phase.EXPIRED, lease_until=None, expires_at=over)


def _emptied(export: Export) -> Export:
    """Return an export without a content, whose objects are to go."""
    bare = replace(export, segments=(), content_key=None, size=None, sha256=None)
    return replace(bare, leftover=Leftover.EVERYTHING, sweep_at=None)


def _sweep(parts: Parts, exports: Iterable[Export]) -> None:
    trouble: StoreUnavailable | None = None
    for export in exports:
        try:
            _delete(parts, export)
        except StoreUnavailable as error:
            trouble = error
        else:
            _unless_lost(parts, replace(export, leftover=Leftover.NOTHING, sweep_at=None), None)
    if trouble is not None:
        raise trouble


def _delete(parts: Parts, export: Export) -> None:
    store = store_of(parts, export.region)
    store.discard_quarantined(export.id)
    if export.leftover is Leftover.EVERYTHING:
        store.discard_released(export.id)


def _unless_lost(parts: Parts, export: Export, act: Act | None) -> None:
    try:
        parts.exports.save(export, None if act is None else entry(parts, export, act))
    except Conflict:
        return  # Another process was first.
