"""``ports.WebhookSender`` on httpcore, signed with the Standard Webhooks library.

The name is resolved here, once, and the connection goes to an address that passed the check: whoever serves
the name cannot show one address to the check and another to the connection. TLS is checked against the name.
"""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from datetime import datetime
from ipaddress import ip_address
from math import floor
from typing import Final

import httpcore
from standardwebhooks import Webhook

from service.core.errors import AddressNotAllowed
from service.core.webhook import Notice
from service.core.webhook_schedule import Reply, Unanswered
from service.core.webhook_url import Reach, Target, check_addresses, read_url

#: Seconds that one message may take in all: name, connection, handshake, request and answer.
DEADLINE: Final = 15.0
_CONNECT: Final = 5.0
_LOOKUP: Final = 5.0
_MOST_ADDRESSES: Final = 4
#: An answer's head is read up to this many bytes; its body is not read at all.
_MOST_ANSWER: Final = 64 * 1024
#: Names looked up at once. A resolver that hangs keeps its threads for a while; it must not gather them.
_MOST_LOOKUPS: Final = 32

#: Gives the addresses behind a name, for a port. Raises ``OSError``.
Resolve = Callable[[str, int], Sequence[str]]


def system_resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses that the operating system knows for ``host``."""
    # As bytes, so that Python does not turn the name into another one by IDNA.
    found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


class HttpWebhookSender:
    """Sends to the Internet, or with ``Reach.LOOPBACK`` to this machine too."""

    def __init__(
        self,
        reach: Reach,
        resolve: Resolve = system_resolve,
        tls: ssl.SSLContext | None = None,
        deadline: float = DEADLINE,
    ) -> None:
        """Look names up by ``resolve``, trust by ``tls`` (otherwise the system's roots and certifi's)."""
        self._reach = reach
        self._resolve = resolve
        self._tls = tls or httpcore.default_ssl_context()
        self._deadline = deadline
        self._lookups = threading.BoundedSemaphore(_MOST_LOOKUPS)

    def vet(self, untrusted_url: str) -> None:
        """Check a URL and every address behind it."""
        target = read_url(untrusted_url, self._reach)
        self._addresses(target, time.monotonic() + _LOOKUP)

    def send(self, url: str, message: Notice, secrets: Sequence[bytes], at: datetime) -> Reply:
        """Post a message."""
        deadline = time.monotonic() + self._deadline
        try:
            target = read_url(url, self._reach)
            addresses = self._addresses(target, deadline)
        except AddressNotAllowed:
            return Reply(None, Unanswered.ADDRESS_REFUSED)
        try:
            return self._post(target, _Pinned(addresses, deadline), message, _signed(message, secrets, at))
        except (TimeoutError, httpcore.TimeoutException):
            return Reply(None, Unanswered.TIMEOUT)
        except ssl.SSLError:
            return Reply(None, Unanswered.TLS_FAILED)
        except (OSError, httpcore.NetworkError):
            return Reply(None, Unanswered.CONNECT_FAILED)
        except Exception:  # noqa: BLE001 - whatever a stranger answers, it ends here
            return Reply(None, Unanswered.BAD_ANSWER)

    def _addresses(self, target: Target, deadline: float) -> tuple[str, ...]:
        """Return the addresses behind a target, every one of them checked. Raises ``AddressNotAllowed``."""
        found: Sequence[str] = ()
        with suppress(OSError, UnicodeError):
            found = _literal(target.host) or self._looked_up(target, deadline)
        return check_addresses(target, found, self._reach)

    def _looked_up(self, target: Target, deadline: float) -> Sequence[str]:
        """Look a name up in a thread of its own, because the system's resolver has no time limit of ours."""
        answer: queue.SimpleQueue[Sequence[str]] = queue.SimpleQueue()
        if not self._lookups.acquire(timeout=max(0.0, deadline - time.monotonic())):
            return ()

        def look() -> None:
            found: Sequence[str] = ()
            try:
                found = self._resolve(target.host, target.port)
            except (OSError, UnicodeError):
                found = ()
            finally:
                self._lookups.release()
                answer.put(found)

        threading.Thread(target=look, name="webhook lookup", daemon=True).start()
        with suppress(queue.Empty):
            return answer.get(timeout=max(0.0, min(_LOOKUP, deadline - time.monotonic())))
        return ()

    def _post(
        self, target: Target, backend: "_Pinned", message: Notice, headers: Sequence[tuple[str, str]]
    ) -> Reply:
        parts = (target.scheme.encode(), target.host.encode(), target.port)
        url = httpcore.URL(scheme=parts[0], host=parts[1], port=parts[2], target=target.path.encode())
        request = httpcore.Request(
            "POST",
            url,
            headers=[
                ("Host", target.authority),
                ("User-Agent", "Greenroom-Webhooks/1"),
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(message.body))),
                ("Connection", "close"),
                *headers,
                *([("traceparent", message.traceparent)] if message.traceparent else ()),
            ],
            content=message.body,
        )
        connection = httpcore.HTTPConnection(
            httpcore.Origin(*parts), ssl_context=self._tls, network_backend=backend
        )
        with closing(connection):
            answer = connection.handle_request(request)
        later = [value for name, value in answer.headers if name.lower() == b"retry-after"]
        return Reply(answer.status, None, later[-1].decode("latin-1") if later else None)


def _signed(message: Notice, secrets: Sequence[bytes], at: datetime) -> list[tuple[str, str]]:
    """Return the headers of Standard Webhooks: one signature for each secret, of the very bytes sent."""
    text = message.body.decode()
    signatures = [Webhook(secret).sign(message.id, at, text) for secret in secrets]
    return [
        ("webhook-id", message.id),
        ("webhook-timestamp", str(floor(at.timestamp()))),
        ("webhook-signature", " ".join(signatures)),
    ]


def _literal(host: str) -> Sequence[str]:
    try:
        return (str(ip_address(host)),)
    except ValueError:
        return ()


class _Pinned(httpcore.NetworkBackend):
    """Connects to the addresses that were checked, whatever name is asked for, within one deadline."""

    def __init__(self, addresses: Sequence[str], deadline: float) -> None:
        self._addresses = addresses[:_MOST_ADDRESSES]
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - the name was resolved already
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the one deadline counts
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        trouble: OSError = TimeoutError()
        for address in self._addresses:
            try:
                seconds = min(_CONNECT, _left(self._deadline))
                return _Bounded(socket.create_connection((address, port), seconds), self._deadline)
            except OSError as error:
                trouble = error
        raise trouble


class _Bounded(httpcore.NetworkStream):
    """A connection that ends at a deadline and gives at most so many bytes."""

    def __init__(self, link: socket.socket, deadline: float) -> None:
        self._link = link
        self._deadline = deadline
        self._room = _MOST_ANSWER

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        self._link.settimeout(_left(self._deadline))
        data = self._link.recv(max_bytes)
        self._room -= len(data)
        if self._room < 0:
            raise httpcore.RemoteProtocolError("the answer is too large")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        view = memoryview(buffer)
        while view:
            self._link.settimeout(_left(self._deadline))
            try:
                view = view[self._link.send(view) :]
            except ConnectionError as error:
                # It may have answered before it hung up; httpcore then looks for that.
                raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        self._link.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        try:
            self._link.settimeout(_left(self._deadline))
            return _Bounded(
                ssl_context.wrap_socket(self._link, server_hostname=server_hostname), self._deadline
            )
        except BaseException:
            self._link.close()
            raise

    def get_extra_info(self, info: str) -> None:  # noqa: ARG002
        return None


def _left(deadline: float) -> float:
    """Return the seconds that are left. Raises ``TimeoutError`` where none are."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds
