"""The eraser: brings what was asked to be erased to its end, apart from the work on files."""

from typing import Final

from service.jobs.rounds import SELDOM, Rounds, Step
from service.stages.erasing.ask import ask_for_ended
from service.stages.erasing.work import finish, work
from service.stages.parts import Parts

#: Seconds before it is tried again where a part was away.
_PAUSE: Final = 3.0
#: Seconds between two times that the database gives up what was forgotten, which is work for it.
_FINISH_EVERY: Final = 10.0
#: Seconds between two looks for accounts whose time is over.
_LOOK_EVERY: Final = 600.0


class Eraser(Rounds):
    """Erases for good, within seconds of being asked where everything answers."""

    def __init__(self, parts: Parts) -> None:
        """Erase from ``parts``."""
        self._parts = parts
        self._finish_due = self._look_due = 0.0
        steps = [
            Step("look for ended accounts", self._look, _PAUSE),
            Step("erase", self._work, _PAUSE),
            Step("finish erasures", self._finish, _PAUSE),
        ]
        super().__init__("eraser", steps, parts.clock, parts.log, SELDOM)

    def _look(self) -> None:
        now = self._parts.clock.monotonic()
        if now >= self._look_due:
            ask_for_ended(self._parts)
            self._look_due = now + _LOOK_EVERY

    def _work(self) -> None:
        work(self._parts)

    def _finish(self) -> None:
        now = self._parts.clock.monotonic()
        if now >= self._finish_due and finish(self._parts):
            self._finish_due = now + _FINISH_EVERY
