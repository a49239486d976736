"""Bars W2, W3, W4: every state, reached for real, is honest, accessible and quiet."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stack.samples import clean_deck
from tests.widget.reach import BEGUN, KIBI, MEBI, REACH, Scene, text
from tests.widget.visit import Panel

KEYS = {"id", "upload", "name", "size", "sent", "state", "code", "reason", "verdict"}
#: Words that a presenter takes for the end of it.
DONE = re.compile(
    r"\b(done|complete|completed|finished|success\w*|clean|ready|released|safe|uploaded)\b", re.IGNORECASE
)
#: The events of one file, in their order, progress left out.
EVENTS = {
    "waiting": ["file-added"],
    "uploading": ["file-added"],
    "paused": ["file-added"],
    "offline": ["file-added"],
    "scanning": ["file-added", "scanning"],
    "released": ["file-added", "scanning", "verdict"],
    "held": ["file-added", "scanning", "verdict"],
    "blocked": ["file-added", "scanning", "verdict"],
    "refused": ["file-added", "verdict"],
    "failed": ["file-added", "error"],
    "cancelled": ["file-added"],
}


def events(panel: Panel) -> list[dict[str, Any]]:
    """All events of the last file."""
    last = panel.items()[-1]["id"]
    told = panel.visit.events(*("file-added", "progress", "scanning", "verdict", "error"))
    return [one for one in told if one["detail"]["id"] == last]


@pytest.mark.parametrize("state", REACH)
def test_state_is_honest_accessible_and_quiet(state: str, scene: Scene) -> None:
    """Axe finds nothing by day and by night, the policy is kept, no page complains, only a released file is
    called what a presenter takes for done or looks like it, and the events are those of the state, in order.
    """
    panel = REACH[state](scene)
    row = panel.row(-1)
    words = row.inner_text()
    assert bool(DONE.search(words)) is (state == "released"), words
    assert row.locator("progress").is_visible() is (state in {"uploading", "paused", "offline", "scanning"})
    panel.visit.check_accessible()
    panel.visit.check_quiet()
    told = events(panel)
    assert [one["name"] for one in told if one["name"] != "progress"] == EVENTS[state]
    assert all(one["detail"].keys() == KEYS and one["frozen"] and one["composed"] for one in told)
    assert not any(one["bubbles"] or one["cancelable"] for one in told)
    sent = [one["detail"]["sent"] for one in told]
    assert sent == sorted(sent)
    assert panel.states()[-1] == state


def test_no_green_before_the_verdict(scene: Scene) -> None:
    """The colour of a released file's mark is that of no other state."""
    colour = "element => getComputedStyle(element.querySelector('svg')).color"
    green = REACH["released"](scene).row(0).evaluate(colour)
    red, green_value, blue = (int(part) for part in re.findall(r"\d+", green)[:3])
    assert green_value > max(red, blue)
    for state in ("scanning", "uploading", "held", "refused"):
        assert REACH[state](scene).row(0).evaluate(colour) != green
        scene.gate.open()
        scene.line.let_go()


def test_the_whole_way_of_two_files(scene: Scene) -> None:
    """Events of two files side by side: each file's own id and name, its bytes growing to its size, the
    verdict with its document, all of it after `file-added`.
    """
    panel = scene.panel().add(("notes.txt", content := text(MEBI)), ("deck.pptx", clean_deck()))
    panel.until("released", "released")
    told = panel.visit.events("file-added", "progress", "scanning", "verdict", "error")
    assert {one["detail"]["name"] for one in told} == {"notes.txt", "deck.pptx"}
    notes = [one for one in told if one["detail"]["name"] == "notes.txt"]
    assert len({one["detail"]["id"] for one in notes}) == 1
    first, last = notes[0], notes[-1]
    assert (first["name"], first["detail"]["state"], first["detail"]["upload"]) == (
        "file-added",
        "waiting",
        None,
    )
    assert (last["name"], last["detail"]["state"], last["detail"]["sent"]) == (
        "verdict",
        "released",
        len(content),
    )
    assert last["detail"]["verdict"]["kind"] == "clean"
    assert scene.backend.ask(last["detail"]["upload"])["state"] == "released"


def _type(scene: Scene) -> Panel:
    return scene.panel().add(("setup.exe", b"MZ"))


def _type_of_the_grant(scene: Scene) -> Panel:
    return scene.panel(types=["pdf"]).add(("notes.txt", b"words"))


def _size(scene: Scene) -> Panel:
    return scene.panel(max_bytes=KIBI).add(("notes.txt", text(KIBI + 1)))


def _count(scene: Scene) -> Panel:
    panel = scene.panel(max_files=1).add(("one.txt", b"words"), ("two.txt", b"words"))
    return panel.until("released", "refused")


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (_type, "type_not_allowed"),
        (_type_of_the_grant, "type_not_allowed"),
        (_size, "quota_exceeded"),
        (_count, "quota_exceeded"),
    ],
)
def test_refused_at_once_without_a_request(scene: Scene, how: Callable[[Scene], Panel], code: str) -> None:
    """What policy or grant do not allow is refused by the widget itself, with the reason, before any byte."""
    panel = how(scene)
    panel.visit.until(lambda: panel.states()[-1] == "refused", "refusal")
    assert panel.items()[-1]["code"] == code
    assert panel.items()[-1]["reason"]
    posts = [one for one in panel.visit.watched.requests if one.method == "POST"]
    assert len(posts) == panel.states().count("released")


def test_larger_than_the_policy_allows(scene: Scene, tmp_path: Path) -> None:
    """A file over the published limit is refused before a byte of it is read or sent."""
    limit = scene.backend.client.get("/v1/policy").json()["max_file_size"]
    with (tmp_path / "sound.wav").open("wb") as file:
        file.truncate(limit + 1)
    panel = scene.panel().pick(tmp_path / "sound.wav").until("refused")
    assert panel.items()[0]["code"] == "too_large"
    assert not [one for one in panel.visit.watched.requests if one.method == "POST"]


def test_refused_by_the_service_for_its_content(scene: Scene) -> None:
    """A text that calls itself a picture: only the service can tell, and the reason comes through."""
    panel = scene.panel().add(("photo.png", text(50 * KIBI))).until("refused")
    assert panel.items()[0]["code"] == "type_not_allowed"
    assert "extension" in panel.row(0).inner_text()
    panel.visit.check_quiet()


def test_refused_by_the_service_for_a_quota_used_elsewhere(scene: Scene) -> None:
    """Another page used the grant up since this one asked: the service says so, and so does the row."""
    visit = scene.visit()
    token = visit.grant(max_files=1)
    panel = visit.show().token(token)
    visit.until(lambda: "1 more file" in panel.text(), "the limits")
    used = scene.backend.client.post(
        f"/v1/uploads?meeting={scene.backend.meeting}&name=one.txt",
        content=b"words",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert used.is_success, used.text
    panel.add(("two.txt", b"words")).until("refused")
    assert panel.items()[0]["code"] == "quota_exceeded"


@pytest.mark.parametrize("how", ["drop", "paste"])
def test_dropped_and_pasted_files_are_taken(scene: Scene, how: str) -> None:
    """Files that are dropped on it or pasted into it go the same way as chosen ones, and what is no file is
    left to the page.
    """
    panel = scene.panel()
    panel.button("Choose files").evaluate(
        """(button, how) => {
            const data = new DataTransfer();
            data.setData("text/plain", "words");
            for (const name of ["one.txt", "two.txt"]) data.items.add(new File(["words"], name));
            const way = {bubbles: true, composed: true, cancelable: true};
            const event = how === "drop"
                ? new DragEvent("drop", {dataTransfer: data, ...way})
                : new ClipboardEvent("paste", {clipboardData: data, ...way});
            button.dispatchEvent(event);
        }""",
        how,
    )
    panel.until("released", "released")
    assert [item["name"] for item in panel.items()] == ["one.txt", "two.txt"]


def test_a_file_that_changes_under_the_upload_fails(scene: Scene, tmp_path: Path) -> None:
    """A deck saved again while it goes up is not sent half old, half new: it fails, and says what to do."""
    path = tmp_path / "notes.txt"
    path.write_bytes(text(6 * MEBI))
    scene.line.hold_after(BEGUN)
    panel = scene.panel().pick(path).until("uploading").sent(1)
    panel.button("Pause").click()
    panel.until("paused")
    path.write_bytes(text(6 * MEBI + 1))
    scene.line.break_off()
    panel.button("Go on").click()
    panel.until("failed")
    assert panel.items()[0]["code"] == "unreadable"
    assert "choose it again" in panel.row(0).inner_text()


def test_a_failed_file_can_be_tried_again(scene: Scene) -> None:
    """With a grant that counts, "Try again" takes it to its release."""
    panel = REACH["failed"](scene)
    panel.token(panel.visit.grant())
    if panel.states() == ["failed"]:
        panel.button("Try").click()
    panel.until("released")
