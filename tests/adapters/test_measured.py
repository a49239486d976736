"""The parts with measuring before them: what they measure, and that they behave as before."""

from dataclasses import replace

import pytest

from service.adapters.measured import (
    begin_with_zero,
    counted_rounds,
    measured_ledger,
    measured_scanner,
    measured_store,
)
from service.core.account import HOME
from service.core.canary import EICAR
from service.core.errors import ContentLost, LedgerUnavailable, ScannerUnavailable, StoreUnavailable
from service.core.upload import Event, State
from service.stages.gate import Health
from tests.fakes.metrics import FakeMetrics
from tests.stages.world import PDF, World


@pytest.fixture
def metrics() -> FakeMetrics:
    """What was measured."""
    return FakeMetrics()


@pytest.fixture
def world(metrics: FakeMetrics) -> World:
    """A Greenroom whose ledger, store and scanner are measured."""
    world = World()
    world.parts = replace(
        world.parts,
        ledger=measured_ledger(world.parts.ledger, metrics, world.clock),
        stores={HOME: measured_store(world.parts.stores[HOME], metrics, world.clock)},
        scanner=measured_scanner(world.parts.scanner, metrics, world.clock),
    )
    return world


def test_a_clean_upload_is_measured_on_its_way(world: World, metrics: FakeMetrics) -> None:
    """Its moves, its verdict, its bytes and how long each stage took are counted once."""
    assert world.upload(PDF).state is State.RELEASED
    for event in (Event.STORED, Event.FOUND_CLEAN, Event.COPIED_OUT):
        assert metrics.numbers["greenroom_upload_events_total", event.value] == 1
    assert metrics.numbers["greenroom_verdicts_total", "clean"] == 1
    for way in ("received", "scanned"):
        assert metrics.numbers["greenroom_bytes_total", way] == len(PDF)
    for stage in ("receive", "scan", "verdict", "release"):
        assert metrics.numbers["greenroom_stage_seconds", stage] == 1
    assert metrics.numbers["greenroom_part_seconds", "store", "put"] == 1
    assert metrics.numbers["greenroom_signatures_made_timestamp_seconds",] > 0
    assert not [name for name, *_ in metrics.numbers if name == "greenroom_part_errors_total"]


def test_malware_is_a_verdict_of_its_kind(world: World, metrics: FakeMetrics) -> None:
    """What was blocked is counted by its kind, and no release is timed."""
    assert world.upload(EICAR, "a.txt").state is State.BLOCKED
    assert metrics.numbers["greenroom_verdicts_total", "infected"] == 1
    assert ("greenroom_stage_seconds", "release") not in metrics.numbers


def test_a_part_that_is_away_is_counted_and_says_so(world: World, metrics: FakeMetrics) -> None:
    """The error comes out as it went in, and is counted for its part and operation."""
    world.faults.take_away("store.ping", StoreUnavailable("away"))
    world.faults.take_away("ledger.ping", LedgerUnavailable("away"))
    world.faults.take_away("scanner.engine", ScannerUnavailable("away"))
    for ask, error in (
        (world.parts.stores[HOME].ping, StoreUnavailable),
        (world.parts.ledger.ping, LedgerUnavailable),
        (world.parts.scanner.engine, ScannerUnavailable),
    ):
        with pytest.raises(error):
            ask()
    errors = {tuple(labels) for name, *labels in metrics.numbers if name == "greenroom_part_errors_total"}
    assert errors == {("store", "ping"), ("ledger", "ping"), ("scanner", "engine")}


def test_trouble_in_the_middle_of_reading_is_the_stores(world: World, metrics: FakeMetrics) -> None:
    """A store that falls silent while it is read from is counted like one that never answered."""
    key = world.upload(PDF).segments[0].key
    with world.parts.stores[HOME].read_released(key) as source:
        world.faults.take_away("store.read", StoreUnavailable("away"))
        with pytest.raises(StoreUnavailable):
            source.read(1)
    assert metrics.numbers["greenroom_part_errors_total", "store", "read_released"] == 1


def test_what_is_served_is_counted(world: World, metrics: FakeMetrics) -> None:
    """Bytes that are read from released are served ones, also when the reader stops in the middle."""
    upload = world.upload(PDF)
    key = upload.segments[0].key
    with world.parts.stores[HOME].read_released(key) as source:
        given = len(source.read(1000))
    assert metrics.numbers["greenroom_bytes_total", "served"] == given > 0
    with pytest.raises(ContentLost), world.parts.stores[HOME].read_released("not/there") as source:
        source.read(1)
    assert not [name for name, *_ in metrics.numbers if name == "greenroom_part_errors_total"]


def test_rounds_of_canaries_are_counted_by_their_word(world: World, metrics: FakeMetrics) -> None:
    """A round in which a law was broken is a failed one."""
    heard = counted_rounds(metrics)
    heard(Health(world.clock.now(), ()))
    heard(Health(world.clock.now(), ("plain: EICAR was not found",)))
    assert metrics.numbers["greenroom_canary_rounds_total", "passed"] == 1
    assert metrics.numbers["greenroom_canary_rounds_total", "failed"] == 1


def test_counters_are_there_before_they_count(metrics: FakeMetrics) -> None:
    """An alert about something that never happened yet finds a 0, not nothing."""
    begin_with_zero(metrics)
    assert metrics.numbers["greenroom_verdicts_total", "clean"] == 0
    assert ("greenroom_canary_rounds_total", "failed") in metrics.numbers
