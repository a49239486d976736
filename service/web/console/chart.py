"""Charts drawn here, as numbers that a template puts into an SVG. The figures stand in a table behind it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from service.core.verdict import Kind
from service.stages.desk.overview import Overview, Span, Stretch

WIDTH: Final = 1180
HEIGHT: Final = 210
_LEFT, _RIGHT, _TOP, _FOOT = 44, 6, 10, 24
_FLOOR: Final = HEIGHT - _FOOT
#: What is drawn as one, from the floor up: its tone, its words and its verdicts.
GROUPS: Final = (
    ("good", "clean", (Kind.CLEAN,)),
    ("info", "no verdict yet, or refused", (None,)),
    ("warn", "held back", (Kind.UNSCANNABLE, Kind.MALFORMED, Kind.SUSPICIOUS, Kind.ERROR)),
    ("bad", "infected", (Kind.INFECTED,)),
)
#: The least height of what is there at all: one infected file among a thousand must be seen.
_LEAST: Final = 2.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle with its tone."""

    tone: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A text beside an axis, and where."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars, the marks of both axes, and a sentence for those who do not see them."""

    bars: Sequence[Bar]
    levels: Sequence[Mark]
    times: Sequence[Mark]
    words: str


def counts(stretch: Stretch) -> list[int]:
    """Return how many uploads of a stretch are in each of ``GROUPS``."""
    return [sum(stretch.verdicts.get(kind, 0) for kind in kinds) for _, _, kinds in GROUPS]


def draw(shown: Overview) -> Chart:
    """Return the chart of the uploads in each stretch of time, by verdict."""
    top = _round_up(max((one.uploads for one in shown.activity), default=0))
    step = (WIDTH - _LEFT - _RIGHT) / max(1, len(shown.activity))
    form = "%H:%M" if shown.span is Span.DAY else "%d %b"
    every = 6 if shown.span is Span.DAY else 7
    return Chart(
        bars=[
            bar
            for number, one in enumerate(shown.activity)
            for bar in _column(one, _LEFT + number * step + step * 0.14, step * 0.72, top)
        ],
        levels=[Mark(_FLOOR - (_FLOOR - _TOP) * part / 2, f"{top * part // 2:,}") for part in range(3)],
        times=[
            Mark(_LEFT + number * step + step * 0.14, one.begins_at.strftime(form))
            for number, one in enumerate(shown.activity)
            if number % every == 0
        ],
        words=_words(shown),
    )


def _column(stretch: Stretch, x: float, width: float, top: int) -> Iterator[Bar]:
    y = float(_FLOOR)
    for (tone, _, _), number in zip(GROUPS, counts(stretch), strict=True):
        if number:
            height = max(_LEAST, (_FLOOR - _TOP) * number / top)
            y -= height
            yield Bar(tone, round(x, 2), round(y, 2), round(width, 2), round(height, 2))


def _round_up(number: int) -> int:
    """Return an even number that is easy to read, not below ``number``."""
    power = 1
    while power * 10 < number:
        power *= 10
    return next(power * times for times in (1, 2, 4, 6, 8, 10) if power * times >= max(2, number))


def _words(shown: Overview) -> str:
    totals = [sum(column) for column in zip(*map(counts, shown.activity), strict=True)]
    said = ", ".join(f"{number} {words}" for (_, words, _), number in zip(GROUPS, totals, strict=True))
    return f"Uploads by the {'hour' if shown.span is Span.DAY else 'day'} and verdict: {said}."
