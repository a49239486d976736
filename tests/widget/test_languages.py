"""Bar W7: six languages, one from right to left, the page's own words, and two widgets side by side."""

from __future__ import annotations

import pytest

from stack.samples import EICAR
from tests.widget.reach import Scene, text

#: What says "choose files", "released" and "blocked".
WORDS = {
    "en": ("Choose files", "Released", "Blocked"),
    "de-AT": ("Dateien auswählen", "Freigegeben", "Gesperrt"),
    "pl": ("Wybierz pliki", "Udostępniono", "Zablokowano"),
    "fr": ("Choisir des fichiers", "Mis à disposition", "Bloqué"),
    "es": ("Elegir archivos", "Publicado", "Bloqueado"),
    "ar": ("اختيار الملفات", "أُتيح الملف", "محظور"),
}
ENGLISH = ("Choose", "Released", "Blocked", "Malware", "file", "Accepted", "Take")


@pytest.mark.parametrize("lang", WORDS)
def test_everything_is_in_the_language(lang: str, scene: Scene) -> None:
    """Buttons, verdicts, reasons and announcements, with the language and the direction declared for screen
    readers, whatever the page around is written in; and accessible in it.
    """
    visit = scene.visit()
    panel = visit.show(f'<greenroom-upload id="w" lang="{lang}"></greenroom-upload>').token(visit.grant())
    choose, released, blocked = WORDS[lang]
    panel.button(choose).wait_for()
    panel.add(("notes.txt", text(1000)), ("eicar.txt", EICAR)).until("released", "blocked")
    assert released in panel.row(0).inner_text()
    assert blocked in panel.row(1).inner_text()
    visit.until(lambda: any(blocked in one for one in visit.said()), "alert")
    if lang != "en":
        shown = panel.text() + "".join(visit.said()) + str(panel.items()[1]["reason"])
        assert [word for word in ENGLISH if word in shown] == []
    direction = "rtl" if lang == "ar" else "ltr"
    assert panel.row(0).evaluate("element => getComputedStyle(element).direction") == direction
    assert panel.row(0).evaluate("element => element.closest('[lang]').lang") == lang
    visit.check_accessible()
    visit.check_quiet()


def test_from_right_to_left_it_is_mirrored(scene: Scene) -> None:
    """In Arabic a row's buttons are on its left, in English on its right; a name keeps its own direction."""
    sides = {}
    for lang in ("en", "ar"):
        visit = scene.visit()
        panel = visit.show(f'<greenroom-upload id="w" lang="{lang}"></greenroom-upload>').token(visit.grant())
        panel.add(("notes (1).txt", text(100))).until("released")
        row, button = panel.row(0).bounding_box(), panel.row(0).get_by_role("button").bounding_box()
        assert row
        assert button
        sides[lang] = button["x"] - row["x"] > row["width"] / 2
        assert panel.row(0).locator("bdi").inner_text() == "notes (1).txt"
    assert sides == {"en": True, "ar": False}


def test_the_language_of_the_page(scene: Scene) -> None:
    """Without one of its own the widget takes that of the page around it; else the browser's."""
    visit = scene.visit(locale="fr-CA")
    visit.show('<div lang="es"><greenroom-upload id="w"></greenroom-upload></div>').button(
        "Elegir"
    ).wait_for()
    visit.show(root='lang="de"').button("Dateien auswählen").wait_for()
    visit.show(root='lang="xx"').button("Choisir").wait_for()


def test_the_page_s_own_words(scene: Scene) -> None:
    """`messages` replaces single texts, in the place of those of the language."""
    visit = scene.visit()
    panel = visit.show().token(visit.grant())
    own = {"choose": "Pick your slides", "why.blocked": "Call <b>Ada</b> at 42."}
    panel.element.evaluate("(element, own) => { element.messages = own }", own)
    panel.button("Pick your slides").wait_for()
    panel.add(("eicar.txt", EICAR)).until("blocked")
    assert "Call <b>Ada</b> at 42." in panel.row(0).inner_text()
    assert "Blocked" in panel.row(0).inner_text()


def test_two_widgets_on_a_page(scene: Scene) -> None:
    """Each has its own files, events, voice, language and grant."""
    visit = scene.visit()
    german, arabic = (
        '<greenroom-upload id="w" lang="de"></greenroom-upload>',
        '<greenroom-upload id="v" lang="ar"></greenroom-upload>',
    )
    one = visit.show(german + arabic).token(first := visit.grant())
    two = visit.panel("v").token(visit.grant(types=["pdf"]))
    one.add(("one.txt", text(1000)))
    two.add(("two.txt", text(1000)))
    one.until("released")
    two.until("refused")
    assert [item["name"] for item in one.items() + two.items()] == ["one.txt", "two.txt"]
    assert {told["detail"]["name"] for told in visit.events("file-added", "progress", "verdict")} == {
        "one.txt"
    }
    assert {told["detail"]["name"] for told in visit.events("file-added", "verdict", widget="v")} == {
        "two.txt"
    }
    visit.until(lambda: visit.said("w") and visit.said("v"), "both voices")
    assert all("one.txt" in said for said in visit.said("w"))
    assert all("two.txt" in said for said in visit.said("v"))
    assert one.element.evaluate("element => element.token") == first
    visit.check_accessible()
    visit.check_quiet()
