"""Quarantine: put an intake into the store as segments.

A crash here leaves objects below the upload's prefix and a row RECEIVING whose lease runs out; the
reconciler abandons the row and deletes whatever is below the prefix.
"""

from service.core.upload import Segment
from service.ports import ObjectStore
from service.stages.parts import new_segment_key
from service.stages.receive import SEGMENT_SIZE, Intake, SegmentSource


def store_segments(store: ObjectStore, upload_id: str, intake: Intake) -> tuple[Segment, ...]:
    """Store all of ``intake`` and return its segments in order. An empty content has none.

    Raises what the intake raises about the body, and ``StoreUnavailable``.
    """
    segments: list[Segment] = []
    while intake.more():
        number = len(segments)
        source = SegmentSource(intake, first=number == 0)
        size = None if intake.remaining is None else min(SEGMENT_SIZE, intake.remaining)
        stored = store.put(new_segment_key(upload_id), source, size)
        segments.append(Segment(number, stored.key, source.size, source.sha256(), stored.etag))
    return tuple(segments)
