from datetime import timedelta
from pathlib import Path

import pytest

from service.config import read_settings
from service.core.errors import ConfigurationError
from service.witness_config import LockedBucket, WitnessSettings
from tests.core.environment import LEAST

KEYS = {"GREENROOM_S3_WITNESS_ACCESS_KEY": "a", "GREENROOM_S3_WITNESS_SECRET_KEY": "s"}


def read(places: str, **others: str) -> WitnessSettings:
    """Return the settings for some places."""
    return read_settings({**LEAST, "GREENROOM_CHECKPOINTS": places, **others}).witnesses


def test_without_a_setting_the_database_is_the_only_place() -> None:
    """As it is with `none`."""
    assert read_settings(LEAST).witnesses == read("none") == WitnessSettings()


def test_places_of_every_kind() -> None:
    """Any number of files and addresses, and one bucket with its keys."""
    settings = read("s3:checkpoints, file:/var/lib/a.log,https://w.example/x?y=z,file:/b", **KEYS)
    assert settings.files == (Path("/var/lib/a.log"), Path("/b"))
    assert settings.urls == ("https://w.example/x?y=z",)
    assert settings.bucket == LockedBucket("checkpoints", "a", "s", timedelta(days=400))
    assert read("file:/b", **KEYS).bucket is None


def test_how_long_a_bucket_locks_can_be_said() -> None:
    """In days."""
    bucket = read("s3:checkpoints", **KEYS, GREENROOM_CHECKPOINT_DAYS="7").bucket
    assert bucket is not None
    assert bucket.retention == timedelta(days=7)


def test_the_secret_can_come_in_a_file(tmp_path: Path) -> None:
    """As all secrets can."""
    (tmp_path / "secret").write_text("from a file\n")
    keys = {
        "GREENROOM_S3_WITNESS_ACCESS_KEY": "a",
        "GREENROOM_S3_WITNESS_SECRET_KEY_FILE": str(tmp_path / "secret"),
    }
    bucket = read("s3:checkpoints", **keys).bucket
    assert bucket is not None
    assert bucket.secret_key == "from a file"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("GREENROOM_CHECKPOINTS", value)
            for value in ("", "file", "file:relative", "ftp://w.example", "s3")
        ),
        *(
            ("GREENROOM_CHECKPOINTS", value)
            for value in ("s3:a", "s3:aaa,s3:bbb", "none,file:/a", "file:/a,")
        ),
        *(("GREENROOM_CHECKPOINTS", value) for value in ("https://user:word@w.example/", "https://")),
        *(
            ("GREENROOM_CHECKPOINT_DAYS", value)
            for value in ("", "0", "-1", "1.5", "36501", "\u0663", "1" * 9)
        ),
        ("GREENROOM_S3_WITNESS_SECRET_KEY", ""),
    ],
)
def test_an_odd_value_keeps_the_service_from_starting(name: str, value: str) -> None:
    """The error names it."""
    with pytest.raises(ConfigurationError, match=name):
        read_settings({**LEAST, "GREENROOM_CHECKPOINTS": "s3:checkpoints", **KEYS, name: value})


def test_a_bucket_needs_its_keys() -> None:
    """It is written to with an identity of its own."""
    with pytest.raises(ConfigurationError, match="GREENROOM_S3_WITNESS_ACCESS_KEY must be set"):
        read("s3:checkpoints")
