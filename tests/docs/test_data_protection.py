"""The page for the data-protection officer promises nothing that cannot be asked for."""

import json
import re
from pathlib import Path

import pytest

from docs.openapi import COPY
from service import cli
from service.verify import command as verify

FOLDER = Path(__file__).resolve().parents[2] / "docs"
PAGES = {name: (FOLDER / name).read_text() for name in ("data-protection.md", "exports.md", "regions.md")}
COMMANDS = sorted(
    {one for page in PAGES.values() for one in re.findall(r"python -m service ([^`#\n]+)", page)}
)


def test_commands_were_found() -> None:
    """Each promise names at least one."""
    assert len(COMMANDS) >= 10


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_there(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With the options that are named."""
    words = command.split()
    options = {word for word in words if word.startswith("--")}
    names = [word for word in words if re.fullmatch(r"[a-z-]+", word) and not word.startswith("--")]
    if options:
        names = names[: next(i for i, word in enumerate(words) if word in options)]
    # `verify` has a way of its own, past the rest of the service.
    main = verify.main if names[0] == "verify" else cli.main
    with pytest.raises(SystemExit) as ended:
        main([*names[names[0] == "verify" :], "--help"])
    assert ended.value.code == 0
    assert options <= set(re.findall(r"--[a-z-]+", capsys.readouterr().out))


def test_every_route_is_there() -> None:
    """As the OpenAPI document has it."""
    paths = json.loads(COPY.read_text())["paths"]
    found = re.findall(r"`(GET|POST|PUT|DELETE) (/[^` ]+)`", "".join(PAGES.values()))
    assert found
    for method, path in found:
        # The service's health is no part of the API.
        assert path == "/readyz" or method.lower() in paths[path], (method, path)


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    """To a page that is there, or to a heading of this one."""
    headings = {
        line.lstrip("# ").lower().replace(" ", "-")
        for line in PAGES[name].splitlines()
        if line.startswith("#")
    }
    for target in re.findall(r"\]\(([^)]+)\)", PAGES[name]):
        found = target[1:] in headings if target.startswith("#") else (FOLDER / target).is_file()
        assert found, target
