"""``ports.Cipher``: what is sealed is opened by its own key at its own place, and by nothing else."""

import io
import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest

from service.adapters.master_key import KeyInHand, Succession, new_keyset
from service.adapters.tink_cipher import TinkCipher
from service.core.account import HOME, Account
from service.core.errors import ContentLost, KeysUnavailable, SecretsUnreadable, Truncated
from service.ports import AccountKey, Cipher, ContentCipher, Source

FRAME: Final = 256 * 1024
SEALED: Final = FRAME + 56
SIZES: Final = [0, 1, 57, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 3 * FRAME + 1000]
ACME: Final = Account("acme", datetime(2026, 11, 22, tzinfo=UTC))
CIPHER: Final = TinkCipher({HOME: KeyInHand(new_keyset())})


def keyed(cipher: Cipher, account: Account) -> Account:
    """Return an account with a key of its own."""
    return replace(account, sealed_key=cipher.new_account_key(account))


def key_of(account_id: str) -> AccountKey:
    """Return the key of a new account."""
    return CIPHER.account_key(keyed(CIPHER, replace(ACME, id=account_id)))


@pytest.fixture
def key() -> AccountKey:
    """An account's key."""
    return key_of("acme")


@pytest.fixture
def content(key: AccountKey) -> ContentCipher:
    """What seals one content."""
    return key.content("up_1", key.new_content_key("up_1"))


class Trickle:
    """A source of odd amounts, and perhaps of an error."""

    def __init__(self, data: bytes, error: Exception | None = None) -> None:
        self._data = io.BytesIO(data)
        self._error = error

    def read(self, size: int, /) -> bytes:
        """Return at most 7777 bytes."""
        piece = self._data.read(min(size, 7777))
        if not piece and self._error:
            raise self._error
        return piece


def noise(size: int, seed: int = 1) -> bytes:
    """Return bytes that repeat nowhere."""
    return random.Random(seed).randbytes(size)


def everything(source: Source, size: int = 100_000) -> bytes:
    """Read a source to its end."""
    return b"".join(iter(lambda: source.read(size), b""))


def sealed(content: ContentCipher, data: bytes, number: int = 0) -> bytes:
    """Return an object."""
    return everything(content.seal(number, Trickle(data)))


def opened(
    content: ContentCipher,
    size: int,
    object_: bytes,
    offset: int = 0,
    length: int | None = None,
    number: int = 0,
) -> bytes:
    """Return a range of an object of ``size`` plain bytes."""
    stretch = CIPHER.stretch(size, offset, size - offset if length is None else length)
    part = object_[stretch.offset : stretch.offset + stretch.length]
    return everything(content.open(number, stretch, Trickle(part)))


@pytest.mark.parametrize("size", SIZES)
def test_what_is_opened_is_what_was_sealed(content: ContentCipher, size: int) -> None:
    """Byte for byte at every edge of a frame, in an object of the size that was foretold."""
    data = noise(size)
    object_ = sealed(content, data)
    assert len(object_) == CIPHER.sealed_size(size)
    assert opened(content, size, object_) == data
    assert data[:20] not in object_ or size < 20


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("asked", [1, 1000, SEALED, 5 * 1024 * 1024])
def test_as_much_is_given_as_is_asked_for(content: ContentCipher, size: int, asked: int) -> None:
    """A store's parts need whole reads: less only comes at the end."""
    if asked == 1 and size > FRAME:
        pytest.skip("byte by byte is tried with small ones")
    source = content.seal(0, Trickle(noise(size)))
    lengths = [len(piece) for piece in iter(lambda: source.read(asked), b"")]
    assert set(lengths[:-1]) <= {asked}
    assert sum(lengths) == CIPHER.sealed_size(size)
    assert source.read(asked) == b""


RANGES: Final = [(0, 1), (1, 10), (FRAME - 1, 2), (FRAME, FRAME), (2 * FRAME + 5, 995), (5, 3 * FRAME)]


@pytest.mark.parametrize(("offset", "length"), RANGES)
def test_a_range_is_just_those_bytes(content: ContentCipher, offset: int, length: int) -> None:
    """And costs at most the frames that it lies in."""
    data = noise(3 * FRAME + 1000)
    stretch = CIPHER.stretch(len(data), offset, length)
    assert stretch.length <= length + 2 * SEALED
    assert opened(content, len(data), sealed(content, data), offset, length) == data[offset : offset + length]


def test_two_objects_of_the_same_bytes_have_nothing_in_common(content: ContentCipher) -> None:
    """What lies in the store does not tell which contents are the same."""
    data = noise(1000)
    one, other = sealed(content, data), sealed(content, data)
    assert not {one[at : at + 16] for at in range(1000)} & {other[at : at + 16] for at in range(1000)}


DATA: Final = noise(2 * FRAME + 100)
TAMPERINGS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "a bit": lambda o: o[:5000] + bytes([o[5000] ^ 1]) + o[5001:],
    "a bit of the last tag": lambda o: o[:-1] + bytes([o[-1] ^ 1]),
    "a salt": lambda o: bytes([o[0]]) + bytes([o[1] ^ 1]) + o[2:],
    "frames swapped": lambda o: o[SEALED : 2 * SEALED] + o[:SEALED] + o[2 * SEALED :],
    "a frame doubled": lambda o: o[:SEALED] + o[:SEALED] + o[2 * SEALED :],
    "a frame gone": lambda o: o[SEALED:],
    "the end gone": lambda o: o[:-1],
    "the last frame gone": lambda o: o[: 2 * SEALED],
    "all gone": lambda _: b"",
    "zeros": lambda o: bytes(len(o)),
}


@pytest.mark.parametrize("how", TAMPERINGS)
def test_what_was_changed_is_never_given(content: ContentCipher, how: str) -> None:
    """Whatever is done to an object: at most whole frames that are right and in place, then an error."""
    object_ = TAMPERINGS[how](sealed(content, DATA))
    source = content.open(0, CIPHER.stretch(len(DATA), 0, len(DATA)), io.BytesIO(object_))
    given: list[bytes] = []
    with pytest.raises(ContentLost):
        given.extend(iter(lambda: source.read(FRAME), b""))
    assert DATA.startswith(b"".join(given))


def test_nothing_opens_at_another_place(key: AccountKey, content: ContentCipher) -> None:
    """An object stands only for its own number, content and account, even where the key is the same."""
    object_, size = sealed(content, DATA, number=1), len(DATA)
    assert opened(content, size, object_, number=1) == DATA
    other = key.content("up_2", key.new_content_key("up_2"))
    stranger = key_of("other")
    strange = stranger.content("up_1", stranger.new_content_key("up_1"))
    for cipher, number in ((content, 0), (content, 2), (other, 1), (strange, 1)):
        with pytest.raises(ContentLost):
            opened(cipher, size, object_, number=number)


def test_a_contents_key_is_its_own(key: AccountKey) -> None:
    """Neither another content of the account nor another account can use it, nor one that was changed."""
    sealed_key = key.new_content_key("up_1")
    wrong = [(key, "up_2", sealed_key), (key_of("acme"), "up_1", sealed_key)]
    wrong += [(key, "up_1", broken) for broken in (b"", sealed_key[:-1], bytes(len(sealed_key)))]
    for own, content_id, one in wrong:
        with pytest.raises(ContentLost):
            own.content(content_id, one)


def test_an_accounts_key_is_its_own() -> None:
    """Sealed by another master key, or for another account, it is not opened; nor is anything else."""
    acme = keyed(CIPHER, ACME)
    for account in (
        replace(acme, id="other"),
        replace(acme, id="acm"),
        replace(acme, sealed_key=None),
        replace(acme, sealed_key=b"x" * 200),
        keyed(TinkCipher({HOME: KeyInHand(new_keyset())}), ACME),
    ):
        with pytest.raises(SecretsUnreadable):
            CIPHER.account_key(account)


def test_each_region_has_its_own_master_key() -> None:
    """A key of one region is not opened by another's, and without one nothing is made."""
    regions = TinkCipher({"eu": KeyInHand(new_keyset()), "us": KeyInHand(new_keyset())})
    european = keyed(regions, replace(ACME, region="eu"))
    regions.account_key(european)
    with pytest.raises(SecretsUnreadable):
        regions.account_key(replace(european, region="us"))
    for call in (regions.new_account_key, regions.account_key):
        with pytest.raises(KeysUnavailable):
            call(replace(european, region="mars"))


def test_an_accounts_key_is_sealed_anew_by_the_present_master_key_and_by_it_once() -> None:
    """It is the same key; the one before opens it no more, and a keyset's own change of keys counts too."""
    old, new = KeyInHand(new_keyset()), KeyInHand(new_keyset())
    both = TinkCipher({HOME: Succession(new, old)})
    before = keyed(TinkCipher({HOME: old}), ACME)
    content_key = both.account_key(before).new_content_key("up_1")
    sealed = both.resealed(before)
    after = replace(before, sealed_key=sealed)
    assert both.resealed(after) is None
    TinkCipher({HOME: new}).account_key(after).content("up_1", content_key)
    with pytest.raises(SecretsUnreadable):
        TinkCipher({HOME: old}).account_key(after)
    for account in (replace(after, id="other"), replace(after, sealed_key=(sealed or b"")[:-1] + b"x")):
        with pytest.raises(SecretsUnreadable):
            both.resealed(account)


def test_a_keyset_may_hold_the_keys_before() -> None:
    """Its primary key counts as the present one, as Tink's own tools change it."""
    one, other = json.loads(new_keyset()), json.loads(new_keyset())
    both = KeyInHand(json.dumps({"primaryKeyId": other["primaryKeyId"], "key": one["key"] + other["key"]}))
    before = keyed(TinkCipher({HOME: KeyInHand(json.dumps(one))}), ACME)
    sealed = TinkCipher({HOME: both}).resealed(before)
    TinkCipher({HOME: KeyInHand(json.dumps(other))}).account_key(replace(before, sealed_key=sealed))


@pytest.mark.parametrize("size", [0, 100, FRAME, FRAME + 1])
def test_the_sources_own_error_passes_through(content: ContentCipher, size: int) -> None:
    """A body that breaks off makes no sealed end."""
    error = Truncated("broke off")
    source = content.seal(0, Trickle(noise(size), error))
    with pytest.raises(Truncated) as raised:
        everything(source)
    assert raised.value is error
