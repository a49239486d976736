"""Rotation of the master key: everything is under the new one, and the old one is not needed."""

from dataclasses import replace

import pytest

from service.adapters.master_key import KeyInHand, MasterKey, Succession, new_keyset
from service.adapters.tink_cipher import TinkCipher
from service.core.account import HOME, OPERATOR, Account
from service.core.errors import KeysUnavailable, LedgerUnavailable, SecretsUnreadable
from service.stages import contents
from service.stages.keyring import Keyring
from service.stages.parts import Parts
from service.stages.rotation import Rotation, rotate_master
from tests.fakes.faults import Crash, Moment
from tests.stages.world import MASTER_KEY, PDF, World

OLD, NEW = KeyInHand(MASTER_KEY), KeyInHand(new_keyset())
WHO = "operator:command"
ACCOUNTS = ("acme", "beta", "gone", "zeta", OPERATOR)


def under(world: World, master: MasterKey) -> Parts:
    """Return the parts of a process with another master key."""
    cipher = TinkCipher({HOME: master})
    return replace(world.parts, cipher=cipher, keyring=Keyring(world.accounts, cipher, world.clock))


def rotated(world: World) -> Rotation:
    """Run the command as a process that has both keys does."""
    return rotate_master(under(world, Succession(NEW, OLD)), WHO, lambda _, __: None)


@pytest.fixture
def keyed(world: World) -> World:
    """Some accounts with a key, a removed one among them, and two without: one is new, one was erased."""
    for account_id in ACCOUNTS:
        world.accounts.known(account_id, world.clock.now())
        world.parts.keyring.of(account_id)
    gone = world.accounts.peek("gone")
    world.accounts.change(replace(gone, removed_at=world.clock.now()), None)
    world.accounts.known("new", world.clock.now())
    world.accounts.known("over", world.clock.now())
    over = world.accounts.peek("over")
    world.accounts.change(replace(over, erased_at=world.clock.now()), None)
    return world


def check_all_are_under_the_new_key(world: World) -> None:
    """Open every account's key with the new master key alone."""
    alone = under(world, NEW)
    for account_id in ACCOUNTS:
        alone.keyring.of(account_id)
    for account_id in ("new", "over"):
        assert world.accounts.peek(account_id).sealed_key is None
    old = under(world, OLD)
    for account_id in ACCOUNTS:
        with pytest.raises(SecretsUnreadable):
            old.keyring.of(account_id)


def test_contents_are_read_without_the_old_key(keyed: World) -> None:
    """Before the change, with both keys, and with the new one alone; no object is touched."""
    upload = keyed.upload(PDF)
    objects = dict(keyed.store.released)

    def read(parts: Parts) -> bytes:
        with contents.released(parts, upload, upload.segments[0]) as source:
            return b"".join(iter(lambda: source.read(100_000), b""))

    assert read(under(keyed, OLD)) == read(under(keyed, Succession(NEW, OLD))) == PDF
    assert rotated(keyed) == Rotation(sealed=5, left_alone=0)
    assert read(under(keyed, NEW)) == PDF
    assert keyed.store.released == objects
    check_all_are_under_the_new_key(keyed)


def test_it_is_told_how_far_it_is_and_logged_what_was_done(keyed: World) -> None:
    """From nothing to all, without a step back; the line names no account."""
    told: list[tuple[int, int]] = []
    rotate_master(under(keyed, Succession(NEW, OLD)), WHO, lambda done, total: told.append((done, total)))
    assert told == [(number, 7) for number in (*range(7), 7)]
    line = keyed.journal.entries[-1]
    assert (line.event, line.actor, line.account_id) == ("master_key_rotated", WHO, None)
    assert line.detail == {"sealed": 5, "left_alone": 0, "unreadable": 0}


@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("occurrence", range(1, 6))
def test_what_was_ended_in_the_middle_is_gone_on_with(keyed: World, occurrence: int, moment: Moment) -> None:
    """Wherever it was killed: processes with both keys open all meanwhile, and the rest is done later."""
    keyed.faults.kill("accounts.change", occurrence, moment)
    with pytest.raises(Crash):
        rotated(keyed)
    keyed.faults.revive()
    both = under(keyed, Succession(NEW, OLD))
    for account_id in ACCOUNTS:
        both.keyring.of(account_id)
    done = occurrence - (moment is Moment.BEFORE)
    assert rotated(keyed) == Rotation(sealed=5 - done, left_alone=done)
    check_all_are_under_the_new_key(keyed)
    assert rotated(keyed) == Rotation(sealed=0, left_alone=5)


def test_a_change_meanwhile_is_not_lost(keyed: World) -> None:
    """An account that is removed in between stays removed, and its key is sealed anew all the same."""

    def remove() -> None:
        acme = keyed.accounts.peek("acme")
        keyed.accounts.change(replace(acme, removed_at=keyed.clock.now()), None)

    keyed.faults.arm("accounts.change", 2, Moment.BEFORE, remove)
    rotated(keyed)
    assert keyed.accounts.peek("acme").removed_at is not None
    check_all_are_under_the_new_key(keyed)


def test_a_key_that_is_destroyed_meanwhile_does_not_come_back(keyed: World) -> None:
    """Erasure wins."""

    def erase() -> None:
        acme = keyed.accounts.peek("acme")
        keyed.accounts.change(replace(acme, sealed_key=None, erased_at=keyed.clock.now()), None)

    keyed.faults.arm("accounts.change", 2, Moment.BEFORE, erase)
    assert rotated(keyed).sealed == 4
    assert keyed.accounts.peek("acme").sealed_key is None


def test_a_key_of_neither_master_is_named_and_the_others_are_done(keyed: World) -> None:
    """And it stays as it is: some third master key may open it yet."""
    lost = TinkCipher({HOME: KeyInHand(new_keyset())}).new_account_key(keyed.accounts.peek("beta"))
    keyed.accounts.change(replace(keyed.accounts.peek("beta"), sealed_key=lost), None)
    assert rotated(keyed) == Rotation(sealed=4, left_alone=0, unreadable=["beta"])
    assert keyed.accounts.peek("beta").sealed_key == lost
    assert keyed.journal.entries[-1].detail["unreadable"] == 1


class Away:
    """A master key of which nothing is heard."""

    def seal(self, secret: bytes) -> bytes:
        """Raise."""
        raise KeysUnavailable(f"away with {len(secret)} bytes")

    def open(self, sealed: bytes) -> bytes:
        """Raise."""
        raise KeysUnavailable(f"away with {len(sealed)} bytes")

    def sealed_by(self, sealed: bytes) -> bool:
        """Say that it is not known."""
        return not sealed


def test_whoever_keeps_a_key_and_is_away_ends_it(keyed: World) -> None:
    """That is no reason to call a key lost, nor to change one."""
    before = {one: keyed.accounts.peek(one) for one in ACCOUNTS}
    for master in (Succession(Away(), OLD), Succession(Away(), Away()), Succession(Away(), NEW)):
        with pytest.raises(KeysUnavailable):
            rotate_master(under(keyed, master), WHO, lambda _, __: None)
    assert {one: keyed.accounts.peek(one) for one in ACCOUNTS} == before
    keyed.faults.fail("accounts.change", 1, Moment.BEFORE, LedgerUnavailable("away"))
    with pytest.raises(LedgerUnavailable):
        rotated(keyed)
    rotated(keyed)
    check_all_are_under_the_new_key(keyed)


def test_more_accounts_than_a_page_has(world: World) -> None:
    """None is left out."""
    cipher = world.parts.cipher
    for number in range(450):
        account = Account(f"a{number:03}", world.clock.now())
        world.accounts.known(account.id, account.created_at)
        world.accounts.change(replace(account, sealed_key=cipher.new_account_key(account)), None)
    assert rotated(world) == Rotation(sealed=450, left_alone=0)
