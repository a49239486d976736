"""``/v1/accounts/{id}/erase`` and ``/v1/account-erasures``, for whoever runs this service."""

from typing import Final

from flask import Blueprint, Response, jsonify, url_for
from pydantic import Field

from service.core import errors
from service.core.caller import Caller, Scope
from service.core.erasure import Erasure, Reach
from service.core.errors import NotFound, NotSignedYet
from service.stages.erasing.ask import ask_for_account, known_erasure
from service.stages.erasing.certificate import make_certificate
from service.stages.parts import Parts
from service.web.public import erasure_models as models
from service.web.public.accounts import ACCOUNT_PATH
from service.web.public.door import Door
from service.web.public.erasures import ERASURE, document
from service.web.public.headers import LOCATION
from service.web.public.operation import Answer, Operation, Query

_CREDENTIAL: Final = "admin_key"


class _How(Query):
    """How an account is erased."""

    active: bool = Field(False, description="Even if it is in use; else it must have been removed.")


BEGIN: Final = Operation(
    "Erase an account for good",
    "accounts",
    {202: Answer("It is being erased. Ask for it at `Location`.", models.AccountErasure, headers=LOCATION)},
    scope=Scope.ADMIN,
    credential=_CREDENTIAL,
    query=_How,
    path=ACCOUNT_PATH,
    problems=(errors.NotFound, errors.NotRemoved, errors.UnderHold, errors.Conflict),
    description="All of it, its keys first: what is left are records under a pseudonym. It cannot be brought"
    " back from now on. May be called again while it is under way.",
)
ASK: Final = Operation(
    "Ask for an account's erasure",
    "accounts",
    {200: Answer("The erasure, and its certificate once there is one.", models.AccountErasure)},
    scope=Scope.ADMIN,
    credential=_CREDENTIAL,
    path={"account_erasure_id": ERASURE},
    problems=(errors.NotFound,),
    description="The certificate is there within two minutes, and always the same.",
)


def blueprint(parts: Parts, door: Door) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("account_erasures", __name__, url_prefix="/v1")

    @routes.post("/accounts/<account_id>/erase")
    @door.operation(BEGIN)
    def erase(caller: Caller, query: _How, account_id: str) -> Response:
        begun = ask_for_account(parts, account_id, caller.actor, active_too=query.active)
        answer = _answer(parts, begun)
        answer.status_code = 202
        answer.headers["Location"] = url_for("account_erasures.ask", account_erasure_id=begun.id)
        return answer

    @routes.get("/account-erasures/<account_erasure_id>")
    @door.operation(ASK)
    def ask(caller: Caller, account_erasure_id: str) -> Response:  # noqa: ARG001 - who asks makes no difference
        found = known_erasure(parts, account_erasure_id)
        if found.reach is not Reach.ACCOUNT:
            raise NotFound("There is no such erasure of an account.")
        return _answer(parts, found)

    return routes


def _answer(parts: Parts, erasure: Erasure) -> Response:
    try:
        certificate = make_certificate(parts, erasure).document()
    except NotSignedYet:
        certificate = None
    return jsonify({**document(erasure), "certificate": certificate})
