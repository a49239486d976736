"""How often somebody may create something."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Allowance:
    """How somebody stands: at most ``limit`` times in any ``window`` seconds, ``remaining`` of them left.

    ``reset`` is the time in seconds until the oldest one counts no more. ``granted`` is false if this time
    was one too many; it is not counted then.
    """

    granted: bool
    limit: int
    window: int
    remaining: int
    reset: float


class RateLimiter(Protocol):
    """Counts in a moving window. Safe for many threads at once; each implementation says whether several
    processes count together.
    """

    def hit(self, account_id: str, name: str) -> Allowance:
        """Count one more for the key or grant ``name`` of an account, if that is within the limit.

        Raises ``LedgerUnavailable`` where it counts in the ledger's database and that is away."""

    def purge(self) -> None:
        """Forget what counts no more, for all names. Raises as ``hit`` does."""
