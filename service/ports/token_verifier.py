"""Believing what others signed."""

from collections.abc import Mapping
from typing import Any, Protocol


class TokenVerifier(Protocol):
    """Checks the signatures of tokens from one issuer. Safe for many threads at once."""

    def claims(self, untrusted_token: str) -> Mapping[str, Any]:
        """Return the claims of a token with a good signature; nothing else about them is checked.

        Raises ``Unauthenticated`` for any other text, whatever is wrong with it.
        """
