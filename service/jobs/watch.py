"""Watch: tell the accounts when this worker's scanner stops being believed, and stays so."""

from typing import Final

from service.jobs.reconcile import scanner_doubt
from service.stages.parts import Parts
from service.stages.webhooks import tell_unready

#: Seconds of unbroken doubt before accounts are told: clamd is silent for some of them whenever it reloads
#: its signatures, and canaries that meet that fail until the next ones. Neither is news to accounts.
LASTING: Final = 120.0


class ScannerWatch:
    """Looks at the scanner each round. A scanner that was never believed yet is not one that was lost."""

    def __init__(self, parts: Parts) -> None:
        """Look with ``parts``."""
        self._parts = parts
        #: Whether the scanner was believed since accounts were told.
        self._believed = False
        self._doubted_since: float | None = None

    def look(self) -> None:
        """Tell, once, if the scanner was believed and has not been for ``LASTING`` seconds.

        Raises ``LedgerUnavailable``, and then tells at the next look.
        """
        doubt = scanner_doubt(self._parts)
        if doubt is None:
            self._believed, self._doubted_since = True, None
            return
        now = self._parts.clock.monotonic()
        if self._doubted_since is None:
            self._doubted_since = now
        if self._believed and now - self._doubted_since >= LASTING:
            tell_unready(self._parts, doubt[0])
            self._believed = False
