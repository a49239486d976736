"""The operator's commands for accounts: ``python -m service accounts ...``."""

import argparse
from collections.abc import Callable

from service.core.account import Account, Plan
from service.core.representation import rfc3339
from service.stages import accounts
from service.stages.access import COMMAND
from service.stages.parts import Parts


def add_arguments(parser: argparse.ArgumentParser, parts: Callable[[], Parts]) -> None:
    """Describe the commands, which work on what ``parts`` gives."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    create = _named(commands.add_parser("create", help="make an account"))
    create.add_argument("--plan", type=Plan, default=Plan.PAID, help=f"{' or '.join(Plan)} (default: paid)")
    create.add_argument("--region", help="where its files and keys lie, for good (default: the first one)")
    create.set_defaults(run=lambda options: _create(parts(), options))
    remove = _named(commands.add_parser("remove", help="let nobody in; erase it after its plan's time"))
    remove.set_defaults(run=lambda options: _tell(accounts.remove(parts(), options.account, COMMAND)))
    back = _named(commands.add_parser("reactivate", help="bring a removed account back"))
    back.set_defaults(run=lambda options: _tell(accounts.reactivate(parts(), options.account, COMMAND)))
    listing = commands.add_parser("list", help="list all accounts")
    listing.set_defaults(run=lambda _: _list(parts()))


def _named(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("account", help="the account's id")
    return parser


def _create(parts: Parts, options: argparse.Namespace) -> int:
    region = options.region or next(iter(parts.stores))
    return _tell(accounts.create(parts, options.account, options.plan, region, COMMAND))


def _list(parts: Parts) -> int:
    after: str | None = ""
    while after is not None:
        found, after = accounts.page(parts, after, accounts.MOST_PER_PAGE)
        for account in found:
            _tell(account)
    return 0


def _tell(account: Account) -> int:
    until = f"  erased from {rfc3339(account.erase_at)}" if account.erase_at else ""
    print(f"{account.id}  {account.standing:7}  {account.plan:5}  {account.region}{until}")
    return 0
