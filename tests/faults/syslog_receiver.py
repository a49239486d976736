"""A receiver of syslog over TLS that can do wrong on purpose, made from RFC 5425 and not from our sender."""

from __future__ import annotations

import re
import selectors
import socket
import ssl
import threading
from contextlib import suppress
from enum import Enum, auto
from typing import Final

FRAME: Final = re.compile(rb"([1-9][0-9]*) ")
PATIENCE: Final = 20.0


class Manner(Enum):
    """What it does with a connection."""

    #: Reads to the end and answers the goodbye.
    POLITE = auto()
    #: Reads to the end and hangs up, as rsyslog does.
    CURT = auto()
    #: Is gone with what was sent unread, as a process that is killed.
    DIES = auto()
    #: Reads to the end and never says so.
    SILENT = auto()


class Receiver:
    """Listens on a port of loopback and keeps the messages that it read."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.manner = Manner.POLITE
        self.received: list[bytes] = []
        #: What was not as the RFC says.
        self.complaints: list[str] = []
        self._tls = tls
        self.port = 0
        self.start()

    def start(self) -> None:
        """Listen, again on the same port."""
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def show(self, tls: ssl.SSLContext) -> None:
        """Be another from the next connection on."""
        self._tls = tls

    def messages(self) -> list[str]:
        """What was received so far."""
        return [message.decode() for message in self.received]

    def stop(self) -> None:
        """Listen no more."""
        self._stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _listen(self) -> None:
        while not self._stopped.is_set():
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            raw.settimeout(PATIENCE)
            with (
                raw,
                suppress(OSError),
                self._tls.wrap_socket(raw, server_side=True, suppress_ragged_eofs=False) as link,
            ):
                self._receive(link)

    def _receive(self, link: ssl.SSLSocket) -> None:
        if self.manner is Manner.DIES:
            with selectors.DefaultSelector() as waiting:
                waiting.register(link, selectors.EVENT_READ)
                waiting.select(PATIENCE)
            return
        stream = b""
        try:
            while chunk := link.recv(65_536):
                stream += chunk
        except ssl.SSLEOFError:
            self.complaints.append("the sender hung up without a goodbye")
        self._take_apart(stream)
        if self.manner is Manner.SILENT:
            self._stopped.wait(PATIENCE)
        elif self.manner is Manner.POLITE:
            link.unwrap()

    def _take_apart(self, stream: bytes) -> None:
        while stream:
            frame = FRAME.match(stream)
            if frame is None or len(stream) < frame.end() + int(frame[1]):
                self.complaints.append(f"no frame: {stream[:40]!r}")
                return
            end = frame.end() + int(frame[1])
            self.received.append(stream[frame.end() : end])
            stream = stream[end:]
