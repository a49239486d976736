import json
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service.verify.invalid import Invalid
from service.verify.note import PublicKey
from service.verify.proof import check_receipt
from service.verify.receipt import read_receipt
from tests.verify.signed import KEY, a_receipt

LINES: Final = [f'{{"event":"é{number}","v":1}}' for number in range(11)]


def test_a_receipt_proves_its_line() -> None:
    """As a document and back, for every line of a log."""
    for index in range(len(LINES)):
        untrusted = json.dumps(a_receipt(index, LINES).document())
        proved = check_receipt(read_receipt(untrusted), KEY)
        assert proved.line == json.loads(LINES[index])
        assert (proved.index, proved.checkpoint.size) == (index, len(LINES))


def test_every_bit_of_a_receipt_counts() -> None:
    """Whichever is flipped, it is no receipt, or it proves nothing under the key that was given."""
    good = json.dumps(a_receipt(5, LINES).document(), ensure_ascii=False).encode()
    whole = check_receipt(read_receipt(good.decode()), KEY)
    for bit in range(len(good) * 8):
        wrong = bytearray(good)
        wrong[bit // 8] ^= 1 << bit % 8
        try:
            proved = check_receipt(read_receipt(wrong.decode()), KEY)
        except (Invalid, UnicodeDecodeError):
            continue
        # White space between the members, or the key beside the one that was given, say nothing.
        assert proved == whole


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "greenroom-receipt/2"},
        {"index": True},
        {"index": 5.0},
        {"index": -1},
        {"index": 4},
        {"index": 10**30},
        {"proof": "AAAA"},
        {"proof": ["AAAA"]},
        {"proof": [3]},
        {"line": 3},
        {"line": "\ud800"},
        {"line": LINES[6]},
        {"key": "nonsense"},
        {"checkpoint": "nonsense"},
        {"more": 1},
    ],
)
def test_what_is_not_exactly_a_receipt_is_refused(changes: dict[str, Any]) -> None:
    """With one line of why."""
    document = a_receipt(5, LINES).document() | changes
    with pytest.raises(Invalid) as told:
        check_receipt(read_receipt(json.dumps(document)), KEY)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "untrusted", ["", "[]", "null", "[" * 100_000, "{}", '{"index":1,"index":2}', " " * 2**21]
)
def test_odd_documents_are_refused(untrusted: str) -> None:
    """Whatever they are."""
    with pytest.raises(Invalid):
        read_receipt(untrusted)


@pytest.mark.parametrize(
    "line",
    [
        '{"v":2}',
        "{}",
        "[]",
        "text",
        '{"v":1,"v":1}',
        '{"v":true}',
        '{"v":1.0}',
        '{"v":1,"x":NaN}',
        '{"v":1,"x":-Infinity}',
    ],
)
def test_a_line_that_cannot_be_understood_proves_nothing(line: str) -> None:
    """A later version, or no line at all, even under a good checkpoint."""
    with pytest.raises(Invalid):
        check_receipt(a_receipt(0, [line]), KEY)


def test_another_key_than_the_logs_proves_nothing() -> None:
    """The key in the receipt is not believed."""
    receipt = a_receipt(5, LINES)
    other = PublicKey(KEY.name, Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    with pytest.raises(Invalid):
        check_receipt(receipt, other)
