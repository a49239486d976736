"""Who asks: what every way of authenticating comes down to, and what it permits."""

from dataclasses import dataclass
from enum import StrEnum

from service.core.errors import Forbidden
from service.core.grant import Grant


class Scope(StrEnum):
    """What a caller may be allowed to do within its account."""

    UPLOAD = "upload"
    READ = "read"
    DOWNLOAD = "download"
    DELETE = "delete"
    GRANTS = "grants"
    WEBHOOKS = "webhooks"
    EXPORT = "export"
    #: Over accounts, and over nothing that is in one but what is handed back as an export. No key of an
    #: account has it.
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller of one account.

    ``name`` is the API key's prefix or the grant's id. ``grant`` narrows what the scopes allow to one
    meeting or file; ``None`` for an API key.
    """

    account_id: str
    name: str
    scopes: frozenset[str]
    grant: Grant | None = None

    @property
    def actor(self) -> str:
        """Who this is in the log (see ``service.core.journal``)."""
        return f"{'grant' if self.grant else 'key'}:{self.name}"

    @property
    def is_administrator(self) -> bool:
        """Whether this is whoever runs the service."""
        return Scope.ADMIN in self.scopes

    def require(self, scope: Scope) -> None:
        """Raise ``Forbidden`` unless this caller has ``scope``."""
        if scope not in self.scopes:
            what = "grant" if self.grant else "API key"
            raise Forbidden(f"This {what} lacks the scope {scope.value!r}.")
