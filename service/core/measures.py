"""What is measured, for those who run the service: one list of every metric.

Names and units follow Prometheus' conventions (https://prometheus.io/docs/practices/naming/). What one
process alone knows is only ever counted, or is the time at which something was so: a process that died leaves
no number behind that looks like the present.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Sort(StrEnum):
    """How a metric behaves."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric. ``labels`` name its dimensions; their values must be few.

    A counter's name is the published one, with ``_total``.
    """

    name: str
    help: str
    sort: Sort
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """The ``value`` of a gauge at this moment, with the values of its labels."""

    measure: Measure
    value: float
    labels: tuple[str, ...] = ()


#: Upper bounds in seconds: from the blink of a small file to the deadline of the largest.
BUCKETS: Final = (
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
    120.0,
    300.0,
    900.0,
)

EVENTS: Final = Measure(
    "greenroom_upload_events_total",
    "What happened to uploads, by the log's event.",
    Sort.COUNTER,
    ("event",),
)
VERDICTS: Final = Measure("greenroom_verdicts_total", "Verdicts, by kind.", Sort.COUNTER, ("kind",))
BYTES: Final = Measure(
    "greenroom_bytes_total",
    "Bytes of content: received into quarantine, scanned, served from released.",
    Sort.COUNTER,
    ("way",),
)
STAGES: Final = Measure(
    "greenroom_stage_seconds",
    "How long an upload took: to be received, to be scanned, from stored to its verdict, to be released.",
    Sort.HISTOGRAM,
    ("stage",),
)
SCAN_FAILURES: Final = Measure(
    "greenroom_scan_failures_total", "Scans that gave no answer, by reason.", Sort.COUNTER, ("failure",)
)
PART_SECONDS: Final = Measure(
    "greenroom_part_seconds",
    "How long the parts that the service stands on took to answer.",
    Sort.HISTOGRAM,
    ("part", "operation"),
)
PART_ERRORS: Final = Measure(
    "greenroom_part_errors_total",
    "How often a part did not answer, or not as it must.",
    Sort.COUNTER,
    ("part", "operation"),
)
CANARY_ROUNDS: Final = Measure(
    "greenroom_canary_rounds_total",
    "Rounds in which a process showed its scanner what it must find, by result: passed, failed.",
    Sort.COUNTER,
    ("result",),
)
SIGNATURES_MADE: Final = Measure(
    "greenroom_signatures_made_timestamp_seconds",
    "When the scanner's signatures were made, as the process that asked last was told.",
    Sort.GAUGE,
)
LEDGER_UP: Final = Measure(
    "greenroom_ledger_up", "Whether the ledger answered when these were read: 1 or 0.", Sort.GAUGE
)
UPLOADS: Final = Measure(
    "greenroom_uploads", "Uploads that are on their way or held, by state.", Sort.GAUGE, ("state",)
)
LONGEST: Final = Measure(
    "greenroom_uploads_longest_seconds",
    "How long the one that has been in its state longest is there.",
    Sort.GAUGE,
    ("state",),
)
LOG_LINES: Final = Measure("greenroom_log_lines", "Lines of the log that have their place.", Sort.GAUGE)
LOG_UNPLACED: Final = Measure(
    "greenroom_log_unplaced_seconds",
    "How long the line that waits longest for its place in the log is written; 0 if none waits.",
    Sort.GAUGE,
)
LOG_UNSIGNED: Final = Measure(
    "greenroom_log_unsigned_seconds",
    "How old the oldest placed line is that no signed checkpoint covers; 0 if all are covered.",
    Sort.GAUGE,
)
LOG_UNTOLD: Final = Measure(
    "greenroom_log_untold_seconds",
    "How old the oldest placed line is that the feed of events has not handed over; 0 if all are.",
    Sort.GAUGE,
)
RESCANNED: Final = Measure(
    "greenroom_rescanned_files_total",
    "Released files that were taken to be scanned again, by result: done, put_off.",
    Sort.COUNTER,
    ("result",),
)
RESCAN_PENDING: Final = Measure(
    "greenroom_rescan_pending_files",
    "Released files that are still to be scanned again; one that two rescans want counts twice.",
    Sort.GAUGE,
)

#: Counted where it happens.
COUNTED: Final = (
    EVENTS,
    VERDICTS,
    BYTES,
    STAGES,
    SCAN_FAILURES,
    PART_SECONDS,
    PART_ERRORS,
    CANARY_ROUNDS,
    SIGNATURES_MADE,
    RESCANNED,
)
#: Read from the ledger when somebody asks.
READ: Final = (LEDGER_UP, UPLOADS, LONGEST, LOG_LINES, LOG_UNPLACED, LOG_UNSIGNED, LOG_UNTOLD, RESCAN_PENDING)
