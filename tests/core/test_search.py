from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import BadRequest
from service.core.search import Cursor, Filters, Way, first_id, folded, read_cursor, read_filters
from service.core.upload import State
from service.core.verdict import Kind
from service.core.webhook import ordered_id

UPLOAD = "up_" + "0123456789abcdef" * 2
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TIMES = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - in UTC


def test_every_filter_is_read_from_its_parameter() -> None:
    """What a page's address says is what is searched for; the address of that is the same again."""
    given_parameters = {
        "id": UPLOAD,
        "sha256": "AB" * 32,
        "name": " Deck_1% ",
        "account": "acme",
        "meeting": "m:1",
        "signature": "Eicar",
        "verdict": "infected",
        "state": "held",
        "since": "2026-11-22T13:00+01:00",
        "until": "2026-11-22",
        "older": UPLOAD,
        "unknown": "x",
    }
    filters = read_filters(given_parameters)
    end = NOON.replace(hour=0) + timedelta(days=1)
    assert filters == Filters(
        UPLOAD, "ab" * 32, "Deck_1%", "acme", "m:1", "Eicar", Kind.INFECTED, State.HELD, NOON, end
    )
    assert read_filters(filters.parameters()) == filters


@pytest.mark.parametrize(
    "name", ["id", "sha256", "name", "account", "meeting", "signature", "verdict", "since"]
)
def test_an_empty_parameter_asks_for_nothing(name: str) -> None:
    """A form sends all of its fields, empty or not."""
    assert read_filters({name: "  "}) == Filters()
    assert Filters().parameters() == {}


@pytest.mark.parametrize(
    ("name", "untrusted_value"),
    [
        ("id", "up_1"),
        ("id", UPLOAD.upper()),
        ("id", f"{UPLOAD}\n0"),
        ("sha256", "ab"),
        ("sha256", "g" * 64),
        ("name", "a\0b"),
        ("name", "\ud800"),
        ("name", "x" * 256),
        ("account", "a/b"),
        ("meeting", "-m"),
        ("signature", "Eicär"),
        ("signature", "x" * 513),
        ("verdict", "Clean"),
        ("state", "gone"),
        ("since", "yesterday"),
        ("since", "0001-01-01"),
        ("until", "9999-12-31"),
        ("until", "0001-01-01T00:00+23:59"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(name: str, untrusted_value: str) -> None:
    """Nothing odd gets as far as the database, and whoever asked is told which field it is."""
    with pytest.raises(BadRequest, match=name):
        read_filters({name: untrusted_value})


def test_an_end_before_its_beginning_is_refused() -> None:
    """It would find nothing for ever."""
    with pytest.raises(BadRequest, match="until"):
        read_filters({"since": "2026-11-22T12:00Z", "until": "2026-11-22T12:00Z"})
    assert read_filters({"since": "2026-11-22", "until": "2026-11-22"}).until == NOON + timedelta(hours=12)


@given(untrusted=st.dictionaries(st.sampled_from(["id", "name", "since", "until", "account"]), st.text()))
def test_any_address_is_read_or_refused(untrusted: dict[str, str]) -> None:
    """No text makes the reading fail in another way, and what is read is read again as the same."""
    try:
        filters = read_filters(untrusted)
    except BadRequest:
        return
    assert read_filters(filters.parameters()) == filters


@given(at=TIMES, other=TIMES)
def test_a_time_is_the_first_of_the_ids_made_then(at: datetime, other: datetime) -> None:
    """Every id of that time or later is at or behind it, every id of an earlier millisecond before it."""
    made = ordered_id("up", other, "0" * 20)
    assert (first_id(at) <= made) == (int(at.timestamp() * 1000) <= int(other.timestamp() * 1000))


@pytest.mark.parametrize(
    ("text", "same"),
    [("Straße", "STRASSE"), ("ﬁle", "File"), ("zu\u0308rich", "ZÜRICH"), ("ＡＢ", "ab")],  # noqa: RUF001
)
def test_folding_takes_case_and_ways_to_write_away(text: str, same: str) -> None:
    """Two texts that read the same fold to the same."""
    assert folded(text) == folded(same)


@given(text=st.text())
def test_what_is_folded_stays_as_it_is(text: str) -> None:
    """Folding twice is folding once."""
    assert folded(folded(text)) == folded(text)


def test_a_cursor_is_read_from_the_way_that_it_goes() -> None:
    """One way with an id, or none."""
    assert read_cursor({}) is None
    assert read_cursor({"older": ""}) is None
    assert read_cursor({"older": UPLOAD}) == Cursor(Way.OLDER, UPLOAD)
    assert read_cursor({"newer": UPLOAD, "older": ""}) == Cursor(Way.NEWER, UPLOAD)
    for odd in ({"newer": UPLOAD, "older": UPLOAD}, {"older": "'; --"}):
        with pytest.raises(BadRequest):
            read_cursor(odd)
