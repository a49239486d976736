"""A meeting as Jitsi's browser and its Prosody module see it."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from service.core.upload import State, Upload
from service.ports import JitsiFile
from service.stages.jitsi import Jitsi
from service.stages.parts import Parts

ISSUER, AUDIENCE = "prosody", "file-sharing"
ORIGIN = "https://meet.example"
API_URL = "https://files.example/jitsi/v1/documents"
BASE = "/jitsi/v1/documents"
BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
SHARER = {"user": {"id": "u-1", "name": "Ann"}, "features": {"file-upload": "true"}}
GUEST = {"user": {"id": "u-2", "name": "Bo"}, "features": {"file-upload": False}}


def new_session() -> str:
    """What Prosody draws for each meeting."""
    return str(uuid.uuid4())


def new_file_id() -> str:
    """What the browser draws for each file."""
    return str(uuid.uuid4())


def metadata(file_id: str, **changes: Any) -> bytes:
    """What the browser says of a file."""
    plain = {
        "authorParticipantId": "a1b2c3d4",
        "authorParticipantJid": "9b9a25dc@meet.example/SVBypbHvcgRT",
        "authorParticipantName": "Ann",
        "conferenceFullName": "daily@conference.meet.example",
        "fileId": file_id,
        "fileName": "notes.txt",
        "fileSize": 7,
        "fileType": "txt",
        "timestamp": 1741017572040,
    }
    return json.dumps(plain | changes).encode()


def text_part(content: bytes, name: str = "metadata") -> bytes:
    """A part of a form without a filename, its opening boundary included."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n"


def file_part(content: bytes = b"minutes", filename: str = "notes.txt") -> bytes:
    """The part of a form that is the file."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
    return head.encode() + b"Content-Type: text/plain\r\n\r\n" + content + b"\r\n"


CLOSE = f"--{BOUNDARY}--\r\n".encode()


@dataclass(frozen=True)
class Meeting:
    """One meeting, and tokens for whoever is in it."""

    app: Flask
    parts: Parts
    jitsi: Jitsi
    signing_key: RSAKey
    session: str = field(default_factory=new_session)

    def claims(self, context: dict[str, Any] | None = None) -> dict[str, Any]:
        """The claims that Prosody's module ``short_lived_token`` writes, for somebody who may share."""
        now = int(time.time())
        return {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "nbf": now,
            "exp": now + 30,
            "sub": "meet.example",
            "context": SHARER if context is None else context,
            "room": "daily",
            "meeting_id": self.session,
            "customer_id": "c-1",
        }

    def token(self, context: dict[str, Any] | None = None) -> str:
        """A token of this meeting."""
        header = {"alg": "RS256", "typ": "JWT", "kid": "jitsi/2026"}
        return jwt.encode(header, self.claims(context), self.signing_key, ["RS256"])

    def call(self, method: str, path: str, *, token: str | None = None, **options: Any) -> TestResponse:
        """Send a request with a token, by default of somebody who may share."""
        headers = {
            "Authorization": f"Bearer {self.token() if token is None else token}",
            "Origin": ORIGIN,
            **options.pop("headers", {}),
        }
        return self.app.test_client().open(
            f"{BASE}{path}", method=method, headers=headers, buffered=True, **options
        )

    @property
    def files(self) -> str:
        """The path of the meeting's files."""
        return f"/sessions/{self.session}/files"

    def post(self, body: bytes, **options: Any) -> TestResponse:
        """Post a form."""
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        return self.call("POST", self.files, data=body, content_type=kind, **options)

    def share(self, content: bytes = b"minutes", filename: str = "notes.txt", **options: Any) -> str:
        """Share a file as the browser does, metadata first, and return the id that it has from then on."""
        file_id = new_file_id()
        form = text_part(metadata(file_id)) + file_part(content, filename) + CLOSE
        answer = self.post(form, **options)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        assert answer.get_json() == {"fileId": file_id}
        return file_id

    def document(self, file_id: str, **options: Any) -> TestResponse:
        """Ask for a file as the API's document says."""
        return self.call(
            "GET", f"/sessions/{self.session}/document", headers={"X-File-Id": file_id}, **options
        )

    def follow(self, address: str, **options: Any) -> TestResponse:
        """Use a link, with no token, as the browser does."""
        assert address.startswith(API_URL + "/")
        path = BASE + address.removeprefix(API_URL)
        return self.app.test_client().get(path, headers={"Origin": ORIGIN}, buffered=True, **options)

    def upload(self, file_id: str) -> Upload:
        """The upload behind a file."""
        file = self.jitsi.files.find(self.jitsi.issuer.account_id, self.session, file_id)
        assert file is not None
        upload = self.parts.ledger.find(file.upload_id)
        assert upload is not None
        return upload

    def uploads(self) -> list[Upload]:
        """Every upload of the meeting that was not refused."""
        found = self.parts.ledger.page(self.jitsi.issuer.account_id, self.session, None, 100)
        return [upload for upload in found if upload.state not in {State.REFUSED, State.ABANDONED}]

    def know(self, upload: Upload, user: str = "u-1", customer: str = "c-1") -> str:
        """Make an upload that is in the ledger a file of the meeting."""
        file_id = new_file_id()
        file = JitsiFile(upload.account_id, self.session, file_id, upload.id, user, customer)
        self.jitsi.files.add(file)
        return file_id
