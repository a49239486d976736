from pathlib import Path

import pytest

from service.config import read_settings
from service.core.errors import ConfigurationError
from service.core.reviewer import Role
from service.oidc_config import OidcSettings
from tests.core.environment import LEAST

GIVEN = {
    "GREENROOM_OIDC_ISSUER": "https://id.example/realms/x",
    "GREENROOM_OIDC_CLIENT_ID": "greenroom",
    "GREENROOM_OIDC_CLIENT_SECRET": "s",
}


def read(**changes: str | None) -> OidcSettings | None:
    """Return what is read of `GIVEN` with changes."""
    wanted = {**GIVEN, **{f"GREENROOM_OIDC_{name}": value for name, value in changes.items()}}
    given = {name: value for name, value in wanted.items() if value is not None}
    return read_settings(LEAST | given).console.oidc


def test_without_a_provider_there_is_none() -> None:
    """Reviewers have passwords of the console. Empty is not given, and a secret's file makes no provider."""
    assert read_settings(LEAST).console.oidc is None
    empty = dict.fromkeys(GIVEN, "") | {"GREENROOM_OIDC_CLIENT_SECRET_FILE": "/run/secrets/empty"}
    assert read_settings(LEAST | empty).console.oidc is None


def test_what_is_not_given_is_plain() -> None:
    """Groups that are named like the roles, in the claim of that name."""
    roles = {role.value: role for role in Role}
    plain = OidcSettings("https://id.example/realms/x", "greenroom", "s", "openid profile", "roles", roles)
    assert read() == plain


def test_everything_can_be_given(tmp_path: Path) -> None:
    """The secret as a file, groups with odd names too."""
    path = tmp_path / "secret"
    path.write_text("hidden\n")
    read_back = read(
        CLIENT_SECRET=None,
        CLIENT_SECRET_FILE=str(path),
        SCOPES="openid groups",
        ROLES_CLAIM="https://x.example/groups",
        ROLES="cn=staff;ou=x = reader, Security Team=administrator",
    )
    assert read_back
    assert (read_back.client_secret, read_back.scope) == ("hidden", "openid groups")
    assert read_back.roles_claim == "https://x.example/groups"
    assert read_back.roles == {"cn=staff;ou=x": Role.READER, "Security Team": Role.ADMINISTRATOR}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ISSUER", None),
        ("ISSUER", "http://id.example"),
        ("ISSUER", "https://id.example?x=1"),
        ("ISSUER", "https://id.example#x"),
        ("ISSUER", "id.example"),
        ("CLIENT_ID", None),
        ("CLIENT_SECRET", None),
        ("CLIENT_SECRET_FILE", "/also/given"),
        ("SCOPES", "profile"),
        ("ROLES", "staff"),
        ("ROLES", "staff=boss"),
        ("ROLES", "=reader"),
        ("ROLES", "staff=reader,staff=administrator"),
    ],
)
def test_an_odd_one_is_no_start(name: str, value: str | None) -> None:
    """The error names a setting of the provider's."""
    with pytest.raises(ConfigurationError, match="GREENROOM_OIDC_"):
        read(**{name: value})


def test_a_secret_that_cannot_be_read_is_no_start(tmp_path: Path) -> None:
    """Missing or empty."""
    (tmp_path / "empty").write_text("\n")
    for path in ("empty", "missing"):
        with pytest.raises(ConfigurationError, match="GREENROOM_OIDC_CLIENT_SECRET_FILE"):
            read(CLIENT_SECRET=None, CLIENT_SECRET_FILE=str(tmp_path / path))
