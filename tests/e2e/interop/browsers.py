"""tus-js-client and Uppy, in pages of another origin in a real Chromium."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser

from tests.e2e.interop.client import SECONDS, Client, Ending, Job


class Page(Client):
    """A page with one of them; what it remembers is the browser's, and outlives a reload."""

    creates_with_bytes = True

    def __init__(self, browser: Browser, url: str) -> None:
        self._page = browser.new_context().new_page()
        self._page.set_default_timeout(SECONDS * 1000)
        self._page.goto(url)

    def start(self, job: Job) -> None:
        """Let the presenter choose the file, and begin."""
        self._page.set_input_files("input", job.file)
        self._page.evaluate("job => window.begin(JSON.parse(job))", job.as_json())

    def wait(self) -> Ending:
        """Wait for the client's own word."""
        self._page.wait_for_function("window.ending !== null")
        ending: dict[str, Any] = self._page.evaluate("window.ending")
        return Ending(ok=True) if ending["ok"] else Ending.failed(ending["status"], ending["body"])

    def vanish(self) -> None:
        """Reload the page."""
        self._page.reload()

    def give_up(self) -> None:
        """Terminate the upload."""
        self._page.evaluate("window.giveUp()")

    def close(self) -> None:
        """Forget everything: the page is for the next test."""
        self._page.evaluate("localStorage.clear()")
        self._page.reload()
