"""Jitsi meetings: who asks, and which upload a meeting's file is."""

import re
from dataclasses import dataclass
from typing import Final

from service.core.errors import Forbidden, NotFound
from service.core.participant import Issuer, Participant, participant
from service.core.upload import Upload
from service.ports import JitsiFile, JitsiFiles, TokenVerifier
from service.stages.parts import Parts

#: What a browser may call a file. Jitsi's own draws a UUID.
FILE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Jitsi:
    """What meetings of one Jitsi installation need beside the parts.

    ``origins`` are the pages that may call from a browser; ``api_url`` is where these routes are reached from
    outside, without a slash at its end.
    """

    files: JitsiFiles
    tokens: TokenVerifier
    issuer: Issuer
    origins: frozenset[str]
    api_url: str


def authenticate(parts: Parts, jitsi: Jitsi, untrusted_token: str, session_id: str) -> Participant:
    """Return who holds a token of the meeting ``session_id``.

    Raises ``Unauthenticated``, and ``Forbidden`` for the token of another meeting.
    """
    asking = participant(jitsi.tokens.claims(untrusted_token), jitsi.issuer, parts.clock.now())
    if asking.session_id != session_id:
        raise Forbidden("This token is for another meeting.")
    return asking


def shared_file(
    parts: Parts, jitsi: Jitsi, asking: Participant, untrusted_id: str
) -> tuple[JitsiFile, Upload]:
    """Return a file of the participant's own meeting and its upload. Raises ``NotFound``."""
    # Databases differ in what text they take: one that no id can be is not asked for.
    known = FILE_ID.fullmatch(untrusted_id)
    file = jitsi.files.find(asking.account_id, asking.session_id, untrusted_id) if known else None
    upload = parts.ledger.find(file.upload_id) if file else None
    if file is None or upload is None:
        raise NotFound("There is no such file in this meeting.")
    return file, upload
