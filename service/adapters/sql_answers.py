"""``ports.Answers`` on SQLAlchemy, beside the ledger in one database."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.adapters.database import Database
from service.adapters.schema_answers import answers
from service.core.errors import IdempotencyInProgress
from service.ports import Claim, Entry, Reply


class SqlAnswers:
    """Answers in a database that ``python -m service migrate`` prepared."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``. Opens no connection yet."""
        self._database = Database(engine)

    def find(self, account_id: str, grant_id: str, key: str) -> Entry | None:
        """Return what is known of a key."""
        found = self._database.read(select(answers).where(_of(account_id, grant_id, key)))
        return _entry(found[0]) if found else None

    def claim(self, claim: Claim) -> None:
        """Take a key."""
        with self._database.writing() as connection:
            take_key(connection, claim, None)

    def settle(self, claim: Claim, reply: Reply) -> None:
        """Keep an answer."""
        answered = {"status": reply.status, "headers": dict(reply.headers), "sealed_body": reply.sealed_body}
        with self._database.writing() as connection:
            connection.execute(update(answers).where(_held(claim)).values(answered))

    def release(self, claim: Claim) -> None:
        """Forget a claim."""
        with self._database.writing() as connection:
            connection.execute(delete(answers).where(_held(claim)))

    def purge(self, made_before: datetime) -> None:
        """Forget old claims."""
        with self._database.writing() as connection:
            connection.execute(delete(answers).where(answers.c.made_at < made_before))


def take_key(connection: Connection, claim: Claim, upload_id: str | None) -> None:
    """Take a key within the caller's transaction. Raises ``IdempotencyInProgress`` if another was first.

    Transactions that take the same key wait for each other here.
    """
    row: dict[str, Any] = {
        "claim_id": claim.id,
        "fingerprint": claim.fingerprint,
        "upload_id": upload_id,
        "made_at": claim.made_at,
        "running_until": claim.running_until,
    }
    if claim.replaces is None:
        whose = {"account_id": claim.account_id, "grant_id": claim.grant_id, "key": claim.key}
        try:
            connection.execute(insert(answers), row | whose)
        except IntegrityError:
            raise IdempotencyInProgress("Another request with this Idempotency-Key was first.") from None
        return
    known = and_(_of(claim.account_id, claim.grant_id, claim.key), answers.c.claim_id == claim.replaces)
    if connection.execute(update(answers).where(known).values(row)).rowcount != 1:
        raise IdempotencyInProgress("Another request with this Idempotency-Key was first.")


def _of(account_id: str, grant_id: str, key: str) -> ColumnElement[bool]:
    return and_(answers.c.account_id == account_id, answers.c.grant_id == grant_id, answers.c.key == key)


def _held(claim: Claim) -> ColumnElement[bool]:
    return and_(_of(claim.account_id, claim.grant_id, claim.key), answers.c.claim_id == claim.id)


def _entry(row: RowMapping) -> Entry:
    claim = Claim(
        id=row["claim_id"],
        account_id=row["account_id"],
        grant_id=row["grant_id"],
        key=row["key"],
        fingerprint=row["fingerprint"],
        made_at=row["made_at"],
        running_until=row["running_until"],
    )
    reply = Reply(row["status"], row["headers"], row["sealed_body"]) if row["status"] is not None else None
    return Entry(claim, row["upload_id"], reply)
