"""``/jitsi/v1/documents``: Jitsi Meet's file-sharing API, so that a meeting's files go through here."""

from contextlib import ExitStack

from flask import Blueprint, Response, jsonify, request

from service.core.advice import advice
from service.core.caller import Caller
from service.core.errors import Busy, NotFound, NotReleased, UnderHold
from service.core.participant import Participant, told
from service.core.upload import State
from service.ports import Claim, Reply
from service.stages import jitsi as stage
from service.stages import once, read
from service.stages.download_link import link_actor, open_link
from service.stages.jitsi import Jitsi
from service.stages.parts import Parts
from service.web.public import retries
from service.web.public.body import RawBody
from service.web.public.door import Door
from service.web.public.download import download
from service.web.public.jitsi import documents, operations, sharing
from service.web.public.jitsi.cors import cors
from service.web.public.pace import Pace
from service.web.public.slots import Slots


def blueprint(parts: Parts, slots: Slots, jitsi: Jitsi) -> Blueprint:
    """Return the routes, open to the participants of each meeting."""
    routes = Blueprint("jitsi", __name__, url_prefix="/jitsi/v1/documents")
    routes.after_request(cors(jitsi.origins))
    door = Door(parts, lambda untrusted: _holder(parts, jitsi, untrusted))
    _share(routes, door, parts, slots, jitsi)
    _show(routes, door, parts, slots, jitsi)
    _delete(routes, door, parts, slots, jitsi)
    return routes


def _holder(parts: Parts, jitsi: Jitsi, untrusted_token: str) -> Caller:
    # Every route that asks for a token has the meeting in its path: none can forget to compare the two.
    return stage.authenticate(parts, jitsi, untrusted_token, (request.view_args or {})["session_id"])


def _share(routes: Blueprint, door: Door, parts: Parts, slots: Slots, jitsi: Jitsi) -> None:
    pace = Pace(parts.policy.minimum_rate, parts.policy.rate_window)

    @routes.post("/sessions/<session_id>/files")
    @door.operation(operations.POST)
    def post(caller: Participant, begun: Claim | once.Earlier | None, **_: str) -> Response:
        jitsi.files.ensure_account(caller.account_id, parts.clock.now())
        with slots.upload(caller.account_id), ExitStack() as watching:
            watched = watching.enter_context(pace.watch(request.environ.get("gunicorn.socket")))
            body = RawBody(request.stream, request.content_length, watched, watching.close)
            shared = sharing.share(parts, jitsi, caller, body, begun)
        if isinstance(shared, Reply):
            return retries.again(parts, shared)
        file, upload = shared
        sharing.make_known(parts, slots, jitsi, file, upload)
        return jsonify(documents.AddedFile(file_id=file.file_id).document())


def _show(routes: Blueprint, door: Door, parts: Parts, slots: Slots, jitsi: Jitsi) -> None:
    @routes.get("/sessions/<session_id>/files")
    @door.operation(operations.LIST)
    def listed(caller: Participant, query: operations.Page, session_id: str) -> Response:
        found = jitsi.files.released(caller.account_id, session_id, query.offset, query.page_size)
        both = [(file, parts.ledger.find(file.upload_id)) for file in found]
        # Between the two questions a file may have been recalled or deleted.
        out = [(file, upload) for file, upload in both if upload and upload.state is State.RELEASED]
        return jsonify([documents.listed_file(parts, jitsi, *one).document() for one in out])

    @routes.get("/sessions/<session_id>/document")
    @door.operation(operations.DOCUMENT)
    def by_header(caller: Participant, **_: str) -> Response:
        return document(caller, request.headers.get("X-File-Id", ""))

    @routes.get("/sessions/<session_id>/files/<file_id>")
    @door.operation(operations.FILE)
    def by_path(caller: Participant, file_id: str, **_: str) -> Response:
        return document(caller, file_id)

    def document(caller: Participant, untrusted_id: str) -> Response:
        file, upload = stage.shared_file(parts, jitsi, caller, untrusted_id)
        if upload.state not in {State.RELEASED, State.ERASED}:
            raise NotReleased(advice(upload))
        read.check_released(upload)
        return jsonify(documents.shared_file(parts, jitsi, file, upload).document())

    @routes.get("/content/<link>")
    @door.operation(operations.CONTENT)
    def content(link: str) -> Response:
        upload = open_link(parts, link)
        if upload.account_id != jitsi.issuer.account_id:
            raise NotFound("There is no such file.")
        read.check_released(upload)
        return download(parts, slots, upload, link_actor(link))


def _delete(routes: Blueprint, door: Door, parts: Parts, slots: Slots, jitsi: Jitsi) -> None:
    @routes.delete("/sessions/<session_id>/files/<file_id>")
    @door.operation(operations.DELETE)
    def one(caller: Participant, file_id: str, **_: str) -> Response:
        file, upload = stage.shared_file(parts, jitsi, caller, file_id)
        sharing.take_back(parts, slots, upload, sharing.PATIENCE)
        return jsonify(documents.AddedFile(file_id=file.file_id).document())

    @routes.delete("/sessions/<session_id>/files")
    @door.operation(operations.DELETE_ALL)
    def all_of(caller: Participant, query: operations.Sender, session_id: str) -> Response:
        user, customer = told(query.user), told(query.customer)
        until = parts.clock.monotonic() + sharing.PATIENCE
        kept: Busy | UnderHold | None = None
        for file in jitsi.files.sent_by(caller.account_id, session_id, user, customer):
            _, upload = stage.shared_file(parts, jitsi, caller, file.file_id)
            try:
                sharing.take_back(parts, slots, upload, max(0.0, until - parts.clock.monotonic()))
            except (Busy, UnderHold) as error:
                kept = error
        if kept is not None:
            raise kept
        return Response(status=204)
