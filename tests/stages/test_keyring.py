"""The keyring: keys are made when they are needed, kept for a while, and never after they were destroyed."""

from dataclasses import replace

import pytest

from service.adapters.master_key import KeyInHand, new_keyset
from service.adapters.tink_cipher import TinkCipher
from service.core.account import HOME
from service.core.errors import (
    KeyDestroyed,
    KeysUnavailable,
    LedgerUnavailable,
    NotFound,
    SecretsUnreadable,
)
from service.stages.keyring import KEPT, Keyring
from tests.fakes.faults import Moment
from tests.stages.world import World


def test_a_key_is_made_when_it_is_first_needed(world: World) -> None:
    """Once: whoever needs it later finds the same one."""
    assert world.accounts.peek("acme").sealed_key is None
    sealed = world.parts.keyring.of("acme").new_content_key("up_1")
    made = world.accounts.peek("acme").sealed_key
    assert made is not None
    another = Keyring(world.accounts, world.parts.cipher, world.clock)
    another.of("acme").content("up_1", sealed)
    assert world.accounts.peek("acme").sealed_key == made


def test_of_two_that_make_a_key_at_once_one_wins(world: World) -> None:
    """The other uses the winner's."""
    other = Keyring(world.accounts, world.parts.cipher, world.clock)
    sealed: list[bytes] = []
    world.faults.arm(
        "accounts.change", 1, Moment.BEFORE, lambda: sealed.append(other.of("acme").new_content_key("up_1"))
    )
    world.parts.keyring.of("acme").content("up_1", sealed[0])


def test_an_opened_key_is_kept_for_a_while_and_no_longer(world: World) -> None:
    """Within 30 seconds nobody is asked; after them whatever was done to the account counts."""
    keyring = world.parts.keyring
    keyring.of("acme")
    asked = world.faults.count("accounts.find")
    world.clock.advance(KEPT - 1)
    keyring.of("acme")
    assert world.faults.count("accounts.find") == asked
    account = world.accounts.peek("acme")
    world.accounts.change(replace(account, sealed_key=None, erased_at=world.clock.now()), None)
    world.clock.advance(1)
    with pytest.raises(KeyDestroyed):
        keyring.of("acme")


def test_a_destroyed_key_is_never_made_anew(world: World) -> None:
    """An erased account has no key, whoever asks; one that never was has none either."""
    account = world.accounts.peek("acme")
    world.accounts.change(replace(account, erased_at=world.clock.now()), None)
    with pytest.raises(KeyDestroyed):
        world.parts.keyring.of("acme")
    assert world.accounts.peek("acme").sealed_key is None
    with pytest.raises(NotFound):
        world.parts.keyring.of("nobody")


def test_a_ledger_that_is_away_says_so(world: World) -> None:
    """And nothing is kept of it: the next one who asks gets the key."""
    world.faults.fail("accounts.find", 1, Moment.BEFORE, LedgerUnavailable("away"))
    with pytest.raises(LedgerUnavailable):
        world.parts.keyring.of("acme")
    world.parts.keyring.of("acme")


def test_a_wrong_master_key_makes_no_keys(world: World) -> None:
    """One that is valid and another than before is found out by the keys there are: no account gets one that
    only this process could open.
    """
    wrong = Keyring(world.accounts, TinkCipher({HOME: KeyInHand(new_keyset())}), world.clock)
    wrong.check(HOME)
    world.parts.keyring.of("acme")
    world.accounts.known("new", world.clock.now())
    for call in (lambda: wrong.check(HOME), lambda: wrong.of("new"), lambda: wrong.of("acme")):
        with pytest.raises(SecretsUnreadable):
            call()
    assert world.accounts.peek("new").sealed_key is None
    world.parts.keyring.check(HOME)


def test_no_master_key_at_all_is_found_out_before_the_first_is_needed(world: World) -> None:
    """And so is one of another region."""
    for region in (HOME, "mars"):
        with pytest.raises(KeysUnavailable):
            Keyring(world.accounts, TinkCipher({}), world.clock).check(region)
    with pytest.raises(KeysUnavailable):
        world.parts.keyring.check("mars")
