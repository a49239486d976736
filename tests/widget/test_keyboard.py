"""Bar W3: everything can be done by keyboard, the focus is never lost, and each milestone is said once."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import FileChooser

from stack.samples import EICAR, clean_deck
from tests.e2e.samples import locked_pdf
from tests.widget.reach import BEGUN, MEBI, Scene, text
from tests.widget.visit import Panel

#: The name of what has the focus, in whatever shadow tree; empty where it is the page's body.
FOCUSED = """() => {
    let active = document.activeElement;
    while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
    if (!active || active === document.body) return "";
    return active.getAttribute("aria-label") ?? active.textContent.trim();
}"""


def focused(panel: Panel) -> str:
    """The name of what has the focus."""
    name: str = panel.frame.evaluate(FOCUSED)
    return name.replace("\u2068", "").replace("\u2069", "")


def tab_to(panel: Panel, name: str, key: str = "Tab") -> None:
    """Press Tab until the control of that name has the focus."""
    for _ in range(30):
        if focused(panel).startswith(name):
            return
        panel.visit.page.keyboard.press(key)
    raise AssertionError(f"Tab does not come to {name!r}")


def test_keyboard_alone(scene: Scene, tmp_path: Path) -> None:
    """Add, pause, go on, cancel, try again, remove: by Tab, Enter and Space, and after each of them the focus
    is on something, even when its row or its button is gone.
    """
    visit = scene.visit(scene.line.url)
    choosers: list[FileChooser] = []
    visit.page.on("filechooser", lambda chooser: choosers.append(chooser))  # noqa: PLW0108 - Playwright marks what it calls
    panel = visit.show().token(visit.grant())
    press = visit.page.keyboard.press
    for name, size in (("one.txt", 2 * MEBI), ("two.txt", 2 * MEBI)):
        (tmp_path / name).write_bytes(text(size))
    scene.line.hold_after(BEGUN)
    tab_to(panel, "Choose files")
    press("Enter")
    visit.until(lambda: choosers, "native dialogue")
    assert choosers[0].is_multiple()
    choosers[0].set_files([tmp_path / "one.txt", tmp_path / "two.txt"])
    panel.until("uploading", "uploading").sent(1)
    assert focused(panel) == "Choose files"
    tab_to(panel, "Pause one.txt")
    press("Enter")
    panel.until("paused", "uploading")
    assert focused(panel) == "Go on with one.txt"
    press("Space")
    panel.until("uploading", "uploading")
    assert focused(panel) == "Pause one.txt"
    tab_to(panel, "Cancel two.txt")
    press("Enter")
    panel.until("uploading", "cancelled")
    assert focused(panel) == "Try two.txt again"
    scene.line.let_go()
    press("Enter")
    panel.until("released", "released")
    assert focused(panel).startswith("two.txt")
    tab_to(panel, "Take two.txt off the list")
    press("Enter")
    panel.until("released")
    assert focused(panel) == "Take one.txt off the list"
    press("Enter")
    panel.until()
    assert focused(panel) == "Choose files"
    visit.check_quiet()


def test_focus_survives_the_end_of_its_button(scene: Scene) -> None:
    """Who is on "Pause" when the last byte is sent, and stays there, is still in the row at the verdict."""
    visit = scene.visit(scene.line.url)
    scene.line.hold_after(BEGUN)
    scene.gate.shut()
    panel = visit.show().token(visit.grant()).add(("notes.txt", text(2 * MEBI))).until("uploading")
    tab_to(panel, "Pause notes.txt")
    scene.line.let_go()
    panel.until("scanning")
    assert "notes.txt" in focused(panel)
    scene.gate.open()
    panel.until("released")
    assert "notes.txt" in focused(panel)


def test_each_milestone_is_said_once(scene: Scene) -> None:
    """Start, parts, all of it, scanning and the verdict, politely, in order, each once; one polite region."""
    visit = scene.visit(scene.line.url)
    scene.gate.shut()
    scene.line.hold_after(MEBI)
    panel = visit.show().token(visit.grant()).add(("notes.txt", text(12 * MEBI)))
    visit.until(lambda: any(one.endswith("%") for one in visit.said()), "a part")
    scene.line.let_go()
    visit.until(lambda: "notes.txt: Scanning for malware" in visit.said(), "scanning")
    scene.gate.open()
    visit.until(lambda: any("Released" in one for one in visit.said()), "verdict")
    first, *parts, scanning, verdict = visit.said()
    assert first == "notes.txt: Uploading"
    quarters = [f"notes.txt: {percent}%" for percent in (25, 50, 75, 100)]
    assert parts == [one for one in quarters if one in parts]
    assert parts[-1] == quarters[-1]
    assert scanning == "notes.txt: Scanning for malware"
    assert verdict == "notes.txt: Released. No malware was found. The file is available in the meeting."
    assert panel.element.locator("[role=status], [aria-live=polite]").count() == 1


@pytest.mark.parametrize(
    ("name", "content", "state", "alert"),
    [
        ("deck.pptx", clean_deck(), "released", False),
        ("locked.pdf", locked_pdf("AES-256"), "held", False),
        ("eicar.txt", EICAR, "blocked", True),
        ("setup.exe", b"MZ", "refused", False),
    ],
    ids=["clean", "locked", "malware", "type"],
)
def test_only_trouble_is_an_alert(scene: Scene, name: str, content: bytes, state: str, alert: bool) -> None:  # noqa: FBT001
    """Malware interrupts what a screen reader is saying; other verdicts wait for their turn."""
    visit = scene.visit()
    visit.show().token(visit.grant()).add((name, content)).until(state)
    visit.until(
        lambda: any(f"{name}: " in one and "." in one[len(name) + 3 :] for one in visit.said()), "verdict"
    )
    alerts = [one for one in visit.said() if one.startswith("! ")]
    assert len(alerts) == int(alert)


def test_a_failure_is_an_alert(scene: Scene) -> None:
    """A grant that was taken back: said at once, once."""
    visit = scene.visit()
    grant = visit.client.grants.mint("upload", scene.backend.meeting)
    visit.client.grants.revoke(grant)
    visit.show().token(grant.token).add(("notes.txt", text(100))).until("failed")
    visit.until(lambda: any(one.startswith("! ") for one in visit.said()), "alert")
    assert len([one for one in visit.said() if one.startswith("! notes.txt: Upload failed")]) == 1
