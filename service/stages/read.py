"""Read: what an account may see of its uploads, and a released content as a stream.

The ledger is asked, never the bucket.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from service.core.byterange import ByteRange
from service.core.caller import Caller
from service.core.errors import Forbidden, Gone, NotFound, NotReleased
from service.core.grant import Grant, GrantKind
from service.core.naming import UPLOAD_ID, identifier
from service.core.upload import State, Upload
from service.stages.outflow import outflow
from service.stages.parts import Parts

MOST_PER_PAGE: Final = 200


def own_upload(parts: Parts, caller: Caller, upload_id: str) -> Upload:
    """Return an upload that the caller may know of. Raises ``NotFound`` for any other, there or not."""
    # Databases differ in what text they take: one that no id can be is not asked for.
    upload = parts.ledger.find(upload_id) if UPLOAD_ID.fullmatch(upload_id) else None
    if upload is None or upload.account_id != caller.account_id or not _visible(caller.grant, upload):
        raise NotFound("There is no such upload.")
    return upload


def _visible(grant: Grant | None, upload: Upload) -> bool:
    """Tell whether a grant shows an upload of its account: to a presenter what came under the grant, to a
    participant what the meeting released.
    """
    if grant is None:
        return True
    if grant.kind is GrantKind.UPLOAD:
        return upload.grant_id == grant.id
    return (
        upload.meeting_id == grant.meeting_id
        and upload.state is State.RELEASED
        and grant.upload_id in {None, upload.id}
    )


def page(
    parts: Parts, caller: Caller, untrusted_meeting: str, cursor: str | None, limit: int
) -> tuple[Sequence[Upload], str | None]:
    """Return a page of a meeting's uploads, newest first, and the next page's cursor if there is one.

    A participant sees what is released. Raises ``Forbidden`` for a grant that is for another meeting, for
    one file only, or for uploading.
    """
    meeting = identifier(untrusted_meeting, "meeting")
    grant = caller.grant
    if grant and (grant.meeting_id != meeting or grant.upload_id or grant.kind is not GrantKind.DOWNLOAD):
        raise Forbidden("This grant does not list the files of this meeting.")
    state = State.RELEASED if grant else None
    found = parts.ledger.page(caller.account_id, meeting, cursor, limit + 1, state)
    more = len(found) > limit
    return found[:limit], found[limit - 1].id if more else None


def check_released(upload: Upload) -> None:
    """Raise ``Gone`` or ``NotReleased`` unless the content may be handed out now."""
    if upload.state is State.ERASED:
        raise Gone("The file was deleted.")
    if upload.state is not State.RELEASED:
        raise NotReleased(f"The file is {upload.state} and cannot be downloaded.")


def released_content(parts: Parts, upload: Upload, part: ByteRange | None = None) -> Iterator[bytes]:
    """Return a released content, or a stretch of it, as ``outflow`` does.

    Of an upload that is not released any more nothing is given from then on, but ``NotReleased`` or ``Gone``
    raised; ``LedgerUnavailable`` where nobody can say.
    """
    return outflow(
        parts,
        upload,
        upload.segments,
        part,
        lambda: check_released(parts.ledger.find(upload.id) or upload),
    )
