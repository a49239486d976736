"""The operator's commands for the master key."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from service.core.errors import ConfigurationError
from service.stages.access import COMMAND
from service.stages.parts import Parts
from service.stages.rotation import rotate_master


def add_arguments(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    parts: Callable[[], Parts],
    new_key: Callable[[], str],
) -> None:
    """Add the commands to those for keys, which work on what ``parts`` gives; ``new_key`` makes a master
    key.
    """
    new = commands.add_parser("new-master", help="make a master key, for GREENROOM_MASTER_KEY_FILE")
    new.add_argument("file", type=Path, help="a file that is not there yet; its owner alone may read it")
    new.set_defaults(run=lambda options: _new_master(options.file, new_key()))
    rotate = commands.add_parser(
        "rotate-master",
        help="seal every account's key with the present master key; goes on where it was ended",
    )
    rotate.set_defaults(run=lambda _: _rotate_master(parts()))


def _new_master(file: Path, key: str) -> int:
    try:
        file.touch(mode=0o600, exist_ok=False)
        file.write_text(f"{key}\n")
    except FileExistsError:
        raise ConfigurationError(f"{file} is there already, and no key is ever written over") from None
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error}") from None
    return 0


def _rotate_master(parts: Parts) -> int:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task("accounts' keys", total=None)
        done = rotate_master(
            parts, COMMAND, lambda so_far, total: progress.update(task, completed=so_far, total=total)
        )
    print(f"{done.sealed} keys were sealed anew, {done.left_alone} were under the present master key already")
    for account_id in done.unreadable:
        print(f"NOT OPENED {account_id}", file=sys.stderr)
    if done.unreadable:
        print(
            f"greenroom: {len(done.unreadable)} keys are under neither the present master key nor the one"
            " before; keep every master key there was",
            file=sys.stderr,
        )
    return 1 if done.unreadable else 0
