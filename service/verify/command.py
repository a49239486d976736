"""``python -m service verify``, or ``python -m service.verify`` where this package is all there is.

Prints one line; ends with 0 if all is proved, 1 if something is wrong and 2 if it cannot be checked.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from service.verify.checkpoint import Checkpoint
from service.verify.invalid import Invalid
from service.verify.lines import check_lines
from service.verify.note import PublicKey, read_key, split_notes
from service.verify.proof import check_receipt
from service.verify.receipt import read_receipt
from service.verify.signature import check_checkpoint

#: Longer files are no key, receipt or list of checkpoints; a log may be as long as it likes.
_LONGEST: Final = 256 * 1024 * 1024
#: Bytes of a line with its newline. What goes on after as many is read as cut off, and not into memory.
_LONGEST_LINE: Final = 1024 * 1024


def main(arguments: Sequence[str], program: str = "python -m service.verify") -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog=program, description="Check the log's proofs, offline.")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    return int(options.run(options))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    receipt = commands.add_parser("receipt", help="check a receipt")
    receipt.add_argument("receipt", type=Path, metavar="FILE", help="the receipt")
    _ask_for_key(receipt)
    receipt.set_defaults(run=lambda options: _told(_receipt, options))
    log = commands.add_parser("log", help="check an export of the log against checkpoints that you kept")
    log.add_argument("export", type=Path, metavar="EXPORT", help="the export")
    log.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        action="append",
        required=True,
        help="one or more checkpoints; may be given several times",
    )
    _ask_for_key(log)
    log.set_defaults(run=lambda options: _told(_log, options))


def _ask_for_key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--key", type=Path, metavar="FILE", required=True, help="the log's public key, that you know to be it"
    )


def _told(check: Callable[[argparse.Namespace], str], options: argparse.Namespace) -> int:
    try:
        print(check(options))
    except Invalid as error:
        print(f"NOT VALID: {error}", file=sys.stderr)
        return 1
    except (OSError, UnicodeDecodeError) as error:
        print(f"cannot be checked: {error}", file=sys.stderr)
        return 2
    return 0


def _receipt(options: argparse.Namespace) -> str:
    proved = check_receipt(read_receipt(_read(options.receipt)), _key(options))
    line = json.dumps(proved.line, ensure_ascii=True)
    return f"valid: line {proved.index} of {proved.checkpoint.origin}: {line}"


def _log(options: argparse.Namespace) -> str:
    key = _key(options)
    checkpoints = [
        check_checkpoint(note, key) for path in options.checkpoint for note in split_notes(_read(path))
    ]
    if not checkpoints:
        raise Invalid("there is no checkpoint in the file")
    with options.export.open("rb") as export:
        count = check_lines(iter(partial(export.readline, _LONGEST_LINE), b""), checkpoints)
    return _whole(checkpoints, count)


def _whole(checkpoints: Sequence[Checkpoint], count: int) -> str:
    signed = max(one.size for one in checkpoints)
    word = "checkpoint" if len(checkpoints) == 1 else f"{len(checkpoints)} checkpoints"
    more = f"; the {count - signed} lines after them are NOT proved" if count > signed else ""
    return f"valid: {signed} lines of {checkpoints[0].origin} are those of the {word}{more}"


def _key(options: argparse.Namespace) -> PublicKey:
    return read_key(_read(options.key))


def _read(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        text = file.read(_LONGEST + 1)
    if len(text) > _LONGEST:
        raise Invalid(f"{path.name} is too long")
    return text
