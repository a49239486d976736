from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service.verify.checkpoint import Checkpoint, read_checkpoint
from service.verify.invalid import Invalid
from service.verify.merkle import EMPTY_ROOT
from service.verify.note import Note, PublicKey, encode, read_key, read_note, write_note
from service.verify.signature import check_checkpoint, check_note

#: A note and a key as other programs write them (golang.org/x/mod/sumdb/note).
THEIR_KEY: Final = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
THEIR_NOTE: Final = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngot"
    "pRZb6KE6RyyBwJnAM=\n"
)
PRIVATE: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY: Final = PublicKey("greenroom/log/test", PRIVATE.public_key().public_bytes_raw())
CHECKPOINT: Final = Checkpoint(KEY.name, 12, EMPTY_ROOT)


def signed(text: str, key: PublicKey = KEY) -> str:
    """Return a note of ``text``, signed."""
    return write_note(text, key, PRIVATE.sign(text.encode()))


def test_notes_of_other_programs_are_understood() -> None:
    """A key and a note as Go writes them; the key is written back as it came."""
    key = read_key(THEIR_KEY)
    assert str(key) == THEIR_KEY
    assert check_note(THEIR_NOTE, key).text == THEIR_NOTE.partition("\n\n")[0] + "\n"


def test_a_checkpoint_comes_back_as_it_was_signed() -> None:
    """Written, signed, read and checked."""
    assert check_checkpoint(signed(CHECKPOINT.text()), read_key(str(KEY))) == CHECKPOINT


def test_the_signatures_of_others_are_passed_over() -> None:
    """A witness may add its own; without ours it does not count."""
    theirs = THEIR_NOTE.rpartition("\n\n")[2]
    note = signed(CHECKPOINT.text())
    assert check_checkpoint(note + theirs, KEY) == CHECKPOINT
    with pytest.raises(Invalid, match="not signed with this key"):
        check_checkpoint(CHECKPOINT.text() + "\n" + theirs, KEY)


def test_every_bit_of_a_signed_checkpoint_counts() -> None:
    """Not one can be flipped."""
    note = signed(CHECKPOINT.text()).encode()
    for bit in range(len(note) * 8):
        wrong = bytearray(note)
        wrong[bit // 8] ^= 1 << bit % 8
        with pytest.raises((Invalid, UnicodeDecodeError)):
            check_checkpoint(wrong.decode(), KEY)


def test_a_bad_signature_of_ours_beside_a_good_one_is_refused() -> None:
    """c2sp.org/signed-note: clients should reject the whole note."""
    note = signed(CHECKPOINT.text())
    bad = f"\u2014 {KEY.name} {encode(KEY.id + bytes(64))}\n"
    with pytest.raises(Invalid, match="not good"):
        check_checkpoint(note + bad, KEY)


def test_a_key_signs_for_its_own_log_only() -> None:
    """A checkpoint of another log, signed with the same key, is not one of this."""
    with pytest.raises(Invalid, match="another log"):
        check_checkpoint(signed(Checkpoint("greenroom/log/other", 1, EMPTY_ROOT).text()), KEY)


ROOT: Final = encode(EMPTY_ROOT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log\n",
        f"log\n1\n{ROOT}\nextension\n",
        f"\n1\n{ROOT}\n",
        f"log\n01\n{ROOT}\n",
        f"log\n-1\n{ROOT}\n",
        f"log\n+1\n{ROOT}\n",
        f"log\n\u0661\n{ROOT}\n",
        f"log\n99999999999999999999\n{ROOT}\n",
        f"log\n1\n{ROOT[:-1]}\n",
        f"log\n1\n{ROOT[:-4]}\n",
        f"log\n1\n{ROOT[:-2]}V=\n",
        f"log\n1\n {ROOT}\n",
    ],
)
def test_what_is_not_exactly_a_checkpoint_is_refused(text: str) -> None:
    """Signed or not: there is one way to write each."""
    with pytest.raises(Invalid):
        read_checkpoint(Note(text, ()))


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\nno signature\n",
        "text\n\n\u2014 name AAAAAAA=",
        "text\n\n\u2014 na+me AAAAAAAA\n",
        "text\n\n\u2014 name AAAA\n",
        "text\n\n\u2014 name AAAAAAB=\n",
        "text\r\n\n\u2014 name AAAAAAAA\n",
        "te\0xt\n\n\u2014 name AAAAAAAA\n",
        "x" * 70_000 + "\n\n\u2014 name AAAAAAAA\n",
    ],
)
def test_what_is_not_exactly_a_note_is_refused(note: str) -> None:
    """With one line of why."""
    with pytest.raises(Invalid) as told:
        read_note(note)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "name",
        THEIR_KEY.replace("c74f20a3", "c74f20a4"),
        THEIR_KEY.replace("ARpc", "Ahpc"),
        THEIR_KEY.replace("PeterNeumann", "Peter Neumann"),
        THEIR_KEY.replace("PeterNeumann", ""),
        THEIR_KEY[:-4],
        f"name+{'0' * 8}+AQ==",
    ],
)
def test_what_is_not_exactly_a_key_is_refused(key: str) -> None:
    """Its id must fit its name and its bytes."""
    with pytest.raises(Invalid):
        read_key(key)
