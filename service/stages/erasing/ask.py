"""Ask: write down what is to be erased. From then on nothing but time is needed."""

import secrets
from contextlib import suppress
from dataclasses import replace

from service.core.account import OPERATOR, Standing
from service.core.caller import Caller
from service.core.erasure import ERASURE_ID, Erasure, Reach, mark_of, new_id
from service.core.errors import Conflict, NotFound, NotRemoved, UnderHold
from service.core.journal import Act, Entry
from service.core.line import OURS
from service.stages.accounts import due_for_erasure
from service.stages.log.keys import pseudonym_key
from service.stages.parts import Parts


def ask(parts: Parts, account_id: str, reach: Reach, subject: str, asked_by: str | None) -> Erasure:
    """Have ``subject`` (of an account, its id) erased, and return the erasure that does so.

    One that is under way for the same is returned as it is. Nobody is asked whether there is anything to
    erase: an erasure of nothing is done as every other. Raises ``NotFound`` for an account that is not there
    or was erased, and ``UnderHold`` if anything in the meeting or the account must stay.
    """
    account = parts.accounts.find(account_id)
    key = pseudonym_key(parts, account_id) if account and account.standing is not Standing.ERASED else None
    if key is None:
        raise NotFound("There is no such account.")
    now = parts.clock.now()
    mark = mark_of(key, reach, subject)
    erasure = Erasure(new_id(now, secrets.token_hex(10)), account_id, reach, subject, mark, asked_by, now)
    upload_id = subject if reach is Reach.UPLOAD else None
    line = Entry(now, Act.ERASURE_ASKED.value, erasure.detail(), asked_by, upload_id, account_id)
    return parts.erasures.ask(erasure, line)


def ask_for_account(
    parts: Parts, account_id: str, asked_by: str | None, *, active_too: bool = False
) -> Erasure:
    """Have an account erased, which cannot be reactivated from then on.

    Raises ``NotRemoved`` for one that is not removed, unless ``active_too``; ``NotFound``, ``UnderHold``, and
    ``Conflict`` if it was changed meanwhile.
    """
    account, now = parts.accounts.find(account_id), parts.clock.now()
    if account is None or account.standing is Standing.ERASED or account_id == OPERATOR:
        raise NotFound("There is no such account.")
    if account.standing is Standing.ACTIVE and not active_too:
        raise NotRemoved("The account is in use: remove it first, so that it is held for a while.")
    if parts.holds.within(account_id):
        raise UnderHold("Something in it is under legal hold: it cannot be erased until that is lifted.")
    if account.erase_at is None or account.erase_at > now:
        # Before anything is erased of it: who would bring it back afterwards would get half of it.
        ended = replace(account, removed_at=account.removed_at or now, erase_at=now)
        parts.accounts.change(ended, None)
    return ask(parts, account_id, Reach.ACCOUNT, account_id, asked_by)


def ask_for_ended(parts: Parts) -> None:
    """Have the accounts erased whose time after their removal is over. Raises ``PartUnavailable``."""
    for account in due_for_erasure(parts, parts.clock.now()):
        # One that is changed or put under hold at this moment is looked at again next time.
        with suppress(Conflict, NotFound, UnderHold):
            ask_for_account(parts, account.id, None)


def ask_for_erased(parts: Parts, limit: int) -> int:
    """Have forgotten what there still is of uploads that were erased alone; return how many there were.

    Whoever erases one does not wait for that, nor can forget to ask for it. Raises ``PartUnavailable``.
    """
    upload_ids = parts.erasures.unasked(limit)
    for upload_id in upload_ids:
        upload = parts.ledger.find(upload_id)
        history = parts.ledger.history(upload_id)
        if upload is not None and history:
            ask(parts, upload.account_id, Reach.UPLOAD, upload_id, _of_ours(history[-1].actor))
    return len(upload_ids)


def _of_ours(actor: str | None) -> str | None:
    """Return who erased an upload, if that is an id of ours: a grant's holder is not to be remembered."""
    return actor if actor is not None and actor.partition(":")[0] in OURS else None


def own_erasure(parts: Parts, caller: Caller, erasure_id: str) -> Erasure:
    """Return an erasure that the caller's account asked for. Raises ``NotFound``."""
    found = known_erasure(parts, erasure_id)
    if found.account_id != caller.account_id:
        raise NotFound("There is no such erasure.")
    return found


def known_erasure(parts: Parts, erasure_id: str) -> Erasure:
    """Return an erasure. Raises ``NotFound``."""
    found = parts.erasures.find(erasure_id) if ERASURE_ID.fullmatch(erasure_id) else None
    if found is None:
        raise NotFound("There is no such erasure.")
    return found
