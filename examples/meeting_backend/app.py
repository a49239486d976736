"""A meeting backend in small: it hands out grants, hears of verdicts and tells participants what is there.

What it knows it keeps in memory, and a code stands for a login; the rest is as a real one would do it.
"""

import hmac
import os
import secrets
from dataclasses import dataclass, field

from flask import Flask, Response, abort, jsonify, request

from greenroom_client import Client, GreenroomError, UntrustedWebhook, Upload, verify_webhook

TYPES = ("pptx", "pdf", "docx", "txt")
MOST_FILES = 10
MOST_BYTES = 200 * 1024 * 1024
EVERYBODY = ("presenter", "participant")


@dataclass
class Meeting:
    """Who may do what in one meeting, and its files by their ids, as they were last heard of."""

    presenter: str = field(default_factory=secrets.token_urlsafe)
    participant: str = field(default_factory=secrets.token_urlsafe)
    files: dict[str, Upload] = field(default_factory=dict)

    def admits(self, code: str, roles: tuple[str, ...]) -> bool:
        """Tell whether ``code`` is that of one of ``roles``."""
        return any(hmac.compare_digest(getattr(self, role).encode(), code.encode()) for role in roles)

    def hear(self, upload: Upload) -> None:
        """Take news of a file. They may come twice and in any order: the newest count."""
        known = self.files.get(upload.id)
        if known is None or known.updated_at <= upload.updated_at:
            self.files[upload.id] = upload


def create_app(greenroom: Client, api_url: str, webhook_secret: str) -> Flask:
    """Return the backend. ``api_url`` is what people reach Greenroom by; the API key never leaves here."""
    app = Flask(__name__, static_folder=None)
    meetings: dict[str, Meeting] = {}

    def enter(name: str, roles: tuple[str, ...]) -> Meeting:
        """Return the meeting if the request bears a code that opens it; else end the request with 403."""
        meeting = meetings.get(name)
        code = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if meeting is None or not meeting.admits(code, roles):
            abort(403)
        return meeting

    @app.post("/meetings")
    def hold() -> Response:
        name = f"meeting-{secrets.token_hex(8)}"
        meeting = meetings[name] = Meeting()
        return _answer(201, meeting=name, presenter=meeting.presenter, participant=meeting.participant)

    @app.post("/meetings/<name>/upload-grant")
    def upload_grant(name: str) -> Response:
        enter(name, ("presenter",))
        grant = greenroom.grants.mint("upload", name, max_files=MOST_FILES, max_bytes=MOST_BYTES, types=TYPES)
        url = f"{api_url}/v1/uploads?meeting={name}"
        return _answer(201, url=url, token=grant.token, expires_at=grant.expires_at.isoformat())

    @app.get("/meetings/<name>/files")
    def files(name: str) -> Response:
        known = enter(name, EVERYBODY).files.values()
        return _answer(200, files=[{"id": one.id, "name": one.name, "state": one.state} for one in known])

    @app.post("/meetings/<name>/files/<upload_id>/download-grant")
    def download_grant(name: str, upload_id: str) -> Response:
        file = enter(name, EVERYBODY).files.get(upload_id)
        if file is None or not file.released:
            abort(404)
        grant = greenroom.grants.mint("download", name, file=file.id, expires_in=60)
        return _answer(201, url=f"{api_url}/v1/uploads/{file.id}/content", token=grant.token)

    _add_webhooks(app, meetings, webhook_secret)

    @app.errorhandler(GreenroomError)
    def away(error: GreenroomError) -> Response:
        app.logger.error("greenroom: %s", error)
        return _answer(502, error="files cannot be shared just now", retryable=error.retryable)

    return app


def _add_webhooks(app: Flask, meetings: dict[str, Meeting], secret: str) -> None:
    @app.post("/webhooks/greenroom")
    def hear() -> Response:
        try:
            upload = verify_webhook(secret, request.headers, request.get_data()).upload
        except UntrustedWebhook:
            return _answer(400, error="that was not signed by Greenroom")
        if upload and upload.meeting in meetings:
            meetings[upload.meeting].hear(upload)
        return Response(status=204)


def _answer(status: int, **document: object) -> Response:
    answer = jsonify(document)
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    return answer


def main() -> None:
    """Serve on loopback what the environment describes; see README.md."""
    api_url = os.environ["API_URL"]
    with Client(api_url, os.environ["API_KEY"]) as greenroom:
        app = create_app(greenroom, api_url, os.environ["WEBHOOK_SECRET"])
        app.run("127.0.0.1", int(os.environ.get("PORT", "5000")))


if __name__ == "__main__":
    main()
