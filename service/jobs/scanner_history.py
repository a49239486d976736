"""History: keep in the log what this worker's canaries said, and with which signatures it looked."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from service.core.errors import ScannerUnavailable
from service.core.journal import Act, Entry
from service.stages.parts import Parts

#: Seconds between two looks.
_EVERY: Final = 10.0
#: Seconds after which is said again what did not change: a log that is silent says nothing.
_AGAIN: Final = 3600.0
#: Characters of what failed, of all canaries together.
_LONGEST: Final = 2000


class ScannerHistory:
    """Looks now and then, and logs what changed since, and everything once an hour."""

    def __init__(self, parts: Parts) -> None:
        """Look with ``parts``."""
        self._parts = parts
        #: Tells this worker's lines from those of others, each of which has a scanner of its own.
        self._worker = secrets.token_hex(4)
        self._told: dict[Act, tuple[Mapping[str, Any], float]] = {}
        self._due: float | None = None

    def look(self) -> None:
        """Log what is new. Raises ``LedgerUnavailable``, and then logs it at the next look."""
        now = self._parts.clock.monotonic()
        if self._due is not None and now < self._due:
            return
        health = self._parts.gate.health
        if health is not None:
            self._tell(Act.CANARIES, {"failures": "; ".join(health.failures)[:_LONGEST]}, now)
        signatures = self._signatures()
        if signatures is not None:
            self._tell(Act.SIGNATURES, signatures, now)
        self._due = now + _EVERY

    def _signatures(self) -> Mapping[str, Any] | None:
        try:
            engine = self._parts.scanner.engine()
        except ScannerUnavailable:
            # The canaries tell of it.
            return None
        made_at = engine.signatures_made_at
        return {
            "engine": engine.version,
            "signature_version": engine.signature_version,
            "signatures_made_at": made_at.isoformat() if made_at else None,
            "protection": self._parts.protection.value,
        }

    def _tell(self, act: Act, detail: Mapping[str, Any], now: float) -> None:
        before = self._told.get(act)
        if before is None or before[0] != detail or now - before[1] >= _AGAIN:
            line = Entry(self._parts.clock.now(), act.value, {**detail, "worker": self._worker})
            self._parts.journal.append([line])
            self._told[act] = (detail, now)
