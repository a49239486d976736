"""The statements that forget, within the caller's transaction. What becomes of what stands in ``fates``."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, insert, or_, select, update

from service.adapters.fates import FATES
from service.adapters.schema import accounts, log, uploads
from service.adapters.schema_grants import grants
from service.adapters.schema_holds import holds
from service.adapters.schema_log import pseudonym_keys
from service.adapters.schema_webhooks import webhook_events
from service.core.erasure import Erasure, Reach
from service.core.line import OURS, UNPUBLISHED
from service.core.upload import State
from service.core.webhook import EventType

#: Lines of the log that are forgotten in one transaction.
_LINES: Final = 1000


def carried(erasure: Erasure) -> ColumnElement[bool]:
    """Return what is true of uploads that the erasure is about and has not forgotten.

    A meeting's name may be given to another one, and a person comes again: what came after the erasure was
    asked for is not meant by it.
    """
    row = uploads.c
    before = and_(row.account_id == erasure.account_id, row.created_at <= erasure.asked_at)
    match erasure.reach:
        case Reach.UPLOAD:
            return and_(row.id == erasure.subject, row.erasure_id.is_(None))
        case Reach.MEETING:
            return and_(before, row.meeting_id == erasure.subject)
        case Reach.PERSON:
            return and_(before, row.person == erasure.subject)
        case Reach.ACCOUNT:
            return row.account_id == erasure.account_id


def uploads_and_theirs(connection: Connection, erasure: Erasure, upload_ids: Sequence[str]) -> None:
    """Forget what these uploads and the rows about them have."""
    if erasure.reach is Reach.ACCOUNT:
        _keep_place(connection, erasure)
    for fate in FATES:
        if fate.upload is None:
            continue
        its = fate.upload.in_(upload_ids)
        values = {**fate.emptied, **_marks(erasure, fate.marked)}
        if fate.goes_with_upload:
            connection.execute(delete(fate.table).where(its))
        elif values:
            connection.execute(update(fate.table).where(its).values(values))
    told: ColumnElement[bool] = webhook_events.c.upload_id.in_(upload_ids)
    if erasure.reach in {Reach.UPLOAD, Reach.PERSON}:
        told = and_(told, webhook_events.c.type != EventType.ERASED.value)
    connection.execute(update(webhook_events).where(told).values(body=None))
    its = uploads.c.id.in_(upload_ids)
    forgotten: dict[str, Any] = {"erasure_id": erasure.id}
    if erasure.reach is not Reach.UPLOAD:
        forgotten["grant_id"] = None
    connection.execute(update(uploads).where(its).values(forgotten))


def all_erased(connection: Connection, upload_ids: Sequence[str]) -> bool:
    """Tell whether all of these uploads are ERASED, and keep them so until the transaction ends."""
    erased = update(uploads).where(uploads.c.id.in_(upload_ids), uploads.c.state == State.ERASED.value)
    return connection.execute(erased.values(state=State.ERASED.value)).rowcount == len(set(upload_ids))


def grants_of(connection: Connection, erasure: Erasure) -> None:
    """Revoke the grants that there were for a meeting or a person, and forget whom they were for."""
    values: dict[str, Any] = {
        "revoked_at": func.coalesce(grants.c.revoked_at, erasure.asked_at),
        "person": None,
    }
    meant = grants.c.person == erasure.subject
    if erasure.reach is Reach.MEETING:
        meant = grants.c.meeting_id == erasure.subject
        values["meeting_id"] = erasure.mark
    its = and_(grants.c.account_id == erasure.account_id, grants.c.created_at <= erasure.asked_at, meant)
    connection.execute(update(grants).where(its).values(values))


def tables(connection: Connection, erasure: Erasure) -> int:
    """Delete the rows that go with a meeting or an account, and forget of lifted holds what they were on;
    return how many.
    """
    gone = 0
    for fate in FATES:
        if erasure.reach in fate.goes:
            its = fate.table.c.account_id == erasure.account_id
            if erasure.reach is Reach.MEETING:
                its = and_(its, fate.table.c.id == erasure.subject)
            gone += connection.execute(delete(fate.table).where(its)).rowcount
    if erasure.reach is Reach.MEETING:
        its = and_(holds.c.account_id == erasure.account_id, holds.c.meeting_id == erasure.subject)
        lifted = update(holds).where(its).values(meeting_id=erasure.mark, reason="")
        gone += connection.execute(lifted).rowcount
    return gone


def lines(connection: Connection, erasure: Erasure) -> int:
    """Forget what rows of the log say that their published lines do not; return how many rows were found.

    Those that wait for their place count too and are left alone: their lines are made from them.
    """
    found = connection.execute(
        select(log.c.id, log.c.position, log.c.detail).where(_telling(erasure)).limit(_LINES)
    )
    rows = found.all()
    placed = [row for row in rows if row.position is not None]
    values: dict[str, Any] = {"actor": case((_of_ours(), log.c.actor), else_=None)}
    if erasure.reach in {Reach.MEETING, Reach.ACCOUNT}:
        values["meeting_id"] = None
    if erasure.reach is Reach.ACCOUNT:
        values["account_id"] = None
    its = log.c.id.in_([row.id for row in placed])
    connection.execute(update(log).where(its).values(values))
    for row in placed:
        if row.detail.keys() & UNPUBLISHED:
            kept = {name: value for name, value in row.detail.items() if name not in UNPUBLISHED}
            connection.execute(update(log).where(log.c.id == row.id).values(detail=kept))
    return len(rows)


def _telling(erasure: Erasure) -> ColumnElement[bool]:
    """Return what is true of rows of the log that tell of what is erased more than their lines do."""
    of_uploads = log.c.upload_id.in_(select(uploads.c.id).where(uploads.c.erasure_id == erasure.id))
    unpublished = [log.c.detail[name].as_string().is_not(None) for name in UNPUBLISHED]
    words: list[ColumnElement[bool]] = [and_(log.c.actor.is_not(None), ~_of_ours()), *unpublished]
    of_none = and_(log.c.upload_id.is_(None), log.c.account_id == erasure.account_id)
    match erasure.reach:
        case Reach.UPLOAD | Reach.PERSON:
            return and_(of_uploads, or_(*words))
        case Reach.MEETING:
            named = and_(of_none, log.c.meeting_id == erasure.subject, log.c.at <= erasure.asked_at)
            return or_(and_(of_uploads, or_(log.c.meeting_id.is_not(None), *words)), named)
        case Reach.ACCOUNT:
            return or_(and_(of_uploads, or_(log.c.account_id.is_not(None), *words)), of_none)


def _of_ours() -> ColumnElement[bool]:
    return or_(*(log.c.actor.startswith(f"{kind}:", autoescape=True) for kind in sorted(OURS)))


def account(connection: Connection, erasure: Erasure) -> None:
    """Let an account's mark take its place, and destroy its keys.

    Raises ``IntegrityError`` if something belongs to it still.
    """
    _keep_place(connection, erasure)
    for fate in FATES:
        if fate.upload is None and "account_id" in fate.marked:
            its = fate.table.c.account_id == erasure.account_id
            connection.execute(update(fate.table).where(its).values(account_id=erasure.mark))
    by_id = accounts.c.id == erasure.account_id
    known = connection.execute(select(accounts).where(by_id)).mappings().one_or_none()
    if known is not None:
        kept = {name: known[name] for name in ("created_at", "plan", "region", "removed_at", "erase_at")}
        connection.execute(delete(accounts).where(by_id))
        connection.execute(
            update(accounts)
            .where(accounts.c.id == erasure.mark)
            .values(kept | {"erased_at": erasure.asked_at})
        )
    its_key = update(pseudonym_keys).where(pseudonym_keys.c.account_id == erasure.account_id)
    connection.execute(its_key.values(account_id=erasure.mark, sealed=None))


def _keep_place(connection: Connection, erasure: Erasure) -> None:
    """Make the row that an erased account's records belong to, if it is not there."""
    if connection.execute(select(accounts.c.id).where(accounts.c.id == erasure.mark)).first() is None:
        row = {"id": erasure.mark, "created_at": erasure.asked_at, "erased_at": erasure.asked_at}
        connection.execute(insert(accounts), row)


def _marks(erasure: Erasure, marked: Mapping[str, Iterable[Reach]]) -> dict[str, str]:
    return {name: erasure.mark for name, reaches in marked.items() if erasure.reach in reaches}
