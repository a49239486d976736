"""Bar W5: an upload goes on after a broken line, a reload and a restart of the service."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from service.stages.receive import CHUNK, SEGMENT_SIZE
from stack.processes import wait_until
from tests.e2e.interop.line import Line
from tests.e2e.large import write_sound
from tests.e2e.serving import Backend, kill
from tests.widget.hosts import SCRIPT, Host, page
from tests.widget.reach import MEBI, Scene, text
from tests.widget.visit import Panel


def check(panel: Panel, backend: Backend, content: bytes, line: Line) -> None:
    """The upload was one, its content is what was picked, and at most one chunk went twice over the line."""
    (upload,) = backend.uploads()
    assert (upload["state"], upload["sha256"]) == ("released", hashlib.sha256(content).hexdigest())
    assert panel.items()[0]["upload"] == upload["id"]
    assert panel.visit.page.evaluate("Object.keys(localStorage)") == []
    assert line.sent <= len(content) + CHUNK
    panel.visit.check_quiet()


def held_up(scene: Scene, path: Path, content: bytes) -> Panel:
    """An upload of which half is through, on a line that is held."""
    path.write_bytes(content)
    scene.line.hold_after(len(content) // 2)
    panel = scene.panel().pick(path).until("uploading")
    return panel.sent(len(content) // 2)


@pytest.mark.parametrize("times", [1, 3])
def test_a_cut_line_costs_at_most_a_chunk(scene: Scene, tmp_path: Path, times: int) -> None:
    """The browser believes itself online and every connection is reset, new ones too: the widget says
    offline, and goes on by itself.
    """
    content = text(6 * MEBI)
    panel = held_up(scene, tmp_path / "notes.txt", content)
    for part in range(times):
        scene.line.down = True
        scene.line.break_off()
        panel.until("offline")
        if part < times - 1:
            scene.line.hold_after(MEBI)
        scene.line.down = False
        if part < times - 1:
            panel.until("uploading")
    check(panel.until("released"), scene.backend, content, scene.line)


def test_without_a_network_it_waits_and_goes_on(scene: Scene, tmp_path: Path) -> None:
    """The machine loses its network and gets it back: offline at once, and then on from where it was."""
    content = text(6 * MEBI)
    panel = held_up(scene, tmp_path / "notes.txt", content)
    panel.visit.context.set_offline(True)
    panel.until("offline")
    scene.line.break_off()
    panel.visit.context.set_offline(False)
    check(panel.until("released"), scene.backend, content, scene.line)


def test_pause_keeps_what_was_sent(scene: Scene, tmp_path: Path) -> None:
    """Pause stops the bytes, resume goes on with the same upload."""
    content = text(6 * MEBI)
    panel = held_up(scene, tmp_path / "notes.txt", content)
    panel.button("Pause").click()
    panel.until("paused")
    scene.line.break_off()
    panel.button("Go on").click()
    check(panel.until("released"), scene.backend, content, scene.line)


def test_a_reload_costs_at_most_a_chunk(scene: Scene, tmp_path: Path) -> None:
    """After a reload the same file, picked again, goes on where it was, with another token of the grant; the
    page says beforehand that it will.
    """
    content = text(6 * MEBI)
    panel = held_up(scene, tmp_path / "notes.txt", content)
    visit = panel.visit
    token = panel.element.evaluate("element => element.token")
    panel = visit.show()
    scene.line.break_off()
    panel.token(token)
    visit.until(lambda: "notes.txt" in panel.text(), "hint at what can be gone on with")
    panel.pick(tmp_path / "notes.txt")
    check(panel.until("released"), scene.backend, content, scene.line)


def test_a_service_that_is_away_when_the_page_opens(scene: Scene, host: Host) -> None:
    """The widget says that it hears nothing and takes files all the same; they go when it is back."""
    body = f'<greenroom-upload id="w" endpoint="{scene.line.url}" meeting="m1"></greenroom-upload>'
    host.put("/away", page(body, script=scene.backend.web.url + SCRIPT), "")
    scene.line.down = True
    visit = scene.visit()
    visit.page.goto(f"{host.url}/away")
    panel = visit.panel().token(visit.grant()).add(("notes.txt", text(1000)))
    visit.until(lambda: "does not answer" in panel.text(), "word of it")
    assert panel.states() == ["waiting"]
    scene.line.down = False
    panel.until("released")
    assert not panel.element.get_by_text("does not answer").is_visible()


@pytest.mark.slow
def test_a_killed_service_costs_at_most_a_segment(scene: Scene, tmp_path: Path) -> None:
    """Kill -9 of every web process in the middle of an upload, and a start: it goes on and is whole. What had
    become durable is not sent again; so far as the one request had come beyond that, it is.
    """
    service = scene.backend.web.service
    doomed = service.web("--workers", "1")
    wait_until(doomed.ready, 60, "readiness")
    scene.line.port = doomed.port
    beyond = 4 * MEBI
    digest = write_sound(tmp_path / "sound.wav", SEGMENT_SIZE + 2 * beyond)
    scene.line.hold_after(SEGMENT_SIZE + beyond)
    panel = scene.panel().pick(tmp_path / "sound.wav").until("uploading")
    wait_until(lambda: bool(scene.backend.uploads()), 60, "the creation")
    (upload,) = scene.backend.uploads()

    def durable() -> int:
        known = service.parts.ledger.find(upload["id"])
        return known.offset if known else 0

    panel.visit.until(durable, "first segment")
    for pid in [doomed.child.pid, *doomed.processes()]:
        kill(pid)
    doomed.child.process.wait()
    scene.line.down = True
    scene.line.break_off()
    panel.until("offline")
    scene.line.port = scene.backend.web.port
    scene.line.down = False
    panel.until("released")
    done = scene.backend.ask(upload["id"])
    assert (done["state"], done["sha256"]) == ("released", digest)
    assert scene.line.sent <= SEGMENT_SIZE + 3 * beyond + CHUNK
