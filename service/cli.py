"""The operator's commands: ``python -m service migrate|worker|metrics|keys|accounts|holds|log|...``."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from service import (
    accounts,
    audit,
    config,
    ending,
    erasures,
    evidence,
    holds,
    key_commands,
    records,
    rescans,
    retention,
    reviewers,
    submit,
    wiring,
    wiring_observation,
)
from service.config_values import LAST_PORT
from service.core.errors import BadRequest, ConfigurationError
from service.jobs.worker import Worker
from service.stages import access, signing
from service.stages.parts import Parts
from service.verify import command as verify


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; errors are one line on standard error."""
    return ending.run(_parser().parse_args(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m service", description="Greenroom's commands.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    migrate = commands.add_parser("migrate", help="bring the database up to date")
    migrate.set_defaults(run=_migrate)
    worker = commands.add_parser("worker", help="run the background worker")
    worker.add_argument(
        "--alive", type=Path, metavar="FILE", help="touch FILE every second, for health checks"
    )
    worker.set_defaults(run=_worker)
    metrics = commands.add_parser("metrics", help="serve the metrics of all processes to Prometheus")
    metrics.add_argument("--bind", default="127.0.0.1:9464", metavar="HOST:PORT", help="default: %(default)s")
    metrics.set_defaults(run=_metrics)
    _add_keys(commands.add_parser("keys", help="API keys and the keys that sign grants"))
    accounts.add_arguments(commands.add_parser("accounts", help="make, remove, bring back accounts"), _parts)
    holds.add_arguments(commands.add_parser("holds", help="place, lift, list legal holds"), _parts)
    records.add_arguments(
        commands.add_parser("records", help="print the record of processing (Art. 30 GDPR)"),
        lambda: config.read_settings(os.environ),
        lambda settings: wiring.build_from(settings).parts,
    )
    retention.add_arguments(
        commands.add_parser("retention", help="erase what has stayed long enough"), _parts
    )
    people = commands.add_parser("reviewers", help="who may sign in to the console")
    reviewers.add_arguments(people, lambda: wiring.build(os.environ).desk)
    again = commands.add_parser("rescan", help="scan released files again, and watch how far that is")
    rescans.add_arguments(again, _parts)
    audit.add_arguments(commands.add_parser("log", help="the log, its key and its checkpoints"), _parts)
    erasures.add_arguments(commands.add_parser("erase", help="erase for good, and certify it"), _parts)
    pack = commands.add_parser("evidence", help="write an evidence pack for an auditor")
    evidence.add_arguments(pack, lambda: wiring.build(os.environ).desk)
    # ``__main__`` takes a shorter way to these; here they are listed with the others.
    verify.add_arguments(commands.add_parser("verify", help="check receipts, the log and evidence, offline"))
    submit.add_arguments(commands.add_parser("submit", help="send files and print their verdicts"))
    return parser


def _add_keys(keys: argparse.ArgumentParser) -> None:
    commands = keys.add_subparsers(required=True, metavar="COMMAND")
    create = commands.add_parser("create", help="make a key and print it, this once")
    whose = create.add_mutually_exclusive_group(required=True)
    whose.add_argument("--account", help="the account's id; made if it is new")
    whose.add_argument("--admin", action="store_true", help="an administrator's key, for all accounts")
    create.add_argument("--name", default="", help="what the key is for")
    create.add_argument("--scopes", help="comma-separated (default: all that an account's key may have)")
    create.add_argument("--days", type=int, help="days until it expires (default: never)")
    create.set_defaults(run=_create_key)
    listing = commands.add_parser("list", help="list keys, without their secrets")
    listing.add_argument("--account", help="only this account's")
    listing.set_defaults(run=_list_keys)
    rotate = commands.add_parser("rotate-signing", help="sign grants with a new key from now on")
    rotate.add_argument(
        "--drop-old", action="store_true", help="trust no grant that was signed before, as after a leak"
    )
    rotate.set_defaults(run=_rotate_signing)
    key_commands.add_arguments(commands, _parts, wiring.new_master_key)
    revoke = commands.add_parser("revoke", help="revoke a key at once")
    revoke.add_argument("prefix", help="the part before the dot")
    revoke.set_defaults(run=_revoke_key)


def _parts() -> Parts:
    return wiring.build(os.environ).parts


def _migrate(_: argparse.Namespace) -> int:
    wiring.migrate(config.read_settings(os.environ))
    return 0


def _worker(options: argparse.Namespace) -> int:
    services = wiring.build(os.environ)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    alive = options.alive.touch if options.alive else lambda: None
    background = services.queue, services.queue_worker
    Worker(services.parts, *background, stop, alive, services.rescan_rate).run()
    return 0


def _metrics(options: argparse.Namespace) -> int:
    host, _, port = options.bind.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= LAST_PORT:
        raise ConfigurationError(f"--bind must be HOST:PORT, not {options.bind!r}")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    end = wiring_observation.serve_metrics(config.read_settings(os.environ), host.strip("[]"), int(port))
    stop.wait()
    end()
    return 0


def _create_key(options: argparse.Namespace) -> int:
    lifetime = timedelta(days=options.days) if options.days is not None else None
    if options.admin:
        if options.scopes is not None:
            raise BadRequest("an administrator's key has one scope: leave --scopes out")
        print(f"KEY={access.create_admin_key(_parts(), options.name, lifetime)}")
        return 0
    scopes = access.SCOPES
    if options.scopes is not None:
        scopes = frozenset(scope.strip() for scope in options.scopes.split(",") if scope.strip())
    key = access.create_key(_parts(), options.account, options.name, scopes, lifetime)
    print(f"KEY={key}\nACCOUNT_ID={options.account}")
    return 0


def _list_keys(options: argparse.Namespace) -> int:
    parts = _parts()
    now = parts.clock.now()
    for key in parts.credentials.keys(options.account):
        state = "live" if access.is_live(key, now) else "revoked" if key.revoked_at else "expired"
        expires = key.expires_at.isoformat(timespec="seconds") if key.expires_at else "never"
        scopes = ",".join(sorted(key.scopes))
        print(f"{key.prefix}  {state:7}  {key.account_id}  expires {expires}  {scopes}  {key.label}")
    return 0


def _rotate_signing(options: argparse.Namespace) -> int:
    key = signing.rotate(_parts(), drop_old=options.drop_old)
    print(f"KEY_ID={key.id}")
    return 0


def _revoke_key(options: argparse.Namespace) -> int:
    if not access.revoke_key(_parts(), options.prefix):
        print(f"greenroom: no live key {options.prefix}", file=sys.stderr)
        return 1
    return 0
