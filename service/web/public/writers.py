"""Who writes to which upload in this process: at most one request, and the newest has its way.

A line that died in silence still holds the request that it carried. When its sender comes back on another
line, that request is ended: what came of it is then kept at once, and not only when the line is given up.
Requests in other processes are overtaken through the ledger.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Final

from service.core.errors import Conflict, Truncated
from service.ports import Clock, Source
from service.web.public.pace import unread

#: Seconds that a newer request waits for an older one to keep what it has.
_PATIENCE: Final = 10.0
#: Seconds that somebody who only asks for the offset waits for that.
_SHORT_PATIENCE: Final = 2.0
#: The fewest bytes that are asked for at once, and the seconds after which a line counts as slow.
_LEAST: Final = 8 * 1024
_SLOW: Final = 0.5


class Endable:
    """A request's body that can be ended from another thread: its next read then says that it broke off."""

    def __init__(self, body: Source, connection: socket.socket | None, clock: Clock, most: int) -> None:
        """Read from ``body``, ``most`` bytes at a time; it comes over ``connection`` if there is one."""
        self._body = body
        self._connection = connection
        self._clock = clock
        self._most = most
        self._step = _LEAST
        #: Once it was ended, how much of what had come by then is yet to be read.
        self._left: int | None = None

    def read(self, size: int, /) -> bytes:
        """Return the next bytes. Raises ``Truncated`` once it was ended and what had come is read."""
        if self._left == 0:
            raise Truncated("Another request goes on with the upload.")
        begun = self._clock.monotonic()
        data = self._body.read(min(size, self._step, self._left or size))
        if self._left is not None:
            self._left -= min(len(data), self._left)
        # The server gives nothing before all that was asked for has come: a slow line is asked for less, so
        # that the age of what came is looked at often.
        slow = self._clock.monotonic() - begun > _SLOW
        self._step = max(_LEAST, self._step // 2) if slow else min(self._most, self._step * 2)
        return data

    def end(self) -> None:
        """End it; a thread that waits for bytes is woken. Those that came already can still be read."""
        if self._left is not None:
            return
        self._left = 0
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._left = unread(self._connection)
                self._connection.shutdown(socket.SHUT_RD)


class Writers:
    """The bodies that are being read, by upload."""

    def __init__(self) -> None:
        """Know of none yet."""
        self._bodies: dict[str, Endable] = {}
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def hold(self, upload_id: str, body: Endable) -> Iterator[None]:
        """Be the one that writes, ending who was before. Raises ``Conflict`` if that takes too long."""
        with self._changed:
            if not self._end(upload_id, _PATIENCE):
                raise Conflict("Another request is still at work on the upload. Try again in a few seconds.")
            self._bodies[upload_id] = body
        try:
            yield
        finally:
            with self._changed:
                del self._bodies[upload_id]
                self._changed.notify_all()

    def end(self, upload_id: str, *, wait: bool) -> None:
        """End who writes, if anybody does, so that what came is kept; ``wait`` a little until it is."""
        with self._changed:
            self._end(upload_id, _SHORT_PATIENCE if wait else 0.0)

    def _end(self, upload_id: str, patience: float) -> bool:
        """Tell whether nobody writes any more. Another may have begun and be ended meanwhile."""

        def gone() -> bool:
            body = self._bodies.get(upload_id)
            if body is not None:
                body.end()
            return body is None

        return self._changed.wait_for(gone, patience)
