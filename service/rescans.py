"""The operator's command to scan released files again: ``python -m service rescan``."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, TextIO

from service.core.representation import rfc3339
from service.core.rescan import Rescan, Wanted
from service.stages.access import COMMAND
from service.stages.parts import Parts
from service.stages.recall.progress import ask, follow

#: Seconds between two looks.
_EVERY: Final = 0.5
#: Seconds between two lines where there is no terminal to draw in.
_LINE_EVERY: Final = 5.0
_WIDTH: Final = 24
_LISTED: Final = 10


def add_arguments(parser: argparse.ArgumentParser, parts: Callable[[], Parts]) -> None:
    """Describe the command, which works on what ``parts`` gives."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="scan every released file again")
    which.add_argument("--account", metavar="ID", help="scan this account's released files again")
    which.add_argument("--upload", metavar="ID", help="scan this released file again")
    which.add_argument("--status", action="store_true", help="list the newest rescans and wait for nothing")
    parser.set_defaults(run=lambda options: _rescan(parts(), options))


def _rescan(parts: Parts, options: argparse.Namespace) -> int:
    if options.status:
        return _tell(parts.rescans.newest(_LISTED), "no file was ever scanned again")
    if options.all or options.account or options.upload:
        wanted = Wanted(account_id=options.account, upload_id=options.upload, asked_by=COMMAND)
        followed: Sequence[Rescan] = [ask(parts, wanted)]
    else:
        followed = parts.rescans.under_way()
    try:
        ended = follow(parts, followed, Bar(sys.stderr, time.monotonic), lambda: time.sleep(_EVERY))
    except KeyboardInterrupt:
        print("\nThe workers go on without this command.", file=sys.stderr)
        raise
    return _tell(ended, "no rescan is under way")


def _tell(rescans: Sequence[Rescan], nothing: str) -> int:
    for one in rescans:
        print(described(one))
    if not rescans:
        print(f"greenroom: {nothing}", file=sys.stderr)
    return 0


def described(rescan: Rescan) -> str:
    """Return a rescan in one line."""
    wanted = rescan.wanted
    why = f"signatures {wanted.signature_version}" if wanted.signature_version is not None else "asked for"
    whose = wanted.upload_id or wanted.account_id or "all"
    state = "under way"
    if rescan.ended_at is not None:
        state = f"{'superseded' if rescan.superseded else 'ended'} {rfc3339(rescan.ended_at)}"
    return f"{rescan.id}  begun {rfc3339(rescan.begun_at)}  {why}  {whose}  {_figures([rescan])}  {state}"


def _figures(rescans: Sequence[Rescan]) -> str:
    done, total = (sum(getattr(one, name) for one in rescans) for name in ("done", "total"))
    blocked, held = (sum(getattr(one, name) for one in rescans) for name in ("recalled", "held"))
    return f"{done:,} of {total:,} files, {blocked:,} blocked, {held:,} held"


class Bar:
    """Draws on ``out`` how far rescans have come: over and over in a terminal, else a line now and then."""

    def __init__(self, out: TextIO, monotonic: Callable[[], float]) -> None:
        """Draw on ``out``; ``monotonic`` is a clock in seconds."""
        self._out = out
        self._monotonic = monotonic
        self._terminal = out.isatty()
        self._first: tuple[float, int] | None = None
        self._next_line = 0.0

    def __call__(self, rescans: Sequence[Rescan]) -> None:
        """Draw them as one."""
        total = sum(one.total for one in rescans)
        if total == 0:
            return
        now, done = self._monotonic(), total - sum(one.pending for one in rescans)
        self._first = self._first or (now, done)
        filled = _WIDTH * done // total
        bar = f"[{'#' * filled:.<{_WIDTH}}] {100 * done // total:3} %  {_figures(rescans)}"
        self._draw(f"{bar}  {self._left(now, done, total)}".rstrip(), now, last=done == total)

    def _left(self, now: float, done: int, total: int) -> str:
        begun, had = self._first or (now, done)
        if done == total:
            return ""
        if done == had:
            return "none yet; is a worker running?" if done == 0 else ""
        seconds = (total - done) * (now - begun) / (done - had)
        return f"about {timedelta(seconds=round(seconds))} left"

    def _draw(self, text: str, now: float, *, last: bool) -> None:
        if self._terminal:
            # Back to the line's beginning, and nothing is left of what was longer.
            print(f"\r{text}\x1b[K", end="\n" if last else "", file=self._out, flush=True)
        elif last or now >= self._next_line:
            self._next_line = now + _LINE_EVERY
            print(text, file=self._out, flush=True)
