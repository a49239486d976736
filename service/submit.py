"""``python -m service submit``: send files, show progress, print each verdict."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from greenroom_client import (
    Client,
    ContentRefused,
    GreenroomError,
    NoVerdictYet,
    Problem,
    Retry,
    Upload,
    Verdict,
)
from service import ending
from service.core.errors import ConfigurationError

#: Seconds before a file that waits for a scanner is reported as it is.
_PATIENCE: Final = 600.0


def main(arguments: Sequence[str], program: str) -> int:
    """Run the command alone and return its exit code; errors are one line on standard error."""
    parser = argparse.ArgumentParser(prog=program, description="Send files and print their verdicts.")
    add_arguments(parser)
    return ending.run(parser.parse_args(arguments))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--meeting", default="demo", help="the meeting's id (default: demo)")
    parser.add_argument("--url", default=os.environ.get("API_URL"), help="default: $API_URL")
    parser.add_argument("--key", default=os.environ.get("API_KEY"), help="default: $API_KEY")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Send every file; return 0 only if all of them were released."""
    if not options.url or not options.key:
        raise ConfigurationError("give --url and --key, or set API_URL and API_KEY")
    try:
        client = Client(options.url, options.key, retry=Retry(attempts=3), trust_env=False)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    table = Table("file", "state", "verdict", "what now")
    released = 0
    with client:
        for path in options.files:
            state, verdict, advice = _submit(client, path, options.meeting)
            table.add_row(*(escape(word) for word in (_name(path), state, verdict, advice)))
            released += state == "released"
    Console().print(table)
    return 0 if released == len(options.files) else 1


def _submit(client: Client, path: Path, meeting: str) -> tuple[str, str, str]:
    try:
        upload = client.wait_for_verdict(_send(client, path, meeting), timeout=_PATIENCE)
    except OSError as error:
        return "failed", "-", f"the file cannot be read: {error.strerror}"
    except NoVerdictYet as error:
        upload = error.upload
    except Problem as error:
        return "refused" if isinstance(error, ContentRefused) else "failed", error.code, error.detail
    except GreenroomError as error:
        return "failed", "-", f"the service did not answer: {error}"
    return upload.state, _verdict(upload.verdict), upload.advice


def _name(path: Path) -> str:
    """Return the file's name as text that can be printed, whatever its bytes are."""
    return os.fsencode(path.name).decode(errors="replace")


def _verdict(verdict: Verdict | None) -> str:
    if verdict is None:
        return "-"
    words = [verdict.code, verdict.signature, verdict.notice]
    return " / ".join(word for word in words if word)


def _send(client: Client, path: Path, meeting: str) -> Upload:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    name = _name(path)
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task(name, total=None)

        def show(sent: int, total: int | None) -> None:
            what = f"{name}: scanning" if sent == total else name
            progress.update(task, description=what, completed=sent, total=total)

        return client.upload(path, meeting=meeting, on_progress=show)
