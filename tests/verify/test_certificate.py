"""What the certificate of an erasure proves, to those who know the log's key."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from service.verify.command import main
from service.verify.note import PublicKey
from service.verify.receipt import CERTIFICATE, FORMAT
from tests.verify.signed import KEY, PRIVATE, a_receipt

DETAIL: Final = {"erasure": "er_1", "reach": "meeting", "mark": "me_1", "uploads": 3, "bytes": 12}
GOOD: Final = {"v": 1, "event": "erasure_done", "detail": DETAIL}


def checked(folder: Path, line: dict[str, Any], kind: str = CERTIFICATE, key: PublicKey = KEY) -> int:
    """Run the command on the certificate that a line of a log gives; return how it ended."""
    receipt = replace(a_receipt(1, ['{"v":1}', json.dumps(line), '{"v":1}']), format=kind)
    (folder / "certificate").write_text(json.dumps(receipt.document()))
    (folder / "key").write_text(f"{key}\n")
    return main(["certificate", str(folder / "certificate"), "--key", str(folder / "key")])


def test_a_certificate_proves_what_was_erased(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The line is told, so that its reader sees what, how much and when."""
    assert checked(tmp_path, GOOD) == 0
    told = capsys.readouterr().out
    assert told.startswith("valid: line 1 of greenroom/log/test says that it was erased: ")
    assert json.loads(told.partition("erased: ")[2]) == GOOD


@pytest.mark.parametrize(
    "line",
    [
        {**GOOD, "event": "deleted"},
        {**GOOD, "event": "erasure_asked"},
        {**GOOD, "detail": None},
        {**GOOD, "v": 2},
    ],
    ids=["a deletion", "asked for alone", "of nothing", "another version"],
)
def test_another_line_is_no_certificate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: dict[str, Any]
) -> None:
    """However well it is proved: that it was asked for does not say that it was done."""
    assert checked(tmp_path, line) == 1
    assert "NOT VALID" in capsys.readouterr().err


def test_a_receipt_is_no_certificate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each says what it is for."""
    assert checked(tmp_path, GOOD, FORMAT) == 1
    assert CERTIFICATE in capsys.readouterr().err


def test_it_proves_nothing_under_another_key(tmp_path: Path) -> None:
    """Whoever writes a certificate signs it with a key of their own."""
    other = PublicKey(KEY.name, bytes(32))
    assert PRIVATE.public_key().public_bytes_raw() != other.key
    assert checked(tmp_path, GOOD, key=other) == 1
