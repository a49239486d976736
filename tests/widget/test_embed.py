"""/embed: the widget in an iframe on a page of another origin, which gives it grants by postMessage."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Frame

from stack.samples import EICAR
from tests.e2e.serving import Backend
from tests.widget.hosts import Host
from tests.widget.reach import text
from tests.widget.visit import Panel, Visit

#: A host page as docs/widget.md has it: it answers only the iframe's window and the service's origin.
PAGE = """<!doctype html><html lang="en"><head><title>Meeting</title><script>
const service = SERVICE, heard = [];
addEventListener("message", async ({origin, source, data}) => {
    const frame = document.querySelector("iframe");
    heard.push({origin, ours: source === frame.contentWindow, ...data});
    const say = (more) => source.postMessage({source: "greenroom", type: "token", ...more}, service);
    if (data.type === "ready") say({token: null});
    if (data.type === "token-wanted") say({id: data.id, token: await mint(data)});
    if (data.type === "resize") frame.style.height = `${data.height}px`;
});
</script></head><body><main><h1>Meeting</h1>
<iframe title="Upload" src="SOURCE" width="600" height="50"></iframe></main></body></html>"""
HEARD = "heard"


class Framed:
    """A visit to a host page that frames /embed."""

    def __init__(self, visit: Visit, host: Host, origin: str, query: str = "") -> None:
        service = visit.backend.web.url
        html = PAGE.replace("SERVICE", json.dumps(service)).replace("SOURCE", f"{service}/embed?{query}")
        host.put("/frame", html, "")
        self.visit = visit
        visit.page.goto(f"{origin}/frame")

    def frame(self) -> Frame:
        """The frame."""
        (frame,) = self.visit.page.main_frame.child_frames
        return frame

    def panel(self) -> Panel:
        """The widget in the frame."""
        return Panel(self.visit, "", self.frame())

    def heard(self, *types: str) -> list[dict[str, Any]]:
        """What the host was told."""
        heard: list[dict[str, Any]] = self.visit.page.evaluate(HEARD)
        return [one for one in heard if one["type"] in types]


def test_a_file_goes_through_the_frame(host: Host, visit: Callable[..., Visit], backend: Backend) -> None:
    """Handshake, a token when one is wanted, the widget's events in order, and a height that fits; all of it
    from the service's origin, in the language that was asked for, accessible and within its policy.
    """
    framed = Framed(visit(), host, host.url, "meeting=m1&lang=de&theme=dark")
    panel = framed.panel()
    panel.element.locator("input[type=file]").wait_for(state="attached")
    panel.add(("notes.txt", text(1000)), ("eicar.txt", EICAR)).until("released", "blocked")
    assert panel.element.get_attribute("lang") == "de"
    told = framed.heard("event")
    assert {
        (one["origin"], one["ours"]) for one in framed.heard("ready", "token-wanted", "event", "resize")
    } == {(backend.web.url, True)}
    assert [one["name"] for one in told if one["name"] != "progress"].count("verdict") == 2
    verdicts = {one["detail"]["name"]: one["detail"]["state"] for one in told if one["name"] == "verdict"}
    assert verdicts == {"notes.txt": "released", "eicar.txt": "blocked"}
    assert [(ask["meeting"], ask["reason"]) for ask in framed.visit.asked] == [("m1", "missing")]
    framed.visit.until(
        lambda: framed.frame().evaluate("innerHeight >= document.documentElement.scrollHeight"),
        "fitting height",
    )
    framed.visit.check_accessible()
    framed.visit.check_quiet()


def test_an_origin_that_is_not_on_the_list_sees_nothing(host: Host, visit: Callable[..., Visit]) -> None:
    """The browser refuses to show the frame there."""
    framed = Framed(visit(), host, host.stranger)
    framed.visit.until(
        lambda: any("frame-ancestors" in line for line in framed.visit.watched.complaints), "refusal"
    )
    assert framed.frame().locator("greenroom-upload").count() == 0
    assert framed.heard("ready") == []


FORGED = {
    "from another window": "(message, child) => child.contentWindow.tell(message)",
    "without a source": "(message) => say({...message, source: undefined})",
    "of another type": "(message) => say({...message, type: 'tokens'})",
    "not an object": "(message) => say(JSON.stringify(message))",
    "with more in it": "(message) => say({...message, endpoint: 'http://127.0.0.1:1'})",
    "not a token": "(message) => say({...message, token: 'gr_key.secret'})",
}


@pytest.mark.parametrize("how", FORGED)
def test_no_token_from_a_stranger(
    how: str, host: Host, visit: Callable[..., Visit], backend: Backend
) -> None:
    """Only the page that holds the frame, only with a message of exactly the right form."""
    framed = Framed(visit(), host, host.url)
    guest = framed.visit
    guest.mint = lambda _: None
    token = guest.grant()
    panel = framed.panel()
    panel.element.locator("input[type=file]").wait_for(state="attached")
    guest.page.evaluate(
        """async ([message, how]) => {
            const frame = document.querySelector("iframe").contentWindow;
            const say = (message) => frame.postMessage(message, "*");
            const child = document.createElement("iframe");
            document.body.append(child);
            child.contentWindow.eval("tell = (message) => parent.frames[0].postMessage(message, '*')");
            (0, eval)(`(say) => ${how}`)(say)(message, child);
        }""",
        [{"source": "greenroom", "type": "token", "token": token}, FORGED[how]],
    )
    assert panel.element.evaluate("element => element.token") is None
    panel.add(("notes.txt", text(100)))
    # What was forged came before this; had it been taken there would be nothing to ask for.
    guest.until(lambda: guest.asked, "asking the host")
    assert backend.uploads() == []
