"""The documents of Jitsi's file-sharing API, as its ``resources/file-sharing.yaml`` names their fields."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from service.core.naming import extension
from service.core.upload import Upload
from service.ports import JitsiFile
from service.stages.download_link import make_link
from service.stages.jitsi import Jitsi
from service.stages.parts import Parts


class _Document(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return self.model_dump(by_alias=True)


class AddedFile(_Document):
    """Jitsi's ``AddDocumentResponse``."""

    file_id: str


class ListedFile(_Document):
    """Jitsi's ``CssFileMetadataResponse``. ``timestamp`` is in milliseconds of Unix time."""

    object_id: str
    session_id: str
    timestamp: int
    content_type: str
    object_name: str
    initiator_id: str
    pre_signed_url: str


class SharedFile(_Document):
    """Jitsi's ``DocumentMetadataResponse``. ``created_at`` is in milliseconds of Unix time."""

    file_id: str
    session_id: str
    file_name: str
    customer_id: str
    user_id: str
    presigned_url: str
    created_at: int
    file_size: int


def listed_file(parts: Parts, jitsi: Jitsi, file: JitsiFile, upload: Upload) -> ListedFile:
    """Return a released file as it stands in a list."""
    kind = parts.policy.types.get(extension(upload.name))
    return ListedFile(
        object_id=file.file_id,
        session_id=file.meeting_id,
        timestamp=_milliseconds(upload),
        content_type=kind.media_type if kind else "application/octet-stream",
        object_name=upload.name,
        initiator_id=file.user_id,
        pre_signed_url=_address(parts, jitsi, upload),
    )


def shared_file(parts: Parts, jitsi: Jitsi, file: JitsiFile, upload: Upload) -> SharedFile:
    """Return a released file."""
    return SharedFile(
        file_id=file.file_id,
        session_id=file.meeting_id,
        file_name=upload.name,
        customer_id=file.customer_id,
        user_id=file.user_id,
        presigned_url=_address(parts, jitsi, upload),
        created_at=_milliseconds(upload),
        file_size=upload.size or 0,
    )


def _address(parts: Parts, jitsi: Jitsi, upload: Upload) -> str:
    # Never made of the request's Host header, which a stranger may choose.
    return f"{jitsi.api_url}/content/{make_link(parts, upload.id)}"


def _milliseconds(upload: Upload) -> int:
    return int(upload.created_at.timestamp() * 1000)
