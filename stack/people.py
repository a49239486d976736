"""The people at the console of a `make run`: two, because no decision there is one person's alone."""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
from collections.abc import Mapping

import httpx

from stack import StackError
from stack.settings import Settings
from stack.tryout import told_before

PEOPLE = (
    ("CONSOLE_USER", "CONSOLE_PASSWORD", "administrator"),
    ("CONSOLE_USER2", "CONSOLE_PASSWORD2", "reviewer"),
)
"""The names in dev.env of each one's name and password, and the role."""
COMMAND_SECONDS = 60.0
ANSWER_SECONDS = 30.0
FORM = re.compile(r'name="csrf" value="(\w+)"')


def console_access(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    """What dev.env is to tell of the console, which must answer: its address and both people's passwords.

    Who is in dev.env stays if the console still lets them in; else somebody new is made. Raises StackError
    with the service's own words when nobody can be made.
    """
    kept = told_before(settings)
    told = {"CONSOLE_URL": settings.console_url}
    for user, password, role in PEOPLE:
        name, word = kept.get(user, ""), kept.get(password, "")
        if not name or not lets_in(settings.console_url, name, word):
            # A name of its own: the one before may have been disabled, and that is the developer's doing.
            name, word = f"{role}-{secrets.token_hex(3)}", secrets.token_urlsafe(18)
            _add(environment, name, word, role)
        told |= {user: name, password: word}
    return told


def lets_in(url: str, name: str, password: str) -> bool:
    """Whether the console signs them in; the session is nobody's, and ends by itself."""
    with httpx.Client(base_url=url, timeout=ANSWER_SECONDS, trust_env=False) as client:
        page = client.get("/sign-in")
        found = FORM.search(page.text)
        if found is None:
            raise StackError(f"the console answered {page.status_code} to who wanted to sign in")
        # By hand: the cookie is for HTTPS, and only browsers take loopback for as good.
        headers = {"Origin": url, "Cookie": page.headers["Set-Cookie"].partition(";")[0]}
        fields = {"csrf": found[1], "name": name, "password": password}
        return client.post("/sign-in", data=fields, headers=headers).status_code == httpx.codes.SEE_OTHER


def _add(environment: Mapping[str, str], name: str, password: str, role: str) -> None:
    command = [sys.executable, "-m", "service", "reviewers", "add", name, "--role", role, "--password-stdin"]
    result = subprocess.run(
        command,
        env=dict(environment),
        input=password,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    if result.returncode != 0:
        raise StackError(f"no reviewer could be made for the console: {result.stderr.strip()[-300:]}")
