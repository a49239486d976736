import re
from pathlib import Path

import pytest

from service.config import read_settings
from service.core.errors import ConfigurationError
from tests.core.environment import LEAST, SECRETS
from tests.core.shipped import POLICY, POLICY_FILE


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_may_come_in_a_file(name: str, tmp_path: Path) -> None:
    """Every secret may be the content of the file that NAME_FILE names; a line's end does not count."""
    file = tmp_path / "secret"
    file.write_text(f"{LEAST[name]}\n")
    environ = {key: text for key, text in LEAST.items() if key != name}
    assert read_settings(environ | {f"{name}_FILE": str(file)}) == read_settings(LEAST)


@pytest.mark.parametrize("name", SECRETS)
def test_both_forms_are_an_error(name: str, tmp_path: Path) -> None:
    """Two values for one secret, even the same, even an empty one, are not chosen from."""
    file = tmp_path / "secret"
    file.write_text(LEAST[name])
    for value in (LEAST[name], ""):
        with pytest.raises(ConfigurationError, match=f"^set {name} or {name}_FILE, not both$"):
            read_settings(LEAST | {name: value, f"{name}_FILE": str(file)})


@pytest.mark.parametrize(
    "content", [None, b"", b" \n", b"\xff\xfe\xfa"], ids=["none", "empty", "blank", "no text"]
)
def test_a_file_without_a_secret_is_an_error(content: bytes | None, tmp_path: Path) -> None:
    """A file that is missing, empty or no text is named, and never repeated."""
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    environ = {key: text for key, text in LEAST.items() if key != "GREENROOM_DATABASE_URL"}
    with pytest.raises(
        ConfigurationError, match=r"\AGREENROOM_DATABASE_URL(_FILE cannot be read| must be set)"
    ):
        read_settings(environ | {"GREENROOM_DATABASE_URL_FILE": str(file)})


def test_an_empty_file_name_is_an_error() -> None:
    """NAME_FILE set to nothing, as an unset variable in a script leaves it, is an error."""
    environ = {key: text for key, text in LEAST.items() if key != SECRETS[1]}
    with pytest.raises(ConfigurationError, match=f"^{SECRETS[1]}_FILE cannot be read"):
        read_settings(environ | {f"{SECRETS[1]}_FILE": ""})


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("max_file_size = ", "GREENROOM_POLICY_FILE cannot be read"),
        ("a = 1", "policy: unknown setting 'a'"),
        ("", "policy: max_file_size must be"),
    ],
)
def test_an_odd_policy_file_is_an_error(content: str, complaint: str, tmp_path: Path) -> None:
    """A policy file that is no TOML, or no policy, means no start."""
    file = tmp_path / "policy.toml"
    file.write_text(content)
    with pytest.raises(ConfigurationError, match=f"^{complaint}"):
        read_settings(LEAST | {"GREENROOM_POLICY_FILE": str(file)})


def test_another_policy_file_is_used(tmp_path: Path) -> None:
    """The file that GREENROOM_POLICY_FILE names is the policy."""
    file = tmp_path / "policy.toml"
    text = POLICY_FILE.read_text()
    file.write_text(re.sub("^max_file_size = [0-9_]+", "max_file_size = 1000", text, flags=re.MULTILINE))
    policy = read_settings(LEAST | {"GREENROOM_POLICY_FILE": str(file)}).policy
    assert policy.max_file_size == 1000
    assert policy.digest != POLICY.digest
