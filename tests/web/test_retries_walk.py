"""A sender that sends its upload again until it is answered, while every operation fails or kills once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from service.core.upload import State
from service.stages.access import SCOPES, create_key
from service.web.public import create_app
from service.web.public.slots import Slots
from tests.fakes.faults import Crash, Moment
from tests.stages.test_walk import ERRORS
from tests.stages.world import PDF, World

FINAL: Final = {200, 201, 202, 415}
#: What nobody took in, so that it may be there besides the one upload that was.
NOTHING: Final = {State.ABANDONED, State.REFUSED}


class Sender:
    """Somebody with a key, in a world whose web process dies and is started again."""

    def __init__(self, world: World, name: str, key: str | None = "k") -> None:
        self._world = world
        self._name = name
        self._key = {} if key is None else {"Idempotency-Key": key}
        self._api_key = create_key(world.parts, "acme", "test", SCOPES, None)
        self.before = len(world.faults.calls)
        self._app = self._start()

    def _start(self) -> Flask:
        return create_app(self._world.parts, Slots(uploads=2, waits=2, downloads=2))

    def send(self) -> TestResponse | None:
        """Send the upload; `None` if the connection broke."""
        headers = {"Authorization": f"Bearer {self._api_key}", "Prefer": "wait=0", **self._key}
        query = {"meeting": "m1", "name": self._name}
        try:
            return self._app.test_client().post(
                "/v1/uploads", query_string=query, data=PDF, headers=headers, buffered=True
            )
        except Crash:
            self._world.faults.revive()
            self._app = self._start()
            return None

    def send_until_answered(self) -> TestResponse:
        """Send again and again, with time for a lease to run out between, and a worker at work."""
        for _ in range(6):
            answer = self.send()
            if answer is not None and answer.status_code in FINAL:
                return answer
            assert answer is None or answer.get_json(force=True)["retryable"]
            self._world.clock.advance(21)
            self._world.work()
        raise AssertionError("never answered")


def operations(name: str) -> list[tuple[str, int]]:
    """Every operation of a life without faults, the same sent twice."""
    world = World()
    sender = Sender(world, name)
    sender.send_until_answered()
    sender.send_until_answered()
    world.settle()
    return [(called, number) for called, number in world.faults.calls[sender.before :] if number <= 12]


@pytest.fixture
def world() -> World:
    """A world without faults."""
    return World()


Strike = Callable[[World, str, int, Moment], None]


def an_error(world: World, called: str, occurrence: int, moment: Moment) -> None:
    """Let the part answer with its error."""
    world.faults.fail(called, occurrence, moment, ERRORS[called.partition(".")[0]]("on purpose"))


def a_kill(world: World, called: str, occurrence: int, moment: Moment) -> None:
    """Kill the process."""
    world.faults.kill(called, occurrence, moment)


@pytest.mark.parametrize("name", ["deck.pdf", "deck.png"])
@pytest.mark.parametrize("strike", [an_error, a_kill])
@pytest.mark.parametrize("moment", list(Moment))
def test_one_fault_at_every_operation_makes_no_second_upload(
    name: str, strike: Strike, moment: Moment
) -> None:
    """Whatever one operation does to us, before or after persisting, error or kill -9: who sends the same
    upload under one key until it is answered makes one, gets that one whenever it sends it again, and breaks
    no other law; what is refused is refused each time and was never taken in.
    """
    walked = 0
    for called, number in operations(name):
        world = World()
        sender = Sender(world, name)
        strike(world, called, number - world.faults.count(called), moment)
        answers = [sender.send_until_answered() for _ in range(3)]
        world.clock.advance(60)
        world.work()
        answers.append(sender.send_until_answered())
        world.settle()
        assert not world.faults.armed(), f"{called} #{number} was never reached"
        where = f"{moment} at {called} #{number}"
        taken_in = [row.id for row in world.ledger.rows() if row.state not in NOTHING]
        if name == "deck.pdf":
            assert [answer.get_json()["id"] for answer in answers] == taken_in * 4, where
        else:
            assert [answer.status_code for answer in answers] == [415] * 4, where
            assert taken_in == [], where
        assert world.broken_laws() == [], where
        walked += 1
    assert walked > 20


@pytest.mark.parametrize(("key", "more"), [(None, []), ("k", ["answers.find", "answers.settle"])])
def test_a_key_costs_one_question_and_one_answer(world: World, key: str | None, more: list[str]) -> None:
    """An upload without one is three commits as ever and asks nothing; the first of them takes the key."""
    sender = Sender(world, "deck.pdf", key)
    assert sender.send_until_answered().status_code == 201
    asked = [called for called, _ in world.faults.calls[sender.before :]]
    assert asked.count("ledger.save") == 3
    assert [called for called in asked if called.startswith("answers.")] == more


def test_the_walk_meets_every_step_of_a_key() -> None:
    """The walk is exhaustive only if the lives it walks touch what matters: it is named here."""
    names = {called for called, _ in operations("deck.pdf")} | {
        called for called, _ in operations("deck.png")
    }
    assert names >= {
        "answers.find", "answers.settle", "answers.purge", "ledger.save", "ledger.find", "ledger.history",
        "credentials.key", "store.put", "store.release", "scanner.outcome",
    }  # fmt: skip
