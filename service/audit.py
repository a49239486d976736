"""The operator's commands for the log: ``python -m service log ...``."""

import argparse
import sys
from collections.abc import Callable

from service.stages.log import export
from service.stages.log.keys import public_key
from service.stages.parts import Parts


def add_arguments(parser: argparse.ArgumentParser, parts: Callable[[], Parts]) -> None:
    """Describe the commands, which work on what ``parts`` gives."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    lines = commands.add_parser("export", help="print every line that has its place, as it was hashed")
    lines.set_defaults(run=lambda _: _lines(parts()))
    key = commands.add_parser("key", help="print the log's public key")
    key.set_defaults(run=lambda _: _key(parts()))
    checkpoint = commands.add_parser("checkpoint", help="print the newest checkpoint")
    checkpoint.add_argument("--all", action="store_true", help="print all of them, a blank line after each")
    checkpoint.set_defaults(run=lambda options: _checkpoint(parts(), every=options.all))


def _lines(parts: Parts) -> int:
    for text in export.lines(parts):
        _print(text + "\n")
    return 0


def _key(parts: Parts) -> int:
    _print(f"{public_key(parts)}\n")
    return 0


def _checkpoint(parts: Parts, *, every: bool) -> int:
    newest = parts.checkpoints.newest()
    if newest is None:
        print("greenroom: nothing is signed yet", file=sys.stderr)
        return 1
    if every:
        for one in export.checkpoints(parts):
            _print(one.note + "\n")
    else:
        _print(newest.note)
    return 0


def _print(text: str) -> None:
    """Print bytes: what was hashed and signed is UTF-8, whatever the terminal is."""
    sys.stdout.buffer.write(text.encode())
