"""`python -m service reviewers ...`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from service import reviewers, wiring
from service.core.errors import GreenroomError
from service.core.reviewer import Role
from service.stages.desk import Desk
from stack.clamd import ROOT
from tests.console.office import Office
from tests.contract.databases import migrate, sqlite_url
from tests.core.environment import LEAST


def run(desk: Desk, *arguments: str) -> int:
    """Run one command on `desk`."""
    parser = argparse.ArgumentParser()
    reviewers.add_arguments(parser, lambda: desk)
    options = parser.parse_args(arguments)
    return int(options.run(options))


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What a command printed, line by line."""
    return dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())


def test_a_reviewers_life(capsys: pytest.CaptureFixture[str]) -> None:
    """Added with a password that is printed once, changed, disabled, enabled, listed."""
    desk = Office().desk
    assert run(desk, "add", "Mara", "--role", "administrator") == 0
    printed = told(capsys)
    mara = desk.reviewers.get(printed["REVIEWER_ID"])
    assert mara
    assert (mara.name, mara.role) == (printed["REVIEWER"], Role.ADMINISTRATOR)
    assert desk.passwords.matches(mara.password_hash, printed["PASSWORD"])
    assert run(desk, "role", "mara", "reader") == 0
    assert run(desk, "disable", "mara") == 0
    assert run(desk, "list") == 0
    assert capsys.readouterr().out == f"{mara.id}  disabled  reader         mara\n"
    assert run(desk, "enable", "mara") == 0
    assert run(desk, "password", "mara") == 0
    again = desk.reviewers.named("mara")
    assert again
    assert (again.role, again.disabled_at) == (Role.READER, None)
    assert desk.passwords.matches(again.password_hash, told(capsys)["PASSWORD"])
    assert not desk.passwords.matches(again.password_hash, printed["PASSWORD"])


def test_a_password_from_standard_input_is_not_printed(tmp_path: Path) -> None:
    """In a process of its own, on a database: it is taken as it is, without its line's end."""
    url = sqlite_url(tmp_path / "ledger.db")
    migrate(url)
    environ = {**LEAST, "GREENROOM_DATABASE_URL": url, "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "service", "reviewers", "add", "jonas", "--password-stdin"]
    sent = "correct horse battery staple\nmore\n"
    done = subprocess.run(
        command, cwd=ROOT, env=environ, input=sent, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    desk = wiring.build(environ).desk
    jonas = desk.reviewers.named("jonas")
    assert jonas
    assert done.stdout == f"REVIEWER=jonas\nREVIEWER_ID={jonas.id}\n"
    assert desk.passwords.matches(jonas.password_hash, "correct horse battery staple")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "mara"], "There is a reviewer mara already."),
        (["add", "m a r a"], "A reviewer's name is"),
        (["disable", "nobody"], "There is no reviewer nobody."),
    ],
)
def test_what_cannot_be_done_is_told(arguments: list[str], words: str) -> None:
    """In one sentence, and nothing changes."""
    desk = Office().desk
    run(desk, "add", "mara")
    before = desk.reviewers.all()
    with pytest.raises(GreenroomError, match=words):
        run(desk, *arguments)
    assert desk.reviewers.all() == before
