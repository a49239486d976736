"""How each state of a file in the widget is reached for real."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from stack.samples import EICAR, clean_deck
from tests.e2e.gate import Gate
from tests.e2e.interop.line import Line
from tests.e2e.samples import locked_pdf
from tests.e2e.serving import Backend
from tests.widget.visit import Panel, Visit

KIBI = 1024
MEBI = 1024 * 1024
#: What a held line lets through of each file: enough that there is something to go on from.
BEGUN = 300 * KIBI
_PRINTABLE = bytes(32 + value % 95 for value in range(256))


def text(size: int) -> bytes:
    """Random text of `size` bytes."""
    return os.urandom(size).translate(_PRINTABLE)


@dataclass(frozen=True)
class Scene:
    """What the states are reached with."""

    visit: Callable[..., Visit]
    backend: Backend
    line: Line
    gate: Gate

    def panel(self, **limits: object) -> Panel:
        """The widget on a page of the service's own origin, with a grant."""
        visit = self.visit(self.line.url)
        return visit.show().token(visit.grant(**limits))


def uploading(scene: Scene) -> Panel:
    """The line stops after the first bytes."""
    scene.line.hold_after(BEGUN)
    panel = scene.panel().add(("notes.txt", text(3 * MEBI))).until("uploading")
    panel.visit.until(lambda: panel.items()[0]["sent"] > 0, "progress")
    return panel


def waiting(scene: Scene) -> Panel:
    """Two others go first, and do not come on."""
    scene.line.hold_after(BEGUN)
    files = [(f"{number}.txt", text(2 * MEBI)) for number in (1, 2, 3)]
    return scene.panel().add(*files).until("uploading", "uploading", "waiting")


def paused(scene: Scene) -> Panel:
    """The presenter says so."""
    panel = uploading(scene)
    panel.button("Pause").click()
    return panel.until("paused")


def offline(scene: Scene) -> Panel:
    """The machine has no network any more."""
    panel = uploading(scene)
    panel.visit.context.set_offline(True)
    return panel.until("offline")


def scanning(scene: Scene) -> Panel:
    """The scanner takes its time."""
    scene.gate.shut()
    return scene.panel().add(("notes.txt", text(50 * KIBI))).until("scanning")


def released(scene: Scene) -> Panel:
    """A clean deck."""
    return scene.panel().add(("deck.pptx", clean_deck())).until("released")


def held(scene: Scene) -> Panel:
    """A file that opens with a password only."""
    return scene.panel().add(("locked.pdf", locked_pdf("AES-256"))).until("held")


def blocked(scene: Scene) -> Panel:
    """EICAR."""
    return scene.panel().add(("eicar.txt", EICAR)).until("blocked")


def refused(scene: Scene) -> Panel:
    """A type that the policy does not list, which the widget knows before it asks."""
    return scene.panel().add(("setup.exe", b"MZ" + bytes(100))).until("refused")


def failed(scene: Scene) -> Panel:
    """The backend took the grant back before the file came."""
    visit = scene.visit(scene.line.url)
    grant = visit.client.grants.mint("upload", scene.backend.meeting)
    visit.client.grants.revoke(grant)
    return visit.show().token(grant.token).add(("notes.txt", text(KIBI))).until("failed")


def cancelled(scene: Scene) -> Panel:
    """The presenter says so."""
    panel = uploading(scene)
    panel.button("Cancel").click()
    return panel.until("cancelled")


REACH: dict[str, Callable[[Scene], Panel]] = {
    one.__name__: one
    for one in (
        *(waiting, uploading, paused, offline, scanning),
        *(released, held, blocked, refused, failed, cancelled),
    )
}
