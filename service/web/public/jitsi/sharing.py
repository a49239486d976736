"""Sharing a file in a Jitsi meeting, and taking it back."""

from contextlib import suppress
from typing import Final

from flask import g, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.core.errors import BadRequest, Busy, Conflict, IdempotencyMismatch, UnderHold
from service.core.participant import Participant
from service.core.upload import State, Upload
from service.ports import Claim, JitsiFile, Reply
from service.stages import once
from service.stages.jitsi import FILE_ID, Jitsi
from service.stages.parts import Parts
from service.stages.sweep import erase
from service.stages.take_in import Arrival, wait_for_rest
from service.web.public.body import RawBody, open_form
from service.web.public.slots import Slots

#: Seconds that a deletion waits for a file that is in the middle of a step.
PATIENCE: Final = 30.0
_ANOTHER: Final = "This Idempotency-Key was used for another file of the meeting."
_TAKEN: Final = "The meeting had a file with this fileId before: choose another one."


class _Metadata(BaseModel):
    """What is read of a form's ``metadata``: all else in it is the sender's word alone."""

    model_config = ConfigDict(strict=True, frozen=True)

    file_id: str = Field(alias="fileId", pattern=f"^{FILE_ID.pattern}$")


def share(
    parts: Parts, jitsi: Jitsi, asking: Participant, body: RawBody, begun: Claim | once.Earlier | None
) -> tuple[JitsiFile, Upload] | Reply:
    """Take in the file of a form and return it, stored but not yet known to its meeting.

    Where ``begun`` is the ``once.Earlier`` time that it was sent, return its answer, if that was kept.

    Nobody waits for the verdict: the upload is withheld until it is released. Raises ``Conflict`` for an id
    that the meeting knows, whichever part comes first, before the file's last byte is taken.
    """
    if request.mimetype != "multipart/form-data":
        raise BadRequest("Send a form (multipart/form-data) with a file and its metadata.")
    ids: list[str] = []
    again = None if isinstance(begun, Claim) else begun

    def take(text: bytes) -> None:
        ids.append(_file_id(text))
        known = jitsi.files.find(asking.account_id, asking.session_id, ids[0])
        if again is None and known is not None:
            raise Conflict(_TAKEN)
        if again is not None and not _leads_to(known, again):
            raise IdempotencyMismatch(_ANOTHER)

    content_type = request.headers.get("Content-Type", "")
    form = open_form(
        body, content_type, request.content_length, parts.policy.max_file_size, {"metadata": take}
    )
    arrival = Arrival(
        caller=asking,
        untrusted_meeting=asking.session_id,
        untrusted_name=form.filename,
        untrusted_type=form.media_type,
        announced=None,
        at_most=request.content_length,
        expected_sha256=None,
        patience=0.0,
        request_id=g.request_id,
        untrusted_person=asking.person,
    )
    upload = once.take_in_once(parts, arrival, form, begun)
    if isinstance(upload, Reply):
        return upload
    file = JitsiFile(
        account_id=asking.account_id,
        meeting_id=asking.session_id,
        file_id=ids[0],
        upload_id=upload.id,
        user_id=asking.user_id,
        customer_id=asking.customer_id,
    )
    return file, upload


def _leads_to(known: JitsiFile | None, again: once.Earlier) -> bool:
    """Tell whether a ``fileId`` is that of the first time. A crash may have kept it from the meeting."""
    if known is None:
        return isinstance(again, once.Unanswered)
    return again.upload is not None and known.upload_id == again.upload.id


def make_known(parts: Parts, slots: Slots, jitsi: Jitsi, file: JitsiFile, upload: Upload) -> None:
    """Let the meeting know the file. A crash before this leaves an upload that no meeting can reach.

    Raises ``Conflict`` if another file of that id was quicker: the upload is erased then, unless a legal hold
    keeps it.
    """
    try:
        jitsi.files.add(file)
    except Conflict:
        known = jitsi.files.find(file.account_id, file.meeting_id, file.file_id)
        if known is not None and known.upload_id == file.upload_id:
            return  # The same was sent before, and its answer got lost.
        with suppress(UnderHold):
            take_back(parts, slots, upload, PATIENCE)
        raise Conflict(_TAKEN) from None


def take_back(parts: Parts, slots: Slots, upload: Upload, patience: float) -> None:
    """Erase an upload. One in the middle of a step is waited for: Jitsi's browser does not ask twice.

    Raises ``Busy`` if ``patience``, in seconds, was not enough, and ``UnderHold``.
    """
    if upload.state is State.ERASED:
        return
    try:
        erase(parts, upload)
    except Busy:
        with slots.wait() as free:
            rested = wait_for_rest(parts, upload, patience if free else 0.0)
        erase(parts, rested)


def _file_id(untrusted: bytes) -> str:
    try:
        return _Metadata.model_validate_json(untrusted).file_id
    except ValidationError:
        raise BadRequest(
            "metadata must be a JSON object whose fileId is 1 to 64 characters of A-Z a-z 0-9 _ -."
        ) from None
