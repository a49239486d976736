"""Pages that the widget is put on, and the host of those that are not of the service's own origin."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from stack.ports import LOOPBACK

SCRIPT = "/widget/greenroom-upload.js"
#: The strictest policy under which the widget is promised to work on a page of its own origin.
STRICT = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"


def page(body: str, script: str = SCRIPT, root: str = 'lang="en"') -> str:
    """A page of a meeting, with the widget's script and `body` in it."""
    return (
        f"<!doctype html><html {root}><head><meta charset=utf-8><title>Town hall</title>"
        '<meta name="color-scheme" content="light dark">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<script type="module" src="{script}"></script></head>'
        f"<body><main><h1>Town hall</h1>{body}</main></body></html>"
    )


class Host:
    """A web site of a meeting: `put` pages, whose address begins with `url`, or with `stranger`.

    Both are this one server, but to a browser they are two origins; the service knows only the first.
    """

    def __init__(self) -> None:
        self._pages: dict[str, tuple[str, str]] = {}
        pages = self._pages

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                html, policy = pages.get(self.path.partition("?")[0], ("", ""))
                self.send_response(200 if html else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Security-Policy", policy)
                self.end_headers()
                self.wfile.write(html.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        port = self._server.server_address[1]
        self.url, self.stranger = f"http://{LOOPBACK}:{port}", f"http://localhost:{port}"
        threading.Thread(target=self._server.serve_forever, name="host", daemon=True).start()

    def put(self, path: str, html: str, policy: str) -> None:
        """Serve `html` at `path` under the Content-Security-Policy `policy`."""
        self._pages[path] = (html, policy)

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()
