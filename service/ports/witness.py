"""Where checkpoints are kept that this service cannot take back."""

from typing import Protocol


class Witness(Protocol):
    """A place outside of the database for signed checkpoints (c2sp.org/tlog-checkpoint).

    Several logs may be witnessed in one place. Safe for many threads and processes at once. All raise
    ``WitnessUnavailable``.
    """

    @property
    def name(self) -> str:
        """What tells it from the other witnesses: at most 40 characters, the same always, nothing secret."""

    def newest(self, origin: str) -> str | None:
        """Return the newest note that it keeps of the log of that name, if it tells of one."""

    def keep(self, origin: str, size: int, note: str) -> None:
        """Keep a checkpoint over ``size`` lines of the log ``origin``; it is kept for good when the call
        returned. The same one may come twice.
        """
