"""``python -m service submit``: send files, show progress, print each verdict."""

import argparse
import base64
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from service.core.errors import ConfigurationError

_CHUNK: Final = 256 * 1024
_WAIT: Final = 30
#: Long polls before a file that waits for a scanner is reported as it is.
_MOST_ASKS: Final = 20
_ON_THE_WAY: Final = frozenset({"receiving", "quarantined", "scanning", "cleared"})


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
    table = Table("file", "state", "verdict", "what now")
    released = 0
    headers = {"Authorization": f"Bearer {options.key}"}
    timeout = httpx.Timeout(_WAIT + 30.0, connect=5.0)
    with httpx.Client(base_url=options.url, headers=headers, timeout=timeout, trust_env=False) as client:
        for path in options.files:
            state, verdict, advice = _submit(client, path, options.meeting)
            table.add_row(path.name, state, verdict, advice)
            released += state == "released"
    Console().print(table)
    return 0 if released == len(options.files) else 1


def _submit(client: httpx.Client, path: Path, meeting: str) -> tuple[str, str, str]:
    try:
        upload = _send(client, path, meeting)
        for _ in range(_MOST_ASKS):
            if upload.get("state") not in _ON_THE_WAY:
                break
            upload = client.get(f"/v1/uploads/{upload['id']}", params={"wait": _WAIT}).json()
    except OSError as error:
        return "failed", "-", f"the file cannot be read: {error.strerror}"
    except (httpx.HTTPError, ValueError) as error:
        return "failed", "-", f"the service did not answer: {type(error).__name__}"
    if "state" not in upload:
        return "refused", str(upload.get("code", "-")), str(upload.get("detail", ""))
    return str(upload["state"]), _verdict(upload.get("verdict")), str(upload["advice"])


def _verdict(verdict: dict[str, Any] | None) -> str:
    if verdict is None:
        return "-"
    words = [verdict["code"], verdict["signature"], verdict.get("notice")]
    return " / ".join(word for word in words if word)


def _send(client: httpx.Client, path: Path, meeting: str) -> dict[str, Any]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        answer = client.post(
            "/v1/uploads",
            params={"meeting": meeting, "name": path.name},
            content=_body(path, progress),
            headers={
                "Content-Length": str(path.stat().st_size),
                "Content-Type": "application/octet-stream",
                "Repr-Digest": f"sha-256=:{base64.b64encode(digest.digest()).decode()}:",
                "Prefer": f"wait={_WAIT}",
            },
        )
    document: dict[str, Any] = answer.json()
    return document


def _body(path: Path, progress: Progress) -> Iterator[bytes]:
    task = progress.add_task(path.name, total=path.stat().st_size)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
            progress.advance(task, len(chunk))
    progress.update(task, description=f"{path.name}: scanning")
