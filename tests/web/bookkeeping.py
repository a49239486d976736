"""The worker's part in the log, done at once."""

from service.stages.log.checkpoint import sign
from service.stages.log.place import place
from service.stages.parts import Parts


def keep_log(parts: Parts) -> None:
    """Give every line its place and sign a checkpoint over all of them."""
    while place(parts):
        pass
    sign(parts)
