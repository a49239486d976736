"""Stores by region: every further one is named in full, and none is taken for another."""

from pathlib import Path

import pytest

from service.config import read_settings
from service.core.account import HOME
from service.core.errors import ConfigurationError
from tests.core.environment import KEYS, LEAST

EU = "GREENROOM_REGION_EU_"
US_WEST = "GREENROOM_REGION_US_WEST_"


def region(prefix: str, endpoint: str) -> dict[str, str]:
    """Return the least settings of a region's store."""
    keys = {name.replace("GREENROOM_", prefix): f"{prefix}{name}" for name in KEYS}
    return {f"{prefix}S3_ENDPOINT": endpoint, f"{prefix}MASTER_KEY_URI": "none", **keys}


BOTH = (
    LEAST
    | {"GREENROOM_REGIONS": "eu, us-west"}
    | region(EU, "eu.store:8333")
    | region(US_WEST, "us.store:8333")
    | {f"{US_WEST}S3_REGION": "us-west-2", f"{US_WEST}S3_SECURE": "false", f"{US_WEST}RELEASED_BUCKET": "out"}
)


def test_each_region_has_a_store_of_its_own() -> None:
    """The first store is home's, each further one has its own endpoint, identities and buckets, and nothing
    of another but the defaults.
    """
    stores = read_settings(BOTH).stores
    assert list(stores) == [HOME, "eu", "us-west"]
    assert stores[HOME] == read_settings(LEAST).stores[HOME]
    eu, us = stores["eu"], stores["us-west"]
    assert (eu.endpoint, eu.secure, eu.s3_region, eu.released_bucket) == (
        *("eu.store:8333", True),
        *("us-east-1", "released"),
    )
    assert (us.endpoint, us.secure, us.s3_region, us.released_bucket) == (
        *("us.store:8333", False),
        *("us-west-2", "out"),
    )
    keys = [key for store in stores.values() for pair in store.identities.values() for key in pair]
    assert len(set(keys)) == 3 * len(KEYS)


@pytest.mark.parametrize("name", sorted(region(EU, "").keys() - {f"{EU}MASTER_KEY_URI"}))
def test_what_a_region_lacks_is_named(name: str) -> None:
    """A region never falls back on what another has: a missing setting is named, and there is no start."""
    with pytest.raises(ConfigurationError, match=f"^{name} must be set \\(GREENROOM_REGIONS lists "):
        read_settings({key: value for key, value in BOTH.items() if key != name})


def test_a_regions_secret_may_come_in_a_file(tmp_path: Path) -> None:
    """As those of the first store."""
    name = f"{EU}S3_SCAN_SECRET_KEY"
    file = tmp_path / "secret"
    file.write_text(f"{BOTH[name]}\n")
    environ = {key: value for key, value in BOTH.items() if key != name}
    assert read_settings(environ | {f"{name}_FILE": str(file)}) == read_settings(BOTH)


def test_no_region_has_anothers_key(tmp_path: Path) -> None:
    """Each region says which its master key is, and no two say the same."""
    with pytest.raises(ConfigurationError, match=f"^{EU}MASTER_KEY_FILE must be set, or {EU}MASTER_KEY_URI$"):
        read_settings({name: value for name, value in BOTH.items() if name != f"{EU}MASTER_KEY_URI"})
    files = [tmp_path / "one", tmp_path / "two"]
    for number, file in enumerate(files):
        file.write_text(f'{{"primaryKeyId": {number}, "key": []}}')
    named = {name: value for name, value in BOTH.items() if not name.endswith("MASTER_KEY_URI")}
    ours = {"GREENROOM_MASTER_KEY_FILE": str(files[0]), f"{US_WEST}MASTER_KEY_URI": "none"}
    settings = read_settings(named | ours | {f"{EU}MASTER_KEY_FILE": str(files[1])})
    keys = [settings.master_keys[one].keyset for one in (HOME, "eu", "us-west")]
    assert keys == [files[0].read_text(), files[1].read_text(), None]
    with pytest.raises(ConfigurationError, match=r"^two regions must not have one"):
        read_settings(named | ours | {f"{EU}MASTER_KEY_FILE": str(files[0])})


@pytest.mark.parametrize(
    "value",
    ["", "home", "eu,home", "EU", "eu,eu", "eu,", "e u", "eu_1", "-eu", "eu-", "eu--1", "1eu", "e" * 32],
)
def test_odd_names_of_regions(value: str) -> None:
    """A region is named once, in small letters, and not as the first store is."""
    with pytest.raises(ConfigurationError, match=r"\AGREENROOM_REGIONS [^\n]+\Z"):
        read_settings(BOTH | {"GREENROOM_REGIONS": value})


@pytest.mark.parametrize("name", ["GREENROOM_REGION_EU_S3_ENDPOINT", "GREENROOM_REGION_EU_MEETING"])
def test_settings_of_a_region_that_is_not_listed(name: str) -> None:
    """A setting of a region that nobody reads is a misspelt one."""
    regions = "us-west" if name.endswith("ENDPOINT") else "eu, us-west"
    given = {key: value for key, value in BOTH.items() if not key.startswith(EU) or regions != "us-west"}
    with pytest.raises(ConfigurationError, match=f"^{name} is not a setting"):
        read_settings(given | {"GREENROOM_REGIONS": regions, name: "x"})


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        (f"{EU}S3_ENDPOINT", "eu.store", None),
        (f"{EU}S3_ENDPOINT", "http://eu.store", f"{EU}S3_ENDPOINT must be host:port"),
        (f"{EU}S3_SECURE", "yes", f"{EU}S3_SECURE must be one of"),
        (f"{EU}QUARANTINE_BUCKET", "Q", f"{EU}QUARANTINE_BUCKET must be the name of a bucket"),
        (f"{EU}RELEASED_BUCKET", "quarantine", f"{EU}RELEASED_BUCKET must not be {EU}QUARANTINE_BUCKET"),
        (
            f"{EU}S3_ENDPOINT",
            "127.0.0.1:8333",
            f"{EU}QUARANTINE_BUCKET must not be GREENROOM_QUARANTINE_BUCKET",
        ),
        (f"{US_WEST}S3_ENDPOINT", "eu.store:8333", f"{US_WEST}QUARANTINE_BUCKET must not be {EU}QUARANTINE_"),
    ],
)
def test_odd_values(name: str, value: str, complaint: str | None) -> None:
    """An odd value is named; and two regions whose buckets are one would not be two regions."""
    if complaint is None:
        assert read_settings(BOTH | {name: value}).stores["eu"].endpoint == value
        return
    with pytest.raises(ConfigurationError, match=f"^{complaint}"):
        read_settings(BOTH | {name: value})
