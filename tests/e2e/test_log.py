"""The log of the real service: lines get their places while it works."""

from service.core.journal import Placed
from service.stages.log.keys import public_key
from service.verify.lines import check_lines
from service.verify.signature import check_checkpoint
from stack.samples import EICAR
from tests.e2e.serving import Backend, eventually


def test_a_verdict_is_in_the_tree_within_seconds_and_under_a_checkpoint(backend: Backend) -> None:
    """The worker's bookkeeper does it while it does everything else, and an auditor can follow it."""
    parts = backend.web.service.parts
    upload = backend.upload(EICAR, "eicar.txt")

    def placed() -> bool:
        lines = parts.journal.of_upload(upload["id"])
        return bool(lines) and all(isinstance(line, Placed) for line in lines)

    eventually(placed, 5, "the lines' places")
    eventually(lambda: parts.checkpoints.newest() is not None, 5, "the first checkpoint")
    signed = parts.checkpoints.after(0, 10_000)
    key = public_key(parts)
    lines = (line.text.encode() + b"\n" for line in parts.journal.lines(0, 100_000))
    check_lines(lines, [check_checkpoint(one.note, key) for one in signed])
