"""What is logged beside the moves of uploads, and what never is."""

import json
from datetime import timedelta

import pytest

from service.core.errors import LedgerUnavailable, ScannerUnavailable
from service.core.journal import Act, Entry
from service.core.outcome import Engine
from service.jobs.scanner_history import ScannerHistory
from service.stages.access import SCOPES, create_key, revoke_key
from tests.stages.world import World

HOUR = 3600.0


def acts(world: World, *wanted: Act) -> list[Entry]:
    """Return the lines of some acts."""
    return [entry for entry in world.journal.entries if entry.event in {act.value for act in wanted}]


def test_keys_are_logged_with_their_making_and_revocation_and_never_their_secret(world: World) -> None:
    """By their prefix and scopes; not the label either, which may name a person."""
    key = create_key(world.parts, "acme", "for Mara's laptop", SCOPES, timedelta(days=1))
    prefix, _, secret = key.partition(".")
    assert revoke_key(world.parts, prefix)
    assert not revoke_key(world.parts, prefix), "revoked already"
    assert not revoke_key(world.parts, "gr_000000000000"), "no such key"
    lines = acts(world, Act.KEY_CREATED, Act.KEY_REVOKED)
    assert [line.event for line in lines] == ["key_created", "key_revoked"]
    for line in lines:
        assert line.detail["key"] == prefix
        assert (line.account_id, line.actor) == ("acme", "operator:command")
        told = json.dumps(dict(line.detail))
        assert secret not in told
        assert "Mara" not in told


def test_the_canaries_are_logged_when_they_change_and_once_an_hour(world: World) -> None:
    """A log in which nothing stands for a day says nothing; one line a minute would say no more."""
    history = ScannerHistory(world.parts)

    def minutes(count: int) -> None:
        for _ in range(count):
            world.clock.advance(60)
            history.look()

    minutes(30)
    world.report_canaries("plain: not so that EICAR is found")
    minutes(10)
    world.report_canaries()
    minutes(1)
    failures = [line.detail["failures"] for line in acts(world, Act.CANARIES)]
    assert failures == ["", "plain: not so that EICAR is found", ""]
    minutes(59)
    assert len(acts(world, Act.CANARIES)) == 3
    minutes(1)
    assert len(acts(world, Act.CANARIES)) == 4


def test_new_signatures_are_logged(world: World) -> None:
    """With their version and age; a scanner that is away has none to tell of."""
    history = ScannerHistory(world.parts)
    history.look()
    engine = world.scanner.engine()
    world.scanner.signatures = Engine(engine.version, 27_999, world.clock.now())
    world.clock.advance(60)
    history.look()
    world.faults.take_away("scanner.engine", ScannerUnavailable("away"))
    world.clock.advance(60)
    history.look()
    versions = [line.detail["signature_version"] for line in acts(world, Act.SIGNATURES)]
    assert versions == [engine.signature_version, 27_999]


def test_what_could_not_be_logged_is_logged_later(world: World) -> None:
    """A ledger that was away costs no line."""
    history = ScannerHistory(world.parts)
    world.faults.take_away("journal.append", LedgerUnavailable("away"))
    with pytest.raises(LedgerUnavailable):
        history.look()
    world.faults.give_back("journal.append")
    history.look()
    assert len(acts(world, Act.CANARIES)) == len(acts(world, Act.SIGNATURES)) == 1
