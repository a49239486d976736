"""What the certificate of an erasure proves, to those who know the log's key."""

from service.verify.invalid import Invalid
from service.verify.note import PublicKey
from service.verify.proof import Proved, check_receipt
from service.verify.receipt import Receipt

_EVENT = "erasure_done"


def check_certificate(certificate: Receipt, key: PublicKey) -> Proved:
    """Return what ``certificate`` proves to those who know that ``key`` is the log's: that the line stands in
    it by which the service says that it erased what the line's ``detail`` names. Raises ``Invalid``.
    """
    proved = check_receipt(certificate, key)
    if proved.line.get("event") != _EVENT:
        raise Invalid("the line does not say that anything was erased")
    if not isinstance(proved.line.get("detail"), dict):
        raise Invalid("the line does not say what was erased")
    return proved
