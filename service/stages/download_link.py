"""Download links: addresses that give out one content without a key, for some minutes.

What stands in one is sealed, so it can be neither made nor read elsewhere. Whether the content may be given
out is decided when the link is used.
"""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from service.core.errors import LinkInvalid, NotFound, SecretsUnreadable
from service.core.upload import Upload
from service.stages.accounts import check_there
from service.stages.parts import Parts

LIFE: Final = timedelta(minutes=5)
_LINK: Final = re.compile(r"[A-Za-z0-9_-]{64,512}={0,2}")
#: What else is sealed with the same key looks otherwise.
_CONTENT: Final = re.compile(rb"download-link (up_[0-9a-f]{32}) ([0-9]{1,12})")


def make_link(parts: Parts, upload_id: str) -> str:
    """Return what gives out ``upload_id``, as a part of a path."""
    until = int((parts.clock.now() + LIFE).timestamp())
    return parts.sealer.seal(f"download-link {upload_id} {until}".encode()).decode()


def link_actor(link: str) -> str:
    """Return who uses a link that was opened, for the log: whoever holds it, and nothing that is it."""
    return f"link:{hashlib.sha256(link.encode()).hexdigest()[:32]}"


def open_link(parts: Parts, untrusted_link: str) -> Upload:
    """Return the upload that a link gives out. What the link itself permits is all that was asked yet.

    Raises ``LinkInvalid``, whatever the reason, ``NotFound`` and ``AccountRemoved``.
    """
    matched = None
    if _LINK.fullmatch(untrusted_link):
        try:
            matched = _CONTENT.fullmatch(parts.sealer.unseal(untrusted_link.encode()))
        except SecretsUnreadable:
            matched = None
    if matched is None or parts.clock.now() >= datetime.fromtimestamp(int(matched[2]), UTC):
        raise LinkInvalid("This download link is no longer good, or never was. Ask for the file again.")
    upload = parts.ledger.find(matched[1].decode())
    if upload is None:
        raise NotFound("There is no such file.")
    check_there(parts, upload.account_id)
    return upload
