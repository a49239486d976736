"""``ports.WebhookSender`` over real connections: exactness, TLS by name, where it never goes (bar R22)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from service.adapters.webhook_sender import HttpWebhookSender
from service.core.errors import AddressNotAllowed
from service.core.webhook import Notice
from service.core.webhook_schedule import Reply, Unanswered
from service.core.webhook_url import Reach
from tests.adapters.certificates import Authority
from tests.core.hostile_urls import BAD_ADDRESSES, BAD_TEXTS, url_of
from tests.faults.receiver import Receiver, answering, hanging, saying, trickling

NAME = "hooks.example.com"
#: Trusts nobody; made once, because reading all the roots takes a while.
NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
BODY = '{"type":"upload.released","data":{"name":"déck ✓ \\u2028.pdf"}}'.encode()
KEYS = [secrets.token_bytes(32), secrets.token_bytes(32)]
#: Seconds within which what would go on for ever has ended.
LONG = 60.0


def message(body: bytes = BODY) -> Notice:
    """Return an event."""
    return Notice("msg_1", "acme", None, "upload.released", datetime.now(UTC), body)


def to(*addresses: str) -> Callable[[str, int], Sequence[str]]:
    """Return a resolver that knows these addresses for every name."""
    return lambda _host, _port: addresses


def public(resolve: Callable[[str, int], Sequence[str]]) -> HttpWebhookSender:
    """Return a sender as it is shipped, over another DNS."""
    return HttpWebhookSender(Reach.PUBLIC, resolve, NOBODY)


def local(deadline: float = LONG, tls: ssl.SSLContext = NOBODY) -> HttpWebhookSender:
    """Return a sender as development has it, for which every name is this machine."""
    return HttpWebhookSender(Reach.LOOPBACK, to("127.0.0.1"), tls, deadline)


def send(sender: HttpWebhookSender, url: str, body: bytes = BODY, keys: Sequence[bytes] = KEYS[:1]) -> Reply:
    """Send an event now."""
    return sender.send(url, message(body), keys, datetime.now(UTC))


@pytest.fixture(scope="session")
def attempts() -> list[object]:
    """Every network address that this process tried to connect to, told by the interpreter itself."""
    seen: list[object] = []

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        # A path is the socket of a scanner, which threads of other tests may still ask.
        if event == "socket.connect" and not isinstance(arguments[1], str):
            seen.append(arguments[1])

    sys.addaudithook(hook)
    return seen


@pytest.fixture
def connected(attempts: list[object]) -> list[object]:
    """The same, since the test began."""
    attempts.clear()
    return attempts


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything."""
    with Receiver() as receiver:
        yield receiver


def test_the_bytes_sent_are_the_bytes_signed(receiver: Receiver) -> None:
    """Byte for byte, also where they are no ASCII; the official library verifies what came."""
    assert send(local(), receiver.url) == Reply(204)
    (got,) = receiver.got
    assert got.body == BODY
    assert got.line == "POST /hook?a=b HTTP/1.1"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert Webhook(f"whsec_{base64.b64encode(KEYS[0]).decode()}").verify(got.body, got.headers)
    signed = b".".join([b"msg_1", got.headers["webhook-timestamp"].encode(), BODY])
    own = base64.b64encode(hmac.new(KEYS[0], signed, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == f"v1,{own}"
    assert got.headers["webhook-id"] == "msg_1"


def test_the_trace_goes_along(receiver: Receiver) -> None:
    """In W3C's header where the event has one, and nowhere else."""
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    sent = replace(message(), traceparent=parent)
    assert local().send(receiver.url, sent, KEYS[:1], datetime.now(UTC)) == Reply(204)
    assert send(local(), receiver.url) == Reply(204)
    assert [got.headers.get("traceparent") for got in receiver.got] == [parent, None]


def test_while_rotating_both_secrets_sign(receiver: Receiver) -> None:
    """Who has only the old one verifies, and who has only the new one; who has neither does not."""
    send(local(), receiver.url, keys=KEYS)
    (got,) = receiver.got
    assert len(got.headers["webhook-signature"].split(" ")) == 2
    for key in KEYS:
        assert Webhook(key).verify(got.body, got.headers)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(secrets.token_bytes(32)).verify(got.body, got.headers)


@pytest.mark.parametrize("text", BAD_TEXTS)
def test_a_hostile_text_is_connected_to_by_nobody(text: str, connected: list[object]) -> None:
    """Refused at creation; and were it in the database all the same, refused at delivery."""
    sender = public(to("8.8.8.8"))
    with pytest.raises(AddressNotAllowed):
        sender.vet(text)
    assert send(sender, text) == Reply(None, Unanswered.ADDRESS_REFUSED)
    assert connected == []


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_an_inner_address_is_connected_to_by_nobody(address: str, connected: list[object]) -> None:
    """Written in the URL, behind a name, or as one of several behind a name."""
    for url, known in (
        (url_of(address), ["8.8.8.8"]),
        (f"https://{NAME}/", [address]),
        (f"https://{NAME}/", ["8.8.8.8", address]),
    ):
        sender = public(to(*known))
        with pytest.raises(AddressNotAllowed):
            sender.vet(url)
        assert send(sender, url) == Reply(None, Unanswered.ADDRESS_REFUSED)
    assert connected == []


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_a_name_that_is_bound_anew_is_connected_to_by_nobody(address: str, connected: list[object]) -> None:
    """Good when the endpoint was made, inner when the event is sent: DNS rebinding."""
    answers = [["8.8.8.8"], [address]]
    sender = public(lambda _host, _port: answers.pop(0))
    sender.vet(f"https://{NAME}/")
    assert send(sender, f"https://{NAME}/") == Reply(None, Unanswered.ADDRESS_REFUSED)
    assert connected == []


def test_the_address_that_was_checked_is_the_one_connected_to(
    receiver: Receiver, connected: list[object]
) -> None:
    """One question to the DNS for each attempt: a second answer could be another."""
    asked: list[str] = []

    def resolve(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    sender = HttpWebhookSender(Reach.LOOPBACK, resolve, NOBODY)
    assert send(sender, f"http://localhost:{receiver.port}/").status == 204
    assert asked == ["localhost"]
    assert connected == [("127.0.0.1", receiver.port)]


def test_the_next_address_is_tried_where_one_is_dead(receiver: Receiver) -> None:
    """Two addresses behind a name, of which the first takes no connection."""
    sender = HttpWebhookSender(Reach.LOOPBACK, to("::1", "127.0.0.1"), NOBODY)
    assert send(sender, f"http://localhost:{receiver.port}/").status == 204


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority of our own."""
    return Authority(tmp_path)


def test_tls_is_checked_against_the_name(authority: Authority) -> None:
    """The connection goes to an address; the handshake asks for the name and trusts its certificate alone."""
    with Receiver(tls=authority.server(NAME)) as receiver:
        sender = local(tls=authority.trusted())
        assert send(sender, f"https://{NAME}:{receiver.port}/").status == 204
        assert receiver.names == [NAME]
        assert receiver.got[0].headers["host"] == f"{NAME}:{receiver.port}"


def test_a_certificate_that_is_not_trusted_gets_nothing(authority: Authority, tmp_path: Path) -> None:
    """Of another name, of an unknown authority, expired, or no TLS at all: not one byte of the event."""
    other = tmp_path / "other"
    other.mkdir()
    trust = authority.trusted()
    cases = {
        "another name": authority.server("other.example.com"),
        "unknown authority": Authority(other).server(NAME),
        "expired": authority.server(NAME, expired=True),
    }
    for tls in cases.values():
        with Receiver(tls=tls) as receiver:
            reply = send(local(tls=trust), f"https://{NAME}:{receiver.port}/")
            assert reply == Reply(None, Unanswered.TLS_FAILED)
            assert receiver.got == []
    with Receiver(saying(b"HTTP/1.1 200 OK\r\n\r\n"), reads=False) as plain:
        reply = send(local(tls=trust), f"https://{NAME}:{plain.port}/")
        assert reply.status is None


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    """3xx is an answer like any other, wherever it points."""
    for status in (301, 302, 303, 307, 308):
        with Receiver(answering(status, f"Location: {receiver.url}")) as pointing:
            assert send(local(), pointing.url) == Reply(status)
    assert receiver.connections == 0


def test_the_status_and_retry_after_are_all_that_is_kept() -> None:
    """The last Retry-After as it came; no byte of the body is waited for, however long it is to be."""
    stop = threading.Event()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\nRetry-After: 1\r\nretry-after: 7\r\n\r\n"
    with Receiver(trickling(b"x", stop, head)) as receiver:
        assert send(local(), receiver.url) == Reply(200, None, "7")
        stop.set()


def ends(sender: HttpWebhookSender, url: str, body: bytes = BODY) -> Reply:
    """Send and check that it ended, and not by our patience."""
    begun = time.monotonic()
    reply = send(sender, url, body)
    assert time.monotonic() - begun < LONG / 2
    return reply


def test_nobody_outlasts_the_deadline(authority: Authority) -> None:
    """Silence before the answer, in the handshake, half a head byte by byte, endless interim answers, and a
    receiver that takes no bytes: one deadline for all of it together."""
    stop = threading.Event()
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    try:
        for behaviour in (
            hanging(stop),
            trickling(b"x", stop, b"HTTP/1.1 200 OK\r\nX: "),
            trickling(interim, stop),
        ):
            with Receiver(behaviour) as receiver:
                assert ends(local(1.0), receiver.url) == Reply(None, Unanswered.TIMEOUT)
        with Receiver(hanging(stop), reads=False) as silent:
            assert ends(local(1.0), silent.url, b"x" * (64 << 20)) == Reply(None, Unanswered.TIMEOUT)
            secure = f"https://{NAME}:{silent.port}/"
            assert ends(local(1.0, authority.trusted()), secure) == Reply(None, Unanswered.TIMEOUT)
    finally:
        stop.set()


def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    """Neither at creation nor at delivery; what it says later is heard by nobody."""
    stop = threading.Event()

    def resolve(_host: str, _port: int) -> Sequence[str]:
        stop.wait()
        return ["8.8.8.8"]

    sender = HttpWebhookSender(Reach.PUBLIC, resolve, NOBODY, 0.5)
    try:
        assert ends(sender, f"https://{NAME}/") == Reply(None, Unanswered.ADDRESS_REFUSED)
        with pytest.raises(AddressNotAllowed):
            sender.vet(f"https://{NAME}/")
    finally:
        stop.set()


def test_a_resolver_that_fails_knows_no_address() -> None:
    """A name that does not exist, and one that no DNS can have."""
    for error in (OSError("no such name"), UnicodeError("label too long")):

        def resolve(_host: str, _port: int, error: Exception = error) -> Sequence[str]:
            raise error

        assert send(public(resolve), f"https://{NAME}/").status is None


GARBAGE = {
    "no HTTP": b"220 mail.example.com ESMTP\r\n",
    "nothing": b"",
    "half a line": b"HTTP/1.1 2",
    "binary": bytes(range(256)),
    "odd status": b"HTTP/1.1 abc OK\r\n\r\n",
    "negative status": b"HTTP/1.1 -20 OK\r\n\r\n",
    "a head without end": b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 200_000,
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 50_000 + b"\r\n",
    "folded garbage": b"HTTP/1.1 200 OK\r\n \x00\x01\r\n\r\n",
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_no_answer(name: str) -> None:
    """Whatever a receiver says that is no HTTP, or too much of it: a failure, and never an exception."""
    with Receiver(saying(GARBAGE[name])) as receiver:
        reply = send(local(), receiver.url)
    assert reply.status is None
    assert reply.error in {Unanswered.BAD_ANSWER, Unanswered.CONNECT_FAILED}


def test_a_receiver_that_is_down_is_no_answer() -> None:
    """A refused connection."""
    with Receiver() as receiver:
        pass
    assert send(local(), receiver.url) == Reply(None, Unanswered.CONNECT_FAILED)
