"""A stage: pages of a console shown in a real browser, many at once, and what of them ran."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from flask import Flask
from playwright.sync_api import Browser, Dialog, Request
from werkzeug.serving import WSGIRequestHandler, make_server

from service.web.console.entrance import COOKIE
from stack.ports import LOOPBACK, free_port
from tests.console.payloads import PRODUCT

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SHOW: Final = Path(__file__).with_name("stage.js").read_text()
_FRAMING: Final = frozenset({"x-frame-options", "cross-origin-opener-policy"})
_POLICY: Final = "content-security-policy"
_BLANK: Final = b"<!doctype html><title>Stage</title><body>"


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing."""


def _on_stage(app: WSGIApplication, policy: bool) -> WSGIApplication:  # noqa: FBT001
    """Return the app with pages that the stage can frame, with all the rest of their policy or none."""

    def served(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/stage":
            start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
            return [_BLANK]

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            kept = [(name, value) for name, value in headers if name.lower() not in {*_FRAMING, _POLICY}]
            said = [value for name, value in headers if name.lower() == _POLICY]
            assert said, "an answer without a policy"
            assert "frame-ancestors 'none'; " in said[0]
            if environ["PATH_INFO"].startswith("/static/"):
                kept = [(name, value) for name, value in kept if name.lower() != "cache-control"]
                kept.append(("Cache-Control", "max-age=3600"))
            if policy:
                kept.append((_POLICY, said[0].replace("frame-ancestors 'none'; ", "")))
            return start_response(status, kept, *rest)

        return app(environ, start)

    return served


@contextmanager
def staged(app: Flask, *, policy: bool) -> Iterator[str]:
    """Serve an app at the origin that is lent."""
    port = free_port()
    server = make_server(
        LOOPBACK, port, _on_stage(app.wsgi_app, policy), threaded=True, request_handler=_Quiet
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Stage:
    """A page of the browser that shows others, as somebody who holds a token, and what was noticed."""

    browser: Browser
    url: str
    token: str
    ran: list[Any] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    shown: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context = self.browser.new_context(base_url=self.url)
        address = self.url.replace("http:", "https:")
        self.context.add_cookies([{"name": COOKIE, "value": self.token, "url": address, "secure": True}])
        self.context.expose_binding("pwned", lambda _source, number=None: self.ran.append(number))
        self.context.on("request", self._request)
        self.context.on("dialog", self._dialog)
        self.page = self.context.new_page()
        self.page.goto("/stage")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.hostname != LOOPBACK or address.path.startswith("/pwned"):
            self.asked.append(request.url)

    def _dialog(self, dialog: Dialog) -> None:
        self.ran.append(dialog.message)
        dialog.dismiss()

    def show(self, shows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Show addresses, with `fields` as forms that are posted; what the browser tells of each."""
        told: list[dict[str, Any]] = self.page.evaluate(_SHOW, shows)
        self.shown += told
        return told

    def check(self) -> None:
        """Nothing ran, nothing was asked for, and nothing that was shown is more than text."""
        odd = {one["address"]: one["odd"] for one in self.shown if one["odd"]}
        evaluated = [one["address"] for one in self.shown if PRODUCT in one["text"]]
        cookies = {cookie["name"] for cookie in self.context.cookies()}
        told = {"ran": self.ran, "asked": self.asked, "odd": odd, "evaluated": evaluated, "cookies": cookies}
        nothing = {"ran": [], "asked": [], "odd": {}, "evaluated": [], "cookies": {COOKIE}}
        assert told == nothing, {key: told[key] for key in told if told[key] != nothing[key]}

    def close(self) -> None:
        """Leave."""
        self.context.close()
