"""A master key that a Vault keeps: asked over its transit engine's API, as a small server speaks it."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from service.adapters.master_key import KeyInHand, MasterKey, Succession, key_elsewhere, new_keyset
from service.adapters.tink_cipher import TinkCipher
from service.core.account import HOME
from service.core.errors import KeysUnavailable
from stack.ports import LOOPBACK, free_port
from tests.contract.test_cipher import ACME, keyed

TOKEN = "hvs.token"


class Transit(BaseHTTPRequestHandler):
    """Encrypts by turning round, for whoever has the token."""

    def do_POST(self) -> None:
        """Answer encrypt and decrypt."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["X-Vault-Token"] != TOKEN:
            self._answer(403, {"errors": ["permission denied"]})
        elif self.path == "/v1/transit/encrypt/greenroom":
            self._answer(200, {"data": {"ciphertext": "vault:v1:" + asked["plaintext"][::-1]}})
        elif self.path == "/v1/transit/decrypt/greenroom" and asked["ciphertext"].startswith("vault:v1:"):
            plain = asked["ciphertext"].removeprefix("vault:v1:")[::-1]
            self._answer(200, {"data": {"plaintext": plain}})
        else:
            self._answer(400, {"errors": ["invalid ciphertext"]})

    do_PUT = do_POST  # noqa: N815 - so named by the base class

    def _answer(self, status: int, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    """Where the server is."""
    server = ThreadingHTTPServer((LOOPBACK, 0), Transit)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def key(port: int, token: str = TOKEN, name: str = "greenroom") -> MasterKey:
    """Return the key that a Vault at ``port`` keeps."""
    return key_elsewhere(f"hcvault://{LOOPBACK}:{port}/transit/keys/{name}", token)


def test_what_it_sealed_it_opens(port: int) -> None:
    """The bytes go there in base64, as its API has it, and come back the same."""
    secret = bytes(range(256))
    sealed = key(port).seal(secret)
    assert sealed == b"vault:v1:" + base64.b64encode(secret)[::-1]
    assert key(port).open(sealed) == secret


def test_an_accounts_key_may_lie_under_it(port: int) -> None:
    """All the rest of the cipher is as with a key in a file."""
    cipher = TinkCipher({HOME: key(port)})
    account = keyed(cipher, ACME)
    content_key = cipher.account_key(account).new_content_key("up_1")
    cipher.account_key(account).content("up_1", content_key)


def test_whatever_it_refuses_is_told_as_away(port: int) -> None:
    """A wrong token, a key that is not there, bytes that it never sealed, nobody at home: try later."""
    secret = b"x"
    for wrong in (key(port, token="other"), key(port, name="none"), key(free_port())):
        with pytest.raises(KeysUnavailable):
            wrong.seal(secret)
        with pytest.raises(KeysUnavailable):
            wrong.open(b"vault:v1:eA==")
    with pytest.raises(KeysUnavailable):
        key(port).open(b"something else")


def test_keys_may_move_there_and_back(port: int) -> None:
    """From a file to a Vault and from a Vault to a file; what is there is sealed anew whenever it is asked
    for, because its keys have versions that nobody else sees.
    """
    here, there = KeyInHand(new_keyset()), key(port)
    account = keyed(TinkCipher({HOME: here}), ACME)
    for old, new, again in ((here, there, True), (there, here, False)):
        cipher = TinkCipher({HOME: Succession(new, old)})
        account = replace(account, sealed_key=cipher.resealed(account))
        TinkCipher({HOME: new}).account_key(account)
        assert (cipher.resealed(account) is not None) == again
