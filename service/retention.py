"""The operator's command for retention: ``python -m service retention``."""

import argparse
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from rich.console import Console
from rich.progress import Progress

from service.core.account import Account
from service.core.errors import BadRequest
from service.core.representation import rfc3339
from service.core.retention import MOST_DAYS
from service.stages import accounts, retention
from service.stages.parts import Parts
from service.stages.retention import Ended


def add_arguments(parser: argparse.ArgumentParser, parts: Callable[[], Parts]) -> None:
    """Describe the command, which works on what ``parts`` gives."""
    parser.add_argument(
        "--dry-run", action="store_true", help="list what would go, when and why; erase nothing"
    )
    parser.add_argument(
        "--days", type=_days, default=0, help="with --dry-run: what will be over in so many days (default: 0)"
    )
    parser.set_defaults(run=lambda options: _retention(parts(), options))


def _days(untrusted: str) -> int:
    if not untrusted.isdecimal() or int(untrusted) > MOST_DAYS:
        raise argparse.ArgumentTypeError(f"must be days from 0 to {MOST_DAYS}")
    return int(untrusted)


def _retention(parts: Parts, options: argparse.Namespace) -> int:
    if options.dry_run:
        return _list(parts, parts.clock.now() + timedelta(days=options.days))
    if options.days:
        raise BadRequest("--days is for --dry-run: nothing is erased before its time")
    return _erase(parts)


def _list(parts: Parts, at: datetime) -> int:
    for one in _all(parts, at):
        print(_told(one))
    for account in accounts.due_for_erasure(parts, at):
        print(_told_of_account(parts, account))
    return 0


def _erase(parts: Parts) -> int:
    now = parts.clock.now()
    total = sum(not one.holds for one in _all(parts, now))
    gone = 0
    with Progress(console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task("erasing", total=total)
        for one in _all(parts, now):
            gone += retention.end(parts, one)
            progress.update(task, completed=gone)
    print(f"{gone} uploads erased")
    return 0


def _all(parts: Parts, at: datetime) -> Iterator[Ended]:
    after: str | None = ""
    while after is not None:
        found, after = retention.ended(parts, at, after)
        yield from found


def _told(one: Ended) -> str:
    upload, term = one.upload, one.term
    by = "its meeting's own" if term.by_meeting else f"of the {one.plan} plan"
    why = f"{upload.state} since {rfc3339(upload.updated_at)}: {term.days} days {by}"
    if term.since != upload.updated_at:
        why += f", from the meeting's start {rfc3339(term.since)}"
    kept = f"  KEPT by {', '.join(hold.id for hold in one.holds)}" if one.holds else ""
    return f"{upload.id}  {upload.account_id}  {upload.meeting_id}  over {rfc3339(term.until)}  {why}{kept}"


def _told_of_account(parts: Parts, account: Account) -> str:
    days = parts.policy.periods[account.plan].removed.days
    over = rfc3339(account.erase_at) if account.erase_at else ""
    removed = rfc3339(account.removed_at) if account.removed_at else ""
    return f"all of  {account.id}  over {over}  removed {removed}: {days} days of the {account.plan} plan"
