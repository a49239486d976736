"""Uploads as a busy service would have them, made up: as skewed as real ones, and the same each time.

One account has a fifth of all, most have few; the same decks come again and again; nearly everything is
clean. They are loaded past the ledger, so that a million costs little.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from typing import Any, Final

from sqlalchemy import Connection, Engine, insert, text

from service.adapters.schema import accounts, uploads
from service.core.search import searchable
from service.core.webhook import ordered_id

NOW: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
YEAR: Final = timedelta(days=365)
_BATCH: Final = 5000

ACCOUNTS: Final = [f"acct-{number:03d}" for number in range(500)]
#: More than a third of all names have the commonest word in them, few the last.
WORDS: Final = (
    *("deck", "agenda", "report", "Präsentation", "quarterly", "notes", "roadmap", "budget", "handout"),
    *("会議資料", "übersicht", "invoice", "minutes", "training", "onboarding", "Отчёт", "offsite", "payroll"),
    *("merger", "zebra"),
)
EXTENSIONS: Final = ("pdf", "pptx", "docx", "xlsx", "png")
SIGNATURES: Final = (
    "Win.Test.EICAR_HDB-1",
    *(f"Win.Trojan.Agent-{5_000_000 + 37 * number}-0" for number in range(2000)),
)
#: Per mille: verdict, reason and state.
_FATES: Final = (
    (905, ("clean", None, "released")),
    (50, ("clean", None, "erased")),
    (8, ("infected", "infected", "blocked")),
    (12, ("unscannable", "encrypted", "held")),
    (8, ("unscannable", "limits_exceeded", "erased")),
    (3, ("malformed", "malformed", "held")),
    (5, ("suspicious", "suspicious", "blocked")),
    (2, ("error", "scan_exhausted", "held")),
    (4, (None, "type_not_allowed", "refused")),
    (2, (None, "truncated", "abandoned")),
    (1, (None, None, "quarantined")),
)


def _zipf(number: int) -> list[float]:
    return list(accumulate(1 / rank for rank in range(1, number + 1)))


def _signature(draw: random.Random, kind: str | None, reason: str | None, tail: list[float]) -> str | None:
    match kind:
        case "infected":
            return draw.choices(SIGNATURES, cum_weights=tail)[0]
        case "unscannable":
            return (
                "Heuristics.Encrypted.PDF" if reason == "encrypted" else "Heuristics.Limits.Exceeded.MaxFiles"
            )
        case "malformed":
            return "Heuristics.Broken.Media.PNG"
        case "suspicious":
            return "Heuristics.OLE2.ContainsMacros.VBA"
        case _:
            return None


def made_rows(number: int) -> Iterator[dict[str, Any]]:
    """Yield that many rows of ``uploads``, oldest first, spread over the year before ``NOW``."""
    draw = random.Random(20261122)
    of_accounts, of_words, of_signatures = _zipf(len(ACCOUNTS)), _zipf(len(WORDS)), _zipf(len(SIGNATURES))
    fates = list(accumulate(share for share, _ in _FATES))
    for count in range(number):
        at = NOW - YEAR * (1 - count / number)
        account = draw.choices(ACCOUNTS, cum_weights=of_accounts)[0]
        kind, reason, state = draw.choices([fate for _, fate in _FATES], cum_weights=fates)[0]
        words = draw.choices(WORDS, cum_weights=of_words, k=2)
        name = f"{words[0]} {words[1]} {draw.randrange(2000)}.{draw.choice(EXTENSIONS)}"
        # Every tenth is one of a thousand files that come again and again; every hundredth the same logo.
        digest = draw.randrange(1000) if draw.random() < 0.1 else draw.getrandbits(200)
        digest = 7 if draw.random() < 0.01 else digest
        meeting = "weekly" if draw.random() < 0.05 else f"{account}-{draw.randrange(number // 2000 + 1)}"
        yield _row(
            at,
            id=ordered_id("up", at, f"{draw.getrandbits(80):020x}"),
            account_id=account,
            meeting_id=meeting,
            name="" if state == "erased" else name,
            name_folded="" if state == "erased" else searchable(name),
            state=state,
            sha256=f"{digest:064x}" if kind else None,
            reason=reason,
            verdict_kind=kind,
            verdict_code=reason or kind,
            verdict_signature=_signature(draw, kind, reason, of_signatures),
            verdict_sha256=f"{digest:064x}" if kind else None,
        )


def _row(at: datetime, **drawn: Any) -> dict[str, Any]:  # noqa: ANN401 - columns
    rest = {
        "declared_type": "application/pdf",
        "detected_type": "application/pdf",
        "created_at": at,
        "updated_at": at + timedelta(seconds=2),
        "size": 1_234_567,
        "attempts": 0,
        "leftover": "nothing",
        "version": 3,
        "verdict_size": 1_234_567,
        "verdict_engine": "1.4.6",
        "verdict_signature_version": 27826,
        "verdict_signatures_made_at": NOW,
        "verdict_protection": "official",
        "verdict_policy": "e" * 64,
        "verdict_duration": 0.25,
        "verdict_at": at + timedelta(seconds=1),
    }
    return rest | drawn


def load(engine: Engine, number: int) -> None:
    """Fill a migrated, empty database with ``made_rows``."""
    with engine.begin() as connection:
        connection.execute(insert(accounts), [{"id": name, "created_at": NOW} for name in ACCOUNTS])
        if engine.dialect.name == "postgresql":
            indexes = _take_indexes(connection)
            _copy(connection, made_rows(number))
            for definition in indexes:
                connection.execute(text(definition))
        else:
            rows = made_rows(number)
            while batch := list(islice(rows, _BATCH)):
                connection.execute(insert(uploads), batch)
    if engine.dialect.name == "postgresql":
        # What autovacuum has long done where a million uploads came over a year.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE uploads"))


def _take_indexes(connection: Connection) -> Sequence[str]:
    """Drop the indexes of PostgreSQL's ``uploads``; return how to make them again."""
    query = "SELECT indexname AS name, indexdef AS definition FROM pg_indexes WHERE tablename = 'uploads'"
    found = connection.execute(text(f"{query} AND indexname <> 'uploads_pkey'")).all()
    for index in found:
        connection.execute(text(f'DROP INDEX "{index.name}"'))
    return [index.definition for index in found]


def _copy(connection: Connection, rows: Iterator[dict[str, Any]]) -> None:
    names = list(next(made_rows(1)))
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY uploads ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([row[name] for name in names])
