"""A meeting room in small: a page with the upload widget, the files that were released, and what it needs.

There are no logins: whoever opens the page is presenter and participant at once. Each start is a new meeting.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from flask import Flask, Response, abort, jsonify, render_template, request

from greenroom_client import Client, GreenroomError, Upload

TYPES: Final = ("pptx", "pdf", "docx", "txt", "png", "jpg")
MOST_FILES: Final = 20
MOST_BYTES: Final = 200 * 1024 * 1024
LANGUAGES: Final = {
    "en": "English",
    "de": "Deutsch",
    "pl": "Polski",
    "fr": "Français",
    "es": "Español",
    "ar": "العربية",
}
THEMES: Final = {"system": "As the system", "light": "Light", "dark": "Dark"}
AGENDA: Final = (
    ("10:00", "Welcome"),
    ("10:10", "What changed since spring"),
    ("10:35", "The road to winter"),
    ("11:05", "Questions"),
)


@dataclass(frozen=True)
class Sample:
    """A ready-made file to try, and a sentence that says what it is. ``content`` makes it when asked."""

    name: str
    content: Callable[[], bytes]
    about: str


def create_app(greenroom: Client, api_url: str, samples: Sequence[Sample]) -> Flask:
    """Return the room. Browsers reach Greenroom at ``api_url``; ``greenroom``'s API key never leaves here."""
    app = Flask(__name__)
    # A page of another site must not be able to come in under a name of its own that leads to this machine.
    app.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost"]
    meeting = f"autumn-briefing-{secrets.token_hex(4)}"

    @app.get("/")
    def room() -> str:
        return render_template(
            "room.html",
            api_url=api_url,
            meeting=meeting,
            samples=samples,
            agenda=AGENDA,
            languages=LANGUAGES,
            themes=THEMES,
            language=_chosen("lang", LANGUAGES),
            theme=_chosen("theme", THEMES),
        )

    @app.get("/samples/<name>")
    def sample(name: str) -> Response:
        made = next((one for one in samples if one.name == name), None) or abort(404)
        answer = Response(made.content(), content_type="application/octet-stream")
        answer.headers["Content-Disposition"] = f"attachment; filename={made.name}"
        return answer

    _add_files(app, greenroom, meeting, api_url)
    _add_manners(app, api_url)
    return app


def _add_files(app: Flask, greenroom: Client, meeting: str, api_url: str) -> None:
    def shared() -> Iterator[Upload]:
        """Yield what participants may see and have: released files, and nothing of any other."""
        return (upload for upload in greenroom.list(meeting) if upload.released)

    @app.post("/upload-grants")
    def mint() -> Response:
        grant = greenroom.grants.mint(
            "upload", meeting, max_files=MOST_FILES, max_bytes=MOST_BYTES, types=TYPES
        )
        return jsonify(id=grant.id, token=grant.token)

    @app.post("/upload-grants/<grant_id>/refresh")
    def refresh(grant_id: str) -> Response:
        # A room with logins would look up which grant is this presenter's own, and take no one's word for it.
        grant = greenroom.grants.refresh(grant_id)
        return jsonify(id=grant.id, token=grant.token)

    @app.get("/files")
    def files() -> Response:
        # A room of a thousand would keep this list by webhooks, as examples/meeting_backend does.
        return jsonify([_shown(upload) for upload in shared()])

    @app.post("/files/<upload_id>/download-grant")
    def download_grant(upload_id: str) -> Response:
        upload = next((one for one in shared() if one.id == upload_id), None) or abort(404)
        grant = greenroom.grants.mint("download", meeting, file=upload.id, expires_in=60)
        return jsonify(url=f"{api_url}/v1/uploads/{upload.id}/content", token=grant.token)

    @app.errorhandler(GreenroomError)
    def away(error: GreenroomError) -> tuple[Response, int]:
        app.logger.error("greenroom: %s", error)
        return jsonify(error="files cannot be shared just now"), 502


def _add_manners(app: Flask, api_url: str) -> None:
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {api_url}",
            f"connect-src 'self' {api_url}",
            "style-src 'self'",
            "img-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )

    @app.after_request
    def harden(answer: Response) -> Response:
        answer.headers["Content-Security-Policy"] = policy
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _chosen(name: str, choices: dict[str, str]) -> str:
    """Return what the address says of ``name`` if it is one of ``choices``, else the first of them."""
    wanted = request.args.get(name, "")
    return wanted if wanted in choices else next(iter(choices))


def _shown(upload: Upload) -> dict[str, object]:
    verdict = upload.verdict
    return {
        "id": upload.id,
        "name": upload.name,
        "size": upload.size,
        "at": upload.updated_at.isoformat(),
        "notice": verdict.notice if verdict else None,
    }
