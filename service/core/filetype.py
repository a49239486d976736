"""Whether a name and the first bytes fit one entry of the allow-list."""

from service.core.errors import TypeNotAllowed
from service.core.naming import extension
from service.core.policy import FileType, Policy


def allowed_by_name(policy: Policy, name: str) -> FileType:
    """Return the allow-list entry for a display ``name``, or raise ``TypeNotAllowed``."""
    kind = policy.types.get(extension(name))
    if kind is None:
        allowed = ", ".join(sorted(policy.types))
        raise TypeNotAllowed(f"Files of this type are not accepted. Accepted are: {allowed}.")
    return kind


def check_content(kind: FileType, detected_type: str) -> None:
    """Raise ``TypeNotAllowed`` unless libmagic's ``detected_type`` is believable for ``kind``."""
    if detected_type not in kind.content:
        raise TypeNotAllowed(
            f"The content is not what the extension .{kind.extension} says (it looks like {detected_type})."
        )
