"""``ports.Accounts`` on SQLAlchemy."""

from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, insert, select, update

from service.adapters.database import Database
from service.adapters.schema import accounts
from service.adapters.sql_journal import write
from service.core.account import OPERATOR, Account, Plan
from service.core.errors import AccountRemoved, Conflict
from service.core.journal import Entry


class SqlAccounts:
    """The accounts in the ledger's database."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``."""
        self._database = Database(engine)

    def find(self, account_id: str) -> Account | None:
        """Return an account."""
        found = self._database.read(select(accounts).where(accounts.c.id == account_id))
        return _account(found[0]) if found else None

    def add(self, account: Account, line: Entry) -> bool:
        """Add one that is new."""
        try:
            with self._database.writing() as connection:
                connection.execute(insert(accounts), _row(account))
                write(connection, [line])
        except Conflict:
            return False
        return True

    def change(self, account: Account, line: Entry | None) -> Account:
        """Compare and swap."""
        changed = replace(account, version=account.version + 1)
        with self._database.writing() as connection:
            done = connection.execute(
                update(accounts)
                .where(accounts.c.id == account.id, accounts.c.version == account.version)
                .values(_row(changed))
            )
            if done.rowcount != 1:
                raise Conflict("The account was changed by another process.")
            if line is not None:
                write(connection, [line])
        return changed

    def keyed(self, region: str) -> Account | None:
        """Return the first by id."""
        query = select(accounts).where(accounts.c.region == region, accounts.c.sealed_key.is_not(None))
        found = self._database.read(query.order_by(accounts.c.id).limit(1))
        return _account(found[0]) if found else None

    def page(self, after: str, limit: int) -> Sequence[Account]:
        """Return accounts by id."""
        query = select(accounts).where(accounts.c.id > after, accounts.c.id != OPERATOR)
        return [_account(row) for row in self._database.read(query.order_by(accounts.c.id).limit(limit))]


def check_there(connection: Connection, account_id: str) -> None:
    """Raise ``AccountRemoved`` if an account is not there, and let it not be removed before the end of the
    caller's transaction, which wrote before: SQLite has one writer at a time.
    """
    known = select(accounts.c.removed_at).where(accounts.c.id == account_id)
    # Shared, so that an account's uploads do not wait for each other.
    if connection.scalar(known.with_for_update(read=True)) is not None:
        raise AccountRemoved("The account was removed.")


def _row(account: Account) -> dict[str, Any]:
    return asdict(account) | {"plan": account.plan.value}


def _account(row: RowMapping) -> Account:
    return Account(**{one.name: row[one.name] for one in fields(Account)} | {"plan": Plan(row["plan"])})
