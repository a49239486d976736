"""What the routes of grants take and answer, as JSON."""

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from service.core.grant import LONGEST_LIFE, MOST_BYTES, MOST_FILES, MOST_TYPES, GrantKind
from service.core.naming import EXTENSION, IDENTIFIER, PERSON, UPLOAD_ID
from service.web.public.documents import Document
from service.web.public.operation import LINE, WHOLE, Body

_LONGEST: Final = int(LONGEST_LIFE.total_seconds())
_Lifetime = Annotated[int, Field(ge=1, le=_LONGEST), WHOLE]


#: Which limits go with which kind.
_BY_KIND: Final[dict[str, Any]] = {
    "oneOf": [
        {"title": "upload", "properties": {"kind": {"const": "upload"}, "file": {"type": "null"}}},
        {
            "title": "download",
            "properties": {
                "kind": {"const": "download"},
                "max_files": {"type": "null"},
                "max_bytes": {"type": "null"},
                "types": {"maxItems": 0},
            },
        },
    ],
    "examples": [{"kind": "upload", "meeting": "town-hall", "max_files": 3, "types": ["pptx", "pdf"]}],
}
_Extension = Annotated[
    str, Field(pattern=f"^{EXTENSION.pattern}$", json_schema_extra={"format": "accepted-extension"})
]


class GrantRequest(Body):
    """What a grant shall allow."""

    model_config = ConfigDict(json_schema_extra=_BY_KIND)

    kind: GrantKind = Field(description="For a presenter or for a participant.", strict=False)
    meeting: str = Field(pattern=f"^{IDENTIFIER.pattern}$", description="The meeting's id.")
    file: str | None = Field(
        None, pattern=f"^{UPLOAD_ID.pattern}$", description="Download only: this file and no other."
    )
    max_files: Annotated[int, Field(ge=1, le=MOST_FILES), WHOLE] | None = Field(
        None, description="Upload only: how many files."
    )
    max_bytes: Annotated[int, Field(ge=1, le=MOST_BYTES), WHOLE] | None = Field(
        None, description="Upload only: bytes in all."
    )
    types: list[_Extension] = Field(
        [], max_length=MOST_TYPES, description="Upload only: extensions, of those that the policy accepts."
    )
    person: str | None = Field(
        None,
        pattern=f"^{PERSON.pattern}$",
        description="Whom it is for, in your own words: what is sent under the grant counts as theirs when a"
        " person's data are asked for.",
    )
    expires_in: _Lifetime = Field(_LONGEST, description="Seconds that the token lives.")


class RefreshRequest(Body):
    """How long the new token shall live."""

    expires_in: _Lifetime = Field(_LONGEST, description="Seconds that the token lives.")


_PUBLIC_KEY: Final[dict[str, Any]] = {
    "required": ["kty", "crv", "x"],
    "properties": {
        "kty": {"const": "OKP"},
        "crv": {"const": "Ed25519"},
        "x": {"type": "string", "pattern": "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$"},
        "d": False,
    },
}


class KeyRequest(Body):
    """A public key of a backend that mints grants itself."""

    name: str = Field("", max_length=255, pattern=LINE, description="What the key is for.")
    jwk: dict[str, Any] = Field(
        description="An Ed25519 public key (RFC 8037), without its private part.",
        json_schema_extra=_PUBLIC_KEY,
        examples=[{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}],
    )


class GrantDocument(Document):
    """A grant."""

    id: str
    kind: GrantKind
    meeting: str
    file: str | None
    max_files: int | None
    max_bytes: int | None
    types: list[str]
    person: str | None = Field(description="Whom it is for, if you said so.")
    issued_at: datetime
    expires_at: datetime


class MintedGrant(GrantDocument):
    """A grant and its token."""

    token: str = Field(description="What the holder sends: `Authorization: Bearer TOKEN`.")


class Used(Document):
    """How much of an upload grant is used, uploads that are arriving included."""

    files: int
    bytes: int


class Allowance(GrantDocument):
    """What a grant allows, and what is used of it."""

    used: Used


class GrantState(Allowance):
    """A grant and what became of it."""

    created_at: datetime
    revoked_at: datetime | None


class KeyDocument(Document):
    """A registered public key. Its `id` is the `kid` of the tokens that it signs."""

    id: str
    name: str
    jwk: dict[str, str]
    created_at: datetime
    revoked_at: datetime | None


class KeyList(Document):
    """The keys of an account, oldest first."""

    keys: list[KeyDocument]


class KeySet(Document):
    """A JWK Set (RFC 7517, 5)."""

    keys: list[dict[str, str]]
