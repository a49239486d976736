"""Who else can tell who somebody is."""

from dataclasses import dataclass
from typing import Protocol

from service.core.identity import Identity


@dataclass(frozen=True, slots=True)
class Journey:
    """What ties one browser's way to the provider and back together: nobody else can know or make it.

    ``state`` comes back with the browser, ``nonce`` within the signed answer (OpenID Connect Core 1.0,
    3.1.2.1); ``verifier`` is 43 to 128 characters that show to the provider that who began it ends it
    (RFC 7636, 4.1).
    """

    state: str
    nonce: str
    verifier: str


class IdentityProvider(Protocol):
    """An OpenID provider, asked by the code flow (OpenID Connect Core 1.0, 3.1). Safe for many threads.

    ``redirect_uri`` is where the browser comes back to. Both raise ``IdentityProviderUnavailable`` if the
    provider does not answer, or not as one does.
    """

    @property
    def issuer(self) -> str:
        """The provider's name for itself."""

    def address(self, journey: Journey, redirect_uri: str) -> str:
        """Return where to send the browser."""

    def identify(self, journey: Journey, untrusted_code: str, redirect_uri: str) -> Identity:
        """Return whom the browser that brought ``untrusted_code`` is used by.

        Raises ``Unauthenticated`` for a code that the provider does not take, a second time too, and for an
        answer that was not signed by it, for us, for this journey, now."""
