"""A person's visit to a page with the widget, and everything that a browser can tell of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from playwright.sync_api import Browser, ConsoleMessage, FilePayload, Frame, Locator, Request, WebError

from greenroom_client import Client
from stack.clamd import ROOT
from tests.e2e.serving import Backend
from tests.widget.hosts import STRICT, page

SECONDS = 60.0
AXE = ROOT / "widget" / "node_modules" / "axe-core" / "axe.min.js"
#: What the browser itself says of an answer that is an error or that never came: not a fault of the page.
_NETWORK = "Failed to load resource"
SETTLED = """async () => {
    const widgets = [...document.querySelectorAll("greenroom-upload")];
    const trees = [document, ...widgets.map(one => one.shadowRoot)];
    const moving = trees.flatMap(tree => tree.getAnimations());
    const ending = moving.filter(one => one.effect.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(ending.map(one => one.finished));
}"""
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
#: Of best practices some are for whole pages: a frame has no heading of its own.
_PAGE = [*_RULES, "best-practice"]

File = tuple[str, bytes]


@dataclass
class Watched:
    """What happened in the pages of one context."""

    events: list[dict[str, Any]] = field(default_factory=list)
    said: list[dict[str, str]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def note(self, _source: object, told: dict[str, Any]) -> None:
        """Keep what a page told."""
        kind = told.pop("kind")
        if kind == "csp":
            self.violations.append(json.dumps(told))
        else:
            (self.events if kind == "event" else self.said).append(told)

    def request(self, request: Request) -> None:
        """Keep a request."""
        self.requests.append(request)

    def console(self, message: ConsoleMessage) -> None:
        """Keep what a page complained of."""
        if message.type in {"error", "warning"} and not message.text.startswith(_NETWORK):
            self.complaints.append(message.text)

    def error(self, error: WebError) -> None:
        """Keep an error that nobody caught."""
        self.complaints.append(str(error.error))


class Visit:
    """A browser context whose pages are on `origin`, where the service of `backend` is found."""

    def __init__(self, browser: Browser, backend: Backend, origin: str = "", **options: Any) -> None:
        self.backend = backend
        self.origin = origin or backend.web.url
        self.client = Client(backend.web.url, backend.key)
        self.watched = Watched()
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(SECONDS * 1000)
        self.context.add_init_script(path=Path(__file__).with_name("watch.js"))
        self.context.expose_binding("watched", self.watched.note)
        self.context.on("console", self.watched.console)
        self.context.on("weberror", self.watched.error)
        self.context.on("request", self.watched.request)
        self.asked: list[dict[str, Any]] = []
        self.mint: Callable[[dict[str, Any]], str | None] = lambda _: self.grant()
        self.context.expose_binding("mint", lambda _, wanted: self._answer(wanted))
        self.page = self.context.new_page()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()
        self.client.close()

    def grant(self, **limits: Any) -> str:
        """The token of a new upload grant for the meeting."""
        token = self.client.grants.mint("upload", self.backend.meeting, **limits).token
        assert token
        return token

    def _answer(self, wanted: dict[str, Any]) -> str | None:
        self.asked.append(wanted)
        return self.mint(wanted)

    def show(self, body: str = '<greenroom-upload id="w"></greenroom-upload>', **options: str) -> Panel:
        """Open a page of the service's own origin, under the strict policy, with `body` in it."""
        address, html = f"{self.origin}/town-hall", page(body, **options)
        headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": STRICT}
        self.page.route(address, lambda route: route.fulfill(body=html, headers=headers))
        self.page.goto(address)
        # While anything is routed the browser answers preflights by itself and hands bodies around.
        self.page.unroute(address)
        return self.panel()

    def panel(self, name: str = "w", frame: Frame | None = None) -> Panel:
        """The widget with that id."""
        return Panel(self, name, frame or self.page.main_frame)

    def until(self, so: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
        """Wait until `so` is true, while the browser's news comes in."""
        deadline = time.monotonic() + seconds
        while not so():
            assert time.monotonic() < deadline, f"no {what} in {seconds:.0f} s"
            self.page.wait_for_timeout(50)

    def events(self, *names: str, widget: str = "w") -> list[dict[str, Any]]:
        """The events of a widget, those with certain names, as they came."""
        return [one for one in self.watched.events if one["widget"] == widget and one["name"] in names]

    def said(self, widget: str = "w") -> list[str]:
        """What its live regions said, an alert with "! " before it."""
        return [
            f"{'! ' if one['role'] == 'alert' else ''}{one['text']}"
            for one in self.watched.said
            if one["widget"] == widget
        ]

    def check_quiet(self) -> None:
        """Nothing was against the policy, and no page complained."""
        assert self.watched.violations == []
        assert self.watched.complaints == []

    def check_accessible(self) -> None:
        """Axe finds nothing, by day and by night."""
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            for frame in self.page.frames:
                found = axe(frame, _PAGE if frame.parent_frame is None else _RULES)
                assert not found, "\n".join([scheme, *found])
        self.page.emulate_media(color_scheme="null")


def axe(frame: Frame, rules: list[str]) -> list[str]:
    """What axe has against a frame by rules with these tags: rule, elements, why."""
    # A colour that is still changing is nobody's choice.
    frame.evaluate(SETTLED)
    if not frame.evaluate("() => Boolean(window.axe)"):
        frame.evaluate(AXE.read_text())
    options = {"runOnly": rules, "resultTypes": ["violations"], "preload": False, "iframes": False}
    found = frame.evaluate("options => axe.run(document, options)", options)
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


@dataclass(frozen=True)
class Panel:
    """One widget on a page."""

    visit: Visit
    name: str
    frame: Frame

    @property
    def element(self) -> Locator:
        """The custom element; locators look into its shadow tree."""
        return self.frame.locator(f"greenroom-upload#{self.name}" if self.name else "greenroom-upload")

    def token(self, token: str | None) -> Panel:
        """Give it a grant."""
        self.element.evaluate("(element, token) => { element.token = token }", token)
        return self

    def provider(self) -> Panel:
        """Let it ask `visit.mint` for grants."""
        self.element.evaluate("element => { element.tokenProvider = wanted => window.mint(wanted) }")
        return self

    def add(self, *files: File) -> Panel:
        """Pick files in its native file input."""
        payloads: list[FilePayload] = [
            {"name": name, "mimeType": "", "buffer": content} for name, content in files
        ]
        self.element.locator("input[type=file]").set_input_files(payloads)
        return self

    def pick(self, *paths: Path) -> Panel:
        """Pick files of the disk, which keep their time of change, in its native file input."""
        self.element.locator("input[type=file]").set_input_files(paths)
        return self

    def items(self) -> list[dict[str, Any]]:
        """The snapshots of its files."""
        found: list[dict[str, Any]] = self.element.evaluate("element => element.items.map(one => ({...one}))")
        return found

    def states(self) -> list[str]:
        """The states of its files."""
        return [item["state"] for item in self.items()]

    def until(self, *states: str, seconds: float = SECONDS) -> Panel:
        """Wait until its files are in these states."""
        deadline = time.monotonic() + seconds
        while (now := self.states()) != [*states]:
            assert time.monotonic() < deadline, f"{now}, not {[*states]}: {self.items()}"
            self.visit.page.wait_for_timeout(50)
        return self

    def button(self, name: str) -> Locator:
        """One of its buttons by its accessible name, or a part of it."""
        return self.element.get_by_role("button", name=name)

    def row(self, index: int) -> Locator:
        """One file's row, counted from either end."""
        return self.element.get_by_role("listitem").nth(index)

    def text(self) -> str:
        """All that is to be read in it."""
        return self.element.evaluate("element => element.shadowRoot.textContent") or ""

    def sent(self, least: int) -> Panel:
        """Wait until the service has at least so many bytes of its files, by what the browser knows."""
        self.visit.until(lambda: sum(item["sent"] for item in self.items()) >= least, f"{least} bytes")
        return self
