"""The reviewers, made by the operator and changed by the operator or by an administrator among them."""

import secrets
from dataclasses import replace
from typing import Any

from service.core.errors import BadRequest, Conflict, Forbidden, NotFound
from service.core.journal import Act, Entry
from service.core.reviewer import Reviewer, Role, acceptable_password, sign_in_name
from service.stages.desk import Desk

#: Who the log says it was: whoever may run the service's commands.
_OPERATOR = "operator:command"
#: How often a change is tried while others change the same reviewer.
_TRIES = 5


def add(desk: Desk, name: str, role: Role, password: str) -> Reviewer:
    """Add a reviewer. Raises ``BadRequest`` for an odd or taken name and for a password that may be none."""
    now = desk.parts.clock.now()
    reviewer = Reviewer(
        id=f"rv_{secrets.token_hex(8)}",
        name=sign_in_name(name),
        role=role,
        created_at=now,
        password_hash=desk.passwords.hash(acceptable_password(password)),
    )
    detail = {"reviewer": reviewer.id, "role": role.value}
    try:
        desk.reviewers.add(reviewer, Entry(now, Act.REVIEWER_ADDED.value, detail, _OPERATOR))
    except Conflict:
        raise BadRequest(f"There is a reviewer {reviewer.name} already.") from None
    return reviewer


def named(desk: Desk, name: str) -> Reviewer:
    """Return a reviewer by name. Raises ``BadRequest`` for an odd name, ``NotFound``."""
    reviewer = desk.reviewers.named(sign_in_name(name))
    if reviewer is None:
        raise NotFound(f"There is no reviewer {sign_in_name(name)}.")
    return reviewer


def found(desk: Desk, untrusted_id: str) -> Reviewer:
    """Return a reviewer by id. Raises ``NotFound``."""
    reviewer = desk.reviewers.get(untrusted_id)
    if reviewer is None:
        raise NotFound("There is no such reviewer.")
    return reviewer


def set_role(desk: Desk, reviewer: Reviewer, role: Role, by: Reviewer | None = None) -> None:
    """Give a reviewer another role, and end their sessions.

    ``by`` is the administrator who does it, ``None`` the operator. Raises ``Forbidden`` if the former is
    none at that moment, or changes themselves, or a role that a provider gives. All changes raise
    ``NotFound``, and ``Conflict`` if somebody else was faster each time.
    """
    if by is not None and role_is_given(desk, reviewer):
        raise Forbidden("Their role comes from the provider that they sign in with, at each sign-in.")
    _change(desk, reviewer.id, by, {"change": "role", "role": role.value}, role=role)


def role_is_given(desk: Desk, reviewer: Reviewer) -> bool:
    """Tell whether a provider decides about the role of a reviewer: another would not last."""
    return desk.elsewhere is not None and reviewer.subject is not None


def set_password(desk: Desk, reviewer: Reviewer, password: str) -> None:
    """Give a reviewer another password, and end their sessions. Raises ``BadRequest`` if it may be none."""
    password_hash = desk.passwords.hash(acceptable_password(password))
    _change(desk, reviewer.id, None, {"change": "password"}, password_hash=password_hash)


def disable(desk: Desk, reviewer: Reviewer, by: Reviewer | None = None) -> None:
    """Let a reviewer in no more, and end their sessions."""
    _change(desk, reviewer.id, by, {"change": "disabled"}, disabled_at=desk.parts.clock.now())


def enable(desk: Desk, reviewer: Reviewer, by: Reviewer | None = None) -> None:
    """Let a disabled reviewer in again."""
    _change(desk, reviewer.id, by, {"change": "enabled"}, disabled_at=None)


def new_password() -> str:
    """Return a random password (144 bits)."""
    return secrets.token_urlsafe(18)


def _change(
    desk: Desk,
    reviewer_id: str,
    by: Reviewer | None,
    detail: dict[str, str],
    **changes: Any,  # noqa: ANN401 - fields
) -> None:
    """Change nothing else of a reviewer, whatever else is changed meanwhile."""
    actor, told = by.actor if by else _OPERATOR, {"reviewer": reviewer_id, **detail}
    line = Entry(desk.parts.clock.now(), Act.REVIEWER_CHANGED.value, told, actor)
    for _ in range(_TRIES):
        former = found(desk, reviewer_id)
        try:
            desk.reviewers.change(former, replace(former, **changes), line, by.id if by else None)
        except Conflict:
            continue
        else:
            return
    raise Conflict("The reviewer is being changed by others. Try again.")
