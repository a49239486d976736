"""``ports.Credentials`` on SQLAlchemy, beside the ledger in one database."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, delete, func, insert, or_, select, update

from service.adapters import quota, rows, sql_journal
from service.adapters.database import Database, serialize
from service.adapters.schema import accounts, api_keys
from service.adapters.schema_grants import grant_keys, grants, signing_keys
from service.adapters.sql_holds import covered
from service.core.errors import BadRequest, Conflict, LedgerUnavailable, TooManyKeys
from service.core.grant import Grant
from service.core.journal import Entry
from service.ports import ApiKey, GrantKey, KnownGrant, SigningKey


class SqlCredentials:
    """Credentials in a database that ``python -m service migrate`` prepared."""

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``. Opens no connection yet."""
        self._database = Database(engine)

    def add_key(self, key: ApiKey, live_at: datetime, most_live: int, line: Entry) -> None:
        """Add a key within the limit of live ones."""
        with self._database.writing() as connection:
            serialize(connection, key.account_id)
            known = update(accounts).where(accounts.c.id == key.account_id).values(id=key.account_id)
            if connection.execute(known).rowcount == 0:
                connection.execute(insert(accounts), {"id": key.account_id, "created_at": key.created_at})
            live = select(func.count()).where(
                api_keys.c.account_id == key.account_id,
                api_keys.c.revoked_at.is_(None),
                or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > live_at),
            )
            if (connection.scalar(live) or 0) >= most_live:
                raise BadRequest(f"The account has {most_live} live keys already. Revoke one first.")
            connection.execute(insert(api_keys), rows.key_to_row(key))
            sql_journal.write(connection, [line])

    def key(self, prefix: str) -> ApiKey | None:
        """Return a key by its prefix."""
        found = self._database.read(select(api_keys).where(api_keys.c.prefix == prefix))
        return rows.row_to_key(found[0]) if found else None

    def keys(self, account_id: str | None = None) -> Sequence[ApiKey]:
        """Return keys, oldest first."""
        query = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.prefix)
        if account_id is not None:
            query = query.where(api_keys.c.account_id == account_id)
        return [rows.row_to_key(row) for row in self._database.read(query)]

    def revoke_key(self, prefix: str, at: datetime, line: Entry) -> bool:
        """Revoke a live key."""
        live = update(api_keys).where(api_keys.c.prefix == prefix, api_keys.c.revoked_at.is_(None))
        with self._database.writing() as connection:
            revoked = connection.execute(live.values(revoked_at=at)).rowcount == 1
            sql_journal.write(connection, [line] if revoked else [])
        return revoked

    def add_signing_key(self, key: SigningKey, others_until: datetime) -> None:
        """Add the next generation and let those before it run out."""
        before = signing_keys.c.generation < key.generation
        longer = or_(signing_keys.c.trusted_until.is_(None), signing_keys.c.trusted_until > others_until)
        with self._database.writing() as connection:
            connection.execute(insert(signing_keys), rows.signing_key_to_row(key))
            connection.execute(update(signing_keys).where(before, longer).values(trusted_until=others_until))

    def signing_keys(self) -> Sequence[SigningKey]:
        """Return all signing keys."""
        query = select(signing_keys).order_by(signing_keys.c.generation.desc())
        return [rows.row_to_signing_key(row) for row in self._database.read(query)]

    def add_grant_key(self, key: GrantKey, most_live: int) -> None:
        """Add an account's key within the limit of live ones."""
        live = select(func.count()).where(
            grant_keys.c.account_id == key.account_id, grant_keys.c.revoked_at.is_(None)
        )
        with self._database.writing() as connection:
            serialize(connection, key.account_id)
            connection.execute(insert(grant_keys), rows.grant_key_to_row(key))
            if (connection.scalar(live) or 0) > most_live:
                raise TooManyKeys(f"The account has {most_live} live keys already. Revoke one first.")

    def grant_key(self, key_id: str) -> GrantKey | None:
        """Return an account's key."""
        found = self._database.read(select(grant_keys).where(grant_keys.c.id == key_id))
        return rows.row_to_grant_key(found[0]) if found else None

    def grant_keys(self, account_id: str) -> Sequence[GrantKey]:
        """Return an account's keys."""
        query = select(grant_keys).where(grant_keys.c.account_id == account_id)
        found = self._database.read(query.order_by(grant_keys.c.created_at, grant_keys.c.id))
        return [rows.row_to_grant_key(row) for row in found]

    def revoke_grant_key(self, account_id: str, key_id: str, at: datetime) -> bool:
        """Revoke a live key."""
        live = update(grant_keys).where(
            grant_keys.c.account_id == account_id,
            grant_keys.c.id == key_id,
            grant_keys.c.revoked_at.is_(None),
        )
        with self._database.writing() as connection:
            return connection.execute(live.values(revoked_at=at)).rowcount == 1

    def keep_grant(self, grant: Grant, at: datetime) -> KnownGrant:
        """Store a grant that is not stored yet."""
        known = self.grant(grant.account_id, grant.id)
        if known is None:
            with suppress(Conflict), self._database.writing() as connection:
                connection.execute(insert(grants), rows.grant_to_row(grant, at))
            known = self.grant(grant.account_id, grant.id)
        if known is None:
            raise LedgerUnavailable("A grant was stored and is not there.")
        return known

    def grant(self, account_id: str, grant_id: str) -> KnownGrant | None:
        """Return a grant and how much of it is used."""
        with self._database.reading() as connection:
            found = connection.execute(select(grants).where(*_one_grant(account_id, grant_id))).mappings()
            row = found.one_or_none()
            if row is None:
                return None
            return rows.row_to_grant(row, *quota.used(connection, account_id, grant_id))

    def grants_of(self, account_id: str, person: str | None) -> Sequence[KnownGrant]:
        """Return grants, and how much of each is used."""
        query = select(grants).where(grants.c.account_id == account_id)
        if person is not None:
            query = query.where(grants.c.person == person)
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(grants.c.created_at, grants.c.id)).mappings().all()
            return [rows.row_to_grant(row, *quota.used(connection, account_id, row["id"])) for row in found]

    def prolong_grant(self, grant: Grant) -> None:
        """Note a later end."""
        earlier = grants.c.expires_at < grant.expires_at
        with self._database.writing() as connection:
            connection.execute(
                update(grants)
                .where(*_one_grant(grant.account_id, grant.id), earlier)
                .values(issued_at=grant.issued_at, expires_at=grant.expires_at)
            )

    def revoke_grant(self, account_id: str, grant_id: str, at: datetime) -> bool:
        """Revoke a live grant."""
        live = update(grants).where(*_one_grant(account_id, grant_id), grants.c.revoked_at.is_(None))
        with self._database.writing() as connection:
            return connection.execute(live.values(revoked_at=at)).rowcount == 1

    def forget_grants(self, expired_before: datetime) -> None:
        """Delete old grants."""
        old = grants.c.expires_at < expired_before
        under_hold = covered(grants.c.account_id, grants.c.meeting_id)
        with self._database.writing() as connection:
            connection.execute(delete(grants).where(old, ~under_hold))


def _one_grant(account_id: str, grant_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return grants.c.account_id == account_id, grants.c.id == grant_id
