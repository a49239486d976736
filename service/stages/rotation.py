"""Rotation: every account's key sealed anew, by the master key that is the present one.

Contents, their keys and whatever else is under an account's key stay as they are. Each account is done for
itself, so whoever is ended in the middle is gone on with by beginning again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from service.core.account import OPERATOR
from service.core.errors import Conflict, SecretsUnreadable
from service.core.journal import Act, Entry
from service.stages.accounts import MOST_PER_PAGE
from service.stages.parts import Parts


@dataclass(slots=True)
class Rotation:
    """What was done: keys sealed anew, those that needed nothing, and whose cannot be opened."""

    sealed: int = 0
    left_alone: int = 0
    unreadable: list[str] = field(default_factory=list)


def rotate_master(parts: Parts, actor: str, tell: Callable[[int, int], None]) -> Rotation:
    """Seal every account's key with the present master key; ``tell`` hears how many of how many are done.

    When nothing is unreadable, and every process has the present key, the old one is needed no more. Raises
    ``LedgerUnavailable`` and ``KeysUnavailable``; what was done until then stays done.
    """
    accounts = list(_accounts(parts))
    done = Rotation()
    for number, account_id in enumerate(accounts):
        tell(number, len(accounts))
        _rotate(parts, account_id, done)
    tell(len(accounts), len(accounts))
    detail = {"sealed": done.sealed, "left_alone": done.left_alone, "unreadable": len(done.unreadable)}
    parts.journal.append([Entry(parts.clock.now(), Act.MASTER_KEY_ROTATED.value, detail, actor)])
    return done


def _accounts(parts: Parts) -> Iterator[str]:
    """Return the ids of all accounts, the administrators' own too."""
    yield OPERATOR
    after = ""
    while found := parts.accounts.page(after, MOST_PER_PAGE):
        yield from (account.id for account in found)
        after = found[-1].id


def _rotate(parts: Parts, account_id: str, done: Rotation) -> None:
    while True:
        account = parts.accounts.find(account_id)
        if account is None or account.sealed_key is None:
            return
        try:
            sealed = parts.cipher.resealed(account)
            if sealed is not None:
                parts.accounts.change(replace(account, sealed_key=sealed), None)
        except SecretsUnreadable:
            done.unreadable.append(account_id)
        except Conflict:
            # Somebody removed the account, or brought it back, meanwhile.
            continue
        else:
            done.sealed += sealed is not None
            done.left_alone += sealed is None
        return
