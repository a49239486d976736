"""``ports.Scanner`` on clamd, through the ``clamd`` library.

The library is subclassed for what it does well (finding the socket, the simple commands) and replaced
where it would let bytes or answers slip: it writes with ``send`` and may lose the rest of a chunk, connects
without a time limit, waits for a line for ever while it trickles, answers ``None`` to an empty reply and
forgets the reply that a closing clamd left behind. Protocol: ``clamd(8)``, INSTREAM.
"""

import re
import socket
import struct
import threading
import time
from datetime import UTC, datetime
from typing import Final

import clamd

from service.core.errors import ScannerUnavailable
from service.core.outcome import Engine, Failed, Failure, Outcome, read_reply

_LONGEST_REPLY: Final = 4096
_COMMAND_TIMEOUT: Final = 5.0
#: A scanner that takes no byte for this long loses its leg of an upload, not the upload its time.
_STALL: Final = 5.0
_ENGINE_LASTS: Final = 1.0
_VERSION: Final = re.compile(r"ClamAV ([^/\s]{1,64})(?:/(\d{1,9})/(.{1,64}))?")


class _Connection(clamd.ClamdNetworkSocket):  # type: ignore[misc]
    """One connection to clamd, by Unix socket or TCP, with every wait bounded from before the connect."""

    def __init__(self, address: str | tuple[str, int]) -> None:
        super().__init__(timeout=_COMMAND_TIMEOUT)
        self._address = address
        self.clamd_socket: socket.socket

    def _init_socket(self) -> None:
        family = socket.AF_UNIX if isinstance(self._address, str) else socket.AF_INET
        self.clamd_socket = socket.socket(family, socket.SOCK_STREAM)
        self.clamd_socket.settimeout(self.timeout)
        try:
            self.clamd_socket.connect(self._address)
        except OSError as error:
            self.clamd_socket.close()
            raise ScannerUnavailable(f"clamd cannot be reached: {error}") from error

    def _recv_response(self) -> str:
        """Return the one line of a reply, under one deadline for all of it and of bounded length."""
        until = time.monotonic() + _COMMAND_TIMEOUT
        line = b""
        while not line.endswith(b"\n"):
            self.clamd_socket.settimeout(max(until - time.monotonic(), 0.001))
            piece = self.clamd_socket.recv(_LONGEST_REPLY)
            line += piece
            if not piece or len(line) > _LONGEST_REPLY or time.monotonic() > until:
                raise ScannerUnavailable("clamd did not answer with one line")
        return line.decode().strip()

    def open(self) -> socket.socket:
        """Return a fresh connected socket."""
        self._init_socket()
        return self.clamd_socket

    def ask_version(self) -> str:
        """Return the reply to VERSION."""
        try:
            return str(self.version())
        except (clamd.ClamdError, OSError, ValueError) as error:
            raise ScannerUnavailable(f"clamd did not answer: {error}") from error


class ClamdScanner:
    """Scans by INSTREAM. Each scan has a connection of its own and one deadline from open to answer."""

    def __init__(self, address: str | tuple[str, int], deadline: float) -> None:
        """Use the clamd at ``address`` (a socket's path, or host and port); ``deadline`` in seconds."""
        self._address = address
        self._deadline = deadline
        self._lock = threading.Lock()
        self._engine: Engine | ScannerUnavailable = ScannerUnavailable("clamd was not asked yet")
        self._asked_again_at = 0.0

    def open(self) -> "ClamdStream":
        """Begin a scan. Raises ``ScannerUnavailable``."""
        connection = _Connection(self._address).open()
        try:
            return ClamdStream(connection, time.monotonic() + self._deadline)
        except ScannerUnavailable:
            connection.close()
            raise

    def engine(self) -> Engine:
        """Return the engine as VERSION names it. Its word, or its silence, is good for a second."""
        with self._lock:
            if time.monotonic() >= self._asked_again_at:
                self._engine = self._ask()
                self._asked_again_at = time.monotonic() + _ENGINE_LASTS
            if isinstance(self._engine, ScannerUnavailable):
                raise ScannerUnavailable(str(self._engine))
            return self._engine

    def _ask(self) -> Engine | ScannerUnavailable:
        try:
            return read_version(_Connection(self._address).ask_version())
        except ScannerUnavailable as error:
            return error


def read_version(reply: str) -> Engine:
    """Return what a VERSION reply says. Raises ``ScannerUnavailable`` if it is not one.

    ``ClamAV 1.4.6/27826/Thu Nov 20 09:31:54 2026`` with an official database, ``ClamAV 1.4.6`` without.
    The time has no zone: clamd must run with ``TZ=UTC``.
    """
    match = _VERSION.fullmatch(reply.strip())
    if match is None:
        raise ScannerUnavailable("what answers is not clamd")
    version, database, made = match.groups()
    if database is None:
        return Engine(version, None, None)
    try:
        made_at = datetime.strptime(made, "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    except ValueError:
        return Engine(version, int(database), None)
    return Engine(version, int(database), made_at)


class ClamdStream:
    """One INSTREAM under way (``ports.ScanStream``)."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        """Begin on a connected socket; ``deadline`` is on the monotonic clock."""
        self._socket = connection
        self._deadline = deadline
        self._reply = b""
        self._spoke_early = False
        self._done: Outcome | None = None
        self._send(b"zINSTREAM\0")

    def feed(self, chunk: bytes) -> None:
        """Send one chunk. Raises ``ScannerUnavailable`` if clamd does not take it in time."""
        if chunk:
            self._send(struct.pack("!L", len(chunk)))
            self._send(chunk)

    def finish(self) -> None:
        """Send the chunk of length zero that starts the scan. Raises ``ScannerUnavailable``."""
        self._spoke_early = self._has_spoken()
        self._send(struct.pack("!L", 0))

    def outcome(self, timeout: float | None = None) -> Outcome | None:
        """Read until clamd closes, at most ``timeout`` seconds or until the deadline."""
        until = self._deadline if timeout is None else min(self._deadline, time.monotonic() + timeout)
        while self._done is None:
            try:
                self._socket.settimeout(max(until - time.monotonic(), 0.001))
                piece = self._socket.recv(_LONGEST_REPLY)
            except TimeoutError:
                if time.monotonic() < self._deadline:
                    return None
                self._done = Failed(Failure.TIMEOUT, "no answer before the deadline")
            except OSError as error:
                self._done = self._lost(error)
            else:
                self._take(piece)
        return self._done

    def close(self) -> None:
        """Close the connection; clamd then drops the scan."""
        self._socket.close()

    def _take(self, piece: bytes) -> None:
        self._reply += piece
        if not piece or len(self._reply) > _LONGEST_REPLY:
            said = read_reply(self._reply)
            if self._spoke_early and not isinstance(said, Failed):
                # clamd scans when all bytes are in: what came before that is not about this content.
                said = Failed(Failure.PROTOCOL, "clamd answered before it was asked")
            self._done = said

    def _lost(self, error: OSError) -> Outcome:
        """Return what to make of a reply cut short: never the answer it seems to begin with."""
        known = read_reply(self._reply)
        return (
            known
            if isinstance(known, Failed) and self._reply
            else Failed(Failure.CONNECTION_LOST, str(error))
        )

    def _has_spoken(self) -> bool:
        """Tell whether something to read (an answer, an end, an error) is there already."""
        try:
            self._socket.settimeout(0)
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def _send(self, data: bytes) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise ScannerUnavailable("the scan's deadline has passed")
        try:
            self._socket.settimeout(min(_STALL, left))
            self._socket.sendall(data)
        except OSError as error:
            raise ScannerUnavailable(f"clamd does not take the bytes: {error}") from error
