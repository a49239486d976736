"""``/v1/tus``: resumable uploads by tus 1.0.0 (https://tus.io/protocols/resumable-upload).

The same upload is asked about, listed and downloaded at ``/v1/uploads`` under the same id.
"""

from contextlib import ExitStack
from typing import Final

from flask import Blueprint, Flask, Response, g, request, url_for

from service.core import errors
from service.core.caller import Caller, Scope
from service.core.errors import BadRequest, GreenroomError, TooLarge, TypeNotAllowed, WrongMediaType
from service.core.upload import Upload
from service.ports import Claim, Reply
from service.stages import once
from service.stages.parts import Parts
from service.stages.piece import Piece
from service.stages.receive import CHUNK
from service.stages.resume import Creation, at_rest, check_not_behind, create, go_on, own_resumable
from service.stages.sweep import erase
from service.web.public import retries, tus_headers
from service.web.public.body import RawBody
from service.web.public.conventions import UPLOAD_PATH
from service.web.public.door import Door
from service.web.public.headers import DEFAULT_WAIT, PREFER, preferred_wait
from service.web.public.method_override import MethodOverride
from service.web.public.operation import Answer, Content, Operation
from service.web.public.pace import Pace
from service.web.public.slots import Slots
from service.web.public.tus_headers import (
    MEDIA_TYPE,
    TUS_RESUMABLE,
    UPLOAD_CHECKSUM,
    UPLOAD_LENGTH,
    UPLOAD_METADATA,
    UPLOAD_OFFSET,
    metadata_header,
    state_headers,
)
from service.web.public.writers import Endable, Writers

_PREFIX: Final = "/v1/tus"
_CREATED: Final = 201
#: Of a chunked body that breaks off the server gives no byte of the read under way: so reads are small.
_MOST_CHUNKED: Final = 32 * 1024
#: Seconds that somebody who asks for the offset waits for a writer in another process.
_PATIENCE: Final = 2.0

_OFFSET: Final = {
    "Upload-Offset": "How many bytes are stored.",
    "Upload-Expires": "Until when an unfinished upload can be gone on with.",
}
_PROBLEMS: Final = (
    *(errors.ProtocolUnsupported, errors.WrongMediaType, errors.TooLarge, errors.TypeNotAllowed),
    *(errors.ChecksumMismatch, errors.Interrupted, errors.Overloaded, errors.Conflict),
)
_ENDED: Final = (errors.ProtocolUnsupported, errors.NotFound, errors.UploadEnded)
CAPABILITIES: Final = Operation(
    "Ask what of tus is spoken",
    "tus",
    {204: Answer("Version, extensions, largest size and checksum algorithms, as headers.")},
)
CREATE: Final = Operation(
    "Begin a resumable upload",
    "tus",
    {201: Answer("The upload is begun.", headers={"Location": "Where to go on with it."} | _OFFSET)},
    scope=Scope.UPLOAD,
    body=Content(
        "Nothing, or the file's first bytes or all of them.",
        (MEDIA_TYPE,),
        announced_by=(UPLOAD_LENGTH.name, UPLOAD_METADATA.name),
    ),
    headers=(TUS_RESUMABLE, UPLOAD_LENGTH, UPLOAD_METADATA, UPLOAD_CHECKSUM, PREFER),
    problems=(*_PROBLEMS, errors.QuotaExceeded),
)
HEAD: Final = Operation(
    "Ask how much of an upload is stored",
    "tus",
    {200: Answer("The offset, as headers.", headers=_OFFSET | {"Upload-Length": "The file's size."})},
    scope=Scope.UPLOAD,
    path=UPLOAD_PATH,
    headers=(TUS_RESUMABLE,),
    problems=_ENDED,
    expired_grants=True,
)
PATCH: Final = Operation(
    "Go on with an upload",
    "tus",
    {204: Answer("The bytes are stored.", headers=_OFFSET)},
    scope=Scope.UPLOAD,
    path=UPLOAD_PATH,
    body=Content("The next bytes.", (MEDIA_TYPE,)),
    headers=(TUS_RESUMABLE, UPLOAD_OFFSET, UPLOAD_CHECKSUM, PREFER),
    problems=(*_PROBLEMS, errors.WrongOffset, errors.NotFound, errors.UploadEnded),
    description="A request that another one overtakes, or whose line breaks, keeps what came of it.",
    expired_grants=True,
)
DELETE: Final = Operation(
    "Give an upload up",
    "tus",
    {204: Answer("The upload is gone.")},
    scope=Scope.UPLOAD,
    path=UPLOAD_PATH,
    headers=(TUS_RESUMABLE,),
    problems=(*_ENDED, errors.Busy, errors.UnderHold, errors.Forbidden),
    description="One that is finished can be deleted by those only who have the scope `delete`.",
    expired_grants=True,
)


def blueprint(parts: Parts, slots: Slots, door: Door) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("tus", __name__, url_prefix=_PREFIX)
    writing = _Writing(parts, slots)

    routes.before_request(_check_version)

    @routes.route("", methods=["OPTIONS"], provide_automatic_options=False)
    @door.operation(CAPABILITIES)
    def capabilities() -> Response:
        return Response(
            status=204,
            headers={
                "Tus-Extension": tus_headers.EXTENSIONS,
                "Tus-Max-Size": str(parts.policy.max_file_size),
                "Tus-Checksum-Algorithm": ",".join(tus_headers.ALGORITHMS),
            },
        )

    @routes.post("", provide_automatic_options=False)
    @door.operation(CREATE)
    def begin(caller: Caller, begun: Claim | once.Earlier | None) -> Response:
        if (refusal := _refused_before(begun)) is not None:
            return retries.again(parts, refusal)
        upload = writing.begin_once(caller, begun)
        answer = Response(status=_CREATED, headers=state_headers(upload))
        answer.headers["Location"] = url_for("tus.ask", upload_id=upload.id)
        return answer

    @routes.route("/<upload_id>", methods=["HEAD"])
    @door.operation(HEAD)
    def ask(caller: Caller, upload_id: str) -> Response:
        upload = writing.at_rest(caller, upload_id)
        answer = Response(status=200, headers=state_headers(upload))
        answer.headers["Upload-Length"] = str(upload.reserved)
        answer.headers["Upload-Metadata"] = metadata_header(upload)
        return answer

    @routes.patch("/<upload_id>")
    @door.operation(PATCH)
    def go_on_with(caller: Caller, upload_id: str) -> Response:
        found = own_resumable(parts, caller, upload_id)
        if request.mimetype != MEDIA_TYPE:
            raise WrongMediaType(f"Send the bytes with Content-Type: {MEDIA_TYPE}.")
        piece = _piece(tus_headers.upload_offset(request.headers))
        # It must not end who writes now for nothing.
        check_not_behind(found, piece)
        upload = writing.go_on(caller, upload_id, piece)
        return Response(status=204, headers=state_headers(upload))

    @routes.delete("/<upload_id>")
    @door.operation(DELETE)
    def give_up(caller: Caller, upload_id: str) -> Response:
        upload = writing.at_rest(caller, upload_id)
        if upload.size is not None:
            caller.require(Scope.DELETE)
        erase(parts, upload, actor=caller.actor)
        return Response(status=204)

    return routes


def _check_version() -> None:
    if request.method != "OPTIONS":
        tus_headers.check_version(request.headers)


def _refused_before(begun: Claim | once.Earlier | None) -> Reply | None:
    return begun.reply if isinstance(begun, once.Answered) and begun.reply.status != _CREATED else None


class _Writing:
    """Brings the bytes of requests to the stages."""

    def __init__(self, parts: Parts, slots: Slots) -> None:
        self._writers = Writers()
        self._parts = parts
        self._slots = slots
        self._pace = Pace(parts.policy.minimum_rate, parts.policy.rate_window)

    def begin_once(self, caller: Caller, begun: Claim | once.Earlier | None) -> Upload:
        """Begin the upload, or return as it now stands the one that the same request began before."""
        if begun is None or isinstance(begun, Claim):
            creation = _creation(caller, begun)
            return self.begin(caller, creation, _first_piece(creation.length))
        upload = self.at_rest(caller, begun.upload.id if begun.upload else "")
        # Nobody would go on with an empty file that was cut off between its two steps.
        return upload if upload.reserved else self.go_on(caller, upload.id, _piece(0))

    def at_rest(self, caller: Caller, upload_id: str) -> Upload:
        """End who writes to an upload, and return it when what came is kept, or after some seconds.

        Where there is no place to wait it is returned as it is.
        """
        own_resumable(self._parts, caller, upload_id)
        with self._slots.wait() as free:
            self._writers.end(upload_id, wait=free)
            return at_rest(self._parts, caller, upload_id, _PATIENCE if free else 0.0)

    def begin(self, caller: Caller, creation: Creation, piece: Piece | None) -> Upload:
        """Make the upload, and take its first bytes where they come with it."""
        if piece is None:
            return create(self._parts, creation)
        with self._slots.upload(caller.account_id):
            upload = create(self._parts, creation)
            try:
                return self._take(caller, upload.id, piece)
            except TypeNotAllowed:
                raise
            except GreenroomError:
                # It was made and takes its place in a quota: a sender that hears where it is can go on with
                # it, whatever became of the bytes. An empty file would seem to be done.
                if not creation.length:
                    raise
                return own_resumable(self._parts, caller, upload.id)

    def go_on(self, caller: Caller, upload_id: str, piece: Piece) -> Upload:
        """Take the bytes of a request."""
        with self._slots.upload(caller.account_id):
            return self._take(caller, upload_id, piece)

    def _take(self, caller: Caller, upload_id: str, piece: Piece) -> Upload:
        connection = request.environ.get("gunicorn.socket")
        with ExitStack() as watching:
            watched = watching.enter_context(self._pace.watch(connection))
            body = RawBody(request.stream, request.content_length, watched, watching.close)
            most = CHUNK if piece.announced is not None else _MOST_CHUNKED
            endable = Endable(body, connection, self._parts.clock, most)
            with self._writers.hold(upload_id, endable):
                upload = own_resumable(self._parts, caller, upload_id)
                return go_on(self._parts, upload, piece, endable)


def _creation(caller: Caller, claim: Claim | None) -> Creation:
    metadata = tus_headers.upload_metadata(request.headers)
    meeting = metadata.get("meeting", caller.grant.meeting_id if caller.grant else "")
    if not metadata.get("filename"):
        raise BadRequest("Upload-Metadata must have the file's name as filename.")
    return Creation(
        caller=caller,
        untrusted_meeting=meeting,
        untrusted_name=metadata["filename"],
        untrusted_type=metadata.get("filetype", ""),
        length=tus_headers.upload_length(request.headers),
        request_id=g.request_id,
        claim=claim,
        untrusted_person=metadata.get("person"),
    )


def _first_piece(length: int) -> Piece | None:
    """Return the piece that comes with a creation, if one does. An empty file's is there always."""
    announced = _announced()
    if announced == 0:
        return _piece(0) if length == 0 else None
    if request.mimetype != MEDIA_TYPE:
        raise WrongMediaType(f"Send first bytes with Content-Type: {MEDIA_TYPE}, or none.")
    if (announced or 0) > length:
        raise TooLarge(f"The body goes beyond the {length} bytes that are announced.")
    return _piece(0)


def _piece(offset: int) -> Piece:
    return Piece(
        offset=offset,
        announced=_announced(),
        checksum=tus_headers.upload_checksum(request.headers),
        patience=preferred_wait(request.headers.get("Prefer", ""), DEFAULT_WAIT),
        request_id=g.request_id,
    )


def _announced() -> int | None:
    return None if "Transfer-Encoding" in request.headers else request.content_length or 0


def register(app: Flask, routes: Blueprint) -> None:
    """Put the routes into ``app``, with what tus asks of every answer and of methods in a header."""
    app.register_blueprint(routes)
    app.wsgi_app = MethodOverride(app.wsgi_app, f"{_PREFIX}/")  # type: ignore[method-assign]

    @app.after_request
    def name_version(response: Response) -> Response:
        if request.path.startswith(_PREFIX):
            response.headers["Tus-Resumable"] = tus_headers.VERSION
            response.headers["Tus-Version"] = tus_headers.VERSION
        return response
