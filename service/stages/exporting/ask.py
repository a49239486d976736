"""Ask: write down that an export is wanted."""

import secrets

from service.core.account import Standing
from service.core.caller import Caller
from service.core.errors import AccountRemoved, NotFound
from service.core.export import EXPORT_ID, Export, month_after
from service.core.journal import Act, Entry
from service.core.naming import person
from service.core.webhook import ordered_id
from service.stages.parts import Parts


def ask(parts: Parts, caller: Caller, account_id: str, untrusted_person: str | None) -> Export:
    """Ask for an export of the account, or of one of its people, and return it; while one of the same is on
    its way, return that.

    It is due a month later (Art. 12(3) GDPR). Administrators may ask for any account, so that one that was
    removed can be handed its data. Raises ``BadRequest``, ``NotFound`` for an account that is not the
    caller's, ``AccountRemoved`` for one that was erased.
    """
    account = parts.accounts.find(account_id) if _reaches(caller, account_id) else None
    if account is None:
        raise NotFound("There is no such account.")
    if account.standing is Standing.ERASED:
        raise AccountRemoved("The account was erased.")
    now = parts.clock.now()
    wanted = Export(
        id=ordered_id("ex", now, secrets.token_hex(10)),
        account_id=account.id,
        person=None if untrusted_person is None else person(untrusted_person),
        asked_at=now,
        asked_by=caller.actor,
        due_at=month_after(now),
        region=account.region,
    )
    return parts.exports.ask(wanted, entry(parts, wanted, Act.EXPORT_ASKED, caller.actor))


def known_export(parts: Parts, caller: Caller, export_id: str) -> Export:
    """Return an export of the caller's account, any to an administrator. Raises ``NotFound`` for any other,
    there or not.
    """
    # Databases differ in what text they take: one that no id can be is not asked for.
    export = parts.exports.find(export_id) if EXPORT_ID.fullmatch(export_id) else None
    if export is None or not _reaches(caller, export.account_id):
        raise NotFound("There is no such export.")
    return export


def _reaches(caller: Caller, account_id: str) -> bool:
    return caller.is_administrator or account_id == caller.account_id


def entry(parts: Parts, export: Export, act: Act, actor: str | None = None, **detail: str | int) -> Entry:
    """Return the line of the log about an export. It does not say whose data they are, but if they are one
    person's.
    """
    of = "account" if export.person is None else "person"
    said = {"export": export.id, "of": of, **detail}
    return Entry(parts.clock.now(), act.value, said, actor, account_id=export.account_id)
