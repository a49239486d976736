"""What the log proves: ``/v1/uploads/{id}/receipt``, ``/v1/log/key`` and ``/v1/log/checkpoint``."""

from typing import Any, Final

from flask import Blueprint, Response, jsonify

from service.core import errors
from service.core.caller import Caller, Scope
from service.core.errors import NotSignedYet
from service.stages import read
from service.stages.log.keys import public_key
from service.stages.log.receipt import make_receipt
from service.stages.parts import Parts
from service.web.public import documents
from service.web.public.conventions import UPLOAD_PATH
from service.web.public.door import Door
from service.web.public.operation import Answer, Operation

_TEXT: Final = "text/plain"
#: Seconds after which a log that has signed nothing may have.
_SOON: Final = 2
RECEIPT: Final = Operation(
    "Get the receipt for a verdict",
    "log",
    {200: Answer("The verdict's line in the log, and the proof that it stands there.", documents.Receipt)},
    scope=Scope.READ,
    path=UPLOAD_PATH,
    problems=(errors.NotFound, errors.NoVerdict, errors.NotSignedYet),
    description="A verdict has its receipt a minute later at the latest, and always the same one."
    " `python -m service verify receipt` checks it offline, with the log's key.",
)
KEY: Final = Operation(
    "Read the log's public key",
    "log",
    {
        200: Answer(
            "The key: `name+id+base64`, as signed notes have them (c2sp.org/signed-note).", media_type=_TEXT
        )
    },
    problems=(errors.LedgerUnavailable,),
    description="Keep a copy that you got once, by a way that you trust: whoever could change the log could"
    " also change what is answered here.",
)
CHECKPOINT: Final = Operation(
    "Read the log's newest checkpoint",
    "log",
    {200: Answer("A signed note (c2sp.org/tlog-checkpoint).", media_type=_TEXT)},
    scope=Scope.READ,
    problems=(errors.NotSignedYet,),
    description="Whoever keeps one can prove later that no line before it was changed since.",
)


def blueprint(parts: Parts, door: Door) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("log", __name__, url_prefix="/v1")

    @routes.get("/uploads/<upload_id>/receipt")
    @door.operation(RECEIPT)
    def receipt(caller: Caller, upload_id: str) -> Response:
        upload = read.own_upload(parts, caller, upload_id)
        document: dict[str, Any] = make_receipt(parts, upload).document()
        return jsonify(document)

    @routes.get("/log/key")
    @door.operation(KEY)
    def key() -> Response:
        return Response(f"{public_key(parts)}\n", content_type=f"{_TEXT}; charset=utf-8")

    @routes.get("/log/checkpoint")
    @door.operation(CHECKPOINT)
    def checkpoint(caller: Caller) -> Response:  # noqa: ARG001 - any caller with the scope
        newest = parts.checkpoints.newest()
        if newest is None:
            raise NotSignedYet("The log has signed nothing yet.", _SOON)
        return Response(newest.note, content_type=f"{_TEXT}; charset=utf-8")

    return routes
