import json
from pathlib import Path

import pytest

from service import wiring
from service.config import read_settings
from service.core.account import HOME
from service.core.errors import ConfigurationError
from service.key_config import MasterKeySettings
from service.wiring import new_master_key
from tests.core.environment import LEAST

REST = {name: value for name, value in LEAST.items() if name != "GREENROOM_MASTER_KEY_URI"}
FILE, URI = "GREENROOM_MASTER_KEY_FILE", "GREENROOM_MASTER_KEY_URI"
OLD_FILE, OLD_URI = "GREENROOM_OLD_MASTER_KEY_FILE", "GREENROOM_OLD_MASTER_KEY_URI"
VAULT = "hcvault://vault.example:8200/transit/keys/greenroom"


def test_a_file_holds_the_key(tmp_path: Path) -> None:
    """A keyset as the command makes one is taken as it is."""
    file = tmp_path / "master.key"
    file.write_text(new_master_key())
    settings = read_settings(REST | {FILE: str(file)})
    assert settings.master_keys[HOME] == MasterKeySettings(keyset=file.read_text())
    wiring.build(REST | {FILE: str(file)})


@pytest.mark.parametrize(
    "content", [None, b"", b"{}", b"[]", b"null", b"\xff", b"{" * 100_000, b'{"a": 1}'], ids=str
)
def test_a_file_without_a_key_means_no_start(content: bytes | None, tmp_path: Path) -> None:
    """One line that names the setting and repeats nothing of the file."""
    file = tmp_path / "master.key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=rf"\A{FILE} [^\n{{]+\Z"):
        read_settings(REST | {FILE: str(file)})


@pytest.mark.parametrize(
    "change",
    [
        {"primaryKeyId": 7},
        {"key": []},
        {"key": "x"},
        {"key": [{"keyData": {"typeUrl": "x", "value": "eA=="}}]},
    ],
    ids=["no primary", "no key", "no list", "another type"],
)
def test_a_keyset_that_cannot_be_used_means_no_start(change: dict[str, object], tmp_path: Path) -> None:
    """What looks like a keyset is tried when the parts are built."""
    file = tmp_path / "master.key"
    file.write_text(json.dumps(json.loads(new_master_key()) | change))
    with pytest.raises(ConfigurationError, match=f"^{FILE} must hold"):
        wiring.build(REST | {FILE: str(file)})


def test_a_service_may_keep_the_key() -> None:
    """Vault is asked with a token, the clouds' services with what their libraries find; none is none."""
    settings = read_settings(REST | {URI: VAULT, "GREENROOM_VAULT_TOKEN": "t"})
    assert settings.master_keys[HOME] == MasterKeySettings(uri=VAULT, token="t")
    wiring.build(REST | {URI: VAULT, "GREENROOM_VAULT_TOKEN": "t"})
    arn = "aws-kms://arn:aws:kms:eu-central-1:1:key/2"
    assert read_settings(REST | {URI: arn}).master_keys[HOME] == MasterKeySettings(uri=arn)
    assert read_settings(REST | {URI: "none"}).master_keys[HOME] == MasterKeySettings()


@pytest.mark.parametrize("scheme", ["aws", "gcp"])
def test_a_service_whose_library_is_not_installed_means_no_start(scheme: str) -> None:
    """And the line says what to install."""
    with pytest.raises(ConfigurationError, match=rf"^{URI}: install tink\[{scheme}kms\]"):
        wiring.build(REST | {URI: f"{scheme}-kms://x"})


@pytest.mark.parametrize(
    ("environ", "complaint"),
    [
        ({}, f"^{FILE} must be set, or {URI}$"),
        ({URI: ""}, f"^{FILE} must be set, or {URI}$"),
        ({FILE: "/x", URI: "none"}, f"^set {FILE} or {URI}, not both$"),
        ({FILE: "/x", URI: ""}, f"^set {FILE} or {URI}, not both$"),
        ({FILE: ""}, f"^{FILE} cannot be read"),
        ({URI: "vault"}, f"^{URI} must be none"),
        ({URI: "https://vault.example/x"}, f"^{URI} must be none"),
        ({URI: "hcvault://vault.example"}, f"^{URI} must be none"),
        ({URI: "hcvault://me@vault.example/transit/keys/x"}, f"^{URI} must be none"),
        ({URI: VAULT}, "^set GREENROOM_VAULT_TOKEN or GREENROOM_VAULT_TOKEN_FILE, one of them$"),
        (
            {URI: VAULT, "GREENROOM_VAULT_TOKEN": "a", "GREENROOM_VAULT_TOKEN_FILE": "/x"},
            "^set GREENROOM_VAULT_TOKEN or GREENROOM_VAULT_TOKEN_FILE, one of them$",
        ),
        ({URI: VAULT, "GREENROOM_VAULT_TOKEN_FILE": "/nowhere"}, "^GREENROOM_VAULT_TOKEN_FILE cannot be"),
        ({URI: VAULT, "GREENROOM_VAULT_TOKEN_FILE": "/dev/null"}, "^GREENROOM_VAULT_TOKEN_FILE is empty$"),
    ],
)
def test_one_way_to_the_key_and_no_odd_one(environ: dict[str, str], complaint: str) -> None:
    """Exactly one of the two ways must be set, and be possible."""
    with pytest.raises(ConfigurationError, match=complaint):
        read_settings(REST | environ)


def test_a_key_that_is_kept_elsewhere_is_named_in_a_path() -> None:
    """A Vault's URI without a key's name is odd."""
    with pytest.raises(ConfigurationError, match=f"^{URI} cannot be used"):
        wiring.build(REST | {URI: "hcvault://vault.example/transit", "GREENROOM_VAULT_TOKEN": "t"})


def test_the_key_before_may_be_named_too(tmp_path: Path) -> None:
    """In a file or kept by a service, whatever the present one is."""
    for name in ("new", "old"):
        (tmp_path / name).write_text(new_master_key())
    environ = REST | {FILE: str(tmp_path / "new"), OLD_FILE: str(tmp_path / "old")}
    key = read_settings(environ).master_keys[HOME]
    assert key.keyset == (tmp_path / "new").read_text()
    assert key.old == MasterKeySettings(keyset=(tmp_path / "old").read_text())
    wiring.build(environ)
    vault = {URI: VAULT, "GREENROOM_VAULT_TOKEN": "t"}
    moving = REST | vault | {OLD_FILE: str(tmp_path / "old")}
    assert read_settings(moving).master_keys[HOME] == MasterKeySettings(uri=VAULT, token="t", old=key.old)
    back = REST | {FILE: str(tmp_path / "new"), OLD_URI: VAULT, "GREENROOM_VAULT_TOKEN": "t"}
    assert read_settings(back).master_keys[HOME].old == MasterKeySettings(uri=VAULT, token="t")


@pytest.mark.parametrize(
    ("environ", "complaint"),
    [
        ({OLD_FILE: "/nowhere"}, f"^{OLD_FILE} cannot be read"),
        ({OLD_FILE: "/dev/null"}, f"^{OLD_FILE} must hold a keyset"),
        ({OLD_FILE: "/x", OLD_URI: VAULT}, f"^set {OLD_FILE} or {OLD_URI}, not both$"),
        ({OLD_URI: ""}, f"^{OLD_URI} must be hcvault"),
        ({OLD_URI: "none"}, f"^{OLD_URI} must be hcvault"),
        ({OLD_URI: VAULT}, "^set GREENROOM_VAULT_TOKEN or GREENROOM_VAULT_TOKEN_FILE, one of them$"),
    ],
)
def test_an_odd_key_before_means_no_start(environ: dict[str, str], complaint: str, tmp_path: Path) -> None:
    """The line names the setting that is odd."""
    (tmp_path / "new").write_text(new_master_key())
    with pytest.raises(ConfigurationError, match=complaint):
        read_settings(REST | {FILE: str(tmp_path / "new")} | environ)


def test_an_old_keyset_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """Not the present one."""
    for name in ("new", "old"):
        (tmp_path / name).write_text(new_master_key())
    (tmp_path / "old").write_text(json.dumps(json.loads(new_master_key()) | {"primaryKeyId": 7}))
    with pytest.raises(ConfigurationError, match=f"^{OLD_FILE} must hold"):
        wiring.build(REST | {FILE: str(tmp_path / "new"), OLD_FILE: str(tmp_path / "old")})
