import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import console_config, jitsi_config, key_config, observe_config, store_config, witness_config
from service.config import REQUIRED, VARIABLES, read_settings
from service.core.account import HOME
from service.core.errors import ConfigurationError
from service.core.verdict import Protection
from service.core.webhook_url import Reach
from tests.core.environment import LEAST, ROLES, SECRETS
from tests.core.shipped import POLICY, POLICY_FILE

#: The settings that list the origins of pages.
ORIGINS = ("GREENROOM_UPLOAD_ORIGINS", "GREENROOM_EMBED_ORIGINS")
ODD_ORIGINS = (
    "*",
    "null",
    "meet.example",
    "https://meet.example/",
    "https://Meet.example",
    "https://meet.example:443",
    "http://meet.example:80",
    "https://*.example",
    "https://meet.example; script-src *",
    "https://meet.example,",
    "none, https://meet.example",
)


def test_the_least_that_must_be_set() -> None:
    """The required names alone make settings, with safe defaults: TLS on, official signatures."""
    settings = read_settings(LEAST)
    assert settings.database_url == LEAST["GREENROOM_DATABASE_URL"]
    assert set(settings.stores) == {HOME}
    store = settings.stores[HOME]
    assert (store.endpoint, store.secure, store.s3_region) == (
        "127.0.0.1:8333",
        True,
        "us-east-1",
    )
    assert (store.quarantine_bucket, store.released_bucket) == ("quarantine", "released")
    assert settings.clamd == "/run/clamav/clamd.sock"
    assert settings.protection is Protection.OFFICIAL
    assert settings.log_level == "info"
    assert settings.scan_deadline == 120.0
    assert (settings.rate_limit, settings.rate_limit_store) == (600, "memory")
    assert settings.webhooks is Reach.PUBLIC
    assert settings.policy == POLICY


def test_each_role_has_its_own_identity() -> None:
    """Every role gets its own two keys and nobody else's."""
    assert read_settings(LEAST).stores[HOME].identities == {
        role: (
            LEAST[f"GREENROOM_S3_{role.upper()}_ACCESS_KEY"],
            LEAST[f"GREENROOM_S3_{role.upper()}_SECRET_KEY"],
        )
        for role in ROLES
    }


def test_everything_can_be_set() -> None:
    """Every setting takes what the environment says."""
    settings = read_settings(
        LEAST
        | {
            "GREENROOM_DATABASE_URL": "postgresql+psycopg://u:p@db/greenroom",
            "GREENROOM_S3_SECURE": "false",
            "GREENROOM_S3_REGION": "eu-central-1",
            "GREENROOM_QUARANTINE_BUCKET": "q-1",
            "GREENROOM_RELEASED_BUCKET": "r-1",
            "GREENROOM_CLAMD": "tcp:clamav:3310",
            "GREENROOM_SIGNATURES": "demo",
            "GREENROOM_LOG_LEVEL": "debug",
            "GREENROOM_SCAN_DEADLINE": "600",
            "GREENROOM_TOKEN_AUDIENCE": "files.example",
            "GREENROOM_RATE_LIMIT": "1000000",
            "GREENROOM_RATE_LIMIT_STORE": "ledger",
            "GREENROOM_RESCAN_RATE": "60",
            "GREENROOM_WEBHOOKS": "loopback",
            "GREENROOM_POLICY_FILE": str(POLICY_FILE),
        }
    )
    assert settings.database_url == "postgresql+psycopg://u:p@db/greenroom"
    store = settings.stores[HOME]
    assert (store.secure, store.s3_region) == (False, "eu-central-1")
    assert (store.quarantine_bucket, store.released_bucket) == ("q-1", "r-1")
    assert settings.clamd == ("clamav", 3310)
    assert settings.protection is Protection.DEMO
    assert (settings.log_level, settings.scan_deadline) == ("debug", 600.0)
    assert settings.token_audience == "files.example"
    assert (settings.rate_limit, settings.rate_limit_store) == (1_000_000, "ledger")
    assert settings.webhooks is Reach.LOOPBACK


def test_the_names_are_told_right() -> None:
    """REQUIRED are the names without which there is no start, and beside them one way to the master key;
    VARIABLES are all that are read.
    """
    assert set(LEAST) == REQUIRED | {"GREENROOM_MASTER_KEY_URI"}
    optional = {
        "GREENROOM_S3_SECURE",
        "GREENROOM_S3_REGION",
        "GREENROOM_QUARANTINE_BUCKET",
        "GREENROOM_RELEASED_BUCKET",
        "GREENROOM_SIGNATURES",
        "GREENROOM_POLICY_FILE",
        "GREENROOM_LOG_LEVEL",
        "GREENROOM_SCAN_DEADLINE",
        "GREENROOM_TOKEN_AUDIENCE",
        "GREENROOM_RATE_LIMIT",
        "GREENROOM_RATE_LIMIT_STORE",
        "GREENROOM_RESCAN_RATE",
        "GREENROOM_WEBHOOKS",
        *ORIGINS,
    }
    elsewhere = jitsi_config.NAMES | console_config.NAMES | observe_config.NAMES | witness_config.NAMES
    elsewhere |= store_config.NAMES | key_config.names(store_config.FIRST)
    assert REQUIRED | optional | elsewhere | {f"{name}_FILE" for name in SECRETS} == VARIABLES


@pytest.mark.parametrize("name", sorted(REQUIRED))
@pytest.mark.parametrize("value", [None, ""], ids=["missing", "empty"])
def test_a_missing_setting_is_named(name: str, value: str | None) -> None:
    """Without a required name, or with an empty one, there is no start."""
    environ = {key: text for key, text in LEAST.items() if key != name}
    with pytest.raises(ConfigurationError, match=f"^{name} must be set$"):
        read_settings(environ if value is None else environ | {name: value})


def test_the_same_complaint_every_time() -> None:
    """With several names missing the first by the alphabet is named, at every start the same."""
    with pytest.raises(ConfigurationError, match=r"^GREENROOM_CLAMD must be set$"):
        read_settings({})


@pytest.mark.parametrize(
    "name",
    [
        "GREENROOM_",
        "GREENROOM_S3_ENDPONT",
        "GREENROOM_S3_ENDPOINT_FILE",
        "GREENROOM_CLAMD_FILE",
        "GREENROOM_LOG_LEVEL_FILE",
        "GREENROOM_S3_AUDITOR_ACCESS_KEY",
        "GREENROOM_STACKED",
        "GREENROOM_PORTS",
    ],
)
def test_an_unknown_name_is_an_error(name: str) -> None:
    """A name that nobody reads is a misspelt setting, not a comment."""
    with pytest.raises(ConfigurationError, match=f"^{name} is not a setting"):
        read_settings(LEAST | {name: "x"})


def test_the_starters_names_are_ignored() -> None:
    """What belongs to the parts that start the service, and other programs' names, change nothing."""
    others = {
        "GREENROOM_PORT": "8080",
        "GREENROOM_S3_PORT": "8333",
        "GREENROOM_STATE_DIR": ".run",
        "GREENROOM_SIGNATURES_DIR": "x",
        "GREENROOM_STACK_ANYTHING": "x",
        "PATH": "/bin",
        "greenroom_lower": "x",
        "XGREENROOM_CLAMD": "x",
    }
    assert read_settings(LEAST | others) == read_settings(LEAST)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GREENROOM_DATABASE_URL", "sqlite://"),
        ("GREENROOM_DATABASE_URL", "sqlite:///relative.db"),
        ("GREENROOM_DATABASE_URL", "postgresql://u:p@h/d"),
        ("GREENROOM_DATABASE_URL", "mysql://u:p@h/d"),
        ("GREENROOM_S3_SECURE", "yes"),
        ("GREENROOM_S3_SECURE", "True"),
        ("GREENROOM_S3_SECURE", "0"),
        ("GREENROOM_S3_REGION", ""),
        ("GREENROOM_S3_ENDPOINT", "http://127.0.0.1:8333"),
        ("GREENROOM_S3_ENDPOINT", "127.0.0.1:8333/"),
        ("GREENROOM_S3_ENDPOINT", "127.0.0.1:0"),
        ("GREENROOM_S3_ENDPOINT", "127.0.0.1:65536"),
        ("GREENROOM_S3_ENDPOINT", "127.0.0.1:"),
        ("GREENROOM_S3_ENDPOINT", ":8333"),
        ("GREENROOM_S3_ENDPOINT", "a b:8333"),
        ("GREENROOM_S3_ENDPOINT", "user@host:8333"),
        ("GREENROOM_S3_ENDPOINT", "::1:8333"),
        ("GREENROOM_QUARANTINE_BUCKET", "Quarantine"),
        ("GREENROOM_QUARANTINE_BUCKET", "q"),
        ("GREENROOM_QUARANTINE_BUCKET", "a/b"),
        ("GREENROOM_QUARANTINE_BUCKET", "../released"),
        ("GREENROOM_RELEASED_BUCKET", "-released"),
        ("GREENROOM_RELEASED_BUCKET", "r" * 64),
        ("GREENROOM_RELEASED_BUCKET", "quarantine"),
        ("GREENROOM_CLAMD", "/run/clamd.sock"),
        ("GREENROOM_CLAMD", "unix:"),
        ("GREENROOM_CLAMD", "unix:clamd.sock"),
        ("GREENROOM_CLAMD", "tcp:clamav"),
        ("GREENROOM_CLAMD", "tcp::3310"),
        ("GREENROOM_CLAMD", "tcp:clamav:"),
        ("GREENROOM_CLAMD", "tcp:clamav:0"),
        ("GREENROOM_CLAMD", "tcp:clamav:65536"),
        ("GREENROOM_CLAMD", "tcp:clamav:-1"),
        ("GREENROOM_CLAMD", "tcp:clamav:\u0663\u0663"),
        ("GREENROOM_CLAMD", "http:clamav:3310"),
        ("GREENROOM_SIGNATURES", "Official"),
        ("GREENROOM_SIGNATURES", "none"),
        ("GREENROOM_SIGNATURES", ""),
        ("GREENROOM_LOG_LEVEL", "loud"),
        ("GREENROOM_LOG_LEVEL", "INFO"),
        *((name, odd) for name in ORIGINS for odd in ODD_ORIGINS),
        ("GREENROOM_SCAN_DEADLINE", "0"),
        ("GREENROOM_SCAN_DEADLINE", "-5"),
        ("GREENROOM_SCAN_DEADLINE", "1.5"),
        ("GREENROOM_SCAN_DEADLINE", "3601"),
        ("GREENROOM_SCAN_DEADLINE", "\u0661"),
        ("GREENROOM_SCAN_DEADLINE", "inf"),
        ("GREENROOM_SCAN_DEADLINE", "00001"),
        ("GREENROOM_RATE_LIMIT", "0"),
        ("GREENROOM_RATE_LIMIT", "-1"),
        ("GREENROOM_RATE_LIMIT", "1000001"),
        ("GREENROOM_RATE_LIMIT", "600/min"),
        ("GREENROOM_RATE_LIMIT", "9" * 5000),
        ("GREENROOM_RATE_LIMIT_STORE", "redis"),
        ("GREENROOM_RESCAN_RATE", "0"),
        ("GREENROOM_RESCAN_RATE", "0.5"),
        ("GREENROOM_RATE_LIMIT_STORE", "Memory"),
        ("GREENROOM_POLICY_FILE", "/nonexistent/policy.toml"),
        ("GREENROOM_POLICY_FILE", "/"),
    ],
)
def test_an_odd_value_is_named(name: str, value: str) -> None:
    """An odd value means no start, with one line that names the setting."""
    with pytest.raises(ConfigurationError, match=rf"\A{name} [^\n]+\Z"):
        read_settings(LEAST | {name: value})


@pytest.mark.parametrize(
    "endpoint", ["store:8333", "s3.eu-central-1.amazonaws.com", "[::1]:9000", "a_b-c.d:65535"]
)
def test_endpoints(endpoint: str) -> None:
    """An endpoint is a host, with or without a port; a name, an IPv4 address or a bracketed IPv6 one."""
    assert read_settings(LEAST | {"GREENROOM_S3_ENDPOINT": endpoint}).stores[HOME].endpoint == endpoint


@pytest.mark.parametrize("name", ORIGINS)
def test_origins(name: str) -> None:
    """None by default; else exactly those that are listed."""
    field = name.removeprefix("GREENROOM_").lower()
    assert getattr(read_settings(LEAST), field) == frozenset()
    listed = "https://meet.example, http://localhost:3000,https://[::1]:80"
    assert getattr(read_settings(LEAST | {name: listed}), field) == set(re.split(", ?", listed))


@given(
    st.sampled_from(sorted(VARIABLES)),
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=40),
)
def test_any_value_is_taken_or_named(name: str, value: str) -> None:
    """Whatever a setting is given, there are settings, or one line that names it and tells no secret."""
    try:
        read_settings(LEAST | {name: value})
    except ConfigurationError as error:
        complaint = str(error)
    else:
        return
    assert name.removesuffix("_FILE") in complaint
    assert not [secret for secret in SECRETS if LEAST[secret] in complaint]
