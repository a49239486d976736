"""Ed25519 signatures of checkpoints (RFC 8032, c2sp.org/signed-note)."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from service.verify.checkpoint import Checkpoint, read_checkpoint
from service.verify.invalid import Invalid
from service.verify.note import Note, PublicKey, read_note


def check_checkpoint(untrusted: str, key: PublicKey) -> Checkpoint:
    """Return the checkpoint in ``untrusted`` once it is proved to be signed with ``key`` for the log of the
    key's name. Raises ``Invalid``.
    """
    checkpoint = read_checkpoint(check_note(untrusted, key))
    if checkpoint.origin != key.name:
        raise Invalid("the checkpoint is of another log than the key")
    return checkpoint


def check_note(untrusted: str, key: PublicKey) -> Note:
    """Return the note in ``untrusted`` once it is proved to be signed with ``key``.

    Signatures of others are passed over (c2sp.org/signed-note). Raises ``Invalid`` for a note without one by
    ``key``, and for one that has a bad one among them.
    """
    note = read_note(untrusted)
    mine = [raw for name, key_id, raw in note.signatures if (name, key_id) == (key.name, key.id)]
    if not mine:
        raise Invalid("it is not signed with this key")
    public = Ed25519PublicKey.from_public_bytes(key.key)
    for raw in mine:
        try:
            public.verify(raw, note.text.encode())
        except InvalidSignature:
            raise Invalid("its signature is not good") from None
    return note
