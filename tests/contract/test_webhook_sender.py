"""``ports.WebhookSender``: the laws that the fake keeps too. For those of connections see tests/adapters."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.adapters.webhook_sender import HttpWebhookSender
from service.core.errors import AddressNotAllowed
from service.core.webhook import Notice
from service.core.webhook_schedule import Reply, Unanswered
from service.core.webhook_url import Reach
from service.ports import WebhookSender
from tests.adapters.certificates import Authority
from tests.fakes.faults import Faults
from tests.fakes.webhooks import FakeSender
from tests.faults.receiver import Receiver, answering

NAME = "hooks.example.com"
KEYS = [b"k" * 32]


@dataclass
class SenderCase:
    """A sender, a URL where somebody answers, how to choose the answer, and the bodies that came there."""

    sender: WebhookSender
    url: str
    answer: Callable[[Reply], None]
    bodies: Callable[[], list[bytes]]


@pytest.fixture(params=["fake", "real"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SenderCase]:
    """Each sender in turn."""
    if request.param == "fake":
        fake = FakeSender(Faults())
        yield SenderCase(
            fake,
            f"https://{NAME}/",
            fake.script.append,
            lambda: [message.body for _, message, _, _ in fake.sent],
        )
        return
    authority = Authority(tmp_path)
    with Receiver(tls=authority.server(NAME)) as receiver:
        yield SenderCase(
            HttpWebhookSender(Reach.LOOPBACK, lambda _host, _port: ["127.0.0.1"], authority.trusted()),
            f"https://{NAME}:{receiver.port}/",
            lambda reply: _arrange(receiver, reply),
            lambda: [got.body for got in receiver.got],
        )


def _arrange(receiver: Receiver, reply: Reply) -> None:
    if reply.status is None:
        receiver.close()
        return
    later = reply.untrusted_retry_after
    receiver.behaviours.append(answering(reply.status, *([f"Retry-After: {later}"] if later else [])))


def message() -> Notice:
    """Return an event."""
    return Notice("msg_1", "acme", None, "upload.held", datetime.now(UTC), '{"ü":1}'.encode())


@pytest.mark.parametrize("reply", [Reply(204), Reply(302), Reply(410), Reply(503, None, "120")])
def test_what_was_answered_comes_back(case: SenderCase, reply: Reply) -> None:
    """The status, and Retry-After as it was said; the body arrived as it was."""
    case.answer(reply)
    assert case.sender.send(case.url, message(), KEYS, datetime.now(UTC)) == reply
    assert case.bodies() == [message().body]


def test_no_answer_is_a_reply_too(case: SenderCase) -> None:
    """A receiver that is down raises nothing."""
    case.answer(Reply(None, Unanswered.CONNECT_FAILED))
    reply = case.sender.send(case.url, message(), KEYS, datetime.now(UTC))
    assert reply == Reply(None, Unanswered.CONNECT_FAILED)


@pytest.mark.parametrize("url", ["", "ftp://hooks.example.com/", "hooks.example.com"])
def test_what_is_no_url_of_the_web_does_not_pass(case: SenderCase, url: str) -> None:
    """A URL is vetted without anything being sent."""
    case.sender.vet(case.url)
    with pytest.raises(AddressNotAllowed):
        case.sender.vet(url)
    assert case.bodies() == []
