"""How much work a piece of code may be."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """State that what is done within takes no more processor time. Not asked while coverage is measured,
    which makes every line cost a multiple."""
    begun = time.process_time()
    yield
    assert sys.gettrace() is not None or time.process_time() - begun < seconds
