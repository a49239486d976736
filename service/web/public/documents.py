"""The JSON documents that the API answers with, as models: they describe, the views build.

A field without a default stands in every document; one with a default may be missing and is never ``null``
unless its type says so. Nothing beyond these fields is ever sent.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from service.core.naming import IDENTIFIER, UPLOAD_ID
from service.core.upload import Event, State
from service.core.verdict import Kind, Protection

Id = Annotated[str, Field(pattern=f"^{IDENTIFIER.pattern}$")]
UploadId = Annotated[
    str, Field(pattern=f"^{UPLOAD_ID.pattern}$", examples=["up_0199f3a1c2d45e6f708192a3b4c5d6e7"])
]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Bytes = Annotated[int, Field(ge=0)]


def _without_defaults(schema: dict[str, Any]) -> None:
    # A field that is missing says no more than that: it is not to be read as another value.
    for described in schema["properties"].values():
        described.pop("default", None)


class Document(BaseModel):
    """What all documents have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_without_defaults)


class Problem(Document):
    """Problem details (RFC 9457): what went wrong, for people in `detail` and for programs in `code`."""

    type: str = Field(pattern="^urn:greenroom:problem:[a-z0-9_]+$", description="A URN that ends in `code`.")
    title: str = Field(description="What problems of this code have in common.")
    status: int = Field(ge=400, le=599, description="The answer's status.")
    detail: str = Field(description="What is wrong with this request, in a sentence its sender can act on.")
    code: str = Field(pattern="^[a-z0-9_]+$", description="Stable; tell problems apart by this.")
    retryable: bool = Field(description="Whether the same request may succeed later.")
    request_id: str = Field(description="The request's id, as in `X-Request-Id`: quote it when you ask us.")


class SignatureSet(Document):
    """The signatures that a verdict was reached with."""

    version: int | None = Field(description="ClamAV's number of its daily database.")
    made_at: datetime | None
    age_seconds: int | None = Field(description="Their age at the time of the verdict.")
    protection: Protection = Field(description="`demo` signatures find test files only.")


class Verdict(Document):
    """What the scanner found and what it was found with."""

    kind: Kind
    code: str = Field(description="Why, more precisely than `kind`: `encrypted`, `limits_exceeded` ...")
    signature: str | None = Field(description="The signature's name, where one matched.")
    engine: str | None = Field(examples=["ClamAV 1.4.3"])
    signatures: SignatureSet
    policy: Sha256 = Field(description="The `digest` of the policy in force.")
    duration_seconds: float = Field(ge=0)
    at: datetime
    notice: str = Field("", description="What must be said beside this verdict, where anything must.")


class Step(Document):
    """One step of an upload's way."""

    state: State = Field(description="The state it led to.")
    event: Event | Literal["arrived"]
    at: datetime


class Upload(Document):
    """An upload.

    It rests when `state` is `released`, `held`, `blocked`, `refused`, `abandoned` or `erased`; in every other
    state it is being worked on. Only what is `released` can be downloaded.
    """

    id: UploadId
    account: Id
    meeting: Id
    name: str = Field(description="The file's name, made fit to be shown.", examples=["deck.pptx"])
    size: Bytes | None = Field(description="In bytes; `null` until all of them arrived.")
    sha256: Sha256 | None = Field(description="Of the content; `null` until all of it arrived.")
    declared_type: str | None = Field(description="The media type that the sender said.")
    detected_type: str | None = Field(description="The media type that the content looks like.")
    state: State
    reason: str | None = Field(description="Why it is in this state, where there is more to say.")
    verdict: Verdict | None
    advice: str = Field(description="What the sender can do, in a sentence.")
    created_at: datetime
    updated_at: datetime
    retained_until: datetime | SkipJsonSchema[None] = Field(
        None,
        description="When it will be erased for its age, if nothing happens to it and no legal hold keeps it."
        " Missing while it is on its way, once it is erased, and in webhooks.",
    )
    history: list[Step] = Field(
        [],
        min_length=1,
        description="The times of its steps. Missing in lists, and where the database went away meanwhile.",
    )


class UploadPage(Document):
    """A page of a meeting's uploads, newest first."""

    uploads: list[Upload]
    next: UploadId | None = Field(description="The `cursor` of the next page, if there is one.")


class Receipt(Document):
    """A line of the log, and the proof that it stands there."""

    format: Literal["greenroom-receipt/1"]
    line: str = Field(description="The line exactly as it was hashed: canonical JSON (RFC 8785).")
    index: int = Field(ge=0, description="Its place in the log, from 0.")
    proof: list[str] = Field(
        description="Hashes in base64, from the line up to the checkpoint's root (RFC 6962, 2.1.1)."
    )
    checkpoint: str = Field(description="What the log signed: a signed note (c2sp.org/tlog-checkpoint).")
    key: str = Field(
        description="What the checkpoint says that it was signed with. Compare it with the key that you know."
    )


class Meeting(Document):
    """What was said of a meeting."""

    id: Id
    starts_at: datetime | None = Field(description="When it starts, where that is known.")
    retention: dict[Literal["released", "held", "blocked", "refused", "abandoned"], int] = Field(
        description="For how many days its files stay, by their state, if the plan gives more."
    )


class Alive(Document):
    """The process answers."""

    status: Literal["ok"]


class Checks(Document):
    """`ok`, or what is wrong, for everything that the service stands on."""

    ledger: str
    store: str
    keys: str = Field(description="Whether the master key opens the accounts' keys.")
    scanner: str
    canary: str = Field("", description="Missing while the scanner does not answer.")


class SignaturesInUse(Document):
    """The signatures in use."""

    engine: str = Field(description="ClamAV's version.")
    version: int | None = Field(description="ClamAV's number of its daily database.")
    made_at: datetime | None
    age_seconds: int | None
    warning: str | None
    protection: Protection


class Readiness(Document):
    """Whether uploads can be taken and scanned now, and if not, why."""

    ready: bool
    checks: Checks
    regions: dict[str, str] = Field(description="`ok`, or what is wrong, for the store of each region.")
    signatures: SignaturesInUse | SkipJsonSchema[None] = Field(
        None, description="Missing while the scanner does not answer."
    )
    notice: str = Field("", description="What must be said beside every verdict, where anything must.")
