"""Export: everything that a search finds, as CSV or JSON lines, written while it is read.

A batch is read, written and forgotten, so memory does not grow with what is found. What is begun after the
export was is not in it; what is moved meanwhile is in it as it stood when its batch was read.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from service.core.representation import rfc3339
from service.core.search import Cursor, Filters, Record, Way
from service.ports import Archive

_BATCH: Final = 1000
#: Where a spreadsheet takes what follows for a formula (OWASP, CSV Injection), in full width too: at the
#: beginning, and after a semicolon, at which it cuts lines where the decimal sign is a comma, quoted or not.
_FORMULAS: Final = re.compile("(^|;)(?= *[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20])")

Value = str | int | float | None


def csv_export(archive: Archive, filters: Filters) -> Iterator[bytes]:
    """Yield what ``filters`` let through as CSV (RFC 4180) in UTF-8 with a line of names first, newest first.

    Every field is quoted, and what a spreadsheet would reckon with has an apostrophe before it. Raises
    ``LedgerUnavailable``, in the middle too: what was cut off must not look whole to whoever receives it.
    """
    yield _csv_lines([list(_COLUMNS)])
    for batch in _batches(archive, filters):
        yield _csv_lines([[_harmless(read(record)) for read in _COLUMNS.values()] for record in batch])


def json_export(archive: Archive, filters: Filters) -> Iterator[bytes]:
    """Yield what ``filters`` let through as one JSON object in UTF-8 on each line, newest first.

    The names are those of the CSV. Raises as ``csv_export`` does.
    """
    for batch in _batches(archive, filters):
        objects = ({name: read(record) for name, read in _COLUMNS.items()} for record in batch)
        yield b"".join(
            json.dumps(each, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for each in objects
        )


def _batches(archive: Archive, filters: Filters) -> Iterator[Sequence[Record]]:
    cursor = None
    while batch := archive.page(filters, cursor, _BATCH):
        yield batch
        cursor = Cursor(Way.OLDER, batch[-1].id)


def _csv_lines(rows: Sequence[Sequence[Value]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _harmless(value: Value) -> Value:
    return _FORMULAS.sub(r"\1'", value) if isinstance(value, str) else value


def _verdict_column(read: Callable[..., Value]) -> Callable[[Record], Value]:
    return lambda record: None if record.verdict is None else read(record.verdict)


def _engine_column(read: Callable[..., Value]) -> Callable[[Record], Value]:
    return _verdict_column(lambda verdict: None if verdict.engine is None else read(verdict.engine))


_COLUMNS: Final[Mapping[str, Callable[[Record], Value]]] = {
    "id": lambda record: record.id,
    "account": lambda record: record.account_id,
    "meeting": lambda record: record.meeting_id,
    "name": lambda record: record.name,
    "size": lambda record: record.size,
    "sha256": lambda record: record.sha256,
    "declared_type": lambda record: record.declared_type,
    "detected_type": lambda record: record.detected_type,
    "state": lambda record: record.state.value,
    "reason": lambda record: record.reason,
    "created_at": lambda record: rfc3339(record.created_at),
    "updated_at": lambda record: rfc3339(record.updated_at),
    "grant": lambda record: record.grant_id,
    "verdict": _verdict_column(lambda verdict: verdict.kind.value),
    "verdict_code": _verdict_column(lambda verdict: verdict.code),
    "signature": _verdict_column(lambda verdict: verdict.signature),
    "verdict_at": _verdict_column(lambda verdict: rfc3339(verdict.at)),
    "scan_seconds": _verdict_column(lambda verdict: round(verdict.duration, 4)),
    "protection": _verdict_column(lambda verdict: verdict.protection.value),
    "policy": _verdict_column(lambda verdict: verdict.policy),
    "engine": _engine_column(lambda engine: engine.version),
    "signature_version": _engine_column(lambda engine: engine.signature_version),
    "signatures_made_at": _engine_column(
        lambda engine: engine.signatures_made_at and rfc3339(engine.signatures_made_at)
    ),
}
