"""Conclude: make what a scan came to durable. What people excused counts only while their word holds."""

from service.core.errors import AllowanceEnded
from service.core.outcome import Engine
from service.core.upload import State, Upload
from service.stages import judge
from service.stages.parts import Parts
from service.stages.record import save


def conclude(
    parts: Parts, upload: Upload, weighed: judge.Weighed, engine: Engine | None, duration: float
) -> Upload:
    """Save an upload that is SCANNING after what was ``weighed`` of a scan (``duration`` in seconds).

    Return it as saved. An allowance that ended since it was looked up excuses nothing. Raises ``Conflict`` if
    another process was first, and ``LedgerUnavailable``.
    """
    judged = judge.decide(parts, upload, weighed, engine, duration)
    try:
        return save(parts, judged, wake=judged.state is State.QUARANTINED, warrant=weighed.allowance)
    except AllowanceEnded:
        found = judge.Weighed(weighed.outcome)
        return save(parts, judge.decide(parts, upload, found, engine, duration))
