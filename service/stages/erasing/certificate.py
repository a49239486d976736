"""The certificate of an erasure: the line of the log that says that it was done, and the proof of it."""

from service.core.erasure import Erasure
from service.core.errors import LogDamaged, NotErasedYet, NotFound
from service.core.upload import State, Upload
from service.stages.log.receipt import prove_line
from service.stages.parts import Parts
from service.verify.receipt import CERTIFICATE, Receipt

#: Seconds in which an erasure may be done.
_SOON = 5


def of_upload(parts: Parts, upload: Upload) -> Receipt:
    """Return the certificate of the erasure that an upload went with, as ``make_certificate`` does.

    Raises ``NotFound`` for one that is not erased.
    """
    if upload.state is not State.ERASED:
        raise NotFound("The upload is not erased.")
    erasure = parts.erasures.of_upload(upload.id)
    if erasure is None:
        raise NotErasedYet("The erasure is not done yet.", _SOON)
    return make_certificate(parts, erasure)


def make_certificate(parts: Parts, erasure: Erasure) -> Receipt:
    """Return the certificate of ``erasure``. Asked for again it is the same.

    Raises ``NotErasedYet``, ``NotSignedYet`` while the log has not signed it, and ``LogDamaged`` if the log
    is not what was signed.
    """
    if erasure.line is None:
        raise NotErasedYet("The erasure is not done yet.", _SOON)
    line = parts.journal.find(erasure.line)
    if line is None:
        raise LogDamaged("The line that says that it was erased is not in the log.")
    return prove_line(parts, line, CERTIFICATE)
