"""The operator's commands for erasing: ``python -m service erase ...``."""

import argparse
import json
from collections.abc import Callable

from service.core.erasure import Erasure, Reach
from service.core.errors import NotFound
from service.core.naming import UPLOAD_ID, identifier, person
from service.core.representation import rfc3339
from service.stages.erasing.ask import ask, ask_for_account, known_erasure
from service.stages.erasing.certificate import make_certificate
from service.stages.parts import Parts

_OPERATOR = "operator:command"


def add_arguments(parser: argparse.ArgumentParser, parts: Callable[[], Parts]) -> None:
    """Describe the commands, which work on what ``parts`` gives. What is asked for, the worker does."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    upload = commands.add_parser("upload", help="erase one upload for good")
    upload.add_argument("id", help="the upload's id")
    upload.set_defaults(run=lambda options: _told(_upload(parts(), options)))
    meeting = commands.add_parser("meeting", help="erase all of a meeting for good")
    _ask_whose(meeting)
    meeting.add_argument("id", help="the meeting's id")
    meeting.set_defaults(run=lambda options: _told(_meeting(parts(), options)))
    someone = commands.add_parser("person", help="erase for good what somebody sent")
    _ask_whose(someone)
    someone.add_argument("person", help="who, in the account's own words")
    someone.set_defaults(run=lambda options: _told(_person(parts(), options)))
    account = commands.add_parser("account", help="erase all of an account for good")
    account.add_argument("id", help="the account's id")
    account.add_argument(
        "--active", action="store_true", help="even if it is in use; else it must have been removed"
    )
    account.set_defaults(run=lambda options: _told(_account(parts(), options)))
    status = commands.add_parser("status", help="say how far an erasure has come")
    status.add_argument("id", help="the erasure's id")
    status.set_defaults(run=lambda options: _told(known_erasure(parts(), options.id)))
    certificate = commands.add_parser("certificate", help="print the certificate of an erasure")
    certificate.add_argument("id", help="the erasure's id")
    certificate.set_defaults(run=lambda options: _certificate(parts(), options))


def _ask_whose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--account", required=True, help="the account's id")


def _upload(parts: Parts, options: argparse.Namespace) -> Erasure:
    upload = parts.ledger.find(options.id) if UPLOAD_ID.fullmatch(options.id) else None
    if upload is None:
        raise NotFound("There is no such upload.")
    return ask(parts, upload.account_id, Reach.UPLOAD, upload.id, _OPERATOR)


def _meeting(parts: Parts, options: argparse.Namespace) -> Erasure:
    meeting = identifier(options.id, "meeting")
    return ask(parts, identifier(options.account, "account"), Reach.MEETING, meeting, _OPERATOR)


def _person(parts: Parts, options: argparse.Namespace) -> Erasure:
    who = person(options.person)
    return ask(parts, identifier(options.account, "account"), Reach.PERSON, who, _OPERATOR)


def _account(parts: Parts, options: argparse.Namespace) -> Erasure:
    return ask_for_account(parts, identifier(options.id, "account"), _OPERATOR, active_too=options.active)


def _told(erasure: Erasure) -> int:
    print(f"ERASURE_ID={erasure.id}\nMARK={erasure.mark}")
    print(f"DONE_AT={rfc3339(erasure.done_at) if erasure.done_at else ''}")
    if erasure.uploads is not None:
        print(f"UPLOADS={erasure.uploads}\nBYTES={erasure.size}")
    return 0


def _certificate(parts: Parts, options: argparse.Namespace) -> int:
    receipt = make_certificate(parts, known_erasure(parts, options.id))
    print(json.dumps(receipt.document(), indent=1))
    return 0
