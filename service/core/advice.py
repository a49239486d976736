"""What the sender can do about an upload, in one sentence."""

from typing import Final

from service.core.decision import BLOCKED_BY_REVIEWERS, CLEARED_BY_ALLOWANCE, CLEARED_BY_REVIEWERS
from service.core.upload import State, Upload

#: Nobody is told "clean" of what the scanner did not call so.
_LET_GO: Final = "The security team decided that the file may be released"
_CAN_BE_HAD: Final = f"{_LET_GO}: it can be downloaded."
_ON_ITS_WAY: Final = f"{_LET_GO}; ask again in a few seconds."

_BY_STATE: Final = {
    State.RECEIVING: "The file is still arriving.",
    State.QUARANTINED: "The file is stored safely and waits to be scanned; ask again in a few seconds.",
    State.SCANNING: "The file is being scanned; ask again in a few seconds.",
    State.CLEARED: "The file was found clean and is being released; ask again in a few seconds.",
    State.RELEASED: "The file was found clean and can be downloaded.",
    State.BLOCKED: "Malware was found in the file; it stays blocked. Check the computer it came from.",
    State.HELD: "The security team has to look at the file; nobody can download it until then.",
    State.REFUSED: "The file was not accepted and nothing of it was kept.",
    State.ABANDONED: "The upload was not completed and nothing of it was kept; send the file again.",
    State.ERASED: "The file was deleted.",
}
_BY_REASON: Final = {
    (
        State.HELD,
        "encrypted",
    ): "It cannot be scanned with a password: remove the password and upload it again.",
    (
        State.HELD,
        "limits_exceeded",
    ): "It is nested or packed so that it cannot be scanned: upload it unpacked.",
    (State.HELD, "malformed"): "The file is damaged: save it anew with its program and upload that.",
    (State.HELD, "suspicious"): "It holds macros or the like: save it without them and upload that.",
    (State.HELD, "content_lost"): "The stored file was changed or lost: upload it again.",
    (State.REFUSED, "type_not_allowed"): "The type is not accepted, or is not what the extension says.",
    (State.REFUSED, "too_large"): "The file is too large: the policy at /v1/policy says how large it may be.",
    (State.ABANDONED, "expired"): "Nobody went on with the upload in time; send the file again.",
    (State.REFUSED, "digest_mismatch"): "The file was changed on its way: send it again.",
    (State.CLEARED, CLEARED_BY_REVIEWERS): _ON_ITS_WAY,
    (State.CLEARED, CLEARED_BY_ALLOWANCE): _ON_ITS_WAY,
    (State.RELEASED, CLEARED_BY_REVIEWERS): _CAN_BE_HAD,
    (State.RELEASED, CLEARED_BY_ALLOWANCE): _CAN_BE_HAD,
    (
        State.BLOCKED,
        BLOCKED_BY_REVIEWERS,
    ): "The security team looked at the file and blocked it; ask them why.",
}


def advice(upload: Upload) -> str:
    """Return one sentence for the sender of ``upload``."""
    return _BY_REASON.get((upload.state, upload.reason or ""), _BY_STATE[upload.state])
