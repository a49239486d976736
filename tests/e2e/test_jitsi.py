"""A Jitsi Meet's files through real processes, as its browser sends and fetches them."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from stack.processes import wait_until
from stack.samples import EICAR, clean_deck
from tests.e2e.serving import prepare

ORIGIN = "https://meet.example"
#: What a proxy in front would be reached as.
API_URL = "https://files.example/jitsi/v1/documents"
SECONDS = 60.0


@dataclass
class Browser:
    """A participant's browser."""

    client: httpx.Client
    key: RSAKey
    session: str

    def token(self) -> dict[str, str]:
        """The header with a token as the meeting's server makes one for each request."""
        now = int(time.time())
        claims = {
            "iss": "prosody",
            "aud": "file-sharing",
            "nbf": now,
            "exp": now + 30,
            "sub": "meet.example",
            "context": {"user": {"id": "u-1"}, "features": {"file-upload": "true"}},
            "meeting_id": self.session,
        }
        return {"Authorization": "Bearer " + jwt.encode({"alg": "RS256"}, claims, self.key, ["RS256"])}

    def share(self, content: bytes, name: str) -> str:
        """Send metadata, then the file, in one form; return the id that was drawn."""
        file_id = str(uuid.uuid4())
        answer = self.client.post(
            f"/sessions/{self.session}/files",
            headers=self.token(),
            data={"metadata": json.dumps({"fileId": file_id, "fileName": name})},
            files={"file": (name, content)},
        )
        assert (answer.status_code, answer.json()) == (200, {"fileId": file_id})
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        return file_id

    def ask(self, file_id: str) -> httpx.Response:
        """Ask for a file's link."""
        return self.client.get(f"/sessions/{self.session}/files/{file_id}", headers=self.token())


@pytest.fixture
def browser(environ: dict[str, str], tmp_path: Path) -> Iterator[Browser]:
    """A browser in a meeting of a service that serves its installation."""
    key = RSAKey.generate_key(2048)
    (tmp_path / "jitsi.pem").write_bytes(key.as_pem(private=False))
    changed = environ | {
        "GREENROOM_DATABASE_URL": f"sqlite:///{tmp_path / 'jitsi.db'}",
        "GREENROOM_JITSI_PUBLIC_KEY_FILE": str(tmp_path / "jitsi.pem"),
        "GREENROOM_JITSI_ACCOUNT": "jitsi",
        "GREENROOM_JITSI_ISSUER": "prosody",
        "GREENROOM_JITSI_AUDIENCE": "file-sharing",
        "GREENROOM_JITSI_ORIGIN": ORIGIN,
        "GREENROOM_JITSI_API_URL": API_URL,
    }
    service = prepare(changed, tmp_path)
    web = service.begin()
    base, headers = f"{web.url}/jitsi/v1/documents", {"Origin": ORIGIN}
    with httpx.Client(base_url=base, headers=headers, timeout=SECONDS, trust_env=False) as client:
        yield Browser(client, key, str(uuid.uuid4()))
    service.stop()


def test_a_meetings_files_are_scanned(browser: Browser) -> None:
    """A clean deck goes from one browser to another, identical; malware is withheld from all; a deleted
    file is gone.
    """
    deck = clean_deck()
    clean, bad = browser.share(deck, "deck.pptx"), browser.share(EICAR, "eicar.txt")
    wait_until(lambda: browser.ask(clean).status_code == 200, SECONDS, "the release")
    address = browser.ask(clean).json()["presignedUrl"]
    content = browser.client.get(address.removeprefix(API_URL))
    assert hashlib.sha256(content.content).digest() == hashlib.sha256(deck).digest()
    assert content.headers["Content-Disposition"].startswith("attachment")
    wait_until(lambda: "Malware" in browser.ask(bad).text, SECONDS, "the find")
    withheld = browser.ask(bad)
    assert (withheld.status_code, withheld.json()["code"]) == (409, "not_released")
    listed = browser.client.get(f"/sessions/{browser.session}/files", headers=browser.token()).json()
    assert [one["objectId"] for one in listed] == [clean]
    deleted = browser.client.delete(f"/sessions/{browser.session}/files/{clean}", headers=browser.token())
    assert deleted.status_code == 200
    assert browser.client.get(address.removeprefix(API_URL)).status_code == 410
