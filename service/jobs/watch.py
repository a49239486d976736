"""Watch: tell the accounts when this worker's scanner stops being believed."""

from service.jobs.reconcile import scanner_doubt
from service.stages.parts import Parts
from service.stages.webhooks import tell_unready


class ScannerWatch:
    """Looks at the scanner each round. A scanner that was never believed yet is not one that was lost."""

    def __init__(self, parts: Parts) -> None:
        """Look with ``parts``."""
        self._parts = parts
        self._believed = False

    def look(self) -> None:
        """Tell if the scanner was believed at the last look and is not now. Raises ``LedgerUnavailable``, and
        then tells at the next look.
        """
        doubt = scanner_doubt(self._parts)
        if doubt is not None and self._believed:
            tell_unready(self._parts, doubt[0])
        self._believed = doubt is None
