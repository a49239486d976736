import csv
import io
import itertools
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import LedgerUnavailable, ScannerUnavailable
from service.core.search import Cursor, Filters, Record, Way
from service.core.upload import State, Upload
from service.core.verdict import Kind, Protection, Verdict
from service.core.webhook import ordered_id
from service.stages.desk.export import csv_export, json_export
from service.stages.desk.look import same_content, search
from service.stages.desk.overview import AGES, Span, overview
from tests.fakes.archive import FakeArchive
from tests.fakes.faults import Faults, Moment
from tests.stages.world import World

NOON: Final = datetime(2026, 11, 22, 12, 34, 56, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)


def made(number: int, at: datetime = NOON, **changes: Any) -> Upload:
    """Return an upload that was begun and moved at ``at``."""
    plain: dict[str, Any] = {
        "id": ordered_id("up", at, f"{number:020x}"),
        "account_id": "acme",
        "meeting_id": "m1",
        "name": f"deck {number}.pdf",
        "declared_type": "application/pdf",
        "detected_type": "application/pdf",
        "state": State.RELEASED,
        "created_at": at,
        "updated_at": at,
    }
    return Upload(**(plain | changes))


def verdict(kind: Kind, signature: str | None = None) -> Verdict:
    """Return a verdict of that kind by no engine."""
    return Verdict(kind, kind.value, signature, "f" * 64, 3, None, Protection.DEMO, "e" * 64, 0.25, NOON)


def archive_of(uploads: Sequence[Upload], faults: Faults | None = None) -> FakeArchive:
    """Return an archive of these uploads."""
    return FakeArchive(faults or Faults(), lambda: uploads)


@pytest.mark.parametrize("number", [0, 1, 5, 6, 10, 11])
def test_pages_joined_are_all_that_is_found_and_lead_back(number: int) -> None:
    """Going on to older pages shows each upload once, newest first; going back leads over the same pages."""
    archive = archive_of([made(n) for n in range(number)])
    pages = [search(archive, Filters(), None, 5)]
    while pages[-1].older:
        pages.append(search(archive, Filters(), pages[-1].older, 5))
    seen = [record.id for page in pages for record in page.records]
    assert seen == [made(n).id for n in reversed(range(number))]
    assert pages[0].newer is None
    for earlier, page in itertools.pairwise(pages):
        back = search(archive, Filters(), page.newer, 5)
        assert back.records == earlier.records
        assert back.older is not None


def test_a_page_back_shows_the_first_page_where_little_is_newer() -> None:
    """The first page is as full as it can be, whichever way one comes."""
    uploads = [made(n) for n in range(6)]
    archive = archive_of(uploads)
    first = search(archive, Filters(), Cursor(Way.NEWER, uploads[3].id), 4)
    assert [record.id for record in first.records] == [upload.id for upload in uploads[:1:-1]]
    assert first.newer is None


def test_the_same_content_is_found_whoever_sent_it() -> None:
    """All others of the digest, never the upload itself, never more than asked for."""
    uploads = [made(n, account_id=f"a{n % 2}", sha256="ab" * 32) for n in range(4)] + [
        made(9, sha256="c" * 64)
    ]
    archive = archive_of(uploads)
    found = same_content(archive, uploads[2].id, "ab" * 32, 10)
    assert [record.id for record in found] == [uploads[n].id for n in (3, 1, 0)]
    assert len(same_content(archive, uploads[2].id, "ab" * 32, 2)) == 2
    assert len(same_content(archive, uploads[0].id, "ab" * 32, 2)) == 2


def read_csv(pieces: Sequence[bytes]) -> list[list[str]]:
    """Return the fields as a strict reader of RFC 4180 reads them."""
    text = b"".join(pieces).decode()
    assert text.endswith("\r\n")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


NAMES: Final = [
    '=HYPERLINK("http://evil.example","x")',
    "+1",
    "-1",
    "@SUM(A1)",
    " =1+1",
    "\uff1d1+1",
    'a","b',
    "ü ✓ 会議.pdf",
    "plain.pdf",
]


def test_no_text_is_a_formula_and_none_is_changed_otherwise() -> None:
    """OWASP's CSV injection: what a spreadsheet would reckon with is a text with an apostrophe before it."""
    found = read_csv(
        list(csv_export(archive_of([made(n, name=name) for n, name in enumerate(NAMES)]), Filters()))
    )
    names = [dict(zip(found[0], row, strict=True))["name"] for row in found[1:]]
    assert names[::-1] == [f"'{name}" if name in NAMES[:6] else name for name in NAMES]


def test_what_stands_behind_a_semicolon_is_no_formula_either() -> None:
    """Where the decimal sign is a comma, spreadsheets cut at semicolons, within quotes too."""
    names = ["a;=1+1", 'a"; @SUM(A1)', ";;-1", "text/plain; charset=utf-8", "a;b=c"]
    exported = b"".join(
        csv_export(archive_of([made(n, name=name) for n, name in enumerate(names)]), Filters())
    ).decode()
    for cell in exported.split(";"):
        assert not cell.lstrip(" ").startswith(("=", "+", "-", "@"))
    rows = read_csv([exported.encode()])
    found = [dict(zip(rows[0], row, strict=True))["name"] for row in rows[1:]][::-1]
    assert found == ["a;'=1+1", "a\";' @SUM(A1)", ";;'-1", *names[3:]]


def only_apostrophes_are_added(text: str, exported: str) -> bool:
    """Tell whether ``exported`` is ``text`` with nothing but apostrophes put in."""
    rest = exported
    for character in text:
        while rest and rest[0] != character and rest[0] == "'":
            rest = rest[1:]
        if rest[:1] != character:
            return False
        rest = rest[1:]
    return not rest.strip("'")


@given(texts=st.lists(st.text(), min_size=3, max_size=3))
def test_any_text_comes_back_from_csv_and_json(texts: list[str]) -> None:
    """Quotes, commas, line ends: a strict reader gets the fields back, and none begins a formula."""
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    signature, name, declared = texts
    upload = made(1, name=name, declared_type=declared, verdict=verdict(Kind.INFECTED, signature))
    names, fields = read_csv(list(csv_export(archive_of([upload]), Filters())))
    row = dict(zip(names, fields, strict=True))
    for column, text in (("name", name), ("declared_type", declared), ("signature", signature)):
        assert only_apostrophes_are_added(text, row[column])
        assert ";" in text or row[column] in {text, f"'{text}"}
        assert not row[column].lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    (line,) = b"".join(json_export(archive_of([upload]), Filters())).split(b"\n")[:-1]
    document = json.loads(line)
    assert (document["name"], document["declared_type"], document["signature"]) == (name, declared, signature)
    assert list(document) == names


def test_an_export_holds_all_that_is_found_in_batches() -> None:
    """More than a batch, each once, filtered; no batch is read before the one before it is written."""
    faults = Faults()
    uploads = [made(n, state=State.HELD if n % 3 else State.BLOCKED) for n in range(2500)]
    pieces = csv_export(archive_of(uploads, faults), Filters(state=State.HELD))
    first = [next(pieces), next(pieces)]
    assert faults.count("archive.page") == 1
    found = read_csv([*first, *pieces])
    expected = [upload.id for upload in reversed(uploads) if upload.state is State.HELD]
    assert [row[0] for row in found[1:]] == expected
    lines = b"".join(json_export(archive_of(uploads), Filters(state=State.HELD))).splitlines()
    assert [json.loads(line)["id"] for line in lines] == expected


def test_an_export_that_breaks_off_says_so() -> None:
    """A ledger that goes away in the middle is an error, not an end."""
    faults = Faults()
    faults.fail("archive.page", 2, Moment.BEFORE, LedgerUnavailable("away"))
    pieces = json_export(archive_of([made(n) for n in range(1500)], faults), Filters())
    assert next(pieces)
    with pytest.raises(LedgerUnavailable):
        list(pieces)


def test_the_overview_counts_what_was_begun_when() -> None:
    """Stretches are full hours up to the one that has begun; or days."""
    world = World()
    now = world.clock.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    uploads = [
        made(1, now, verdict=verdict(Kind.CLEAN)),
        made(2, hour),
        made(3, hour - MINUTE, verdict=verdict(Kind.INFECTED, "Eicar")),
        made(4, hour - timedelta(hours=23)),
        made(5, hour - timedelta(hours=23) - MINUTE),
    ]
    seen = overview(world.parts, archive_of(uploads), Span.DAY)
    assert len(seen.activity) == 24
    assert seen.activity[-1].begins_at == hour
    assert seen.activity[-1].verdicts == {Kind.CLEAN: 1, None: 1}
    assert seen.activity[-2].verdicts == {Kind.INFECTED: 1}
    assert sum(stretch.uploads for stretch in seen.activity) == 4
    month = overview(world.parts, archive_of(uploads), Span.MONTH)
    assert len(month.activity) == 30
    assert month.activity[-1].begins_at == hour.replace(hour=0)
    assert sum(stretch.uploads for stretch in month.activity) == 5


def test_the_overview_tells_what_waits_and_for_how_long() -> None:
    """The held by their age, those that the service owes something by the oldest."""
    world = World()
    now = world.clock.now()
    ages = [timedelta(0), -MINUTE, 59 * MINUTE, timedelta(hours=2), timedelta(days=3), timedelta(days=40)]
    held = [made(n, now - age, state=State.HELD) for n, age in enumerate(ages)]
    queued = [made(50 + n, now - n * MINUTE, state=State.QUARANTINED) for n in (1, 7)]
    seen = overview(world.parts, archive_of([*held, *queued, made(99)]), Span.DAY)
    assert dict(zip((name for name, _ in AGES), seen.held_ages, strict=True)) == {
        "less than an hour": 3,
        "an hour to a day": 1,
        "a day to a week": 1,
        "a week and more": 1,
    }
    assert seen.held
    assert seen.held.number == len(held)
    assert seen.queue_age == 7 * MINUTE
    quiet = overview(world.parts, archive_of([]), Span.DAY)
    assert (quiet.held, list(quiet.held_ages), quiet.queue_age) == (None, [0, 0, 0, 0], timedelta(0))


def test_the_overview_tells_of_a_scanner_that_is_away() -> None:
    """The page is there when it is needed most."""
    world = World()
    assert overview(world.parts, archive_of([]), Span.DAY).engine == world.parts.scanner.engine()
    world.faults.take_away("scanner", ScannerUnavailable("clamd does not answer"))
    seen = overview(world.parts, archive_of([]), Span.DAY)
    assert (seen.engine, seen.scanner_trouble) == (None, "clamd does not answer")


def test_records_are_no_uploads() -> None:
    """What a search finds cannot be moved or saved."""
    (record,) = archive_of([made(1)]).page(Filters(), None, 1)
    assert isinstance(record, Record)
    assert not hasattr(record, "moved")
