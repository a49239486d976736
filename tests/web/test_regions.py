"""Two regions with a real store each: what an account sends stays in its own, from first byte to last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest

from service import config, wiring
from service.adapters.sql_ledger import SqlLedger
from service.core.account import HOME, Account
from service.core.errors import StoreUnavailable
from service.core.journal import Act, Entry
from service.jobs.reconcile import tidy
from service.ports import ObjectStore
from service.stages.access import SCOPES, create_key
from service.stages.advance import advance
from service.stages.parts import Parts
from service.web.public import create_app
from stack import store as stack_store
from stack.ports import claim_block
from stack.samples import EICAR
from stack.store import Store
from tests.e2e.serving import stored_keys
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Faults
from tests.fakes.log import FakeLog
from tests.fakes.queue import FakeQueue
from tests.web.conftest import SLOTS, Backend, Without, assert_problem, believing

TUS = {"Tus-Resumable": "1.0.0"}
OCTETS = {"Content-Type": "application/offset+octet-stream"}
#: Every call of a store's.
CALLS = tuple(name for name in vars(ObjectStore) if not name.startswith("_"))
NOTHING: dict[str, list[str]] = {"quarantine": [], "released": []}


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory, part_logs: Path) -> Iterator[Store]:
    """A store of another region, empty at first."""
    s3_port, claim = claim_block(stack_store.PORT_OFFSETS)
    with claim:
        folder = tmp_path_factory.mktemp("second")
        running = stack_store.start(folder, s3_port, part_logs / "second.log")
        yield running
        running.stop()


@pytest.fixture
def two_regions(environ: dict[str, str], second: Store, tmp_path: Path) -> Iterator[Parts]:
    """The parts of a service of two regions, with a database of its own."""
    names = {
        f"GREENROOM_REGION_EU_S3_{role.upper()}_{kind}_KEY": value
        for role, one in second.identities.items()
        if role != "witness"
        for kind, value in (("ACCESS", one.access_key), ("SECRET", one.secret_key))
    }
    (key := tmp_path / "eu.key").write_text(wiring.new_master_key())
    region = {
        "GREENROOM_REGION_EU_S3_ENDPOINT": second.endpoint,
        "GREENROOM_REGION_EU_S3_SECURE": "false",
        "GREENROOM_REGION_EU_MASTER_KEY_FILE": str(key),
    }
    database = {"GREENROOM_DATABASE_URL": f"sqlite:///{tmp_path / 'regions.db'}"}
    both = environ | names | region | database | {"GREENROOM_REGIONS": "eu"}
    wiring.migrate(config.read_settings(both))
    built = wiring.build(both).parts
    yield believing(replace(built, log=FakeLog()))
    cast("SqlLedger", built.ledger)._database.engine.dispose()


def backend_in(parts: Parts, region: str) -> Backend:
    """Return a backend whose account is in a region."""
    account = Account("acc-of-" + region, now := parts.clock.now(), region=region)
    assert parts.accounts.add(account, Entry(now, Act.KEY_CREATED.value, {}, "operator:command"))
    return Backend(
        create_app(parts, SLOTS), parts, account.id, create_key(parts, account.id, "test", SCOPES, None)
    )


def live(backend: Backend) -> dict[str, str]:
    """Send files: one is released and downloaded, one blocked, one deleted, one comes in pieces. Return
    their ids.
    """
    released = backend.post(b"minutes").get_json()
    assert released["state"] == "released"
    assert backend.get(f"/v1/uploads/{released['id']}/content").get_data() == b"minutes"
    blocked = backend.post(EICAR, "eicar.txt").get_json()
    assert blocked["state"] == "blocked"
    deleted = backend.post(b"draft").get_json()
    assert backend.call("DELETE", f"/v1/uploads/{deleted['id']}").status_code == 204
    return {
        "released": released["id"],
        "blocked": blocked["id"],
        "deleted": deleted["id"],
        "in pieces": in_pieces(backend),
    }


def in_pieces(backend: Backend) -> str:
    """Send a file in two requests and have it scanned by a worker; return its id."""
    metadata = {"Upload-Length": "6", "Upload-Metadata": "meeting bTE=,filename bm90ZXMudHh0"}
    location = backend.call("POST", "/v1/tus", headers=TUS | metadata).headers["Location"]
    path = location.removeprefix("http://localhost")
    for offset in (0, 3):
        sent = {**TUS, **OCTETS, "Upload-Offset": str(offset)}
        assert backend.call("PATCH", path, headers=sent, data=b"abc").status_code == 204
    upload = advance(backend.parts, path.rpartition("/")[2])
    assert upload is not None
    assert upload.state == "released"
    return upload.id


def test_nothing_of_one_region_is_in_the_others_store(
    two_regions: Parts, store: Store, second: Store
) -> None:
    """Whatever becomes of an account's files, every object of theirs is in the store of its region, and the
    other store never saw one.
    """
    assert stored_keys(second) == NOTHING
    home, eu = (backend_in(two_regions, region) for region in (HOME, "eu"))
    at_home, in_eu = live(home), live(eu)
    assert stored_keys(store, set(in_eu.values())) == NOTHING
    assert stored_keys(second, set(at_home.values())) == NOTHING
    for where, ids in ((store, at_home), (second, in_eu)):
        found = {bucket: ids_of(keys) for bucket, keys in stored_keys(where, set(ids.values())).items()}
        assert found["released"] == {ids["released"], ids["in pieces"]}
        assert ids["blocked"] in found["quarantine"]
    everything = stored_keys(second)
    assert ids_of(everything["quarantine"] + everything["released"]) <= set(in_eu.values())


def test_a_region_that_is_away_is_named_and_keeps_nobody_elses(two_regions: Parts) -> None:
    """Not ready, with the name of the region; accounts of another region go on, those of this one are told to
    come back; and stale parts are tidied where there is a store.
    """
    eu = Without(two_regions.stores["eu"], StoreUnavailable("away"), *CALLS)
    parts = replace(two_regions, stores={"eu": cast("Any", eu), HOME: two_regions.stores[HOME]})
    home, of_eu = (backend_in(parts, region) for region in (HOME, "eu"))
    assert home.post().get_json()["state"] == "released"
    assert_problem(of_eu.post(), 503, "store_unavailable")
    answer = home.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["checks"]["store"] == "eu: away"
    assert answer.get_json()["regions"] == {HOME: "ok", "eu": "away"}
    assert home.get("/readyz").status_code == 503
    tidied = Tidied()
    with pytest.raises(StoreUnavailable):
        tidy(
            replace(parts, stores={**parts.stores, "us": cast("Any", tidied)}),
            FakeQueue(Faults(), FakeClock()),
        )
    assert tidied.before is not None


class Tidied:
    """A store that is only tidied."""

    before: datetime | None = None

    def discard_unfinished(self, started_before: datetime) -> int:
        """Note that it was."""
        self.before = started_before
        return 0


def test_an_account_of_a_region_without_a_store(two_regions: Parts) -> None:
    """Where the settings lost a region, its accounts are told which, and nothing of theirs goes elsewhere."""
    parts = replace(two_regions, stores={HOME: two_regions.stores[HOME]})
    problem = assert_problem(backend_in(parts, "eu").post(), 503, "store_unavailable")
    assert problem["detail"] == "no store is configured for the region 'eu'"


def ids_of(keys: list[str]) -> set[str]:
    """Return whose objects those are."""
    return {key.partition("/")[0] for key in keys}
