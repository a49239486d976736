"""The operator's command for auditors: ``python -m service evidence``."""

import argparse
import os
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from service.core.errors import ConfigurationError
from service.core.search import read_span
from service.stages.desk import Desk
from service.stages.log.evidence import Summary, write_pack
from service.verify.signature import check_checkpoint

#: Seconds between two words of progress.
_EVERY: Final = 2.0


def add_arguments(parser: argparse.ArgumentParser, desk: Callable[[], Desk]) -> None:
    """Describe the command, which works on what ``desk`` gives."""
    when = "a day, or a time like 2026-11-22T09:30Z; UTC where no zone is given"
    parser.add_argument("--from", dest="since", required=True, metavar="DATE", help=when)
    parser.add_argument(
        "--to", dest="until", required=True, metavar="DATE", help="the same; a day is included"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.zip", help="must not exist")
    parser.set_defaults(run=lambda options: _evidence(options, desk))


def _evidence(options: argparse.Namespace, desk: Callable[[], Desk]) -> int:
    since, until = read_span(options.since, options.until)
    output: Path = options.output
    if os.path.lexists(output):
        raise ConfigurationError(f"{output} exists, and is not overwritten")
    unfinished = output.with_name(f".{output.name}.{secrets.token_hex(4)}")
    try:
        with unfinished.open("xb") as file:
            office = desk()
            summary = write_pack(
                office.parts, office.archive, since, until, file, check_checkpoint, _Progress()
            )
            file.flush()
            os.fsync(file.fileno())
        # All of it or nothing is there under the name, and nothing that was there meanwhile is lost.
        os.link(unfinished, output)
    except FileExistsError:
        raise ConfigurationError(f"{output} exists, and is not overwritten") from None
    except OSError as error:
        raise ConfigurationError(f"{output} cannot be written: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return _told(output, summary)


def _told(output: Path, summary: Summary) -> int:
    print(f"{output}: {summary.lines} lines, {summary.released} releases of files")
    if not summary.uncovered and not summary.mismatches:
        print("every one follows a clean verdict or a decision of two people")
        return 0
    for problem in summary.problems:
        print(f"EXCEPTION {problem}", file=sys.stderr)
    print(
        f"greenroom: {summary.uncovered} releases ARE NOT COVERED, and in {summary.mismatches} places the"
        " table of uploads does not agree with the log; see exceptions.jsonl and uploads.jsonl in the pack",
        file=sys.stderr,
    )
    return 1


class _Progress:
    """Says now and then on standard error how far it is."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _EVERY

    def __call__(self, what: str, done: int, of: int | None) -> None:
        """Say it if it is time to."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY
            print(f"{what}: {done:,}" + (f" of {of:,}" if of else ""), file=sys.stderr)
