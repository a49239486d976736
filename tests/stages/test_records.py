"""The record of processing: what the configuration says is in it, and no secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from service.config import Settings, read_settings
from service.core.account import Plan
from service.core.retention import Periods
from service.core.webhook import ALL_TYPES, Endpoint
from service.records import record
from service.stages import accounts
from stack.clamd import ROOT
from tests.contract.databases import migrate, sqlite_url
from tests.core.environment import KEYS, LEAST
from tests.stages.world import World

EU = "GREENROOM_REGION_EU_"
EVERYTHING = LEAST | {
    "GREENROOM_DATABASE_URL": "postgresql+psycopg://greenroom:hunter2@db.example:5432/greenroom",
    "GREENROOM_CLAMD": "tcp:clamd.example:3310",
    "GREENROOM_MASTER_KEY_URI": "hcvault://vault.example:8200/transit/keys/greenroom",
    "GREENROOM_VAULT_TOKEN": "hunter2-of-the-vault",
    "GREENROOM_REGIONS": "eu",
    f"{EU}S3_ENDPOINT": "eu.store.example:443",
    f"{EU}S3_REGION": "eu-central-1",
    f"{EU}RELEASED_BUCKET": "eu-out",
    f"{EU}MASTER_KEY_URI": "none",
    **{name.replace("GREENROOM_", EU): f"hunter2-{name}" for name in KEYS},
    "GREENROOM_EVENTS": "syslog+tls://siem.example",
    "GREENROOM_CHECKPOINTS": "s3:checkpoints,file:/var/lib/notes,https://witness.example/x?key=hunter2",
    "GREENROOM_CHECKPOINT_DAYS": "500",
    "GREENROOM_S3_WITNESS_ACCESS_KEY": "hunter2-a",
    "GREENROOM_S3_WITNESS_SECRET_KEY": "hunter2-b",
    "GREENROOM_OIDC_ISSUER": "https://id.example/realms/x",
    "GREENROOM_OIDC_CLIENT_ID": "greenroom",
    "GREENROOM_OIDC_CLIENT_SECRET": "hunter2-oidc",
    "GREENROOM_TRACES": "http://collector.example:4318",
}


@pytest.fixture
def world() -> World:
    """Two accounts, one of them removed, with a webhook."""
    world = World()
    for name, plan in (("one", Plan.PAID), ("two", Plan.TRIAL)):
        accounts.create(world.parts, name, plan, "home", "operator:command")
    accounts.remove(world.parts, "two", "operator:command")
    now = world.clock.now()
    url = "https://hooks.example:8443/hunter2?token=hunter2"
    world.webhooks.add(Endpoint("we_1", "one", url, ALL_TYPES, "", now, b"sealed"), 5)
    return world


def told(world: World, settings: Settings) -> dict[str, list[tuple[str, ...]]]:
    """The rows of the record, by section."""
    return {section.name: [tuple(row) for row in section.rows] for section in record(settings, world.parts)}


def test_every_place_and_recipient_of_the_configuration_is_named(world: World) -> None:
    """Stores and keys by region, database, scanner, SIEM, witnesses, sign-in, traces, webhooks."""
    record = told(world, read_settings(EVERYTHING))
    for region, what, where in (
        ("home", "sealed contents: quarantine", "127.0.0.1:8333 (us-east-1), bucket quarantine"),
        ("eu", "sealed contents: released", "eu.store.example:443 (eu-central-1), bucket eu-out"),
        ("home", "master key", "hcvault://vault.example:8200/transit/keys/greenroom"),
        ("eu", "master key", "not known to this process: ask with the worker's settings"),
        ("all", "records, the log, sealed account keys", "postgresql at db.example:5432"),
    ):
        assert (region, what, where) in record["places"]
    assert {(who, where) for who, where, _ in record["recipients"]} == {
        ("object store of home", "127.0.0.1:8333"),
        ("object store of eu", "eu.store.example:443"),
        ("key service of home", "hcvault://vault.example:8200/transit/keys/greenroom"),
        ("database", "db.example:5432"),
        ("scanner", "clamd.example:3310"),
        ("SIEM", "siem.example:6514"),
        ("witness", "witness.example"),
        ("witness", "/var/lib/notes"),
        ("witness", "bucket checkpoints"),
        ("OpenID provider", "id.example"),
        ("collector of traces", "collector.example:4318"),
        ("webhooks of one", "hooks.example:8443"),
    }
    assert ("home", "trial", "removed", "1") in record["accounts"]
    assert ("checkpoints of the log in their bucket", "all", "500 days") in record["periods"]


def test_no_secret_is_in_it(world: World) -> None:
    """Neither of the settings nor of what accounts gave as their webhooks."""
    settings = read_settings(EVERYTHING)
    text = str(told(world, settings))
    assert "hunter2" not in text
    assert not [
        value for pair in settings.stores["home"].identities.values() for value in pair if value in text
    ]


def test_what_is_not_configured_is_not_claimed(world: World) -> None:
    """With the least settings nobody but the store gets anything, and what is missing is said."""
    record = told(world, read_settings(LEAST | {"GREENROOM_EVENTS": "none", "GREENROOM_SIGNATURES": "demo"}))
    assert [who for who, _, _ in record["recipients"]] == ["object store of home", "webhooks of one"]
    measures = " ".join(measure for (measure,) in record["measures"])
    assert "NO WITNESS" in measures
    assert "DEMO SIGNATURES" in measures
    assert "WITHOUT TLS" not in measures
    bare = read_settings(LEAST | {"GREENROOM_S3_SECURE": "false"})
    assert "WITHOUT TLS" in str(told(world, bare)["measures"])


def test_the_periods_are_the_policys(world: World) -> None:
    """Each period of each plan, whichever there are."""
    settings = read_settings(LEAST)
    periods = settings.policy.periods
    longer = {**periods, Plan.TRIAL: replace(periods[Plan.TRIAL], removed=7 * periods[Plan.TRIAL].removed)}
    told_of = told(world, replace(settings, policy=replace(settings.policy, periods=longer)))["periods"]
    of_plans = [row for row in told_of if row[1].startswith("plan ")]
    assert len(of_plans) == len(Plan) * len(Periods.__dataclass_fields__)
    removed = [
        (whom, period) for data, whom, period in of_plans if data.startswith("everything in an account")
    ]
    assert removed == [("plan trial", "420 days"), ("plan paid", "90 days")]
    assert ("exports", "all", "7 days") in told_of
    assert ("answers to repeated requests", "all", "24 hours") in told_of
    assert ("opened account keys, in memory", "all", "30 seconds") in told_of


def test_the_command_prints_it(tmp_path: Path) -> None:
    """As a process of its own, on a database; as JSON where that is asked for."""
    url = sqlite_url(tmp_path / "ledger.db")
    migrate(url)
    environ = {**LEAST, "GREENROOM_DATABASE_URL": url, "PATH": os.environ["PATH"]}

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "service", "records", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    page, document = run(), json.loads(run("--json"))
    assert page.startswith("# Record of processing activities")
    assert document["accounts"] == []
    for places in document["places"]:
        assert f"| {places['region']} | {places['what']} | {places['where']} |" in page
