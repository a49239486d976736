"""What the routes of erasures answer, as JSON."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from service.core.erasure import ERASURE_ID, Reach
from service.web.public.documents import Document, Receipt


class Certificate(Receipt):
    """The line of the log that says what was erased for good, and the proof that it stands there."""

    format: Literal["greenroom-erasure-certificate/1"]  # type: ignore[assignment]


class Erasure(Document):
    """What is erased for good, or was."""

    id: str = Field(pattern=f"^{ERASURE_ID.pattern}$")
    reach: Reach = Field(description="What is erased: one upload, or all of a meeting, person or account.")
    mark: str = Field(
        description="What stands for it in the log and in the certificate: an upload's id, else a pseudonym."
    )
    asked_at: datetime
    done_at: datetime | None = Field(description="When nothing of it was left.")
    uploads: int | None = Field(description="How many were erased, once it is known.")
    size: int | None = Field(description="Their bytes.")


class AccountErasure(Erasure):
    """The erasure of an account, with its certificate once the log has signed it."""

    certificate: Certificate | None
