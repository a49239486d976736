"""Everything that can go wrong, as one tree. No HTTP here: ``web/errors.py`` maps classes to statuses.

::

    GreenroomError                 code, retryable, a sentence the sender can act on
    +-- Refused                    the sender's request cannot be taken as it is
    |   +-- BadRequest             a parameter or header is missing or malformed
    |   +-- Unauthenticated        no key or grant, or one that is unknown, expired or revoked
    |   |   +-- GrantExpired       the grant's time is over
    |   +-- Forbidden              the key or grant does not allow it
    |   |   +-- QuotaExceeded      the grant's files or bytes are used up
    |   +-- LinkInvalid            a download link that is no longer good, or never was
    |   +-- NotFound               no such thing for this caller
    |   |   +-- NoVerdict          the upload came to rest without a verdict
    |   +-- Gone                   the content was erased
    |   |   +-- UploadEnded        the resumable upload expired, was refused or deleted
    |   +-- GrantEnded             the grant was revoked or is too old to be refreshed
    |   +-- NotReleased            the content is not (or no longer) released
    |   +-- ExportNotReady         the export is still being built
    |   +-- RangeNotSatisfiable    the content has nothing in the range that is asked for
    |   +-- NotSignedYet           the log has not signed what is asked for; it will soon
    |   |   +-- NotErasedYet       what was asked to be erased is not erased yet; it will be soon
    |   +-- NotRemoved             the account is in use, and only a removed one is erased
    |   +-- TooManyKeys            the account's live keys are as many as it may have
    |   +-- Busy                   the upload is in the middle of a step
    |   +-- NotDecidable           the upload is not one that this can be decided about
    |   +-- AlreadyProposed        another proposal about the upload waits for a second person
    |   +-- AlreadyAllowed         the finding is excused in this content already
    |   +-- OwnProposal            who proposed is not the second person
    |   +-- ProposerGone           who proposed may decide nothing any more
    |   +-- DecisionClosed         the proposal was settled, expired, or its upload changed
    |   +-- Overloaded             every place for this is taken, by all or by the account
    |   +-- IdempotencyMismatch    the Idempotency-Key was used for another request
    |   +-- IdempotencyInProgress  the first request with this Idempotency-Key is still running
    |   +-- RateLimited            too many creations in a short time
    |   +-- AddressNotAllowed      webhooks are not sent to that address
    |   +-- TooManyEndpoints       the account has as many webhook endpoints as it may have
    |   +-- RangeNotAllowed        a stretch of time that holds nothing, or too much
    |   +-- EndpointDisabled       a webhook endpoint that is disabled cannot be sent to
    |   +-- ProtocolUnsupported    another version of the protocol than is spoken here
    |   +-- WrongMediaType         the request's body is not of the media type that it must have
    |   +-- WrongOffset            the upload goes on at another offset
    |   +-- Interrupted            the request was cut short; what came is kept
    |   +-- ChecksumMismatch       the request's bytes are not those of its checksum; they are not kept
    |   +-- ContentRefused         what arrived is refused; nothing of it is kept
    |       +-- TooLarge           over the policy's limit
    |       +-- TypeNotAllowed     extension or content is not on the allow-list
    |       +-- Truncated          the body ended before its announced end
    |       +-- DigestMismatch     the body is not what Repr-Digest announced
    |       +-- TooSlow            slower than the policy's minimum rate
    +-- IllegalMove                an event that the state does not allow (a bug or a lost race)
    +-- Conflict                   another process changed the upload first
    |   +-- AllowanceEnded         the allowance was revoked or has expired
    +-- PartUnavailable            a part this service stands on did not answer
    |   +-- StoreUnavailable
    |   +-- LedgerUnavailable
    |   +-- ScannerUnavailable
    |   +-- WitnessUnavailable
    |   +-- SinkUnavailable
    |   +-- IdentityProviderUnavailable
    |   +-- KeysUnavailable
    +-- ContentLost                stored content is missing or not what was stored
    |   +-- KeyDestroyed           the account was erased, and its key with it
    +-- LogDamaged                 the stored log is not the one that was signed
    +-- SecretsUnreadable          a stored secret was sealed with a key that is not configured
    +-- ConfigurationError         the environment or a configured file is not usable
"""

from typing import ClassVar


class GreenroomError(Exception):
    """Base of all errors.

    ``code`` is stable and machine-readable; ``retryable`` says whether the same request may succeed
    later, ``retry_after`` after how many seconds where that is known; ``str(error)`` is a sentence for the
    sender and holds nothing secret.
    """

    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False
    retry_after: int | None = None


class Refused(GreenroomError):
    """The sender's request cannot be taken as it is."""

    code = "refused"


class BadRequest(Refused):
    """A parameter, header or body part is missing or malformed."""

    code = "bad_request"


class Unauthenticated(Refused):
    """No API key or grant, or one that is unknown, expired or revoked."""

    code = "unauthenticated"


class GrantExpired(Unauthenticated):
    """The grant was good, and its time is over."""

    code = "grant_expired"


class Forbidden(Refused):
    """The API key or grant is good but does not allow this call."""

    code = "forbidden"


class QuotaExceeded(Forbidden):
    """The grant's files or bytes are used up."""

    code = "quota_exceeded"


class LinkInvalid(Refused):
    """The download link is no longer good, or never was."""

    code = "link_invalid"


class NotFound(Refused):
    """No such thing for this caller. The same for one that belongs to another account."""

    code = "not_found"


class NoVerdict(NotFound):
    """The upload came to rest without a verdict: it was refused or given up."""

    code = "no_verdict"


class Gone(Refused):
    """The upload's content was erased."""

    code = "erased"


class UploadEnded(Gone):
    """The resumable upload expired, was refused or was deleted: it cannot be gone on with."""

    code = "upload_ended"


class GrantEnded(Refused):
    """The grant was revoked, or is too old to be refreshed."""

    code = "grant_ended"


class AccountRemoved(Refused):
    """The account was removed: what is in it is only held, until it is erased."""

    code = "account_removed"


class AccountExists(Refused):
    """There is an account of that id, or one that is not erased yet."""

    code = "account_exists"


class NotReleased(Refused):
    """The content is not released: still being checked, held, blocked or refused."""

    code = "not_released"


class ExportNotReady(Refused):
    """The export is still being built."""

    code = "export_not_ready"
    retryable = True

    def __init__(self, sentence: str, retry_after: int) -> None:
        """Say in how many seconds to look again."""
        super().__init__(sentence)
        self.retry_after = retry_after


class RangeNotSatisfiable(Refused):
    """The content has nothing in the range that is asked for. ``size`` is how many bytes it has."""

    code = "range_not_satisfiable"

    def __init__(self, size: int) -> None:
        """Say how much there is."""
        super().__init__(f"The content has {size} bytes, and none in that range.")
        self.size = size


class NotSignedYet(Refused):
    """The log has not signed what is asked for yet. It will soon."""

    code = "not_signed_yet"
    retryable = True

    def __init__(self, sentence: str, retry_after: int) -> None:
        """Say in how many seconds it may be signed."""
        super().__init__(sentence)
        self.retry_after = retry_after


class NotErasedYet(NotSignedYet):
    """What was asked to be erased is not erased yet. It will be soon."""

    code = "not_erased_yet"


class NotRemoved(Refused):
    """The account is in use. Only one that was removed is erased."""

    code = "not_removed"


class TooManyKeys(Refused):
    """The account has as many live keys as it may have; one must be revoked first."""

    code = "too_many_keys"


class Busy(Refused):
    """The upload is in the middle of a step and cannot be changed just now."""

    code = "busy"
    retryable = True


class UnderHold(Refused):
    """It is under legal hold, and stays until that is lifted."""

    code = "under_hold"


class NotDecidable(Refused):
    """The upload is not one that this can be decided about, as it stands."""

    code = "not_decidable"


class AlreadyProposed(Refused):
    """Another proposal about the upload waits for a second person."""

    code = "already_proposed"


class AlreadyAllowed(Refused):
    """The allow-list excuses this finding in this content already."""

    code = "already_allowed"


class OwnProposal(Refused):
    """A proposal is confirmed or rejected by somebody else than its proposer."""

    code = "own_proposal"


class ProposerGone(Refused):
    """Who proposed is disabled, or no reviewer any more: that is one person, not two."""

    code = "proposer_gone"


class DecisionClosed(Refused):
    """The proposal was confirmed or rejected, has expired, or its upload changed."""

    code = "decision_closed"


class AddressNotAllowed(Refused):
    """Webhooks are not sent to that address."""

    code = "address_not_allowed"


class TooManyEndpoints(Refused):
    """The account has as many webhook endpoints as it may have."""

    code = "too_many_endpoints"


class RangeNotAllowed(Refused):
    """The stretch of time holds nothing, or too much."""

    code = "range_not_allowed"


class EndpointDisabled(Refused):
    """The webhook endpoint is disabled and nothing is sent to it."""

    code = "endpoint_disabled"


class Overloaded(Refused):
    """Every place for such a request is taken: in this process, or for the account."""

    code = "overloaded"
    retryable = True


class IdempotencyMismatch(Refused):
    """The Idempotency-Key was used for another request."""

    code = "idempotency_mismatch"


class IdempotencyInProgress(Refused):
    """The first request with this Idempotency-Key is still running."""

    code = "idempotency_in_progress"
    retryable = True
    retry_after = 2


class RateLimited(Refused):
    """The key or grant created too much in a short time."""

    code = "rate_limited"
    retryable = True

    def __init__(self, sentence: str, retry_after: int = 1) -> None:
        """Say in how many seconds there is room again."""
        super().__init__(sentence)
        self.retry_after = retry_after


class ProtocolUnsupported(Refused):
    """The request speaks another version of the protocol than is spoken here, or does not say which."""

    code = "unsupported_version"


class WrongMediaType(Refused):
    """The request's body is not of the media type that it must have."""

    code = "wrong_media_type"


class WrongOffset(Refused):
    """The upload goes on at another offset than the request does. Nothing was changed."""

    code = "wrong_offset"
    retryable = True


class Interrupted(Refused):
    """The request was cut short. What came of it is kept, and the upload can be gone on with."""

    code = "interrupted"
    retryable = True


class ChecksumMismatch(Refused):
    """The bytes of the request are not those that its checksum is of. None of them is kept."""

    code = "checksum_mismatch"
    retryable = True


class ContentRefused(Refused):
    """What arrived is refused by policy or was damaged on the way; nothing of it is kept."""

    code = "content_refused"


class TooLarge(ContentRefused):
    """The content is larger than the policy allows."""

    code = "too_large"


class TypeNotAllowed(ContentRefused):
    """The extension is not on the allow-list, or the content is not what the extension says."""

    code = "type_not_allowed"


class Truncated(ContentRefused):
    """The body ended before its announced end."""

    code = "truncated"
    retryable = True


class DigestMismatch(ContentRefused):
    """The body's SHA-256 is not the one announced (RFC 9530)."""

    code = "digest_mismatch"
    retryable = True


class TooSlow(ContentRefused):
    """The sender fell below the policy's minimum rate."""

    code = "too_slow"
    retryable = True


class IllegalMove(GreenroomError):
    """An event that the upload's state does not allow. Nothing was changed."""

    code = "illegal_move"


class Conflict(GreenroomError):
    """Another process changed the upload since it was read. Nothing was changed."""

    code = "conflict"
    retryable = True


class AllowanceEnded(Conflict):
    """The allowance was revoked or has expired. Nothing was changed."""

    code = "allowance_ended"


class PartUnavailable(GreenroomError):
    """A part this service stands on did not answer."""

    code = "unavailable"
    retryable = True


class StoreUnavailable(PartUnavailable):
    """The object store did not answer, or answered with a server error."""

    code = "store_unavailable"


class LedgerUnavailable(PartUnavailable):
    """The database did not answer."""

    code = "ledger_unavailable"


class ScannerUnavailable(PartUnavailable):
    """The scanner cannot be reached or did not take the bytes."""

    code = "scanner_unavailable"


class WitnessUnavailable(PartUnavailable):
    """A place that keeps the log's checkpoints did not answer, or does not keep them as it must."""

    code = "witness_unavailable"


class SinkUnavailable(PartUnavailable):
    """What the log is told to did not take it, or did not say that it has it."""

    code = "sink_unavailable"


class IdentityProviderUnavailable(PartUnavailable):
    """The provider that reviewers sign in with did not answer, or not as one does."""

    code = "identity_provider_unavailable"


class KeysUnavailable(PartUnavailable):
    """What keeps the master key did not answer, or this process was given no master key."""

    code = "keys_unavailable"


class ContentLost(GreenroomError):
    """Stored content is missing, or is not what the ledger says was stored."""

    code = "content_lost"


class KeyDestroyed(ContentLost):
    """The account was erased, and with its key whatever was sealed by it."""

    code = "key_destroyed"


class LogDamaged(GreenroomError):
    """The stored log is not the one that was signed."""

    code = "log_damaged"


class SecretsUnreadable(GreenroomError):
    """A stored secret was sealed with a key that is not configured."""

    code = "secrets_unreadable"


class ConfigurationError(GreenroomError):
    """The environment or a configured file is not usable; the process must not start."""

    code = "configuration_error"
