"""The settings for a Jitsi Meet: all or none, each read strictly, and a key that is worth it."""

from __future__ import annotations

from pathlib import Path

import pytest
from joserfc.jwk import ECKey, RSAKey

from service import wiring
from service.config import read_settings
from service.core.errors import ConfigurationError
from service.core.participant import Issuer
from service.jitsi_config import NAMES
from tests.core.environment import LEAST

ACCOUNT, KEY = "GREENROOM_JITSI_ACCOUNT", "GREENROOM_JITSI_PUBLIC_KEY_FILE"
ORIGIN, API_URL = "GREENROOM_JITSI_ORIGIN", "GREENROOM_JITSI_API_URL"


@pytest.fixture(scope="module")
def private_key() -> RSAKey:
    """A key that is good enough."""
    return RSAKey.generate_key(2048)


@pytest.fixture
def pem(tmp_path: Path, private_key: RSAKey) -> Path:
    """Its public half in a file."""
    path = tmp_path / "jitsi.pem"
    path.write_bytes(private_key.as_pem(private=False))
    return path


@pytest.fixture
def environ(pem: Path) -> dict[str, str]:
    """Everything set, and set well."""
    return LEAST | {
        KEY: str(pem),
        ACCOUNT: "acme",
        "GREENROOM_JITSI_ISSUER": "prosody",
        "GREENROOM_JITSI_AUDIENCE": "file-sharing",
        ORIGIN: "https://meet.example, http://localhost:8080",
        API_URL: "https://files.example:8443/jitsi/v1/documents",
    }


def test_everything_set_is_read(environ: dict[str, str], pem: Path) -> None:
    """The settings say what the environment says, and make an installation."""
    settings = read_settings(environ).jitsi
    assert settings is not None
    assert settings.public_key_pem == pem.read_text()
    assert settings.issuer == Issuer("prosody", "file-sharing", "acme")
    assert settings.origins == {"https://meet.example", "http://localhost:8080"}
    assert settings.api_url == "https://files.example:8443/jitsi/v1/documents"
    assert wiring.build(environ).jitsi is not None


def test_nothing_set_is_none() -> None:
    """Without any of the names there is no Jitsi Meet to serve, and that is the default."""
    assert read_settings(LEAST).jitsi is None
    assert wiring.build(LEAST).jitsi is None


@pytest.mark.parametrize("name", sorted(NAMES))
def test_one_missing_is_no_start(environ: dict[str, str], name: str) -> None:
    """Half a configuration is an error that names what is missing."""
    for rest in ({**environ, name: ""}, {key: value for key, value in environ.items() if key != name}):
        with pytest.raises(ConfigurationError, match=name):
            read_settings(rest)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (ACCOUNT, "../acme"),
        (ACCOUNT, "a b"),
        (ORIGIN, "*"),
        (ORIGIN, "null"),
        (ORIGIN, "meet.example"),
        (ORIGIN, "http://meet.example"),
        (ORIGIN, "https://meet.example/"),
        (ORIGIN, "https://meet.example/room"),
        (ORIGIN, "https://Meet.example"),
        (ORIGIN, "https://*.example"),
        (ORIGIN, "https://meet.example,"),
        (ORIGIN, "https://meet.example https://other.example"),
        (ORIGIN, "https://user@meet.example"),
        (API_URL, "http://files.example/jitsi/v1/documents"),
        (API_URL, "https://files.example/jitsi/v1/documents/"),
        (API_URL, "https://files.example/x?y"),
        (API_URL, "https://files.example/x#y"),
        (API_URL, "/jitsi/v1/documents"),
        (API_URL, "https://user@files.example"),
        (KEY, "/nowhere/jitsi.pem"),
        (KEY, "/"),
    ],
)
def test_odd_values_are_no_start(environ: dict[str, str], name: str, value: str) -> None:
    """An origin is exactly what a browser writes, an address is whole, a key can be read."""
    with pytest.raises(ConfigurationError, match=name):
        read_settings(environ | {name: value})


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_only_one_good_public_key_is_taken(environ: dict[str, str], pem: Path, private_key: RSAKey) -> None:
    """Short keys, private keys, other kinds, certificates, two keys and no keys: no start."""
    good = private_key.as_pem(private=False)
    for bad in (
        RSAKey.generate_key(1024).as_pem(private=False),
        RSAKey.generate_key(2040).as_pem(private=False),
        private_key.as_pem(private=True),
        good + private_key.as_pem(private=True),
        good + good,
        ECKey.generate_key("P-256").as_pem(private=False),
        good.replace(b"PUBLIC KEY", b"CERTIFICATE"),
        good[:100] + good[-30:],
        b"",
        b"secret",
        private_key.as_der(private=False)[:20].hex().encode(),
    ):
        pem.write_bytes(bad)
        with pytest.raises(ConfigurationError, match=KEY):
            wiring.build(environ)
