"""Names that presenters' files can have are shown as text, whatever they hold."""

from __future__ import annotations

import pytest

from tests.widget.reach import Scene, text

HOSTILE = {
    "markup": "<img src=x onerror=alert(1)><b>bold</b>.txt",
    "entity": "&lt;script&gt;&amp;.txt",
    "right to left override": "invoice\u202efdp.txt",
    "isolates": "\u2066a\u2069\u2067b\u2069.txt",
    "quotes": "\"'`>}{;--.txt",
    "long": "w" * 240 + ".txt",
    "letters of many": "Prüfung \u0645\u0644\u0641 \u0444\u0430\u0439\u043b 文件 🎤.txt",
    "placeholders": "{name} ${name} %s {0}.txt",
}


@pytest.mark.parametrize("which", HOSTILE)
def test_a_name_is_text(which: str, scene: Scene) -> None:
    """No element, no attribute and no direction comes out of a name; rows and announcements alike."""
    visit = scene.visit(viewport={"width": 360, "height": 700})
    panel = visit.show().token(visit.grant()).add((HOSTILE[which], text(100))).until("released")
    assert panel.element.locator("img, b, script").count() == 0
    shown = panel.text()
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u200e\u200f")
    if which not in {"right to left override", "isolates", "long"}:
        assert HOSTILE[which] in shown
    assert panel.items()[0]["name"] == HOSTILE[which]
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360
    visit.check_quiet()
