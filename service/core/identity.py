"""Somebody whom an OpenID provider vouches for, and what that makes of them here. No protocol."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from service.core.reviewer import Role


@dataclass(frozen=True, slots=True)
class Identity:
    """What a provider says of a person.

    ``subject`` is all that is kept of who they are there; ``name`` is what they call themselves, ``groups``
    are the values of the claim that decides about roles.
    """

    subject: str
    name: str
    groups: frozenset[str]


def subject_of(issuer: str, subject: str) -> str:
    """Return the digest by which a provider's user is found again. Subjects are unique at one issuer only
    (OpenID Connect Core 1.0, 5.7)."""
    return hashlib.sha256(f"{issuer}\n{subject}".encode(errors="surrogatepass")).hexdigest()


def role_of(groups: frozenset[str], roles: Mapping[str, Role]) -> Role | None:
    """Return the highest role that one of ``groups`` is mapped to, ``None`` if none is mapped."""
    ranks = [*Role]
    return max((roles[group] for group in groups & roles.keys()), key=ranks.index, default=None)


def name_here(untrusted_name: str, otherwise: str) -> str:
    """Return a provider's name for somebody as a reviewer's may be; ``otherwise`` if nothing is left."""
    return re.sub(r"[^a-z0-9._+@-]", "-", untrusted_name.lower())[:96].lstrip("._+@-") or otherwise
