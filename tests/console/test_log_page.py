"""`/log`: what reviewers see of the log itself."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from service.core.errors import WitnessUnavailable
from service.core.journal import Act, Entry
from service.core.reviewer import Role
from service.jobs.notary import Notary
from service.stages.log.keys import public_key
from service.stages.log.place import place
from tests.console.office import Office
from tests.console.site import LOOKS, Site, Sitting
from tests.stages.world import PDF, World

Begin = Callable[..., Sitting]
_PLACE = re.compile(r'data-label="Place">(\d+)<')


def work(world: World, lines: int = 0) -> None:
    """Log some lines and do the worker's part in the log."""
    world.journal.append([Entry(world.clock.now(), Act.CANARIES.value, {"n": n}) for n in range(lines)])
    while place(world.parts):
        pass
    world.clock.advance(60)
    Notary(world.parts).round()


def shown(office: Office, path: str = "/log") -> str:
    """Return the page as a reader gets it."""
    return office.person(Role.READER).get(path).get_data(as_text=True)


def test_it_shows_the_texts_with_their_proofs(office: Office) -> None:
    """Under the newest checkpoint, with the key and the checkpoint themselves."""
    world = office.world
    upload = world.upload(PDF)
    work(world)
    html = shown(office)
    assert upload.id in html
    assert str(public_key(world.parts)) in html.replace("&#43;", "+")
    assert world.checkpoints.signed[-1].note.splitlines()[2] in html.replace("&#43;", "+")
    assert 'class="badge proved"' in html
    assert "up to date" in html
    for name in ("acme", "m1", "deck.pdf"):
        assert name not in html


def test_a_line_that_was_changed_is_called_so(office: Office) -> None:
    """The others stay proved; the row beside a text is not believed."""
    world = office.world
    world.upload(PDF)
    work(world)
    row, (position, text) = next(iter(world.journal.places.items()))
    assert "1 of these lines" not in shown(office)
    for changed in (text.replace('"v":1', '"v":2'), text[:-1], "[]"):
        world.journal.places[row] = (position, changed)
        html = shown(office)
        assert "1 of these lines is not what was signed" in html
        assert 'class="badge failed"' in html
        assert 'class="badge proved"' in html


def test_a_checkpoint_that_was_changed_proves_nothing(office: Office) -> None:
    """No line is called proved by it."""
    world = office.world
    world.upload(PDF)
    work(world)
    signed = world.checkpoints.signed[-1]
    forged = f"{signed.note[:-8]}AAAAAA=\n"
    world.checkpoints.signed[-1] = type(signed)(signed.size, signed.at, forged)
    html = shown(office)
    assert "cannot be trusted" in html
    assert 'class="badge proved"' not in html


def test_pages_hold_every_line_once_newest_first(office: Office) -> None:
    """From the newest to the first, and back."""
    work(office.world, 120)
    reader = office.person(Role.READER)
    seen: list[int] = []
    path = "/log"
    while True:
        html = reader.get(path).get_data(as_text=True)
        seen += [int(number) for number in _PLACE.findall(html)]
        older = re.search(r'href="(/log\?before=\d+)">Older', html)
        if older is None:
            break
        path = older[1]
    assert seen == list(range(len(seen) - 1, -1, -1))
    assert len(seen) >= 120
    assert "Newer" in html


@pytest.mark.parametrize("query", ["", "x", "-1", "0", "9" * 15, "9" * 40, "1.5", "%D9%A3"])
def test_odd_places_are_no_trouble(office: Office, query: str) -> None:
    """An empty log, and places that there are none of."""
    assert office.person(Role.READER).get(f"/log?before={query}").status_code == 200


def test_looking_is_logged(office: Office) -> None:
    """Who looked, as for every page."""
    person = office.person(Role.READER)
    person.get("/log")
    line = office.entries()[-1]
    assert (line.event, line.actor) == ("log_viewed", person.reviewer and person.reviewer.actor)


def test_a_witness_that_is_behind_is_called_so(office: Office) -> None:
    """It is for the operator to mend."""
    work(office.world, 3)
    office.world.faults.take_away("witness.keep", WitnessUnavailable("away"))
    work(office.world, 3)
    html = shown(office)
    assert "behind" in html
    assert "has 3 lines" in html


@pytest.mark.parametrize("look", LOOKS)
def test_it_can_be_used_when_it_is_full(site: Site, sitting: Begin, look: str) -> None:
    """By everybody, by day, by night and on a phone."""
    parts = site.parts
    parts.journal.append([Entry(parts.clock.now(), Act.CANARIES.value, {"failures": ""})] * 60)
    while place(parts):
        pass
    Notary(parts).round()
    visit = sitting(Role.READER, **LOOKS[look])
    assert visit.open("/log").status == 200
    visit.page.locator("summary").first.click()
    visit.check_accessible()
    visit.check_fits()
    visit.check_quiet()
