"""An OpenID provider in memory, keeping the promises of ``ports.IdentityProvider``."""

import hashlib
from urllib.parse import parse_qsl, urlencode, urlsplit

from service.core.errors import Unauthenticated
from service.core.identity import Identity, subject_of
from service.ports import Journey
from tests.fakes.faults import Faults

ISSUER = "https://id.example"


class FakeProvider:
    """A provider at which anybody is who they say they are."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._codes: dict[str, tuple[dict[str, str], Identity]] = {}
        self._next = 0

    @property
    def issuer(self) -> str:
        """Its name."""
        return ISSUER

    def address(self, journey: Journey, redirect_uri: str) -> str:
        """Return where to go."""
        with self._faults.at("provider.address"):
            asked = {
                "state": journey.state,
                "nonce": journey.nonce,
                "code_challenge": _challenge(journey.verifier),
                "redirect_uri": redirect_uri,
            }
            return f"{ISSUER}/auth?{urlencode(asked)}"

    def sign_in(self, address: str, name: str, *groups: str) -> dict[str, str]:
        """Be ``name``, of ``groups``, at ``address``; return the query that the browser comes back with."""
        asked = dict(parse_qsl(urlsplit(address).query))
        self._next += 1
        code = f"code-{self._next}"
        self._codes[code] = asked, Identity(subject_of(ISSUER, name), name, frozenset(groups))
        return {"code": code, "state": asked["state"], "iss": ISSUER}

    def identify(self, journey: Journey, untrusted_code: str, redirect_uri: str) -> Identity:
        """Return who signed in."""
        with self._faults.at("provider.identify"):
            if untrusted_code not in self._codes:
                raise Unauthenticated("no such code")
            asked, identity = self._codes.pop(untrusted_code)
            expected = journey.nonce, _challenge(journey.verifier), redirect_uri
            if (asked["nonce"], asked["code_challenge"], asked["redirect_uri"]) != expected:
                raise Unauthenticated("another journey's code")
            return identity


def _challenge(verifier: str) -> str:
    return hashlib.sha256(verifier.encode()).hexdigest()
