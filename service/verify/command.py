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

from service.verify.certificate import check_certificate
from service.verify.checkpoint import Checkpoint
from service.verify.extracts import EXTRACTS
from service.verify.invalid import Invalid
from service.verify.lines import check_lines
from service.verify.note import PublicKey, read_key, split_notes
from service.verify.pack import Found, check_pack
from service.verify.proof import check_receipt
from service.verify.receipt import CERTIFICATE, read_receipt
from service.verify.signature import check_checkpoint

#: Longer files are no key, receipt or list of checkpoints; a log may be as long as it likes.
_LONGEST: Final = 256 * 1024 * 1024
#: Bytes of a line with its newline. What goes on after as many is read as cut off, and not into memory.
_LONGEST_LINE: Final = 1024 * 1024


class _NotCovered(Exception):
    """A pack is genuine, and tells of something that must not be."""


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
    certificate = commands.add_parser("certificate", help="check the certificate of an erasure")
    certificate.add_argument("certificate", type=Path, metavar="FILE", help="the certificate")
    _ask_for_key(certificate)
    certificate.set_defaults(run=lambda options: _told(_certificate, options))
    log = commands.add_parser("log", help="check an export of the log against checkpoints that you kept")
    log.add_argument("export", type=Path, metavar="EXPORT", help="the export")
    _ask_for_checkpoints(log, required=True)
    _ask_for_key(log)
    log.set_defaults(run=lambda options: _told(_log, options))
    evidence = commands.add_parser("evidence", help="check an evidence pack")
    evidence.add_argument("pack", type=Path, metavar="FILE", help="the pack")
    _ask_for_checkpoints(evidence, required=False)
    _ask_for_key(evidence)
    evidence.set_defaults(run=lambda options: _told(_evidence, options))


def _ask_for_key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--key", type=Path, metavar="FILE", required=True, help="the log's public key, that you know to be it"
    )


def _ask_for_checkpoints(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        action="append",
        required=required,
        default=[],
        help="checkpoints that you kept, or a witness did; may be given several times",
    )


def _told(check: Callable[[argparse.Namespace], str], options: argparse.Namespace) -> int:
    try:
        print(check(options))
    except Invalid as error:
        print(f"NOT VALID: {error}", file=sys.stderr)
        return 1
    except _NotCovered as error:
        print(error)
        return 1
    except (OSError, UnicodeDecodeError) as error:
        print(f"cannot be checked: {error}", file=sys.stderr)
        return 2
    return 0


def _receipt(options: argparse.Namespace) -> str:
    proved = check_receipt(read_receipt(_read(options.receipt)), _key(options))
    line = json.dumps(proved.line, ensure_ascii=True)
    return f"valid: line {proved.index} of {proved.checkpoint.origin}: {line}"


def _certificate(options: argparse.Namespace) -> str:
    certificate = read_receipt(_read(options.certificate), CERTIFICATE)
    proved = check_certificate(certificate, _key(options))
    line = json.dumps(proved.line, ensure_ascii=True)
    return f"valid: line {proved.index} of {proved.checkpoint.origin} says that it was erased: {line}"


def _log(options: argparse.Namespace) -> str:
    checkpoints = _kept(options, _key(options))
    if not checkpoints:
        raise Invalid("there is no checkpoint in the file")
    with options.export.open("rb") as export:
        count = check_lines(iter(partial(export.readline, _LONGEST_LINE), b""), checkpoints)
    return _whole(checkpoints, count)


def _evidence(options: argparse.Namespace) -> str:
    key = _key(options)
    with options.pack.open("rb") as pack:
        found = check_pack(pack, key, _kept(options, key))
    if found.exceptions:
        raise _NotCovered(_covered(found))
    return _covered(found)


def _covered(found: Found) -> str:
    """Return what a genuine pack says."""
    manifest = found.manifest
    word = f"the {len(EXTRACTS)} extracts are those of its {manifest.size} lines of {manifest.log}"
    said = (
        f"valid: {word}; of {found.released} releases from {manifest.span.since} to {manifest.span.until}"
        f" {found.clean} follow a clean verdict and {found.decided} a decision of two people"
    )
    if found.exceptions:
        said += f"; {found.exceptions} EXCEPTIONS, see exceptions.jsonl and uploads.jsonl in the pack"
    if found.beyond:
        said += f"; {found.beyond} of your checkpoints are over more lines than the pack has"
    return said


def _kept(options: argparse.Namespace, key: PublicKey) -> list[Checkpoint]:
    return [check_checkpoint(note, key) for path in options.checkpoint for note in split_notes(_read(path))]


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
