"""``/v1/grants``, ``/v1/grant-keys`` and ``/.well-known/jwks.json``."""

from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, Response, jsonify

from service.core import errors
from service.core.caller import Caller, Scope
from service.core.grant import GRANT_ID, Grant
from service.core.representation import rfc3339
from service.ports import GrantKey, KnownGrant
from service.stages import grants, signing
from service.stages.parts import Parts
from service.web.public.door import Door
from service.web.public.grant_models import (
    Allowance,
    GrantRequest,
    GrantState,
    KeyDocument,
    KeyList,
    KeyRequest,
    KeySet,
    MintedGrant,
    RefreshRequest,
)
from service.web.public.operation import Answer, Operation, PathPart

_CACHED: Final = "public, max-age=300"
_ID: Final = {
    "grant_id": PathPart("The grant's id.", f"^{GRANT_ID.pattern}$", "gt_0199f3a1c2d45e6f708192a3b4c5d6e7")
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
IN_HAND: Final = Operation(
    "Ask what the grant in hand may do",
    "grants",
    {200: Answer("The grant that the request came with, and how much of it is used.", Allowance)},
    # Every grant has it.
    scope=Scope.READ,
    credential="grant",
    description="For the holder of a grant, such as the upload widget. An API key is answered with 403.",
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
            untrusted_person=body.person,
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
                "used": _used(known),
            }
        )

    @routes.get("/v1/grant")
    @door.operation(IN_HAND)
    def in_hand(caller: Caller) -> Response:
        if caller.grant is None:
            raise errors.Forbidden("This is an API key: only a grant can be asked what it may do.")
        known = grants.own_grant(parts, caller, caller.grant.id)
        return jsonify({**_document(caller.grant), "used": _used(known)})

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
        "person": grant.person,
        "issued_at": rfc3339(grant.issued_at),
        "expires_at": rfc3339(grant.expires_at),
    }


def _used(known: KnownGrant) -> dict[str, int]:
    return {"files": known.files, "bytes": known.bytes}


def _key_document(key: GrantKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "jwk": dict(key.public_key),
        "created_at": rfc3339(key.created_at),
        "revoked_at": key.revoked_at and rfc3339(key.revoked_at),
    }
