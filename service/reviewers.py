"""The operator's commands for the console's people: ``python -m service reviewers ...``."""

import argparse
import sys
from collections.abc import Callable

from service.core.reviewer import Reviewer, Role
from service.stages.desk import Desk, accounts

_ROLES = ", ".join(Role)


def add_arguments(parser: argparse.ArgumentParser, desk: Callable[[], Desk]) -> None:
    """Describe the commands, which work on what ``desk`` gives."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add = _named(commands.add_parser("add", help="add a reviewer and print the password, this once"))
    add.add_argument("--role", type=Role, default=Role.REVIEWER, help=f"{_ROLES} (default: reviewer)")
    _password(add)
    add.set_defaults(run=lambda options: _add(desk(), options))
    listing = commands.add_parser("list", help="list reviewers")
    listing.set_defaults(run=lambda _: _list(desk()))
    role = _named(commands.add_parser("role", help="change what a reviewer may do"))
    role.add_argument("role", type=Role, help=_ROLES)
    role.set_defaults(run=lambda options: _change(desk(), options, accounts.set_role, options.role))
    password = _named(commands.add_parser("password", help="give a reviewer a new password and print it"))
    _password(password)
    password.set_defaults(run=lambda options: _new_password(desk(), options))
    disable = _named(commands.add_parser("disable", help="let a reviewer in no more, at once"))
    disable.set_defaults(run=lambda options: _change(desk(), options, accounts.disable))
    enable = _named(commands.add_parser("enable", help="let a disabled reviewer in again"))
    enable.set_defaults(run=lambda options: _change(desk(), options, accounts.enable))


def _named(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("name", help="what the reviewer types to sign in")
    return parser


def _password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--password-stdin", action="store_true", help="read the password, one line, from standard input"
    )


def _chosen(options: argparse.Namespace) -> str:
    return sys.stdin.readline().rstrip("\r\n") if options.password_stdin else accounts.new_password()


def _add(desk: Desk, options: argparse.Namespace) -> int:
    password = _chosen(options)
    reviewer = accounts.add(desk, options.name, options.role, password)
    _tell(reviewer, None if options.password_stdin else password)
    return 0


def _new_password(desk: Desk, options: argparse.Namespace) -> int:
    password, reviewer = _chosen(options), accounts.named(desk, options.name)
    accounts.set_password(desk, reviewer, password)
    _tell(reviewer, None if options.password_stdin else password)
    return 0


def _change(desk: Desk, options: argparse.Namespace, change: Callable[..., None], *to: Role) -> int:
    change(desk, accounts.named(desk, options.name), *to)
    return 0


def _list(desk: Desk) -> int:
    for reviewer in desk.reviewers.all():
        state = "enabled " if reviewer.disabled_at is None else "disabled"
        print(f"{reviewer.id}  {state}  {reviewer.role:13}  {reviewer.name}")
    return 0


def _tell(reviewer: Reviewer, password: str | None) -> None:
    print(f"REVIEWER={reviewer.name}\nREVIEWER_ID={reviewer.id}")
    if password is not None:
        print(f"PASSWORD={password}")
