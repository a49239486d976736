"""``ports.Passwords``: the same laws for the fake and Argon2id."""

import pytest

from service.adapters.argon2_passwords import Argon2Passwords
from service.ports import Passwords
from tests.fakes.reviewers import FakePasswords


@pytest.fixture(params=[FakePasswords, Argon2Passwords])
def passwords(request: pytest.FixtureRequest) -> Passwords:
    """Each in turn."""
    made: Passwords = request.param()
    return made


def test_a_hash_is_matched_by_its_password_alone(passwords: Passwords) -> None:
    """Not by another, by a longer one, by none; whatever characters it has."""
    password = "sésame ✓ ouvre-toi \x00!"
    known = passwords.hash(password)
    assert passwords.matches(known, password)
    assert not any(passwords.matches(known, other) for other in ("", password[:-1], password + " ", "no"))


@pytest.mark.parametrize("untrusted", ["", "password", "\udc80", "A" * 1024])
def test_nobody_has_a_password(passwords: Passwords, untrusted: str) -> None:
    """For a name without one every password is wrong, and so it is for what is no hash."""
    assert not passwords.matches(None, untrusted)
    assert not passwords.matches("no hash", untrusted)


def test_argon2s_hashes_say_how_they_were_made() -> None:
    """Argon2id, 19 MiB, two passes, one lane, salted."""
    passwords = Argon2Passwords()
    one, other = passwords.hash("a"), passwords.hash("a")
    assert one != other
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
