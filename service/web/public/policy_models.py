"""The policy's document, as models."""

from typing import Literal

from pydantic import Field

from service.web.public.documents import Bytes, Document, Sha256

#: One of the states in which an upload can come to rest after a verdict.
_End = Literal["released", "held", "blocked"]


class MinimumRate(Document):
    """The rate under which a sender is cut off."""

    bytes_per_second: int = Field(ge=1)
    over_seconds: int = Field(ge=1)


class SignatureAges(Document):
    """How old signatures may get."""

    warn_age_seconds: int = Field(ge=1)
    max_age_seconds: int = Field(ge=1, description="Older ones make no file clean.")


class AcceptedType(Document):
    """A type of file that is accepted."""

    extension: str = Field(pattern="^[a-z0-9]{1,16}$")
    media_type: str


class Verdicts(Document):
    """Where an upload rests after each kind of verdict."""

    clean: _End
    infected: _End
    unscannable: _End
    malformed: _End
    suspicious: _End
    error: _End


class Unscannable(Document):
    """Where an upload rests that cannot be looked into."""

    encrypted: _End
    limits_exceeded: _End


class Resumable(Document):
    """What holds for uploads at `/v1/tus`."""

    expires_after_seconds: int = Field(ge=1, description="That long one that nobody goes on with is kept.")


class Periods(Document):
    """For how long things stay, in days."""

    removed: int = Field(ge=1, description="A removed account, before it is erased.")
    released: int = Field(ge=1, description="A released file.")
    held: int = Field(ge=1, description="A file that nobody decided about.")
    blocked: int = Field(ge=1, description="An infected file, in quarantine.")
    refused: int = Field(ge=1, description="The record of a file that was not taken in.")
    abandoned: int = Field(ge=1, description="The record of a file that never came whole.")


class Plans(Document):
    """What accounts of each plan are promised."""

    trial: Periods
    paid: Periods


class Policy(Document):
    """The policy in force: what may be sent and what happens to it."""

    digest: Sha256 = Field(description="Of the policy's settings; every verdict names it.")
    max_file_size: Bytes = Field(description="In bytes.")
    minimum_rate: MinimumRate
    resumable: Resumable
    signatures: SignatureAges
    types: list[AcceptedType] = Field(min_length=1)
    verdicts: Verdicts
    unscannable: Unscannable
    plans: Plans
    oversized: Literal["refused"]
    other_types: Literal["refused"]
