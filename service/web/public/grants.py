"""``/v1/grants``, ``/v1/grant-keys`` and ``/.well-known/jwks.json``."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from flask import Blueprint, Response, jsonify
from pydantic import ConfigDict, Field

from service.core import errors
from service.core.caller import Caller, Scope
from service.core.grant import LONGEST_LIFE, MOST_BYTES, MOST_FILES, MOST_TYPES, Grant, GrantKind
from service.core.naming import EXTENSION, IDENTIFIER
from service.core.representation import rfc3339
from service.ports import GrantKey
from service.stages import grants, signing
from service.stages.parts import UPLOAD_ID, Parts
from service.web.public.documents import Document
from service.web.public.operation import WHOLE, Answer, Body, Door, Operation, PathPart

_LONGEST: Final = int(LONGEST_LIFE.total_seconds())
_Lifetime = Annotated[int, Field(ge=1, le=_LONGEST), WHOLE]
_CACHED: Final = "public, max-age=300"


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

    name: str = Field("", max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$", description="What the key is for.")
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
    issued_at: datetime
    expires_at: datetime


class MintedGrant(GrantDocument):
    """A grant and its token."""

    token: str = Field(description="What the holder sends: `Authorization: Bearer TOKEN`.")


class Used(Document):
    """How much of an upload grant is used, uploads that are arriving included."""

    files: int
    bytes: int


class GrantState(GrantDocument):
    """A grant and what became of it."""

    created_at: datetime
    revoked_at: datetime | None
    used: Used


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


_ID: Final = {
    "grant_id": PathPart("The grant's id.", "^[A-Za-z0-9_-]{1,64}$", "gt_0199f3a1c2d45e6f708192a3b4c5d6e7")
}
_KEY_ID: Final = {"key_id": PathPart("The key's id.", "^gk_[0-9a-f]{12}$", "gk_0199f3a1c2d4")}
MINT: Final = Operation(
    "Make a grant",
    "grants",
    {201: Answer("The grant and its token.", MintedGrant)},
    scope=Scope.GRANTS,
    body=GrantRequest,
    problems=(errors.NotFound,),
)
ASK: Final = Operation(
    "Ask for a grant",
    "grants",
    {200: Answer("The grant and how much of it is used.", GrantState)},
    scope=Scope.GRANTS,
    path=_ID,
    problems=(errors.NotFound,),
)
REFRESH: Final = Operation(
    "Refresh a grant",
    "grants",
    {201: Answer("The same grant, its quota as used as it was, and a new token.", MintedGrant)},
    scope=Scope.GRANTS,
    body=RefreshRequest,
    path=_ID,
    problems=(errors.NotFound, errors.GrantEnded),
)
REVOKE: Final = Operation(
    "Revoke a grant",
    "grants",
    {204: Answer("No token of the grant opens anything any more.")},
    scope=Scope.GRANTS,
    path=_ID,
    problems=(errors.NotFound,),
)
REGISTER: Final = Operation(
    "Register a public key",
    "grants",
    {201: Answer("The key. Tokens that it signed are grants from now on.", KeyDocument)},
    scope=Scope.GRANTS,
    body=KeyRequest,
    problems=(errors.TooManyKeys,),
)
KEYS: Final = Operation(
    "List registered keys", "grants", {200: Answer("All keys.", KeyList)}, scope=Scope.GRANTS
)
REVOKE_KEY: Final = Operation(
    "Revoke a registered key",
    "grants",
    {204: Answer("No token that it signed opens anything any more.")},
    scope=Scope.GRANTS,
    path=_KEY_ID,
    problems=(errors.NotFound,),
)
KEY_SET: Final = Operation(
    "Read the public keys of this service",
    "grants",
    {200: Answer("The keys with which grants of this service are checked.", KeySet)},
)


def blueprint(parts: Parts, door: Door) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("grants", __name__)
    _add_grants(routes, parts, door)
    _add_keys(routes, parts, door)
    return routes


def _add_grants(routes: Blueprint, parts: Parts, door: Door) -> None:
    @routes.post("/v1/grants")
    @door.operation(MINT)
    def mint(caller: Caller, body: GrantRequest) -> Response:
        wanted = grants.Wanted(
            kind=body.kind,
            untrusted_meeting=body.meeting,
            lifetime=timedelta(seconds=body.expires_in),
            upload_id=body.file,
            max_files=body.max_files,
            max_bytes=body.max_bytes,
            types=frozenset(body.types),
        )
        return _minted(grants.mint(parts, caller, wanted))

    @routes.get("/v1/grants/<grant_id>")
    @door.operation(ASK)
    def ask(caller: Caller, grant_id: str) -> Response:
        known = grants.own_grant(parts, caller, grant_id)
        return jsonify(
            {
                **_document(known.grant),
                "created_at": rfc3339(known.created_at),
                "revoked_at": known.revoked_at and rfc3339(known.revoked_at),
                "used": {"files": known.files, "bytes": known.bytes},
            }
        )

    @routes.post("/v1/grants/<grant_id>/refresh")
    @door.operation(REFRESH)
    def refresh(caller: Caller, body: RefreshRequest, grant_id: str) -> Response:
        return _minted(grants.refresh(parts, caller, grant_id, timedelta(seconds=body.expires_in)))

    @routes.delete("/v1/grants/<grant_id>")
    @door.operation(REVOKE)
    def revoke(caller: Caller, grant_id: str) -> Response:
        grants.revoke(parts, caller, grant_id)
        return Response(status=204)


def _add_keys(routes: Blueprint, parts: Parts, door: Door) -> None:
    @routes.post("/v1/grant-keys")
    @door.operation(REGISTER)
    def register(caller: Caller, body: KeyRequest) -> Response:
        answer = jsonify(_key_document(grants.register_key(parts, caller, body.name, body.jwk)))
        answer.status_code = 201
        return answer

    @routes.get("/v1/grant-keys")
    @door.operation(KEYS)
    def keys(caller: Caller) -> Response:
        return jsonify({"keys": [_key_document(key) for key in grants.keys(parts, caller)]})

    @routes.delete("/v1/grant-keys/<key_id>")
    @door.operation(REVOKE_KEY)
    def revoke_key(caller: Caller, key_id: str) -> Response:
        grants.revoke_key(parts, caller, key_id)
        return Response(status=204)

    @routes.get("/.well-known/jwks.json")
    @door.operation(KEY_SET)
    def key_set() -> Response:
        answer = jsonify(signing.key_set(parts))
        answer.headers["Cache-Control"] = _CACHED
        return answer


def _minted(minted: grants.Minted) -> Response:
    answer = jsonify({**_document(minted.grant), "token": minted.token})
    answer.status_code = 201
    return answer


def _document(grant: Grant) -> dict[str, Any]:
    return {
        "id": grant.id,
        "kind": grant.kind.value,
        "meeting": grant.meeting_id,
        "file": grant.upload_id,
        "max_files": grant.max_files,
        "max_bytes": grant.max_bytes,
        "types": sorted(grant.types),
        "issued_at": rfc3339(grant.issued_at),
        "expires_at": rfc3339(grant.expires_at),
    }


def _key_document(key: GrantKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "jwk": dict(key.public_key),
        "created_at": rfc3339(key.created_at),
        "revoked_at": key.revoked_at and rfc3339(key.revoked_at),
    }
