"""Places for what may hold a thread for long: bounded for all together, and for each account."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack

import pytest

from service.core.errors import Overloaded
from service.web.public.slots import Slots

HOLD: dict[str, Callable[[Slots, str], AbstractContextManager[None]]] = {
    "uploads": Slots.upload,
    "downloads": Slots.download,
}


@pytest.fixture(params=HOLD)
def hold(request: pytest.FixtureRequest) -> Callable[[Slots, str], AbstractContextManager[None]]:
    """Each kind of place in turn."""
    return HOLD[request.param]


def test_one_account_has_at_most_half(hold: Callable[[Slots, str], AbstractContextManager[None]]) -> None:
    """However many one account asks for, as many are left to the others; a place that ended is free again."""
    slots = Slots(uploads=4, waits=1, downloads=4)
    with ExitStack() as held:
        held.enter_context(hold(slots, "greedy"))
        with hold(slots, "greedy"):
            with pytest.raises(Overloaded, match="Your account has 2"):
                held.enter_context(hold(slots, "greedy"))
            with hold(slots, "modest"), hold(slots, "modest"):
                pass
        held.enter_context(hold(slots, "greedy"))


def test_all_together_have_no_more_than_there_are(
    hold: Callable[[Slots, str], AbstractContextManager[None]],
) -> None:
    """Past the last place everybody is told to come back, and after that every place is there again."""
    slots = Slots(uploads=4, waits=1, downloads=4)
    for _ in range(2):
        with ExitStack() as held:
            for number in range(4):
                held.enter_context(hold(slots, f"account-{number}"))
            with pytest.raises(Overloaded, match="Too many"):
                held.enter_context(hold(slots, "another"))


def test_a_single_place_can_be_had() -> None:
    """Half of one is one, or nobody could have it."""
    with Slots(uploads=1, waits=1, downloads=1).upload("any"):
        pass
