"""Quarantine: put an intake into the store as segments.

A crash here leaves objects below the upload's prefix and a row RECEIVING whose lease runs out; the
reconciler abandons the row and deletes whatever is below the prefix. A resumable upload keeps the segments
that its row names, and what else is below the prefix goes when the upload ends.
"""

from collections.abc import Iterator

from service.core.upload import Segment, Upload
from service.ports import Clock
from service.stages import contents
from service.stages.parts import Parts
from service.stages.receive import SEGMENT_SIZE, Intake, SegmentSource


def store_segments(
    parts: Parts, upload: Upload, intake: Intake, first: int = 0, clock: Clock | None = None
) -> Iterator[Segment]:
    """Store all of ``intake``; give each segment when it is stored. An empty content has none.

    The numbers begin with ``first``; with a ``clock`` segments also end by time. Raises what the intake
    raises about the body, and ``StoreUnavailable``.
    """
    number = first
    while intake.more():
        source = SegmentSource(intake, first=number == first, clock=clock)
        size = None if intake.remaining is None else min(SEGMENT_SIZE, intake.remaining)
        stored = contents.put(parts, upload, number, source, size)
        yield Segment(number, stored.key, source.size, source.sha256(), stored.etag)
        number += 1
