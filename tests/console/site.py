"""The console in a browser: a real gunicorn over an SQLite file, and one person's sitting at it."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import Any, Self

import httpx
from playwright.sync_api import Browser, Response

from service import wiring
from service.core.reviewer import Role
from service.stages.desk import sign_in
from service.web.console.entrance import COOKIE
from stack.ports import LOOPBACK, free_port
from stack.processes import wait_until
from tests.console.office import PASSWORD, hire
from tests.core.environment import LEAST
from tests.e2e.serving import START_SECONDS, prepare
from tests.widget.visit import Watched, axe

GUNICORN = (
    "gunicorn",
    "--config",
    "service/gunicorn.conf.py",
    "--workers",
    "1",
    "tests.console.bare_app:app",
)
PHONE = {"viewport": {"width": 390, "height": 844}}
DESKTOP = {"viewport": {"width": 1440, "height": 900}}
#: What a page is looked at in: name, options of the browser's context.
LOOKS: dict[str, dict[str, Any]] = {
    "light": {**DESKTOP, "color_scheme": "light"},
    "dark": {**DESKTOP, "color_scheme": "dark"},
    "phone": {**PHONE, "color_scheme": "light"},
}
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_WATCH = Path(__file__).parents[1] / "widget" / "watch.js"


class Site:
    """A running console; `parts` and `desk` are the same service in this process, to fill its database."""

    def __init__(self, folder: Path, **settings: str) -> None:
        """Start one with its files in `folder`, and with `settings` beside its own."""
        port = free_port()
        self.url = f"http://{LOOPBACK}:{port}"
        environ = LEAST | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "LC_ALL": "C.UTF-8",
            "GREENROOM_DATABASE_URL": f"sqlite:///{folder / 'ledger.db'}",
            "GREENROOM_CONSOLE_URL": self.url,
            **settings,
        }
        self.service = prepare(environ, folder)
        self.parts = self.service.parts
        self.desk = wiring.build(environ).desk
        self._child = self.service.start("console", [*GUNICORN, "--bind", f"{LOOPBACK}:{port}"])
        wait_until(self._answers, START_SECONDS, "the console's start")

    def _answers(self) -> bool:
        self._child.check_alive()
        try:
            return httpx.get(f"{self.url}/sign-in", timeout=5, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """End it."""
        self.service.stop()


class Sitting:
    """A browser context, signed in with `role` or as nobody, and what it noticed."""

    def __init__(
        self, browser: Browser, site: Site, role: Role | None = Role.REVIEWER, **options: Any
    ) -> None:
        self.site = site
        self.watched = Watched()
        self.context = browser.new_context(base_url=site.url, **options)
        if options.get("java_script_enabled", True):
            self.context.add_init_script(path=_WATCH)
            self.context.expose_binding("watched", self.watched.note)
        self.context.on("console", self.watched.console)
        self.context.on("weberror", self.watched.error)
        self.context.on("request", self.watched.request)
        self.name = ""
        if role is not None:
            reviewer = hire(site.desk, role, f"{role.value}-{secrets.token_hex(4)}")
            self.name = reviewer.name
            token, _ = sign_in.begin(site.desk, reviewer, "test")
            # The driver knows nothing of loopback: it takes cookies of such a name for HTTPS only.
            address = site.url.replace("http:", "https:")
            self.context.add_cookies(
                [
                    {
                        "name": COOKIE,
                        "value": token,
                        "url": address,
                        "secure": True,
                        "httpOnly": True,
                        "sameSite": "Lax",
                    }
                ]
            )
        self.page = self.context.new_page()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def open(self, path: str) -> Response:
        """Go to a page."""
        answer = self.page.goto(path)
        assert answer
        return answer

    def fill_in(self, name: str, password: str = PASSWORD) -> None:
        """Fill in the form to sign in, and send it."""
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()

    def check_quiet(self) -> None:
        """Nothing was against the policy, and no page complained."""
        assert self.watched.violations == []
        assert self.watched.complaints == []

    def check_accessible(self) -> None:
        """Axe finds nothing, by day and by night."""
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            found = axe(self.page.main_frame, _RULES)
            assert not found, "\n".join([scheme, *found])
        self.page.emulate_media(color_scheme="null")

    def check_fits(self) -> None:
        """Nothing makes the page wider than the window of a phone."""
        self.page.set_viewport_size({"width": 390, "height": 844})
        over = self.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, f"{over} px too wide"
