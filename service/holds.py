"""The operator's commands for legal holds: ``python -m service holds ...``."""

import argparse
from collections.abc import Callable

from service.core.hold import Hold
from service.core.representation import rfc3339
from service.stages import holds
from service.stages.access import COMMAND
from service.stages.parts import Parts


def add_arguments(parser: argparse.ArgumentParser, parts: Callable[[], Parts]) -> None:
    """Describe the commands, which work on what ``parts`` gives."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    place = commands.add_parser("place", help="let nothing of an account, a meeting or an upload be erased")
    place.add_argument("--account", required=True, help="whose it is")
    what = place.add_mutually_exclusive_group()
    what.add_argument("--meeting", help="this meeting alone")
    what.add_argument("--upload", help="this upload alone")
    place.add_argument("--reason", required=True, help="who ordered it, and why")
    place.set_defaults(run=lambda options: _tell(holds.place(parts(), _wanted(options), COMMAND)))
    lift = commands.add_parser("lift", help="end a hold: what is due to be erased goes on")
    lift.add_argument("hold", help="the hold's id")
    lift.set_defaults(run=lambda options: _tell(holds.lift(parts(), options.hold, COMMAND)))
    listing = commands.add_parser("list", help="list holds, newest first")
    listing.add_argument("--account", help="only those in this account")
    listing.add_argument("--all", action="store_true", help="lifted ones too")
    listing.set_defaults(run=lambda options: _list(parts(), options))


def _wanted(options: argparse.Namespace) -> holds.Wanted:
    return holds.Wanted(options.account, options.reason, options.meeting, options.upload)


def _list(parts: Parts, options: argparse.Namespace) -> int:
    before: str | None = None
    while True:
        found, before = holds.page(parts, before, holds.MOST_PER_PAGE, options.account)
        for hold in found:
            if hold.is_live or options.all:
                _tell(hold)
        if before is None:
            return 0


def _tell(hold: Hold) -> int:
    what = hold.upload_id or (f"meeting {hold.meeting_id}" if hold.meeting_id else "all")
    until = f"lifted {rfc3339(hold.lifted_at)} by {hold.lifted_by}" if hold.lifted_at else "live"
    print(
        f"{hold.id}  {hold.account_id}  {what}  placed {rfc3339(hold.placed_at)} by {hold.placed_by}  {until}"
    )
    print("    " + hold.reason.replace("\n", "\n    "))
    return 0
