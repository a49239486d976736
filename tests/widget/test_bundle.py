"""What the widget's build made: how large it is, and what is not in it."""

from __future__ import annotations

import gzip
import json
import re

import pytest

from stack.clamd import ROOT

WIDGET = ROOT / "widget"
DIST = WIDGET / "dist"
LARGEST = 25_000
#: What a strict policy forbids, and what would make markup of text that strangers chose.
FORBIDDEN = {
    "eval": r"\beval\b",
    "Function": r"\bFunction\s*\(",
    "markup from text": r"\b(inner|outer)HTML\b|insertAdjacentHTML|document\.write|createContextualFragment",
    "data: addresses": r"""["'`(]data:""",
    "inline style": r"""setAttribute\(\s*["'`]style["'`]|<style|createElement\(\s*["'`]style["'`]""",
    "code from elsewhere": r"\bimport\s*\(|\bimportScripts\b|https?://(?!www\.w3\.org/)",
    "cookies": r"document\.cookie|cookieStore",
}


def test_the_widget_is_one_small_file() -> None:
    """Bar W1: at most 25 KB by gzip -9, all languages and the tus client in it; nothing else is loaded."""
    made = {path.name for path in DIST.iterdir() if path.suffix in {".js", ".css", ".json"}}
    assert made == {"greenroom-upload.js", "embed.js", "embed.css"}
    size = len(gzip.compress((DIST / "greenroom-upload.js").read_bytes(), 9))
    print(f"greenroom-upload.js: {size} bytes by gzip -9")  # noqa: T201
    assert size <= LARGEST


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_in_it_needs_a_weaker_policy(what: str) -> None:
    """Bar W2: what a strict Content-Security-Policy forbids is not even in the files."""
    for path in sorted(DIST.glob("*.js")):
        assert re.findall(f".{{0,60}}(?:{FORBIDDEN[what]}).{{0,60}}", path.read_text()) == [], path.name


def test_packages_are_locked_by_digest_and_not_by_place() -> None:
    """Exact versions, each with its digest, from whatever registry npm is told to use."""
    wanted = json.loads((WIDGET / "package.json").read_text())
    assert wanted.get("dependencies", {}) == {}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted["devDependencies"].values())
    locked = json.loads((WIDGET / "package-lock.json").read_text())["packages"]
    locked.pop("")
    assert [name for name, package in locked.items() if "resolved" in package] == []
    assert [name for name, package in locked.items() if not package["integrity"].startswith("sha512-")] == []
