"""What the routes for Jitsi's meetings are (its ``resources/file-sharing.yaml``; what its browser asks)."""

from typing import Final

from pydantic import Field

from service.core import errors
from service.core.caller import Scope
from service.web.public.download import ANSWERS
from service.web.public.jitsi import documents
from service.web.public.operation import Answer, Content, Header, Operation, Query, Whole
from service.web.public.ranges import RANGE

_PAGE: Final = 20


class Page(Query):
    """Which of a meeting's files."""

    offset: Whole = Field(0, ge=0, description="How many files to pass over.")
    page_size: Whole = Field(_PAGE, ge=1, le=200, alias="page-size", description="Files in the answer.")


class Sender(Query):
    """Whose files."""

    user: str = Field(alias="user-id", min_length=1, description="The sender, as their token called them.")
    customer: str = Field(alias="customer-id", min_length=1, description="The sender's tenant.")


_SESSION: Final = {"session_id": "The meeting's unique id, as in the token's `meeting_id`."}
_FILE: Final = {**_SESSION, "file_id": "The id that the sender's browser gave the file."}
_ABSENT: Final = (errors.NotFound, errors.NotReleased, errors.Gone)
POST: Final = Operation(
    "Share a file in a Jitsi meeting",
    "jitsi",
    {200: Answer("The file is stored safely. It is withheld until it is released.", documents.AddedFile)},
    scope=Scope.UPLOAD,
    credential="jitsi",
    body=Content(
        "The `file`, and `metadata`: a JSON object of at most 4 KiB with its `fileId`.",
        ("multipart/form-data",),
    ),
    path=_SESSION,
    problems=(
        *(errors.BadRequest, errors.Conflict, errors.TooLarge, errors.TypeNotAllowed, errors.Truncated),
        *(errors.TooSlow, errors.Overloaded),
    ),
)
LIST: Final = Operation(
    "List a Jitsi meeting's released files",
    "jitsi",
    {200: Answer("Files that can be downloaded, oldest first.", list[documents.ListedFile])},
    scope=Scope.READ,
    credential="jitsi",
    query=Page,
    path=_SESSION,
)
DOCUMENT: Final = Operation(
    "Get a link to a file of a Jitsi meeting",
    "jitsi",
    {200: Answer("The file, and a link that gives it out for five minutes.", documents.SharedFile)},
    scope=Scope.DOWNLOAD,
    credential="jitsi",
    headers=(Header("X-File-Id", "The id that the sender's browser gave the file.", {"type": "string"}),),
    path=_SESSION,
    problems=_ABSENT,
)
FILE: Final = Operation(
    "Get a link to a file of a Jitsi meeting, by its path",
    "jitsi",
    {200: Answer("The file, and a link that gives it out for five minutes.", documents.SharedFile)},
    scope=Scope.DOWNLOAD,
    credential="jitsi",
    path=_FILE,
    problems=_ABSENT,
    description="What Jitsi's browser asks today; the path with the header is from before.",
)
CONTENT: Final = Operation(
    "Download by a link",
    "jitsi",
    ANSWERS,
    headers=RANGE,
    path={"link": "The end of a `presignedUrl`."},
    problems=(errors.LinkInvalid, errors.Overloaded, errors.RangeNotSatisfiable, *_ABSENT),
)
DELETE: Final = Operation(
    "Delete a file of a Jitsi meeting",
    "jitsi",
    {200: Answer("The content is gone.", documents.AddedFile)},
    scope=Scope.DELETE,
    credential="jitsi",
    path=_FILE,
    problems=(errors.NotFound, errors.Busy, errors.Conflict, errors.UnderHold),
)
DELETE_ALL: Final = Operation(
    "Delete what one sender shared in a Jitsi meeting",
    "jitsi",
    {204: Answer("The contents are gone.")},
    scope=Scope.DELETE,
    credential="jitsi",
    query=Sender,
    path=_SESSION,
    problems=(errors.Busy, errors.Conflict, errors.UnderHold),
)
