"""Begin: an upload as it stands at the door, and what can be said against it before a byte was looked at."""

from service.core.caller import Caller
from service.core.errors import Forbidden, TooLarge, TypeNotAllowed
from service.core.filetype import allowed_by_name
from service.core.naming import declared_type, display_name, extension, identifier, person
from service.core.upload import State, Upload
from service.stages.accounts import present
from service.stages.contents import new_content_key
from service.stages.parts import Parts, new_upload_id


def new_upload(
    parts: Parts,
    caller: Caller,
    untrusted_meeting: str,
    untrusted_name: str,
    untrusted_type: str,
    untrusted_person: str | None,
) -> Upload:
    """Return a new upload of the caller's, not yet saved.

    Raises ``BadRequest`` for an odd meeting, name or person, ``Forbidden`` for a grant that is for another
    meeting or person, ``AccountRemoved``, and as ``Keyring.of`` does.
    """
    now = parts.clock.now()
    meeting = identifier(untrusted_meeting, "meeting")
    if caller.grant and caller.grant.meeting_id != meeting:
        raise Forbidden("This grant is for another meeting.")
    upload_id = new_upload_id(now)
    return Upload(
        id=upload_id,
        account_id=caller.account_id,
        meeting_id=meeting,
        name=display_name(untrusted_name),
        declared_type=declared_type(untrusted_type),
        detected_type="",
        state=State.RECEIVING,
        created_at=now,
        updated_at=now,
        grant_id=caller.grant.id if caller.grant else None,
        region=present(parts, caller.account_id).region,
        content_key=new_content_key(parts, caller.account_id, upload_id),
        person=_person(caller, untrusted_person),
        traceparent=parts.traces.current() if parts.traces else None,
    )


def _person(caller: Caller, untrusted_person: str | None) -> str | None:
    """Return who uploads. A grant's holder is a stranger's browser: only the grant says who that is."""
    if caller.grant is None:
        return None if untrusted_person is None else person(untrusted_person)
    if untrusted_person not in {None, caller.grant.person}:
        raise Forbidden("This grant is for another person.")
    return caller.grant.person


def check_name(parts: Parts, caller: Caller, upload: Upload) -> None:
    """Raise ``TypeNotAllowed`` unless policy and grant allow the extension."""
    allowed_by_name(parts.policy, upload.name)
    if caller.grant and caller.grant.types and extension(upload.name) not in caller.grant.types:
        accepted = ", ".join(sorted(caller.grant.types))
        raise TypeNotAllowed(f"This grant is for files of the types {accepted} only.")


def check_size(parts: Parts, announced: int) -> None:
    """Raise ``TooLarge`` for a content of ``announced`` bytes that the policy does not allow."""
    limit = parts.policy.max_file_size
    if announced > limit:
        raise TooLarge(f"The file has {announced} bytes; at most {limit} are accepted.")
