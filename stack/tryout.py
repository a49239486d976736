"""The first uploads: a developer's key, a clean deck and EICAR through the public API, and the verdicts."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from rich.console import Console
from rich.table import Column, Table

from stack import StackError
from stack.samples import EICAR, clean_deck
from stack.settings import Settings
from stack.store_policy import write_private

MEETING = "make-run"
VERDICT_SECONDS = 60.0
WAIT_SECONDS = 25
KEYS_SECONDS = 60.0
FILES: tuple[tuple[str, bytes], ...] = (("welcome.pptx", clean_deck()), ("eicar.txt", EICAR))


@dataclass(frozen=True)
class Access:
    """How a developer reaches the API: its address, a key and the account that the key belongs to."""

    api_url: str
    api_key: str
    account_id: str

    def client(self) -> httpx.Client:
        """A client that presents the key; it takes no proxy or certificates from the environment."""
        headers = {"Authorization": f"Bearer {self.api_key}"}
        return httpx.Client(
            base_url=self.api_url, headers=headers, timeout=WAIT_SECONDS + 10, trust_env=False
        )


def developer_access(
    settings: Settings, environment: Mapping[str, str], console: Mapping[str, str]
) -> Access:
    """The access of the run before if its key still opens the API, else a new account's.

    Written to dev.env, and what is to be told of the `console` with it. Raises StackError with the service's
    own words when no key can be made.
    """
    access = kept_access(settings)
    if access is None:
        made = _new_key(environment)
        access = Access(settings.api_url, made["KEY"], made["ACCOUNT_ID"])
    told = {
        "API_URL": access.api_url,
        "API_KEY": access.api_key,
        "ACCOUNT_ID": access.account_id,
        "DEMO_URL": settings.demo_url,
        **console,
        "METRICS_URL": settings.metrics_url,
    }
    write_private(settings.dev_env, "".join(f"{name}={value}\n" for name, value in told.items()))
    return access


def kept_access(settings: Settings) -> Access | None:
    """The access that dev.env tells of, None where there is none or its key does not open the API.

    Raises httpx.TransportError when the API does not answer.
    """
    kept = told_before(settings)
    access = Access(settings.api_url, kept.get("API_KEY", ""), kept.get("ACCOUNT_ID", ""))
    return access if access.api_key and _opens(access) else None


def told_before(settings: Settings) -> dict[str, str]:
    """What dev.env tells, nothing where there is none."""
    return _parse(settings.dev_env.read_text()) if settings.dev_env.exists() else {}


def submit(access: Access) -> list[dict[str, Any]]:
    """Upload both files and return them as the API shows them once their verdicts are in."""
    with access.client() as client:
        return [_verdict(client, name, content) for name, content in FILES]


def show(console: Console, uploads: list[dict[str, Any]], protection: str) -> None:
    """Print the verdicts, and that demo signatures do not protect where that is so."""
    table = Table("file", "state", "verdict", Column("signature", overflow="fold"), "scan took")
    for upload in uploads:
        verdict = upload["verdict"] or {}
        state = upload["state"]
        colour = "green" if state == "released" else "red"
        table.add_row(
            upload["name"],
            f"[{colour}]{state}[/]",
            str(verdict.get("kind") or "none yet"),
            str(verdict.get("signature") or ""),
            f"{verdict['duration_seconds']:.2f} s" if verdict else "",
        )
    console.print(table)
    if protection == "demo":
        console.print("[bold yellow]demo signatures: not protection[/]")


def _verdict(client: httpx.Client, name: str, content: bytes) -> dict[str, Any]:
    answer = client.post("/v1/uploads", params={"meeting": MEETING, "name": name}, content=content)
    upload = _json(answer)
    deadline = time.monotonic() + VERDICT_SECONDS
    while answer.status_code == httpx.codes.ACCEPTED or upload["verdict"] is None:
        if time.monotonic() > deadline:
            break
        answer = client.get(f"/v1/uploads/{upload['id']}", params={"wait": WAIT_SECONDS})
        upload = _json(answer)
    return upload


def _json(answer: httpx.Response) -> dict[str, Any]:
    if not answer.is_success:
        raise StackError(f"the API answered {answer.status_code} to the first upload: {answer.text[:200]}")
    content: dict[str, Any] = answer.json()
    return content


def _opens(access: Access) -> bool:
    with access.client() as client:
        return client.get("/v1/uploads", params={"meeting": MEETING}).is_success


def _new_key(environment: Mapping[str, str]) -> dict[str, str]:
    """A key in an account of its own: an account may hold no more than two live keys, and one may be lost."""
    account = f"dev-{secrets.token_hex(4)}"
    command = [sys.executable, "-m", "service", "keys", "create", "--account", account, "--name", "make run"]
    result = subprocess.run(
        command, env=dict(environment), capture_output=True, text=True, timeout=KEYS_SECONDS, check=False
    )
    if result.returncode != 0:
        raise StackError(f"no API key could be made: {result.stderr.strip()[-300:]}")
    return _parse(result.stdout)


def _parse(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
