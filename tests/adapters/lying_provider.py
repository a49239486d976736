"""An OpenID provider that says whatever a test has it say."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT_ID = "greenroom"
SUBJECT = "248289761001"


class LyingProvider:
    """Serves `discovery`, `jwks` and `answer` (to the code): JSON, or (status, text)."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
        handler = type("Handler", (_Handler,), {"provider": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.discovery: Any = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }
        self.jwks: Any = KeySet([self.key]).as_dict(private=False)
        self.answer: Any = {}
        self.asked: list[tuple[str, str]] = []

    def claims(self, nonce: str, /, **changes: Any) -> dict[str, Any]:
        """Return claims with nothing wrong but `changes`; `None` leaves one out."""
        now = int(time.time())
        good = {"iss": self.issuer, "sub": SUBJECT, "aud": CLIENT_ID, "exp": now + 300, "iat": now}
        return {
            name: value for name, value in {**good, "nonce": nonce, **changes}.items() if value is not None
        }

    def token(self, claims: dict[str, Any], key: Any = None, algorithm: str = "RS256") -> dict[str, str]:
        """Return the answer to a code, with an ID token signed by `key`, its own if none is given."""
        header = {"alg": algorithm, "kid": "1"}
        signed = jwt.encode(header, claims, key or self.key, algorithms=[algorithm])
        return {"access_token": "a", "token_type": "Bearer", "id_token": signed}

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    provider: LyingProvider

    def do_GET(self) -> None:
        self._say(self.provider.jwks if self.path == "/jwks" else self.provider.discovery)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.provider.asked.append((self.headers.get("Authorization", ""), body))
        self._say(self.provider.answer)

    def _say(self, what: Any) -> None:
        status, text = what if isinstance(what, tuple) else (200, json.dumps(what))
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing on the terminal."""
