"""Wait until the store and clamd can be used, then become the given command.

Used in the Procfile: honcho starts everything at once, and the service's first look at its dependencies
should not be a failure that it would then report until its next look.
"""

from __future__ import annotations

import os
import sys

from stack import StackError, clamd, store
from stack.clamd import READY_SECONDS
from stack.processes import wait_until
from stack.settings import read
from stack.store_policy import load


def main(command: list[str]) -> None:
    """Become `command` once the parts that the environment describes are ready; exit 1 if they never are."""
    settings = read(os.environ)
    identities = load(settings.store_folder / "s3.json")
    socket = clamd.socket_path(settings.clamd_folder)
    endpoint = os.environ["GREENROOM_S3_ENDPOINT"]
    try:
        wait_until(
            lambda: clamd.ping(socket) and store.usable(endpoint, identities),
            READY_SECONDS,
            "the start of the store and of clamd",
        )
    except StackError as error:
        sys.exit(f"greenroom: {error}")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
