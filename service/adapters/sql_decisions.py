"""``ports.Decisions`` and ``ports.Allowances`` on SQLAlchemy, beside the ledger in one database.

Whoever changes several rows takes them in one order: the upload's, the decision's, the allowance's.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final, assert_never

from sqlalchemy import Connection, Engine, RowMapping, and_, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from service.adapters.database import Database, serialize
from service.adapters.schema import uploads
from service.adapters.schema_decisions import allowances, decisions
from service.adapters.sql_journal import write
from service.core.decision import Allowance, Choice, Decision, Standing, Warrant, check_warrant
from service.core.errors import AllowanceEnded, AlreadyAllowed, AlreadyProposed, Conflict
from service.core.journal import Entry
from service.core.upload import Upload

#: What a proposal is, and never changes.
_PROPOSED: Final = frozenset(
    {"id", "upload_id", "choice", "days", "version", "sha256", "signature", "proposed_by"}
)


class SqlDecisions:
    """Decisions in a database that ``python -m service migrate`` prepared."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``. Opens no connection yet."""
        self._database = Database(engine)

    def propose(self, decision: Decision, entry: Entry) -> None:
        """Keep a proposal, unless another one is open."""
        with self._database.writing() as connection:
            _hold_still(connection, decision)
            earlier = and_(decisions.c.upload_id == decision.upload_id, _is(Standing.OPEN))
            lapsed = or_(
                decisions.c.expires_at <= decision.proposed_at, decisions.c.version != decision.version
            )
            ended = update(decisions).where(earlier, lapsed)
            connection.execute(ended.values(standing=Standing.LAPSED.value))
            try:
                connection.execute(insert(decisions), _to_row(decision))
            except IntegrityError:
                raise AlreadyProposed("Another proposal about this file waits for a second person.") from None
            write(connection, [entry])

    def reject(self, decision: Decision, entry: Entry) -> None:
        """Close a proposal."""
        with self._database.writing() as connection:
            _close(connection, decision)
            write(connection, [entry])

    def allow(self, decision: Decision, allowance_id: str, entry: Entry) -> Allowance:
        """Close a proposal and add to the allow-list."""
        allowance = decision.allowance(allowance_id)
        with self._database.writing() as connection:
            _hold_still(connection, decision)
            _close(connection, decision)
            serialize(connection, "allowances")
            if _excusing(connection, allowance.sha256, allowance.signature, allowance.created_at):
                raise AlreadyAllowed("The allow-list excuses this finding in this content already.")
            connection.execute(insert(allowances), asdict(allowance))
            write(connection, [entry])
        return allowance

    def find(self, decision_id: str) -> Decision | None:
        """Return a decision."""
        found = self._database.read(select(decisions).where(decisions.c.id == decision_id))
        return _decision(found[0]) if found else None

    def of_upload(self, upload_id: str) -> Sequence[Decision]:
        """Return the decisions about an upload."""
        query = select(decisions).where(decisions.c.upload_id == upload_id)
        return [_decision(row) for row in self._database.read(query.order_by(decisions.c.id.desc()))]

    def waiting(self, at: datetime, upload_ids: Sequence[str] | None, limit: int) -> Sequence[Decision]:
        """Return proposals that can still be confirmed."""
        same = and_(uploads.c.id == decisions.c.upload_id, uploads.c.version == decisions.c.version)
        query = select(decisions).join(uploads, same).where(_is(Standing.OPEN), decisions.c.expires_at > at)
        if upload_ids is not None:
            query = query.where(decisions.c.upload_id.in_(upload_ids))
        rows = self._database.read(query.order_by(decisions.c.id).limit(limit))
        return [_decision(row) for row in rows]


class SqlAllowances:
    """The allow-list in the same database."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``. Opens no connection yet."""
        self._database = Database(engine)

    def excusing(self, sha256: str, signature: str, at: datetime) -> Allowance | None:
        """Return a live allowance."""
        with self._database.reading() as connection:
            return _excusing(connection, sha256, signature, at)

    def find(self, allowance_id: str) -> Allowance | None:
        """Return an allowance."""
        found = self._database.read(select(allowances).where(allowances.c.id == allowance_id))
        return Allowance(**found[0]) if found else None

    def page(self, before: str | None, limit: int) -> Sequence[Allowance]:
        """Return a page of the allow-list."""
        query = select(allowances).order_by(allowances.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(allowances.c.id < before)
        return [Allowance(**row) for row in self._database.read(query)]

    def revoke(self, allowance_id: str, reviewer_id: str, at: datetime, entry: Entry) -> bool:
        """End an allowance. A save that relies on it comes before, or waits for this and finds it ended."""
        ended = update(allowances).where(allowances.c.id == allowance_id, allowances.c.revoked_at.is_(None))
        with self._database.writing() as connection:
            if connection.execute(ended.values(revoked_by=reviewer_id, revoked_at=at)).rowcount != 1:
                return False
            write(connection, [entry])
        return True


def use(connection: Connection, upload: Upload, warrant: Warrant | None) -> None:
    """Make sure, within the transaction that saves ``upload``, that its warrant is good and holds.

    Raises ``IllegalMove``, ``Conflict`` and ``AllowanceEnded`` (see ``ports.Ledger.save``).
    """
    check_warrant(upload, warrant)
    match warrant:
        case None:
            return
        case Decision():
            _close(connection, warrant)
        case Allowance():
            _rely_on(connection, warrant)
        case _:
            assert_never(warrant)


def _hold_still(connection: Connection, decision: Decision) -> None:
    """Lock the upload's row (SQLite: everything) if it is still the one that is decided about."""
    same = and_(uploads.c.id == decision.upload_id, uploads.c.version == decision.version)
    if connection.execute(update(uploads).where(same).values(version=decision.version)).rowcount != 1:
        raise Conflict("The upload was changed by another process.")


def _close(connection: Connection, decision: Decision) -> None:
    """Settle a proposal that is open, the very one, and not expired by the time at which it is settled."""
    same = [decisions.c[name] == value for name, value in _to_row(decision).items() if name in _PROPOSED]
    live = and_(_is(Standing.OPEN), decisions.c.expires_at > decision.settled_at)
    still = update(decisions).where(*same, live)
    settled = {
        "standing": decision.standing.value,
        "settled_by": decision.settled_by,
        "settled_at": decision.settled_at,
    }
    if connection.execute(still.values(settled)).rowcount != 1:
        raise Conflict("The proposal was settled by another process.")


def _rely_on(connection: Connection, allowance: Allowance) -> None:
    """Lock an allowance that was found good, if it is still the same: it is revoked before, which is seen
    here, or after.
    """
    same = [allowances.c[name] == value for name, value in asdict(allowance).items()]
    locked = update(allowances).where(*same).values(id=allowance.id)
    if connection.execute(locked).rowcount != 1:
        raise AllowanceEnded("The allowance was revoked or has expired.")


def _excusing(connection: Connection, sha256: str, signature: str, at: datetime) -> Allowance | None:
    query = select(allowances).where(allowances.c.sha256 == sha256, allowances.c.signature == signature)
    live = query.where(allowances.c.revoked_at.is_(None), allowances.c.expires_at > at)
    row = connection.execute(live.limit(1)).mappings().first()
    return Allowance(**row) if row else None


def _is(standing: Standing) -> Any:  # noqa: ANN401 - a condition of SQLAlchemy's
    return decisions.c.standing == standing.value


def _to_row(decision: Decision) -> dict[str, Any]:
    return asdict(decision) | {"choice": decision.choice.value, "standing": decision.standing.value}


def _decision(row: RowMapping) -> Decision:
    plain: dict[str, Any] = dict(row)
    return Decision(**plain | {"choice": Choice(plain["choice"]), "standing": Standing(plain["standing"])})
