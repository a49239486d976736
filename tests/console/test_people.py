"""The two people whom `make run` lets in, at a real console."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from service.core.reviewer import Role
from service.stages.desk import accounts
from stack import StackError, people
from stack.clamd import choose_signatures
from stack.settings import Settings
from tests.console.office import PASSWORD, hire
from tests.console.site import Site


def settings_of(site: Site, folder: Path) -> Settings:
    """A state folder beside a console that runs already."""
    port = urlsplit(site.url).port
    assert port
    return Settings(folder, 0, 0, choose_signatures({}), "demo", console_port=port)


def test_who_is_still_let_in_stays(site: Site, tmp_path: Path) -> None:
    """Both names and passwords are kept from run to run; who is let in no more is replaced, and only they."""
    settings, environ = settings_of(site, tmp_path), site.service.environ

    def told() -> dict[str, str]:
        access = people.console_access(settings, environ)
        settings.dev_env.write_text("".join(f"{name}={value}\n" for name, value in access.items()))
        return access

    kept = hire(site.desk, Role.REVIEWER, "kept")
    settings.dev_env.write_text(f"CONSOLE_USER2={kept.name}\nCONSOLE_PASSWORD2={PASSWORD}\n")
    first = told()
    assert (first["CONSOLE_URL"], first["CONSOLE_USER2"]) == (site.url, kept.name)
    made = accounts.named(site.desk, first["CONSOLE_USER"])
    assert made.role is Role.ADMINISTRATOR
    assert told() == first
    accounts.disable(site.desk, made)
    second = told()
    assert second["CONSOLE_USER"] != first["CONSOLE_USER"]
    assert (second["CONSOLE_USER2"], second["CONSOLE_PASSWORD2"]) == (kept.name, PASSWORD)
    assert accounts.named(site.desk, made.name).disabled_at


def test_a_console_without_reviewers_is_told(site: Site, tmp_path: Path) -> None:
    """Where the command fails the run fails too, with the service's own words."""
    nowhere = {**site.service.environ, "GREENROOM_DATABASE_URL": f"sqlite:///{tmp_path / 'no' / 'ledger.db'}"}
    with pytest.raises(StackError, match="no reviewer could be made for the console: greenroom: "):
        people.console_access(settings_of(site, tmp_path), nowhere)
