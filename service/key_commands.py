"""The operator's commands for the master key."""

import argparse
from collections.abc import Callable
from pathlib import Path

from service.core.errors import ConfigurationError


def add_arguments(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", new_key: Callable[[], str]
) -> None:
    """Add the commands to those for keys; ``new_key`` makes a master key."""
    new = commands.add_parser("new-master", help="make a master key, for GREENROOM_MASTER_KEY_FILE")
    new.add_argument("file", type=Path, help="a file that is not there yet; its owner alone may read it")
    new.set_defaults(run=lambda options: _new_master(options.file, new_key()))


def _new_master(file: Path, key: str) -> int:
    try:
        file.touch(mode=0o600, exist_ok=False)
        file.write_text(f"{key}\n")
    except FileExistsError:
        raise ConfigurationError(f"{file} is there already, and no key is ever written over") from None
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error}") from None
    return 0
