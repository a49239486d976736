"""How much of a grant is used: counted from the uploads made under it, so that no counter can drift.

An upload counts with its size, and with what is reserved for it while it arrives; one that was refused or
abandoned does not count, because nothing of it was kept.
"""

from sqlalchemy import ColumnElement, Connection, func, or_, select, update

from service.adapters.schema import uploads
from service.adapters.schema_grants import grants
from service.core.errors import Conflict, QuotaExceeded, Unauthenticated
from service.core.upload import State, Upload


def used(connection: Connection, account_id: str, grant_id: str) -> tuple[int, int]:
    """Return the files and bytes used of a grant."""
    size: ColumnElement[int] = func.coalesce(func.sum(func.coalesce(uploads.c.size, uploads.c.reserved)), 0)
    query = (
        select(func.count(), size)
        .where(uploads.c.account_id == account_id, uploads.c.grant_id == grant_id)
        .where(or_(uploads.c.size.is_not(None), uploads.c.state == State.RECEIVING.value))
    )
    files, total = connection.execute(query).one()
    return int(files), int(total)


def reserve(connection: Connection, upload: Upload) -> None:
    """Make sure, within the caller's transaction, that ``upload`` still fits into its grant.

    Raises ``QuotaExceeded``, and ``Unauthenticated`` if it was revoked meanwhile. Transactions for the same
    grant wait for each other here.
    """
    of_grant = (grants.c.account_id == upload.account_id, grants.c.id == upload.grant_id)
    # Writing locks the row on PostgreSQL and begins the one writing transaction on SQLite.
    if connection.execute(update(grants).where(*of_grant).values(id=upload.grant_id)).rowcount != 1:
        raise Conflict("The grant is not known any more.")
    limits = select(grants.c.max_files, grants.c.max_bytes, grants.c.revoked_at)
    most = connection.execute(limits.where(*of_grant)).one()
    if most.revoked_at is not None:
        raise Unauthenticated("The grant was revoked.")
    files, size = used(connection, upload.account_id, upload.grant_id or "")
    if files >= (most.max_files or 0):
        raise QuotaExceeded(f"The grant's {most.max_files} files are used up.")
    left = (most.max_bytes or 0) - size
    if (upload.reserved or 0) > left:
        raise QuotaExceeded(f"The grant has {left} of {most.max_bytes} bytes left, too few for this file.")
