"""Signed notes (c2sp.org/signed-note) and keys for them, read strictly. Checking them is in ``signature``."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from service.verify.invalid import Invalid

ED25519: Final = b"\x01"
_KEY_SIZE: Final = 32
_ID_SIZE: Final = 4
#: A note of ours has one signature and witnesses may add theirs; no verifier needs more than this.
_LONGEST_NOTE: Final = 64 * 1024
_NAME: Final = re.compile(r"[^\s+]+")
_SIGNATURE: Final = re.compile(r"\u2014 ([^\s+]+) ([A-Za-z0-9+/=]+)")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 key for notes: its name and its 32 bytes (RFC 8032)."""

    name: str
    key: bytes

    @property
    def id(self) -> bytes:
        """The 4 bytes that stand for the key in a signature (c2sp.org/signed-note)."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.key).digest()[:_ID_SIZE]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{encode(ED25519 + self.key)}"


@dataclass(frozen=True, slots=True)
class Note:
    """A note as read, its signatures not yet checked: (name, key id, signature) each."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]


def read_key(untrusted: str) -> PublicKey:
    """Return the key in ``untrusted``, ``name+id+base64`` as ``str`` of a ``PublicKey`` writes it (the form
    of golang.org/x/mod/sumdb/note). Raises ``Invalid``.
    """
    parts = untrusted.strip().split("+", 2)
    if len(parts) != 3 or not _NAME.fullmatch(parts[0]):  # noqa: PLR2004 - name, id, key
        raise Invalid("a log's key looks like name+id+base64")
    kind_and_key = decode(parts[2], "the log's key")
    if kind_and_key[:1] != ED25519 or len(kind_and_key) != 1 + _KEY_SIZE:
        raise Invalid("the log's key is not an Ed25519 key")
    key = PublicKey(parts[0], kind_and_key[1:])
    if key.id.hex() != parts[1]:
        raise Invalid("the log's key does not have the id that stands beside it")
    return key


def read_note(untrusted: str) -> Note:
    """Return the note in ``untrusted``. Raises ``Invalid`` if it is not exactly one."""
    if len(untrusted) > _LONGEST_NOTE:
        raise Invalid("the note is too long")
    if _CONTROL.search(untrusted):
        raise Invalid("the note has control characters in it")
    text, blank, signed = untrusted.rpartition("\n\n")
    if not blank or not text or not signed.endswith("\n"):
        raise Invalid("the note is not text, a blank line and signatures")
    return Note(text + "\n", tuple(_signature(line) for line in signed[:-1].split("\n")))


def split_notes(untrusted: str) -> list[str]:
    """Return the notes in ``untrusted``, one or many with blank lines between them. None is checked yet."""
    blocks = untrusted.strip("\n").split("\n\n")
    if len(blocks) % 2:
        raise Invalid("these are not notes: text, a blank line and signatures each")
    return [f"{text}\n\n{signed}\n" for text, signed in zip(blocks[::2], blocks[1::2], strict=True)]


def write_note(text: str, key: PublicKey, signature: bytes) -> str:
    """Return the note of ``text``, which ends with a newline, and its Ed25519 signature by ``key``."""
    return f"{text}\n\u2014 {key.name} {encode(key.id + signature)}\n"


def encode(raw: bytes) -> str:
    """Return standard base64 (RFC 4648, 4)."""
    return base64.b64encode(raw).decode("ascii")


def decode(untrusted: str, what: str) -> bytes:
    """Return what standard base64 stands for. Raises ``Invalid``, naming ``what``, for any other form of the
    same bytes: there is one way to write them.
    """
    try:
        raw = base64.b64decode(untrusted.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise Invalid(f"{what} is not base64") from None
    if encode(raw) != untrusted:
        raise Invalid(f"{what} is not written as base64 should be")
    return raw


def _signature(line: str) -> tuple[str, bytes, bytes]:
    found = _SIGNATURE.fullmatch(line)
    if found is None:
        raise Invalid("a signature of the note is not a name and base64")
    raw = decode(found[2], "a signature of the note")
    if len(raw) <= _ID_SIZE:
        raise Invalid("a signature of the note is too short")
    return found[1], raw[:_ID_SIZE], raw[_ID_SIZE:]
