"""Large targets, little room, little movement, own colours, themes."""

from __future__ import annotations

import pytest

from stack.samples import EICAR
from tests.e2e.samples import locked_pdf
from tests.widget.reach import REACH, Scene, text, uploading
from tests.widget.visit import Panel

#: Elements of the shadow tree that something moves, or would move if it were shown.
MOVING = """element => [...element.shadowRoot.querySelectorAll("*")].flatMap(one =>
    ["", "::before", "::after", "::-webkit-progress-value"].flatMap(part => {
        const style = getComputedStyle(one, part || null);
        const moves = style.animationName !== "none" && parseFloat(style.animationDuration) > 0.01;
        const slides = style.transitionDuration.split(",").some(time => parseFloat(time) > 0.01);
        return moves || slides ? [`${one.localName}${part} ${style.animationName}`] : [];
    }))"""


def mixed(scene: Scene, **options: object) -> Panel:
    """Four ends in one list, one of them with a long name."""
    visit = scene.visit(**options)
    files = [
        (f"{'Quarterly results and outlook ' * 4}.txt", text(1000)),
        ("Quartalsergebnisse" * 6 + ".txt", text(1000)),
        ("eicar.txt", EICAR),
        ("locked.pdf", locked_pdf("AES-256")),
    ]
    panel = visit.show().token(visit.grant()).add(*files, ("setup.exe", b"MZ"))
    return panel.until("released", "released", "blocked", "held", "refused")


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_nothing_is_cut_off_or_scrolled_sideways(scene: Scene, width: int) -> None:
    """Long names and all ends in a list, on a phone as on a desk (WCAG 1.4.10: 320 CSS pixels)."""
    panel = mixed(scene, viewport={"width": width, "height": 800})
    page = panel.visit.page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    right = panel.element.evaluate(
        "element => Math.max(...[...element.shadowRoot.querySelectorAll('li *')]"
        ".filter(one => one.checkVisibility()).map(one => one.getBoundingClientRect().right))"
    )
    assert right <= width


@pytest.mark.parametrize("state", ["uploading", "paused", "failed", "released"])
def test_targets_are_large_enough(scene: Scene, state: str) -> None:
    """Every control is at least 24 by 24 CSS pixels (WCAG 2.5.8)."""
    panel = REACH[state](scene)
    controls = panel.element.locator("button:visible, summary:visible")
    assert controls.count() >= 3
    for box in (control.bounding_box() for control in controls.all()):
        assert box
        assert min(box["width"], box["height"]) >= 24, box


def test_little_movement_for_who_asked_for_it(scene: Scene) -> None:
    """With prefers-reduced-motion nothing moves by itself; without it something does, so this looks right."""
    scene.gate.shut()
    panel = uploading(scene)
    assert panel.element.evaluate(MOVING) != []
    panel.visit.page.emulate_media(reduced_motion="reduce")
    assert panel.element.evaluate(MOVING) == []
    scene.line.let_go()
    panel.until("scanning")
    assert panel.element.evaluate(MOVING) == []


def test_forced_colours(scene: Scene) -> None:
    """In a high contrast theme controls have edges, and marks and words the theme's colour for text."""
    panel = mixed(scene, forced_colors="active")
    button = panel.button("Choose files")
    assert button.evaluate("element => parseFloat(getComputedStyle(element).borderTopWidth)") >= 1
    for index in range(5):
        row = panel.row(index)
        assert row.locator("svg").first.is_visible()
        mark, words = (
            row.locator(one).first.evaluate("element => getComputedStyle(element).color")
            for one in ("svg", "bdi")
        )
        assert mark == words


def test_the_focus_can_be_seen(scene: Scene) -> None:
    """Whatever Tab comes to has a ring around it of at least 2 pixels (WCAG 2.4.7, 2.4.13)."""
    panel = mixed(scene)
    seen = set()
    for _ in range(12):
        panel.visit.page.keyboard.press("Tab")
        ring = panel.frame.evaluate(
            """() => {
                const active = document.activeElement?.shadowRoot?.activeElement;
                if (!active) return null;
                const {outlineStyle, outlineWidth} = getComputedStyle(active);
                const name = active.getAttribute("aria-label") ?? active.textContent;
                return [name, outlineStyle, parseFloat(outlineWidth)];
            }"""
        )
        if ring:
            seen.add(ring[0])
            assert ring[1] != "none", ring
            assert ring[2] >= 2, ring
    assert len(seen) >= 6


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme_overrides_the_system(scene: Scene, scheme: str) -> None:
    """theme="..." gives the same colours by day and by night."""
    visit = scene.visit(color_scheme="dark" if scheme == "light" else "light")
    panel = visit.show(f'<greenroom-upload id="w" theme="{scheme}"></greenroom-upload>')
    colour = "element => getComputedStyle(element.shadowRoot.firstElementChild).color"
    forced = panel.element.evaluate(colour)
    visit.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    assert panel.element.evaluate(colour) == forced
    visit.page.emulate_media(color_scheme="null")
    panel.element.evaluate("element => element.removeAttribute('theme')")
    visit.page.emulate_media(color_scheme="dark" if scheme == "light" else "light")
    assert panel.element.evaluate(colour) != forced


def test_a_page_can_theme_it(scene: Scene) -> None:
    """Custom properties and parts reach through the shadow; nothing else of the page's style does."""
    visit = scene.visit()
    panel = visit.show().token(visit.grant()).add(("notes.txt", b"words")).until("released")
    visit.page.evaluate(
        """() => {
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(`button { display: none } li { color: rgb(9, 9, 9) }
                greenroom-upload { --greenroom-text: rgb(1, 2, 3) }
                greenroom-upload::part(name) { letter-spacing: 3px }`);
            document.adoptedStyleSheets = [sheet];
        }"""
    )
    assert panel.button("Choose files").is_visible()
    name = panel.row(0).locator("[part=name]")
    assert name.evaluate("element => getComputedStyle(element).color") == "rgb(1, 2, 3)"
    assert name.evaluate("element => getComputedStyle(element).letterSpacing") == "3px"
    visit.check_quiet()
