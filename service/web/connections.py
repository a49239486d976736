"""gunicorn's worker with threads; here a connection holds one only while there is a request to answer.

As it ships, a connection that says nothing holds a thread for 5 s, one that sends half a request's head for
as long as it likes, and one whose request was answered before its body had come until that came or 5 s went
by; then the main loop itself stands still for up to 2 s to close it. A hundred clients of no standing could
so stop the service. Here the main loop waits for heads and sees connections off, with no thread and no pause.

Plain HTTP/1 only: TLS and HTTP/2 end at the proxy.
"""

import contextlib
import io
import select
import socket
import struct
import time
from collections import deque
from concurrent.futures import Future
from functools import partial
from selectors import EVENT_READ
from typing import Final

from gunicorn import util
from gunicorn.http import Request, RequestParser
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.workers.gthread import TConn, ThreadWorker

#: Seconds in which a request's whole head must come.
_HEAD_WITHIN: Final = 10.0
_LONGEST_HEAD: Final = 32 * 1024
#: Seconds in which a client must take something of its answer, else it loses the answer, not we the thread.
_TAKE_WITHIN: Final = 10
#: How long, and for how many bytes, a client that still sends after its answer is listened to. Closing at
#: once would reset the connection, and the answer could be lost with it (RFC 9112, 9.6).
_LINGER: Final = 5.0
_MOST_DRAINED: Final = 8 * 1024 * 1024
_PIECE: Final = 64 * 1024
_HEAD_ENDS: Final = b"\r\n\r\n"
_SEND_TIMEOUT: Final = struct.pack("ll", _TAKE_WITHIN, 0)


class _Request(Request):
    """A request whose connection is not used again unless its body was read and another can come."""

    def should_close(self) -> bool:
        """Tell what the answer's ``Connection`` header will say, and whether it is kept."""
        reader = self.body.reader if self.body else None
        unread = (isinstance(reader, LengthReader) and reader.length > 0) or (
            isinstance(reader, ChunkedReader) and reader.parser is not None
        )
        return unread or super().should_close() or self._ended()

    def _ended(self) -> bool:
        """Tell whether nothing can come any more, because the client or one of us shut the connection."""
        connection = self.unreader.sock  # type: ignore[attr-defined]
        look = select.poll()
        look.register(connection, select.POLLIN | select.POLLRDHUP)
        return any(event & (select.POLLRDHUP | select.POLLHUP | select.POLLERR) for _, event in look.poll(0))


class _Parser(RequestParser):
    mesg_class = _Request


class _Parting:
    """A connection that was answered and is being seen off."""

    def __init__(self, conn: TConn) -> None:
        self.conn = conn
        self.until = time.monotonic() + _LINGER
        self.left = _MOST_DRAINED


class Worker(ThreadWorker):
    """Named in ``gunicorn.conf.py``. All but ``handle`` runs in the main thread."""

    def init_process(self) -> None:
        """Run the worker."""
        self._parting: deque[_Parting] = deque()
        super().init_process()

    def enqueue_req(self, conn: TConn) -> None:
        """Give a connection to a thread if a request's head is there; else wait for it in the main loop."""
        if _head_came(conn):
            conn.data_ready = True
            # In the kernel (socket(7)), because gunicorn makes the socket a blocking one.
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SEND_TIMEOUT)
            super().enqueue_req(conn)
        elif _too_long(conn):
            with contextlib.suppress(OSError):
                util.write_error(conn.sock, 431, "Request Header Fields Too Large", "")
            self._see_off(conn)
        else:
            conn.timeout = time.monotonic() + _HEAD_WITHIN
            self.pending_conns.append(conn)
            self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def on_pending_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        """Take what came; the time for the rest of a head runs on."""
        if _head_came(conn) or _too_long(conn):
            super().on_pending_socket_readable(conn, client)

    def murder_pending(self) -> None:
        """Close the connections whose time is up."""
        super().murder_pending()
        now = time.monotonic()
        while self._parting and self._parting[0].until <= now:
            self._close(self._parting[0])

    def finish_request(self, conn: TConn, fs: Future[bool]) -> None:
        """Keep a connection for its next request, or see it off."""
        if fs.cancelled() or fs.exception() is not None or fs.result():
            super().finish_request(conn, fs)
        else:
            self._see_off(conn)

    def _see_off(self, conn: TConn) -> None:
        parting = _Parting(conn)
        self._parting.append(parting)
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, EVENT_READ, partial(self._drain, parting))
        except (OSError, ValueError):
            # The client, or an answer that broke off, has closed it already.
            self._close(parting)

    def _drain(self, parting: _Parting, client: socket.socket) -> None:
        try:
            data = client.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        parting.left -= len(data)
        if not data or parting.left < 0:
            self._close(parting)

    def _close(self, parting: _Parting) -> None:
        self._parting.remove(parting)
        with contextlib.suppress(KeyError, ValueError):
            self.poller.unregister(parting.conn.sock)
        self.nr_conns -= 1
        parting.conn.close()


def _head_came(conn: TConn) -> bool:
    """Take what has come and tell whether a thread can read a request's head, or its end, without waiting."""
    buffer = _buffer(conn)
    if _HEAD_ENDS in buffer.getvalue():
        return True
    try:
        conn.sock.setblocking(False)
        data = conn.sock.recv(_PIECE)
    except BlockingIOError:
        return False
    except OSError:
        return True
    buffer.seek(0, io.SEEK_END)
    buffer.write(data)
    return not data or _HEAD_ENDS in buffer.getvalue()


def _too_long(conn: TConn) -> bool:
    return len(_buffer(conn).getvalue()) > _LONGEST_HEAD


def _buffer(conn: TConn) -> io.BytesIO:
    """Return what has come and was not read as part of a request."""
    if not isinstance(conn.parser, RequestParser):
        conn.parser = _Parser(conn.cfg, conn.sock, conn.client)
    return conn.parser.unreader.buf
