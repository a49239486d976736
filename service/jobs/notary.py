"""The notary: signs checkpoints and hands them to the witnesses.

It has a thread of its own, because a witness that does not answer must hold up no line on its way.
"""

from functools import partial
from typing import Final

from service.core.journal import SignedCheckpoint
from service.jobs.rounds import Rounds, Step
from service.stages.log.checkpoint import sign_when_due
from service.stages.log.witness import compare, hand_over
from service.stages.parts import Parts

#: Seconds before a witness that failed is asked again.
_PAUSE: Final = 10.0


class Notary(Rounds):
    """Signs nothing before every witness was asked, once, what it knows.

    While one cannot be asked, or knows more than this log does, lines get their places but no signature. The
    operator mends it, or takes the witness out of the settings.
    """

    def __init__(self, parts: Parts) -> None:
        """Sign the log of ``parts``."""
        self._parts = parts
        self._compared = False
        self._last: SignedCheckpoint | None = None
        steps = [Step("compare", self._compare, _PAUSE), Step("sign", self._sign, _PAUSE)]
        steps += [
            Step(f"witness {one.name}", partial(hand_over, parts, one), _PAUSE) for one in parts.witnesses
        ]
        super().__init__("notary", steps, parts.clock, parts.log)

    def _compare(self) -> None:
        if not self._compared:
            compare(self._parts)
            self._compared = True

    def _sign(self) -> None:
        if not self._compared:
            return
        sign_when_due(self._parts, self._last)
        newest = self._parts.checkpoints.newest()
        if newest is not None and (self._last is None or newest.size > self._last.size):
            # Remembered, whoever signed it, for a database that is restored while this process runs.
            self._last = newest
