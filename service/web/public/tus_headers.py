"""Reading and writing the headers of tus 1.0.0."""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from werkzeug.datastructures import Headers

from service.core.errors import BadRequest, ProtocolUnsupported
from service.core.upload import Upload
from service.stages.piece import Checksum
from service.web.public.operation import Header

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,creation-with-upload,expiration,termination,checksum"
#: Of what PATCH, and a POST with first bytes, must be.
MEDIA_TYPE: Final = "application/offset+octet-stream"
#: By their names here; tus asks for SHA-1 at least.
ALGORITHMS: Final = ("sha1", "sha256")
#: Every other key is passed over and not kept.
_KEYS: Final = {"filename": "filename", "name": "filename", "filetype": "filetype", "type": "filetype"}
_LONGEST_METADATA: Final = 4096
_NUMBER: Final = re.compile(r"[0-9]{1,15}", re.ASCII)
_DIGEST_SIZES: Final = {"sha1": 20, "sha256": 32}

_BYTES: Final = {"type": "integer", "minimum": 0, "maximum": 999_999_999_999_999}

TUS_RESUMABLE: Final = Header(
    "Tus-Resumable", "The protocol's version.", {"type": "string", "const": VERSION}, required=True
)
UPLOAD_LENGTH: Final = Header("Upload-Length", "The file's size in bytes.", _BYTES, required=True)
UPLOAD_OFFSET: Final = Header(
    "Upload-Offset",
    "Where the body goes on, as HEAD told it.",
    _BYTES,
    required=True,
)
UPLOAD_METADATA: Final = Header(
    "Upload-Metadata",
    "`filename`, `filetype`, `meeting` and `person`, each with its value in base64, separated by commas; at "
    f"most {_LONGEST_METADATA} bytes. A grant says its meeting and person itself.",
    {
        "type": "string",
        "format": "upload-metadata",
        "maxLength": _LONGEST_METADATA,
        "examples": ["filename ZGVjay5wcHR4,meeting bTE="],
    },
    required=True,
)
UPLOAD_CHECKSUM: Final = Header(
    "Upload-Checksum",
    "`sha1 BASE64` or `sha256 BASE64` of the body, which is kept only if it is right.",
    {
        "type": "string",
        "pattern": "^(sha1 [A-Za-z0-9+/]{26}|sha256 [A-Za-z0-9+/]{42})[AEIMQUYcgkosw048]=$",
    },
)


def check_version(headers: Headers) -> None:
    """Raise ``ProtocolUnsupported`` unless the request speaks our version."""
    if headers.get("Tus-Resumable") != VERSION:
        raise ProtocolUnsupported(f"Send Tus-Resumable: {VERSION}.")


def upload_length(headers: Headers) -> int:
    """Return the announced length. Raises ``BadRequest``, also where it is to be told later."""
    if "Upload-Defer-Length" in headers:
        raise BadRequest("Upload-Defer-Length is not supported: announce the file's size as Upload-Length.")
    return _number(headers, "Upload-Length")


def upload_offset(headers: Headers) -> int:
    """Return the offset at which the body goes on. Raises ``BadRequest``."""
    return _number(headers, "Upload-Offset")


def _number(headers: Headers, name: str) -> int:
    text = headers.get(name, "")
    if not _NUMBER.fullmatch(text):
        raise BadRequest(f"{name} must be a whole number of bytes.")
    return int(text)


def upload_metadata(headers: Headers) -> Mapping[str, str]:
    """Return what ``Upload-Metadata`` says of ``filename``, ``filetype``, ``meeting`` and ``person``.

    ``name`` and ``type``, as some clients call them, count where the long names are missing. Raises
    ``BadRequest`` if it is malformed, too long or says something twice.
    """
    text = headers.get("Upload-Metadata", "")
    if len(text) > _LONGEST_METADATA:
        raise BadRequest(f"Upload-Metadata may have {_LONGEST_METADATA} bytes.")
    given: dict[str, str] = {}
    for pair in text.split(",") if text.strip() else ():
        key, _, value = pair.strip().partition(" ")
        if not key or key in given:
            raise BadRequest("Upload-Metadata must be pairs of a key and a value, each key once.")
        given[key] = _decoded(value.strip())
    known = {_KEYS[key]: given[key] for key in ("name", "type", "filename", "filetype") if key in given}
    return known | {key: given[key] for key in ("meeting", "person") if key in given}


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        raise BadRequest("Upload-Metadata must have its values in base64.") from None


def upload_checksum(headers: Headers) -> Checksum | None:
    """Return what ``Upload-Checksum`` announces, if anything. Raises ``BadRequest``."""
    text = headers.get("Upload-Checksum")
    if text is None:
        return None
    algorithm, _, value = text.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        raise BadRequest(f"Upload-Checksum must be one of {', '.join(ALGORITHMS)}.")
    try:
        digest = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != _DIGEST_SIZES[algorithm]:
        raise BadRequest(f"Upload-Checksum must be {algorithm} and its digest in base64.")
    return Checksum(algorithm, digest)


def state_headers(upload: Upload) -> dict[str, str]:
    """Return the headers that tell how far an upload has come and until when it can be gone on with."""
    headers = {"Upload-Offset": str(upload.offset)}
    if upload.size is None and upload.expires_at is not None:
        headers["Upload-Expires"] = http_date(upload.expires_at)
    return headers


def metadata_header(upload: Upload) -> str:
    """Return an upload's metadata as it is kept, in the form of ``Upload-Metadata``, but not its person."""
    values = {"filename": upload.name, "filetype": upload.declared_type, "meeting": upload.meeting_id}
    return ",".join(
        f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items() if value
    )


def http_date(at: datetime) -> str:
    """Return ``at`` (UTC) as HTTP writes dates (RFC 9110, 5.6.7)."""
    return format_datetime(at, usegmt=True)
