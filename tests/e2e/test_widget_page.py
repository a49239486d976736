"""What docs/widget.md tells front-end developers to write, in a browser, against the real service."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from flask import Flask, Response, session
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from greenroom_client import Client
from stack.clamd import ROOT
from stack.ports import LOOPBACK, free_port
from stack.samples import EICAR, clean_deck
from tests.e2e.serving import Service, Web

DOCS = (ROOT / "docs" / "widget.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(found[1], found[2]) for found in BLOCK.finditer(DOCS)]
SERVICE = "https://files.example"
MEETING = "town-hall"
FILES = (("welcome.pptx", clean_deck()), ("eicar.txt", EICAR))
VERDICTS = {"welcome.pptx released", "eicar.txt blocked"}
MILLISECONDS = 90_000


def block(language: str, begins: str = "") -> str:
    """The one block of a language that begins so."""
    [found] = [text for kind, text in BLOCKS if kind == language and text.startswith(begins)]
    return found


@dataclass
class Host:
    """A meeting page of its own origin. `put` what it serves; its people may all present in town-hall."""

    service: Web
    url: str
    greenroom: Client
    app: Flask
    policy: str = ""
    files: dict[str, tuple[str, str]] = field(default_factory=dict)

    def put(self, path: str, content: str, media_type: str = "text/javascript") -> None:
        """Serve `content`, in which the service's address in the docs becomes the real one."""
        self.files[path] = (content.replace(SERVICE, self.service.url), media_type)

    def page(self, body: str) -> None:
        """Serve a page with `body`."""
        self.put("/", f"<!doctype html><title>Meeting</title>{body}", "text/html")


@pytest.fixture(scope="module")
def served(service: Service, web: Web, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Web, int]]:
    """The service for the pages of one more origin, and that origin's port."""
    port = free_port()
    origin = f"http://{LOOPBACK}:{port}"
    settings = {"GREENROOM_UPLOAD_ORIGINS": origin, "GREENROOM_EMBED_ORIGINS": origin}
    folder = tmp_path_factory.mktemp("page")
    there = replace(service, environ={**service.environ, **settings}, folder=folder, children=[]).web()
    yield there, port
    there.child.stop()


@pytest.fixture
def host(served: tuple[Web, int]) -> Iterator[Host]:
    """A meeting page whose backend hands out tokens as the docs have it."""
    web, port = served
    _, key = web.service.new_key()
    app = Flask("host", static_folder=None)
    app.secret_key = os.urandom(16)
    greenroom = Client(web.url, key)
    host = Host(web, f"http://{LOOPBACK}:{port}", greenroom, app)

    @app.before_request
    def sign_in() -> None:
        session["presents"] = [MEETING]

    @app.get("/", defaults={"path": ""})
    @app.get("/<path:path>")
    def page(path: str) -> Response:
        content, media_type = host.files.get(f"/{path}", ("", "text/plain"))
        return Response(content, content_type=media_type, headers={"Content-Security-Policy": host.policy})

    with greenroom:
        names: dict[str, Callable[[Flask, Client], None]] = {}
        exec(block("python"), names)  # noqa: S102 - the docs are ours
        names["add_token_endpoint"](app, greenroom)
        server = make_server(LOOPBACK, port, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield host
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def page(host: Host, browser: Browser) -> Iterator[Page]:
    """A page of a browser."""
    with browser.new_page() as page:
        yield page


def visit(page: Page, host: Host, expected: set[str]) -> set[str]:
    """Choose both files on the host's page; return what its script said, once that was all of `expected`."""
    said: set[str] = set()
    page.on("console", lambda message: said.add(message.text))
    page.goto(host.url)
    names = [{"name": name, "mimeType": "", "buffer": content} for name, content in FILES]
    place = page.frame_locator("iframe") if "/embed.js" in host.files else page
    place.locator("greenroom-upload input[type=file]").set_input_files(names)  # type: ignore[arg-type]
    while not expected <= {re.sub(r"(\w+ \w+) .*", r"\1", one) for one in said}:
        page.wait_for_event("console", timeout=MILLISECONDS)
    return said


def test_in_plain_html(host: Host, page: Page) -> None:
    """The element, its token, its events and its texts, on a page of another origin under its policy."""
    rows = dict(re.findall(r"^\| `([\w-]+)` \| .* \| `(.*)` \|$", DOCS, re.MULTILINE))
    assert rows.keys() == {"script-src", "connect-src"}
    there = {name: f"'self' {value.replace(SERVICE, host.service.url)}" for name, value in rows.items()}
    host.policy = "; ".join(["default-src 'none'", *(f"{name} {value}" for name, value in there.items())])
    host.page(block("html"))
    host.put("/upload.js", block("js", "// upload.js") + block("js", "// messages.js"))
    said = visit(page, host, VERDICTS)
    assert not [one for one in said if "Content Security Policy" in one]
    assert page.locator("greenroom-upload").get_by_text("Drop your slides here").count() == 1


def test_in_an_iframe(host: Host, page: Page) -> None:
    """The host's script gives the token when it is asked, hears the verdicts and fits the height."""
    host.page('<div id="files"></div><script type="module" src="/embed.js"></script>')
    host.put("/embed.js", block("js", "// embed.js"))
    said = visit(page, host, VERDICTS)
    assert not [one for one in said if "Content Security Policy" in one]
    frame = page.frame_locator("iframe")
    assert frame.locator("html").get_attribute("lang") == "de"
    height = frame.locator("html").evaluate("page => page.getBoundingClientRect().height")
    page.wait_for_function("least => document.querySelector('iframe').offsetHeight >= least", arg=int(height))


UPPY = """
import { newUppy } from "./uppy.js";

addEventListener("message", async ({ data }) => {
  const token = async () => {
    const answer = await fetch("/meetings/town-hall/upload-token", { method: "POST" });
    return (await answer.json()).token;
  };
  const uppy = newUppy("https://files.example", "town-hall", token);
  for (const [name, content] of data) uppy.addFile({ name, data: new Blob([new Uint8Array(content)]) });
  const { successful, failed } = await uppy.upload();
  for (const file of successful) console.log(`${file.name} released`);
  for (const file of failed) console.log(`${file.name} blocked: ${file.error}`);
});
"""


def test_with_uppy(host: Host, page: Page, tmp_path: Path) -> None:
    """Its result counts as successful what was released, and says of the rest what to do."""
    (tmp_path / "uppy.js").write_text(block("js", "// uppy.js"))
    (tmp_path / "page.js").write_text(UPPY)
    bundle = tmp_path / "bundle.js"
    esbuild(tmp_path / "page.js", "--bundle", "--format=esm", f"--outfile={bundle}")
    host.page('<script type="module" src="/bundle.js"></script>')
    host.put("/bundle.js", bundle.read_text())
    said: set[str] = set()
    page.on("console", lambda message: said.add(message.text))
    page.goto(host.url)
    page.evaluate("files => postMessage(files)", [[name, list(content)] for name, content in FILES])
    while len({one for one in said if re.match(r"\S+ (released|blocked)", one)}) < len(FILES):
        page.wait_for_event("console", timeout=MILLISECONDS)
    assert "welcome.pptx released" in said
    [blocked] = [one for one in said if one.startswith("eicar.txt")]
    assert "malware" in blocked.lower()


def test_for_react(tmp_path: Path) -> None:
    """It is JSX."""
    (tmp_path / "upload.jsx").write_text(block("jsx"))
    esbuild(tmp_path / "upload.jsx", f"--outfile={tmp_path / 'upload.js'}")


def test_a_token_is_of_the_same_grant_until_that_has_ended(host: Host) -> None:
    """Only so can a presenter go on with an upload and ask after it; a revoked one is followed by another."""
    presenter = host.app.test_client()

    def grant() -> str:
        token = presenter.post(f"/meetings/{MEETING}/upload-token").get_json()["token"]
        told = httpx.get(
            f"{host.service.url}/v1/grant", headers={"Authorization": f"Bearer {token}"}, trust_env=False
        )
        return str(told.raise_for_status().json()["id"])

    first = grant()
    assert grant() == first
    host.greenroom.grants.revoke(first)
    second = grant()
    assert second != first
    assert grant() == second
    assert presenter.post("/meetings/another/upload-token").status_code == 403


def esbuild(*arguments: object) -> None:
    """Run esbuild where it finds the widget's packages."""
    subprocess.run(
        [
            Path(sys.executable).parent / "node",
            ROOT / "widget" / "node_modules" / "esbuild" / "bin" / "esbuild",
            *map(str, arguments),
        ],
        check=True,
        capture_output=True,
        timeout=60,
        env=os.environ | {"NODE_PATH": str(ROOT / "widget" / "node_modules")},
    )
