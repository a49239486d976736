"""Every route, every role, two tenants; and tokens that must open nothing (bar R21)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest
from flask import Flask
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey
from werkzeug.test import TestResponse

from service.core.account import OPERATOR
from service.core.caller import Scope
from service.core.erasure import Reach
from service.core.upload import State
from service.stages import holds, signing
from service.stages.access import SCOPES, create_key
from service.stages.erasing.ask import ask, ask_for_account
from service.stages.parts import Parts
from service.web.public.operation import Operation
from tests.web.bookkeeping import keep_log
from tests.web.conftest import Backend, assert_problem, new_backend

FINE: Final = frozenset({200, 201, 202, 204})
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
NOBODY, OWNER, SCOPELESS, PRESENTER, PARTICIPANT = "nobody", "owner", "scopeless", "presenter", "participant"
ADMINISTRATOR: Final = "administrator"
STRANGER, THEIR_PRESENTER, THEIR_PARTICIPANT = "stranger", "their presenter", "their participant"
ROLES: Final = (
    *(NOBODY, OWNER, SCOPELESS, PRESENTER, PARTICIPANT),
    *(STRANGER, THEIR_PRESENTER, THEIR_PARTICIPANT, ADMINISTRATOR),
)


@dataclass
class Stage:
    """What the table is played with: one account with all that routes ask for, and the roles."""

    app: Flask
    callers: dict[str, Backend]
    things: dict[str, str]
    #: Whether anything may be different from how it was made.
    played: bool = False

    def again(self, app: Flask, parts: Parts) -> Stage:
        """Return the same with another app over the same ledger and store."""
        callers = {role: replace(caller, app=app, parts=parts) for role, caller in self.callers.items()}
        return Stage(app, callers, self.things)

    def call(self, role: str, method: str, rule: str, entry: Entry) -> TestResponse:
        """Send one request of the table."""
        caller, options = self.callers[role], dict(entry.options)
        if "json" in options:
            options["json"] = json.loads(self._named(json.dumps(options["json"])))
        answer = caller.call(method, self._named(rule), query_string=entry.query, **options)
        self.played |= method not in SAFE and answer.status_code in FINE
        return answer

    def _named(self, text: str) -> str:
        # What a backend calls its meeting is no secret of ours: a stranger may call its own so too.
        text = text.replace("<meeting_id>", "m1")
        for name, value in self.things.items():
            text = text.replace(f"<{name}>", value)
        return text


@dataclass
class Entry:
    """One row: how to call it, and the status that each role gets.

    Administrators may do what is theirs alone, and nobody else may; and ``administered`` says what they get
    where they may do what owners do.

    ``private`` is false for a route that says the same to everybody, ``own`` is true for one that tells
    those who hold a grant of that grant.
    """

    scope: Scope | None
    presenter: int = 403
    participant: int = 403
    stranger: int = 404
    query: str = ""
    options: Any = None
    private: bool = True
    owner: int = 200
    own: bool = False
    administered: int = 403

    def __post_init__(self) -> None:
        self.options = dict(self.options or {})

    def expected(self, role: str) -> frozenset[int]:
        """Return what the role may get."""
        if not self.private:
            return FINE | {503} if self.owner in FINE else frozenset({self.owner})
        statuses = {
            NOBODY: 401,
            ADMINISTRATOR: OPEN if self.scope is Scope.ADMIN else self.administered,
            OWNER: self.owner,
            SCOPELESS: 403,
            PRESENTER: self.presenter,
            PARTICIPANT: self.participant,
            STRANGER: self.stranger,
            # A grant of another account meets the same walls as its own account, and its own narrowness.
            THEIR_PRESENTER: 403 if self.presenter == 403 else self.stranger,
            THEIR_PARTICIPANT: 403 if self.participant == 403 else self.stranger,
        }
        if self.own:
            statuses |= {THEIR_PRESENTER: self.presenter, THEIR_PARTICIPANT: self.participant}
        return FINE if statuses[role] in FINE else frozenset({statuses[role]})


OPEN: Final = 200
ENDPOINTS: Final = "/v1/webhook-endpoints"
RECEIVER: Final = "http://127.0.0.1:9/hook"
PUBLIC: Final = Entry(None, private=False)
#: The same 404 for everybody, as the operator has switched it off.
NOWHERE: Final = Entry(None, owner=404, private=False)
TUS: Final = {"Tus-Resumable": "1.0.0"}
TABLE: Final[dict[tuple[str, str], Entry]] = {
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
    ("GET", "/v1/policy"): PUBLIC,
    ("GET", "/openapi.json"): PUBLIC,
    ("GET", "/reference"): PUBLIC,
    ("GET", "/reference.css"): PUBLIC,
    ("GET", "/.well-known/jwks.json"): PUBLIC,
    ("GET", "/widget/greenroom-upload.js"): PUBLIC,
    ("GET", "/embed"): NOWHERE,
    ("GET", "/embed/embed.js"): PUBLIC,
    ("GET", "/embed/embed.css"): PUBLIC,
    ("POST", "/v1/uploads"): Entry(
        Scope.UPLOAD, OPEN, 403, OPEN, "meeting=m1&name=n.txt", {"data": b"minutes"}
    ),
    ("GET", "/v1/uploads"): Entry(Scope.READ, 403, OPEN, OPEN, "meeting=m1"),
    ("GET", "/v1/uploads/<upload_id>"): Entry(Scope.READ, OPEN, OPEN),
    ("GET", "/v1/uploads/<upload_id>/content"): Entry(Scope.DOWNLOAD, 403, OPEN),
    ("GET", "/v1/uploads/<upload_id>/receipt"): Entry(Scope.READ, OPEN, OPEN),
    ("DELETE", "/v1/uploads/<upload_id>"): Entry(Scope.DELETE),
    # One that no worker has been at.
    ("GET", "/v1/uploads/<erased_id>/certificate"): Entry(Scope.DELETE, owner=409),
    ("DELETE", "/v1/meetings/<meeting_id>"): Entry(Scope.DELETE, stranger=OPEN),
    ("DELETE", "/v1/persons/<person>"): Entry(Scope.DELETE, stranger=OPEN),
    ("GET", "/v1/erasures/<erasure_id>"): Entry(Scope.DELETE),
    ("GET", "/v1/erasures/<erasure_id>/certificate"): Entry(Scope.DELETE, owner=409),
    ("PUT", "/v1/meetings/<meeting_id>"): Entry(
        Scope.UPLOAD, stranger=OPEN, options={"json": {"starts_at": "2026-12-01T15:00:00Z"}}
    ),
    ("GET", "/v1/meetings/<meeting_id>"): Entry(Scope.READ),
    ("GET", "/v1/log/key"): PUBLIC,
    ("GET", "/v1/log/checkpoint"): Entry(Scope.READ, OPEN, OPEN, OPEN),
    ("OPTIONS", "/v1/tus"): PUBLIC,
    ("POST", "/v1/tus"): Entry(
        Scope.UPLOAD,
        OPEN,
        403,
        OPEN,
        options={
            "headers": {
                **TUS,
                "Upload-Length": "7",
                "Upload-Metadata": "filename bi50eHQ=,meeting bTE=",
            }
        },
    ),
    ("HEAD", "/v1/tus/<unfinished_id>"): Entry(Scope.UPLOAD, OPEN, options={"headers": TUS}),
    ("PATCH", "/v1/tus/<unfinished_id>"): Entry(
        Scope.UPLOAD,
        OPEN,
        options={
            "headers": {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"},
            "data": b"min",
        },
    ),
    ("DELETE", "/v1/tus/<unfinished_id>"): Entry(Scope.UPLOAD, OPEN, options={"headers": TUS}),
    ("POST", "/v1/accounts/<account>/export"): Entry(Scope.EXPORT, administered=OPEN),
    ("POST", "/v1/accounts/<account>/persons/<person>/export"): Entry(Scope.EXPORT, administered=OPEN),
    ("GET", "/v1/exports/<export_id>"): Entry(Scope.EXPORT, administered=OPEN),
    # It is never built here: who may know that gets as far as anybody can.
    ("GET", "/v1/exports/<export_id>/content"): Entry(Scope.EXPORT, owner=409, administered=409),
    ("POST", "/v1/grants"): Entry(
        Scope.GRANTS, stranger=OPEN, options={"json": {"kind": "upload", "meeting": "m1"}}
    ),
    ("GET", "/v1/grant"): Entry(Scope.READ, OPEN, OPEN, 403, owner=403, own=True),
    ("GET", "/v1/grants/<grant_id>"): Entry(Scope.GRANTS),
    ("POST", "/v1/grants/<grant_id>/refresh"): Entry(Scope.GRANTS, options={"json": {}}),
    ("DELETE", "/v1/grants/<grant_id>"): Entry(Scope.GRANTS),
    ("POST", "/v1/grant-keys"): Entry(
        Scope.GRANTS,
        stranger=OPEN,
        options={
            "json": {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": OKPKey.generate_key().as_dict()["x"]}}
        },
    ),
    ("GET", "/v1/grant-keys"): Entry(Scope.GRANTS, stranger=OPEN),
    ("DELETE", "/v1/grant-keys/<key_id>"): Entry(Scope.GRANTS),
    ("POST", "/v1/accounts"): Entry(
        Scope.ADMIN, stranger=403, owner=403, options={"json": {"id": f"made-{secrets.token_hex(6)}"}}
    ),
    ("GET", "/v1/accounts"): Entry(Scope.ADMIN, stranger=403, owner=403),
    ("GET", "/v1/accounts/<account_id>"): Entry(Scope.ADMIN, stranger=403, owner=403),
    ("POST", "/v1/accounts/<account_id>/remove"): Entry(Scope.ADMIN, stranger=403, owner=403),
    ("POST", "/v1/accounts/<account_id>/reactivate"): Entry(Scope.ADMIN, stranger=403, owner=403),
    ("POST", "/v1/accounts/<idle_id>/erase"): Entry(
        Scope.ADMIN, stranger=403, owner=403, query="active=true"
    ),
    ("GET", "/v1/account-erasures/<account_erasure_id>"): Entry(Scope.ADMIN, stranger=403, owner=403),
    ("POST", "/v1/holds"): Entry(
        Scope.ADMIN,
        stranger=403,
        owner=403,
        options={"json": {"account": "<account_id>", "reason": "An order to keep"}},
    ),
    ("GET", "/v1/holds"): Entry(Scope.ADMIN, stranger=403, owner=403),
    ("GET", "/v1/holds/<hold_id>"): Entry(Scope.ADMIN, stranger=403, owner=403),
    ("POST", "/v1/holds/<hold_id>/lift"): Entry(Scope.ADMIN, stranger=403, owner=403),
    ("POST", ENDPOINTS): Entry(Scope.WEBHOOKS, stranger=OPEN, options={"json": {"url": RECEIVER}}),
    ("GET", ENDPOINTS): Entry(Scope.WEBHOOKS, stranger=OPEN),
    ("GET", f"{ENDPOINTS}/<endpoint_id>"): Entry(Scope.WEBHOOKS),
    ("DELETE", f"{ENDPOINTS}/<endpoint_id>"): Entry(Scope.WEBHOOKS),
    ("POST", f"{ENDPOINTS}/<endpoint_id>/rotate-secret"): Entry(Scope.WEBHOOKS),
    ("POST", f"{ENDPOINTS}/<endpoint_id>/disable"): Entry(Scope.WEBHOOKS),
    ("POST", f"{ENDPOINTS}/<endpoint_id>/enable"): Entry(Scope.WEBHOOKS),
    ("POST", f"{ENDPOINTS}/<endpoint_id>/test"): Entry(Scope.WEBHOOKS),
    ("GET", f"{ENDPOINTS}/<endpoint_id>/deliveries"): Entry(Scope.WEBHOOKS),
    ("POST", f"{ENDPOINTS}/<endpoint_id>/replay"): Entry(
        Scope.WEBHOOKS,
        options={"json": {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}},
    ),
}


def grant(backend: Backend, kind: str) -> dict[str, Any]:
    """Mint a grant for m1."""
    answer = backend.call("POST", "/v1/grants", json={"kind": kind, "meeting": "m1"})
    document: dict[str, Any] = answer.get_json()
    return document


@pytest.fixture(scope="module")
def stages() -> list[Stage]:
    """The stage of the test before, where that changed nothing on it."""
    return []


@pytest.fixture
def stage(stages: list[Stage], app: Flask, parts: Parts, admin_key: str) -> Iterator[Stage]:
    """A stage on which nothing was changed since it was made."""
    stage = stages.pop().again(app, parts) if stages else made(app, parts, admin_key)
    yield stage
    if not stage.played:
        stages.append(stage)


def made(app: Flask, parts: Parts, admin_key: str) -> Stage:
    """The owner's upload, sent by a presenter and released, a grant and a key; and everybody who may come."""
    backend, stranger = new_backend(app, parts), new_backend(app, parts)
    presenter = replace(backend, key=grant(backend, "upload")["token"])
    upload = presenter.post(b"what another account must not read").get_json()
    assert upload["state"] == "released"
    erased = backend.insert(State.ERASED).id
    erasure = ask(parts, backend.account, Reach.UPLOAD, erased, "operator:command")
    keep_log(parts)
    callers = {
        NOBODY: replace(backend, key=""),
        OWNER: backend,
        PRESENTER: presenter,
        PARTICIPANT: replace(backend, key=grant(backend, "download")["token"]),
        STRANGER: stranger,
        ADMINISTRATOR: Backend(app, parts, OPERATOR, admin_key),
        THEIR_PRESENTER: replace(stranger, key=grant(stranger, "upload")["token"]),
        THEIR_PARTICIPANT: replace(stranger, key=grant(stranger, "download")["token"]),
    }
    backend.call("PUT", "/v1/meetings/m1", json={})
    public = OKPKey.generate_key().as_dict(private=False)
    unfinished = presenter.call("POST", "/v1/tus", **TABLE["POST", "/v1/tus"].options)
    registered = backend.call("POST", "/v1/grant-keys", json={"jwk": public}).get_json()
    spare = new_backend(app, parts).account
    asking = f"/v1/accounts/{backend.account}/persons/ann@example.org/export"
    things = {
        "upload_id": upload["id"],
        "erased_id": erased,
        "erasure_id": erasure.id,
        "idle_id": new_backend(app, parts).account,
        "account_erasure_id": ask_for_account(
            parts, new_backend(app, parts).account, "operator:command", active_too=True
        ).id,
        "unfinished_id": unfinished.headers["Location"].rpartition("/")[2],
        "account_id": spare,
        "hold_id": holds.place(parts, holds.Wanted(spare, "An order to keep"), "operator:command").id,
        "grant_id": grant(backend, "download")["id"],
        "key_id": registered["id"],
        "account": backend.account,
        "person": "ann@example.org",
        "export_id": backend.call("POST", asking).get_json()["id"],
        "endpoint_id": backend.call("POST", ENDPOINTS, json={"url": RECEIVER}).get_json()["id"],
    }
    return Stage(app, callers, things)


def routes(app: Flask) -> dict[tuple[str, str], Operation | None]:
    """Return what is declared of every method and rule of the app, without those that Flask adds."""
    found = {}
    for rule in app.url_map.iter_rules():
        methods, added = rule.methods or set(), set()
        if "GET" in methods:
            added.add("HEAD")
        if getattr(rule, "provide_automatic_options"):  # noqa: B009 - Flask adds it to Werkzeug's class
            added.add("OPTIONS")
        for method in methods - added:
            path = rule.rule
            if path.startswith("/v1/tus/") and method != "OPTIONS":
                # The table plays it with an upload that is not finished.
                path = path.replace("<upload_id>", "<unfinished_id>")
            if path.endswith("/erase"):
                # Of the other account something is under hold.
                path = path.replace("<account_id>", "<idle_id>")
            if path.endswith("/certificate"):
                # And this with one that is erased.
                path = path.replace("<upload_id>", "<erased_id>")
            found[method, path] = getattr(app.view_functions[rule.endpoint], "operation", None)
    return found


def test_the_table_has_every_route(app: Flask) -> None:
    """A route that is not in the table is a route of which nobody said who may use it."""
    assert set(routes(app)) == set(TABLE)


def test_the_table_says_what_is_declared(app: Flask) -> None:
    """The scope in the table is the one that the route enforces."""
    for route, declared in routes(app).items():
        entry = TABLE[route]
        assert entry.scope == (declared.scope if declared else None)
        assert (entry.administered != 403) == (declared is not None and declared.administrators)
        assert entry.private == (entry.scope is not None)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("method", "rule"), TABLE)
def test_each_role_may_do_what_the_table_says(
    stage: Stage, parts: Parts, method: str, rule: str, role: str
) -> None:
    """And nothing else; what a stranger gets tells nothing about the account."""
    entry = TABLE[method, rule]
    owner = stage.callers[OWNER]
    if role == SCOPELESS:
        scopes = SCOPES - {entry.scope.value if entry.scope else ""}
        # An account may have two keys alone.
        stage.played = True
        stage.callers[SCOPELESS] = replace(
            owner, key=create_key(parts, owner.account, "other", frozenset(scopes), None)
        )
    answer = stage.call(role, method, rule, entry)
    assert answer.status_code in entry.expected(role), answer.get_data(as_text=True)
    if role == ADMINISTRATOR and (entry.scope is Scope.ADMIN or entry.administered != 403):
        return  # Accounts are what it is told of.
    if role in {NOBODY, ADMINISTRATOR, STRANGER, THEIR_PRESENTER, THEIR_PARTICIPANT}:
        told = answer.get_data(as_text=True) + str(answer.headers)
        for secret in (owner.account, "what another account", *stage.things.values()):
            assert secret not in told


def test_there_are_enough_cells() -> None:
    """Four kinds of callers in each of two tenants, and who runs the service, on every route."""
    assert len(ROLES) == 9
    assert len(TABLE) * len(ROLES) >= 120


# ----------------------------------------------------------------------------- tokens


def encoded(value: Any) -> str:
    """Encode one part of a token."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Forge:
    """What an attacker has: a grant of their own, the published keys, and keys of their own."""

    parts: Parts
    account: str
    token: str
    key_id: str
    public: dict[str, Any]

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return good claims for everything in m1 of the account."""
        now = int(time.time())
        return {
            "iss": "greenroom",
            "sub": self.account,
            "aud": "greenroom",
            "jti": secrets.token_hex(8),
            "iat": now,
            "nbf": now,
            "exp": now + 600,
            "kind": "download",
            "meeting": "m1",
            **changes,
        }

    def header(self, **changes: Any) -> dict[str, Any]:
        """Return a good header."""
        return {"alg": "Ed25519", "kid": self.key_id, "typ": "greenroom-grant+jwt", **changes}

    def unsigned(self, header: Any, signature: str = "") -> str:
        """Return a token with any signature."""
        return f"{encoded(header)}.{encoded(self.claims())}.{signature}"

    def mac(self, algorithm: str, secret: bytes) -> str:
        """Return a token that is signed with a public key as if it were a shared secret."""
        signed = f"{encoded(self.header(alg=algorithm))}.{encoded(self.claims())}"
        return f"{signed}.{encoded(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"

    def by(self, key: Any, header: dict[str, Any], **claims: Any) -> str:
        """Return a token that the attacker signed with a key of their own."""
        registry = jws.JWSRegistry(algorithms=[header["alg"]], strict_check_header=False)
        return jws.serialize_compact(header, json.dumps(self.claims(**claims)), key, registry=registry)

    def ours(self, **claims: Any) -> str:
        """Return claims with a right signature of the service: what must not count even then."""
        key_id, private = signing.newest_key(self.parts)
        return self.parts.tokens.sign(self.claims(**claims), key_id, private)


MINE: Final = OKPKey.generate_key("Ed25519")
RSA: Final = RSAKey.generate_key(2048)
EC: Final = ECKey.generate_key("P-256")
PUBLIC_PART: Final = MINE.as_dict(private=False)
EVIL: Final = "https://127.0.0.1:9/evil"


def base64url_bytes(text: str) -> bytes:
    """Decode base64url."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


ATTACKS: Final[dict[str, Callable[[Forge], str]]] = {
    "alg none": lambda f: f.unsigned(f.header(alg="none")),
    "alg None": lambda f: f.unsigned(f.header(alg="None")),
    "alg nOnE with a signature": lambda f: f.unsigned(f.header(alg="nOnE"), f.token.split(".")[2]),
    "no alg": lambda f: f.unsigned({"kid": f.key_id, "typ": "greenroom-grant+jwt"}),
    "alg empty": lambda f: f.unsigned(f.header(alg="")),
    "signature taken off": lambda f: f.token.rpartition(".")[0] + ".",
    "signature of zeros": lambda f: f.unsigned(f.header(), encoded(bytes(64))),
    "signature of another token": lambda f: f.unsigned(f.header(), f.token.split(".")[2]),
    "HS256 with the public key": lambda f: f.mac("HS256", base64url_bytes(f.public["x"])),
    "HS256 with the public key as text": lambda f: f.mac("HS256", f.public["x"].encode()),
    "HS256 with the public JWK": lambda f: f.mac("HS256", json.dumps(f.public).encode()),
    "Ed25519 in name, HS256 in truth": lambda f: f.mac("Ed25519", base64url_bytes(f.public["x"])),
    "RS256 of a key of one's own": lambda f: f.by(RSA, f.header(alg="RS256")),
    "ES256 of a key of one's own": lambda f: f.by(EC, f.header(alg="ES256")),
    "EdDSA": lambda f: f.unsigned(f.header(alg="EdDSA"), f.token.split(".")[2]),
    "a key of one's own": lambda f: f.by(MINE, f.header()),
    "an embedded key": lambda f: f.by(MINE, f.header(jwk=PUBLIC_PART)),
    "an embedded key without kid": lambda f: f.by(
        MINE, {"alg": "Ed25519", "typ": "greenroom-grant+jwt", "jwk": PUBLIC_PART}
    ),
    "jku": lambda f: f.by(MINE, f.header(jku=EVIL)),
    "x5u": lambda f: f.by(MINE, f.header(x5u=EVIL)),
    "x5c": lambda f: f.by(MINE, f.header(x5c=[base64.b64encode(b"certificate").decode()])),
    "kid of nobody": lambda f: f.by(MINE, f.header(kid="sk_000000000000")),
    "kid as a path": lambda f: f.by(MINE, f.header(kid="../../../../dev/null")),
    "kid as SQL": lambda f: f.by(MINE, f.header(kid="' OR '1'='1")),
    "kid with NUL": lambda f: f.unsigned(f.header(kid=f.key_id + "\0")),
    "kid that is a list": lambda f: f.unsigned(f.header(kid=[f.key_id])),
    "kid that is empty": lambda f: f.by(MINE, f.header(kid="")),
    "kid as an address": lambda f: f.by(MINE, f.header(kid=EVIL)),
    "crit": lambda f: f.unsigned(f.header(crit=["exp"]), f.token.split(".")[2]),
    "unencoded payload": lambda f: f.unsigned(f.header(b64=False, crit=["b64"]), f.token.split(".")[2]),
    "another type": lambda f: f.by(MINE, f.header(typ="JWT")),
    "expired": lambda f: f.ours(iat=1, nbf=1, exp=2),
    "of tomorrow": lambda f: f.ours(iat=int(time.time()) + 86400, exp=int(time.time()) + 86700),
    "not yet": lambda f: f.ours(nbf=int(time.time()) + 300),
    "for a day": lambda f: f.ours(exp=int(time.time()) + 86400),
    "for ever": lambda f: f.ours(exp=None),
    "another audience": lambda f: f.ours(aud="elsewhere"),
    "several audiences": lambda f: f.ours(aud=["greenroom", "elsewhere"]),
    "no audience": lambda f: f.ours(aud=None),
    "another issuer": lambda f: f.ours(iss="https://evil.example"),
    "no account": lambda f: f.ours(sub=None),
    "scopes of one's own": lambda f: f.ours(scope="upload read download delete grants"),
    "another kind": lambda f: f.ours(kind="owner"),
    "no meeting": lambda f: f.ours(meeting=None),
    "every meeting": lambda f: f.ours(meeting="*"),
    "the id of another grant": lambda f: f.ours(
        jti=json.loads(base64url_bytes(f.token.split(".")[1]))["jti"]
    ),
    "claims that are a list": lambda f: (
        f"{encoded(f.header())}.{encoded([f.claims()])}.{f.token.split('.')[2]}"
    ),
    "claims twice": lambda f: f"{f.token}.{f.token.split('.')[1]}",
    "encrypted in form": lambda f: f"{f.token}.{encoded(b'iv')}.{encoded(b'tag')}",
    "very long": lambda f: f.unsigned(f.header(), "A" * 50_000),
    "spaces inside": lambda f: f.token.replace(".", " .", 1),
}


@pytest.fixture
def forge(backend: Backend, parts: Parts) -> Forge:
    """An attacker who holds one upload grant of the account."""
    token = grant(backend, "upload")["token"]
    (key, *_) = signing.key_set(parts)["keys"]
    return Forge(parts, backend.account, token, key["kid"], {n: key[n] for n in ("kty", "crv", "x")})


def test_there_are_enough_attacks() -> None:
    """Bar R21 asks for at least 30."""
    assert len(ATTACKS) >= 50


@pytest.mark.parametrize("name", ATTACKS)
def test_no_forged_token_opens_anything(backend: Backend, forge: Forge, name: str) -> None:
    """Whatever is wrong with a token, the answer is a 401, on reading and on writing."""
    attacker = replace(backend, key=ATTACKS[name](forge))
    shared = backend.post(b"what the attacker wants").get_json()["id"]
    for answer in (
        attacker.get("/v1/uploads?meeting=m1"),
        attacker.get(f"/v1/uploads/{shared}/content"),
        attacker.post(b"x"),
    ):
        problem = assert_problem(answer, 401, "grant_expired" if name == "expired" else "unauthenticated")
        assert shared not in json.dumps(problem)


def test_the_claims_that_attacks_are_made_of_are_good(backend: Backend, forge: Forge) -> None:
    """Else the attacks would fail for the wrong reason."""
    assert replace(backend, key=forge.ours()).get("/v1/uploads?meeting=m1").status_code == 200


def test_another_tenants_token_stays_with_its_tenant(app: Flask, parts: Parts, forge: Forge) -> None:
    """A token for an account that signs for another one is no token of that other."""
    victim = new_backend(app, parts)
    shared = victim.post(b"theirs").get_json()["id"]
    own_key = parts.tokens.new_key()
    attacker = new_backend(app, parts)
    registered = attacker.call(
        "POST", "/v1/grant-keys", json={"jwk": {name: own_key[name] for name in ("kty", "crv", "x")}}
    ).get_json()
    for claims in (
        forge.claims(sub=victim.account),
        forge.claims(iss=victim.account, sub=victim.account),
        forge.claims(iss=attacker.account, sub=victim.account),
        forge.claims(iss=victim.account, sub=attacker.account),
    ):
        token = parts.tokens.sign(claims, registered["id"], own_key)
        answer = replace(attacker, key=token).get(f"/v1/uploads/{shared}/content")
        assert_problem(answer, 401, "unauthenticated")
