"""``ports.EventSink`` on syslog over TLS: RFC 5424 in the frames of RFC 5425.

Syslog has no acknowledgements, and what was written to a connection is lost with it when the other side goes
away. So each batch has a connection of its own and is there when the receiver, told that nothing more comes
(close_notify, which RFC 5425, 4.4 obliges it to answer), has read to the end and closed. A receiver that goes
away with anything unread resets the connection instead. No connection stands idle, to be found dead later.
"""

import os
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC
from pathlib import Path
from typing import Final, TypeVar

from service.core.errors import ConfigurationError, SinkUnavailable
from service.core.siem import Telling
from service.core.siem.meaning import Severity

T = TypeVar("T")

#: Seconds for one batch in all: name, connection, handshake, lines and the receiver's goodbye.
DEADLINE: Final = 15.0
_CONNECT: Final = 5.0
#: RFC 5424, 6.2.1: facility 13, log audit.
_FACILITY: Final = 13
_SEVERITIES: Final = {
    Severity.INFORMATIONAL: 6,
    Severity.LOW: 5,
    Severity.MEDIUM: 4,
    Severity.HIGH: 3,
    Severity.CRITICAL: 2,
}
#: RFC 5424, 7.3.1: sequenceId counts from 1 and begins anew after this.
_LAST_SEQUENCE: Final = 2**31 - 1
_LONGEST_ID: Final = 32
_CHUNK: Final = 16 * 1024


def trusting(ca: Path | None, certificate: Path | None) -> ssl.SSLContext:
    """Return what trusts receivers by ``ca`` (PEM; ``None``: as the system does) and shows ``certificate``,
    with its key, to those who ask. Raises ``ConfigurationError`` if one of them cannot be read.
    """
    try:
        tls = ssl.create_default_context(cafile=ca)
        if certificate is not None:
            tls.load_cert_chain(certificate)
    except OSError as error:
        named = " or ".join(str(path) for path in (ca, certificate) if path)
        raise ConfigurationError(
            f"GREENROOM_EVENTS_CA or _CERTIFICATE cannot be read: {named}: {error}"
        ) from None
    return tls


class SyslogEvents:
    """Sends to one receiver, whose certificate must be for the name that it is reached by."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext, deadline: float = DEADLINE) -> None:
        """Send to ``host:port``, trusting as ``tls`` says; a batch may take ``deadline`` seconds."""
        self._host = host
        self._port = port
        self._tls = tls
        self._deadline = deadline
        self._from = f"{socket.gethostname() or '-'} greenroom {os.getpid()}"

    def write(self, tellings: Sequence[Telling]) -> None:
        """Send a message for each and wait until the receiver has read them."""
        until = time.monotonic() + self._deadline
        try:
            self._send(b"".join(self._frame(one) for one in tellings), until)
        except OSError as error:
            # Errors of TLS are among these.
            raise SinkUnavailable(f"The syslog receiver has not got the lines: {error}.") from error

    def _send(self, frames: bytes, until: float) -> None:
        address = (self._host, self._port)
        with socket.create_connection(address, min(_CONNECT, self._deadline)) as connection:
            link = _Link(connection, self._tls, self._host, until)
            link.send(frames)
            link.take_leave()

    def _frame(self, told: Telling) -> bytes:
        priority = _FACILITY * 8 + _SEVERITIES[told.severity]
        at = told.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        sequence = told.position % _LAST_SEQUENCE + 1
        header = f"<{priority}>1 {at} {self._from} {told.event[:_LONGEST_ID]}"
        message = f'{header} [meta sequenceId="{sequence}"] {told.text}'.encode()
        return b"%d %s" % (len(message), message)


class _Link:
    """TLS over a connection, until a moment of the monotonic clock. Every method raises ``OSError``.

    Not Python's own TLS socket: to that one the other side's goodbye and its refusal (a fatal alert, which
    may come as late as after our lines) are the same.
    """

    def __init__(self, connection: socket.socket, tls: ssl.SSLContext, host: str, until: float) -> None:
        """Shake hands with ``host``."""
        self._connection = connection
        self._until = until
        self._came, self._goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = tls.wrap_bio(self._came, self._goes, server_hostname=host)
        self._do(self._tls.do_handshake)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._do(lambda: self._tls.write(data))

    def take_leave(self) -> None:
        """Say that nothing more comes, and wait until the other side has read so far and ended it."""
        try:
            self._tls.unwrap()
        except ssl.SSLWantReadError:
            self._flush()
        else:
            raise ConnectionAbortedError("the receiver ended it before it was told all")
        # Some hang up without a goodbye of their own.
        with suppress(ssl.SSLZeroReturnError, ssl.SSLEOFError):
            while self._do(lambda: self._tls.read(_CHUNK)):
                pass

    def _do(self, step: Callable[[], T]) -> T:
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            finally:
                # A refusal, too, tells the other side why.
                self._flush()

    def _fill(self) -> None:
        self._connection.settimeout(_left(self._until))
        chunk = self._connection.recv(_CHUNK)
        if chunk:
            self._came.write(chunk)
        else:
            self._came.write_eof()

    def _flush(self) -> None:
        rest = memoryview(self._goes.read())
        while rest:
            self._connection.settimeout(_left(self._until))
            rest = rest[self._connection.send(rest) :]


def _left(until: float) -> float:
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("it took too long")
    return seconds
