"""The widget as it is handed out, and the page that holds it for an iframe."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.core.errors import ConfigurationError
from service.stages.parts import Parts
from service.web.public import create_app, widget
from service.web.public.door import Door
from service.web.public.widget import DIST
from tests.web.conftest import SLOTS, assert_problem

ROOT = Path(__file__).resolve().parents[2]
HOSTS = frozenset({"https://meet.example", "http://localhost:3000"})
SCRIPT = "/widget/greenroom-upload.js"
FILES = {SCRIPT: "greenroom-upload.js", "/embed/embed.js": "embed.js", "/embed/embed.css": "embed.css"}

each_file = pytest.mark.parametrize("path", FILES)


@pytest.fixture
def client(parts: Parts) -> FlaskClient:
    """A browser at a service that two origins may frame."""
    return create_app(parts, SLOTS, embed_origins=HOSTS).test_client()


@each_file
def test_what_was_built_is_handed_out(client: FlaskClient, path: str) -> None:
    """Byte for byte, as what it is, to be asked after again soon."""
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.get_data() == (DIST / FILES[path]).read_bytes()
    assert answer.mimetype == ("text/css" if path.endswith("css") else "text/javascript")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "public, max-age=300"


@each_file
def test_it_comes_compressed_to_those_who_take_that(client: FlaskClient, path: str) -> None:
    """The same bytes in fewer, under a tag of their own, and caches are told that there are two."""
    plain, small, refused = (
        client.get(path, headers={"Accept-Encoding": coding})
        for coding in ("identity", "br, gzip", "gzip;q=0")
    )
    assert small.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.get_data()) == plain.get_data() == refused.get_data()
    assert "Content-Encoding" not in plain.headers
    assert "Content-Encoding" not in refused.headers
    assert small.headers["ETag"] != plain.headers["ETag"]
    assert {"Accept-Encoding"} == set(plain.vary) == set(small.vary)


@each_file
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_what_a_browser_has_is_not_sent_again(client: FlaskClient, path: str, coding: str) -> None:
    """304 without a body for the tag that it was given, strong or made weak on the way; else all of it."""
    accepts = {"Accept-Encoding": coding}
    tag = client.get(path, headers=accepts).headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = client.get(path, headers={**accepts, "If-None-Match": known})
        assert (answer.status_code, answer.get_data()) == (304, b"")
        assert answer.headers["ETag"] == tag
        assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert client.get(path, headers={**accepts, "If-None-Match": '"other"'}).status_code == 200


def test_pages_of_any_origin_may_load_the_widget(client: FlaskClient) -> None:
    """A module of another origin is loaded with CORS (HTML, 8.1.4.2), an isolated page asks for CORP too.
    The page for iframes is loaded by itself alone."""
    for headers in ({}, {"If-None-Match": client.get(SCRIPT).headers["ETag"]}):
        answer = client.get(SCRIPT, headers=headers)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Access-Control-Allow-Origin" not in client.get("/embed/embed.js").headers


class _Page(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def links(self) -> set[str | None]:
        return {value for _, attrs in self.found for name, value in attrs.items() if name in {"src", "href"}}


def test_the_page_runs_what_is_here_and_nothing_else(client: FlaskClient) -> None:
    """Its policy has no unsafe-* and no other origin but those that may frame it; the page keeps to it."""
    answer = client.get("/embed")
    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'none'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors http://localhost:3000 https://meet.example"
    )
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "X-Frame-Options" not in answer.headers
    page = _Page(answer.get_data(as_text=True))
    assert page.links() == set(FILES)
    for tag, attrs in page.found:
        assert "style" not in {tag, *attrs}
        assert not [name for name in attrs if name.startswith("on")]
        assert tag != "script" or attrs["src"]


def test_the_page_knows_its_hosts(client: FlaskClient) -> None:
    """Its script hears the same origins that may frame it."""
    [html] = [
        attrs for tag, attrs in _Page(client.get("/embed").get_data(as_text=True)).found if tag == "html"
    ]
    assert set((html["data-hosts"] or "").split()) == HOSTS


def test_nothing_of_the_address_gets_into_the_page(client: FlaskClient) -> None:
    """Settings in the address are for the script alone."""
    odd = "?meeting=%3Cscript%3Ealert(1)%3C/script%3E&lang=%22%3E%3Cimg%20src=x%3E&theme=dark"
    assert client.get(f"/embed{odd}").get_data() == client.get("/embed").get_data()


def test_there_is_no_page_where_nobody_may_frame_it(parts: Parts) -> None:
    """The default."""
    answer = create_app(parts, SLOTS).test_client().get("/embed")
    assert_problem(answer, 404, "not_found")


def test_settings_in_the_environment_reach_the_page(environ: dict[str, str]) -> None:
    """What GREENROOM_EMBED_ORIGINS lists may frame the page of the app that gunicorn serves."""
    ask = "from service.wsgi import app; print(app.test_client().get('/embed').headers)"
    told = subprocess.run(
        [sys.executable, "-c", ask],
        env=environ | {"GREENROOM_EMBED_ORIGINS": "https://meet.example"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert re.search(r"frame-ancestors https://meet\.example\r?$", told.stdout, re.MULTILINE)


@pytest.mark.parametrize("missing", FILES.values())
def test_a_file_that_was_not_built_is_told_at_the_start(parts: Parts, tmp_path: Path, missing: str) -> None:
    """Not when the first browser asks."""
    for name in set(FILES.values()) - {missing}:
        shutil.copy(DIST / name, tmp_path)
    with pytest.raises(ConfigurationError, match=rf"{missing} is missing.*make widget"):
        widget.blueprint(Door(parts), HOSTS, tmp_path)


def test_only_the_web_app_needs_the_build(environ: dict[str, str], tmp_path: Path) -> None:
    """Without it gunicorn's app ends with one line that says what to do; the commands work."""
    shutil.copytree(ROOT / "service", tmp_path / "service", ignore=shutil.ignore_patterns("__pycache__"))
    path = os.pathsep.join((str(tmp_path), str(ROOT / "client")))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    web = run("-c", "import service.wsgi")
    assert web.returncode == 1
    assert web.stderr.startswith("greenroom: the upload widget is not built")
    assert len(web.stderr.splitlines()) == 1
    assert run("-m", "service", "migrate").returncode == 0
