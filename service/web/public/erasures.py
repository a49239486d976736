"""``/v1/meetings/{id}``, ``/v1/persons/{person}``, ``/v1/erasures``: erasing for good, and its proof."""

from typing import Any, Final

from flask import Blueprint, Response, jsonify, url_for

from service.core import errors
from service.core.caller import Caller, Scope
from service.core.erasure import ERASURE_ID, Erasure, Reach
from service.core.naming import IDENTIFIER, PERSON
from service.core.representation import rfc3339
from service.stages import read
from service.stages.erasing.ask import ask, own_erasure
from service.stages.erasing.certificate import make_certificate, of_upload
from service.stages.parts import Parts
from service.web.public import erasure_models as models
from service.web.public.conventions import UPLOAD_PATH
from service.web.public.door import Door
from service.web.public.headers import LOCATION
from service.web.public.operation import Answer, Operation, PathPart, Sent

#: An erasure in a path.
ERASURE: Final = PathPart(
    "The erasure's id.", f"^{ERASURE_ID.pattern}$", "er_0199f3a1c2d45e6f708192a3b4c5d6e7"
)
_LATER: Final = {
    "Retry-After": Sent("Seconds after which to ask again, while it is not done.", {"type": "integer"})
}
_UNDER_WAY: Final = Answer(
    "It is being erased, which takes less than a minute. Ask for it at `Location`.",
    models.Erasure,
    headers={**LOCATION, **_LATER},
)
_CERTIFICATE: Final = Answer("The certificate.", models.Certificate)
_PROOF: Final = (
    "There is one within two minutes, and always the same. `python -m service verify certificate` checks it"
    " offline, with the log's key."
)
MEETING: Final = Operation(
    "Erase a meeting for good",
    "erasures",
    {202: _UNDER_WAY},
    scope=Scope.DELETE,
    path={
        "meeting_id": PathPart("The meeting's id.", f"^{IDENTIFIER.pattern}$", example="townhall-2026"),
    },
    problems=(errors.NotFound, errors.UnderHold),
    description="Every file of it that there is now, with all that was kept about it, and its grants. What is"
    " sent to a meeting of that name later is another meeting's. May be called again.",
)
PERSONAL: Final = Operation(
    "Erase a person's files for good",
    "erasures",
    {202: _UNDER_WAY},
    scope=Scope.DELETE,
    path={"person": PathPart("Who, in your own words.", f"^{PERSON.pattern}$", example="user-4711")},
    problems=(errors.NotFound, errors.UnderHold),
    description="Every file that was sent under that `person` until now, with all that was kept about it, and"
    " the grants that were made for them. May be called again.",
)
ASK: Final = Operation(
    "Ask for an erasure",
    "erasures",
    {200: Answer("The erasure.", models.Erasure, headers=_LATER)},
    scope=Scope.DELETE,
    path={"erasure_id": ERASURE},
    problems=(errors.NotFound,),
)
CERTIFICATE: Final = Operation(
    "Get the certificate of an erasure",
    "erasures",
    {200: _CERTIFICATE},
    scope=Scope.DELETE,
    path={"erasure_id": ERASURE},
    problems=(errors.NotFound, errors.NotErasedYet, errors.NotSignedYet),
    description=_PROOF,
)
OF_UPLOAD: Final = Operation(
    "Get the certificate of a deleted upload's erasure",
    "erasures",
    {200: _CERTIFICATE},
    scope=Scope.DELETE,
    path=UPLOAD_PATH,
    problems=(errors.NotFound, errors.NotErasedYet, errors.NotSignedYet),
    description=f"That of the upload, or of the meeting, person or account that it went with. {_PROOF}",
)


def blueprint(parts: Parts, door: Door) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("erasures", __name__, url_prefix="/v1")

    @routes.delete("/meetings/<meeting_id>")
    @door.operation(MEETING)
    def meeting(caller: Caller, meeting_id: str) -> Response:
        return _begun(ask(parts, caller.account_id, Reach.MEETING, meeting_id, caller.actor))

    @routes.delete("/persons/<person>")
    @door.operation(PERSONAL)
    def personal(caller: Caller, person: str) -> Response:
        return _begun(ask(parts, caller.account_id, Reach.PERSON, person, caller.actor))

    @routes.get("/erasures/<erasure_id>")
    @door.operation(ASK)
    def erasure(caller: Caller, erasure_id: str) -> Response:
        found = own_erasure(parts, caller, erasure_id)
        answer = jsonify(document(found))
        if found.done_at is None:
            answer.headers["Retry-After"] = "2"
        return answer

    @routes.get("/erasures/<erasure_id>/certificate")
    @door.operation(CERTIFICATE)
    def certificate(caller: Caller, erasure_id: str) -> Response:
        found = own_erasure(parts, caller, erasure_id)
        return jsonify(make_certificate(parts, found).document())

    @routes.get("/uploads/<upload_id>/certificate")
    @door.operation(OF_UPLOAD)
    def certificate_of_upload(caller: Caller, upload_id: str) -> Response:
        upload = read.own_upload(parts, caller, upload_id)
        return jsonify(of_upload(parts, upload).document())

    return routes


def _begun(erasure: Erasure) -> Response:
    answer = jsonify(document(erasure))
    answer.status_code = 202
    answer.headers["Location"] = url_for("erasures.erasure", erasure_id=erasure.id)
    answer.headers["Retry-After"] = "2"
    return answer


def document(erasure: Erasure) -> dict[str, Any]:
    """Return the document of an erasure."""
    return {
        "id": erasure.id,
        "reach": erasure.reach.value,
        "mark": erasure.mark,
        "asked_at": rfc3339(erasure.asked_at),
        "done_at": erasure.done_at and rfc3339(erasure.done_at),
        "uploads": erasure.uploads,
        "size": erasure.size,
    }
