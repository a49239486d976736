"""Accounts: made, removed, brought back, and whether one is there for those who come in its name.

What is removed is only held: nobody gets in, nothing new begins, and what is there stays as it is until it is
brought back or erased.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from service.core.account import Account, Plan, Standing
from service.core.errors import AccountExists, AccountRemoved, BadRequest, NotFound
from service.core.journal import Act, Entry
from service.core.naming import identifier
from service.stages.parts import Parts

MOST_PER_PAGE: Final = 200


def create(parts: Parts, untrusted_id: str, plan: Plan, region: str, actor: str) -> Account:
    """Make an account whose contents and keys lie in ``region``.

    Raises ``BadRequest`` for an odd id or a region that is not configured, ``AccountExists``: an id is never
    given twice, not even after its account was erased.
    """
    if region not in parts.stores:
        raise BadRequest(f"region must be one of {', '.join(sorted(parts.stores))}")
    now = parts.clock.now()
    account = Account(identifier(untrusted_id, "account"), now, plan, region)
    detail = {"plan": plan.value, "region": region}
    if not parts.accounts.add(account, Entry(now, Act.ACCOUNT_CREATED, detail, actor, account_id=account.id)):
        raise AccountExists("There is an account of that id, or one that is not erased yet.")
    return account


def find(parts: Parts, account_id: str) -> Account:
    """Return an account, whatever its standing. Raises ``NotFound``."""
    account = parts.accounts.find(account_id)
    if account is None:
        raise NotFound("There is no such account.")
    return account


def page(parts: Parts, after: str, limit: int) -> tuple[Sequence[Account], str | None]:
    """Return accounts by their ids, and where the next page begins if there is one."""
    found = parts.accounts.page(after, limit + 1)
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def remove(parts: Parts, account_id: str, actor: str) -> Account:
    """Remove an account: at once nobody gets in, and after its plan's time it is erased.

    One that is removed stays as it is. Raises ``NotFound``, ``AccountRemoved`` for one that was erased,
    ``Conflict`` if it was changed meanwhile.
    """
    account, now = _not_erased(parts, account_id), parts.clock.now()
    if account.standing is Standing.REMOVED:
        return account
    held_for = parts.policy.periods[account.plan].removed
    removed = account.removed(now, held_for)
    detail = {"plan": account.plan.value, "held_for_days": held_for.days}
    line = Entry(now, Act.ACCOUNT_REMOVED, detail, actor, account_id=account_id)
    return parts.accounts.change(removed, line)


def reactivate(parts: Parts, account_id: str, actor: str) -> Account:
    """Bring a removed account back, with all that is in it. One that is there stays as it is.

    Raises ``NotFound``, ``AccountRemoved`` for one that was erased or is to be by now, ``Conflict`` if it was
    changed meanwhile.
    """
    account, now = _not_erased(parts, account_id), parts.clock.now()
    if account.standing is Standing.ACTIVE:
        return account
    if account.erase_at is not None and account.erase_at <= now:
        raise AccountRemoved("The time in which the account could be reactivated is over.")
    line = Entry(now, Act.ACCOUNT_REACTIVATED, {}, actor, account_id=account_id)
    return parts.accounts.change(account.reactivated(), line)


def due_for_erasure(parts: Parts, at: datetime) -> Iterator[Account]:
    """Yield the removed accounts that are to be erased ``at`` then; one in which something is under hold
    waits for that. Raises ``LedgerUnavailable``.
    """
    after: str | None = ""
    while after is not None:
        found, after = page(parts, after, MOST_PER_PAGE)
        for account in found:
            if account.standing is not Standing.REMOVED or account.erase_at is None or account.erase_at > at:
                continue
            if not parts.holds.within(account.id):
                yield account


def _not_erased(parts: Parts, account_id: str) -> Account:
    account = find(parts, account_id)
    if account.standing is Standing.ERASED:
        raise AccountRemoved("The account was erased.")
    return account


def present(parts: Parts, account_id: str) -> Account:
    """Return an account that is there. Raises ``NotFound``, and ``AccountRemoved`` for one that is not."""
    account = find(parts, account_id)
    _refuse_removed(account)
    return account


def check_there(parts: Parts, account_id: str) -> None:
    """Raise ``AccountRemoved`` for an account that was removed. One that nobody made yet may be made."""
    account = parts.accounts.find(account_id)
    if account is not None:
        _refuse_removed(account)


def _refuse_removed(account: Account) -> None:
    if account.standing is not Standing.ACTIVE:
        raise AccountRemoved("The account was removed.")
