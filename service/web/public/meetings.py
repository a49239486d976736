"""``/v1/meetings``: what a backend says of its meetings."""

from typing import Annotated, Any, Final

from flask import Blueprint, Response, jsonify
from pydantic import AwareDatetime, ConfigDict, Field

from service.core import errors
from service.core.caller import Caller, Scope
from service.core.meeting import Meeting
from service.core.naming import IDENTIFIER
from service.core.representation import rfc3339
from service.stages.meetings import own_meeting, set_meeting
from service.stages.parts import Parts
from service.web.public.documents import Meeting as MeetingDocument
from service.web.public.door import Door
from service.web.public.operation import WHOLE, Answer, Body, Operation, PathPart

#: A hundred years; the plan gives less.
_MOST_DAYS: Final = 36_500
_Days = Annotated[int, Field(ge=1, le=_MOST_DAYS), WHOLE]


class MeetingRetention(Body):
    """For how many days files in a state stay. What is left out stays for as long as the plan gives."""

    released: _Days | None = None
    held: _Days | None = None
    blocked: _Days | None = None
    refused: _Days | None = None
    abandoned: _Days | None = None


class MeetingRequest(Body):
    """What is said of a meeting, all of it: what is left out is not known any more."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"starts_at": "2026-12-01T15:00:00Z", "retention": {"released": 7}}]}
    )

    starts_at: AwareDatetime | None = Field(
        None,
        description="When it starts, RFC 3339. When signatures change, the files of the meeting that starts"
        " soonest are the first to be scanned again. No file is erased before it for its age.",
    )
    retention: MeetingRetention = Field(
        default_factory=MeetingRetention,
        description="For how many days its files stay, by their state, counted from the later of its start"
        " and their last move; at most as long as the policy gives your plan.",
    )


_PATH: Final = {
    "meeting_id": PathPart("The meeting's id, which you choose.", f"^{IDENTIFIER.pattern}$", "townhall-2026")
}
SET: Final = Operation(
    "Say when a meeting starts and how long its files stay",
    "meetings",
    {200: Answer("The meeting.", MeetingDocument)},
    scope=Scope.UPLOAD,
    body=MeetingRequest,
    path=_PATH,
    problems=(errors.NotFound, errors.RangeNotAllowed),
    description="Before or after the first file comes for it. With an API key only.",
)
ASK: Final = Operation(
    "Ask what was said of a meeting",
    "meetings",
    {200: Answer("The meeting.", MeetingDocument)},
    scope=Scope.READ,
    path=_PATH,
    problems=(errors.NotFound,),
    description="With an API key only. A meeting that only uploads name is not found.",
)


def blueprint(parts: Parts, door: Door) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("meetings", __name__)

    @routes.put("/v1/meetings/<meeting_id>")
    @door.operation(SET)
    def change(caller: Caller, body: MeetingRequest, meeting_id: str) -> Response:
        days = body.retention.model_dump(exclude_none=True)
        return jsonify(_document(set_meeting(parts, caller, meeting_id, body.starts_at, days)))

    @routes.get("/v1/meetings/<meeting_id>")
    @door.operation(ASK)
    def ask(caller: Caller, meeting_id: str) -> Response:
        return jsonify(_document(own_meeting(parts, caller, meeting_id)))

    return routes


def _document(meeting: Meeting) -> dict[str, Any]:
    starts_at = rfc3339(meeting.starts_at) if meeting.starts_at else None
    return {"id": meeting.id, "starts_at": starts_at, "retention": dict(meeting.retention)}
