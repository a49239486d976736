"""An account: whose files they are, under which plan, in which region, and whether it is still there."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

#: The region of accounts that were given none: the store that the settings name first.
HOME: Final = "home"
#: Whose the administrators' keys are. No identifier, so no account can have this name; it has no files.
OPERATOR: Final = "@operator"


class Plan(StrEnum):
    """What an account was promised."""

    TRIAL = "trial"
    PAID = "paid"


class Standing(StrEnum):
    """Whether an account is there. What is removed is only held, until it is erased."""

    ACTIVE = "active"
    REMOVED = "removed"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Account:
    """One account.

    A removed one is held until ``erase_at``. ``region`` says where its contents and keys are, for good.
    ``sealed_key`` is the key that its contents' keys and personal fields are under, sealed by the master key:
    ``None`` before it was first needed and after it was destroyed. ``version`` counts changes
    (compare-and-swap).
    """

    id: str
    created_at: datetime
    plan: Plan = Plan.PAID
    region: str = HOME
    removed_at: datetime | None = None
    erase_at: datetime | None = None
    erased_at: datetime | None = None
    sealed_key: bytes | None = None
    version: int = 1

    @property
    def standing(self) -> Standing:
        """Whether it is there."""
        if self.erased_at is not None:
            return Standing.ERASED
        return Standing.ACTIVE if self.removed_at is None else Standing.REMOVED

    def removed(self, at: datetime, held_for: timedelta) -> "Account":
        """Return it removed at ``at``, to be erased after ``held_for``."""
        return replace(self, removed_at=at, erase_at=at + held_for)

    def reactivated(self) -> "Account":
        """Return it as it was before it was removed."""
        return replace(self, removed_at=None, erase_at=None)
