"""``python -m service verify``: what it says and how it ends."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from service import verify
from service.verify.command import main
from service.verify.note import PublicKey
from tests.verify.signed import KEY, a_receipt, checkpoint, sign

LINES: Final = [f'{{"event":"é{number}","v":1}}' for number in range(11)]
EXPORT: Final = [line.encode() + b"\n" for line in LINES]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with everything that an auditor has."""
    (tmp_path / "log.key").write_text(f"{KEY}\n")
    (tmp_path / "receipt.json").write_text(json.dumps(a_receipt(5, LINES).document()))
    (tmp_path / "log.jsonl").write_bytes(b"".join(EXPORT))
    (tmp_path / "kept.note").write_text(sign(checkpoint(EXPORT[:9])))
    return tmp_path


def run(folder: Path, *words: str) -> int:
    """Run a command; words that name a file of ``folder`` stand for it."""
    return main([str(folder / word) if "." in word else word for word in words])


def test_a_receipt_that_proves_its_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The line is told, so that its reader sees what was proved."""
    assert run(folder, "receipt", "receipt.json", "--key", "log.key") == 0
    told = capsys.readouterr().out
    assert told.startswith("valid: line 5 of greenroom/log/test: ")
    assert json.loads(told.partition("test: ")[2]) == json.loads(LINES[5])


def test_a_log_that_fits(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What follows the checkpoint is not proved, and is not called so."""
    assert run(folder, "log", "log.jsonl", "--checkpoint", "kept.note", "--key", "log.key") == 0
    told = capsys.readouterr().out
    assert "9 lines" in told
    assert "2 lines after them are NOT proved" in told
    (folder / "newer.note").write_text(sign(checkpoint(EXPORT)))
    both = ("--checkpoint", "kept.note", "--checkpoint", "newer.note")
    assert run(folder, "log", "log.jsonl", *both, "--key", "log.key") == 0
    told = capsys.readouterr().out
    assert "11 lines" in told
    assert "NOT" not in told


def test_many_checkpoints_in_one_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a file that is kept as a witness has them; each of them counts."""
    notes = [sign(checkpoint(EXPORT[:size])) for size in (1, 4, 11)]
    (folder / "many.note").write_text("".join(f"{note}\n" for note in notes))
    assert run(folder, "log", "log.jsonl", "--checkpoint", "many.note", "--key", "log.key") == 0
    assert "3 checkpoints" in capsys.readouterr().out
    forged = sign(checkpoint([EXPORT[1], EXPORT[0]]))
    (folder / "many.note").write_text("".join(f"{note}\n" for note in [*notes, forged]))
    assert run(folder, "log", "log.jsonl", "--checkpoint", "many.note", "--key", "log.key") == 1


def test_an_export_without_an_end_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What somebody hands in as a log takes no more memory than one does, whatever it is."""
    command = [
        "log",
        "/dev/zero",
        "--checkpoint",
        str(folder / "kept.note"),
        "--key",
        str(folder / "log.key"),
    ]
    assert main(command) == 1
    assert "line 0 is cut off" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "changed", "content", "status"),
    [
        ("receipt", "receipt.json", b"{}", 1),
        ("receipt", "receipt.json", b"\xff", 2),
        ("receipt", "receipt.json", json.dumps(a_receipt(5, LINES).document() | {"index": 6}).encode(), 1),
        ("receipt", "log.key", b"greenroom/log/test", 1),
        ("receipt", "log.key", str(PublicKey(KEY.name, bytes(32))).encode(), 1),
        ("log", "log.jsonl", b"".join(EXPORT[1:]), 1),
        ("log", "log.jsonl", b"", 1),
        ("log", "kept.note", b"", 1),
        ("log", "kept.note", b"\n\n", 1),
        ("log", "kept.note", sign(checkpoint(EXPORT)).encode()[:-30], 1),
        ("log", "log.key", str(PublicKey(KEY.name, bytes(32))).encode(), 1),
        ("log", "log.key", b"\xff\xfe", 2),
    ],
)
def test_anything_else_is_not_valid(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str, changed: str, content: bytes, status: int
) -> None:
    """One line says why, on standard error; nothing is called valid."""
    (folder / changed).write_bytes(content)
    words = {"receipt": ("receipt.json",), "log": ("log.jsonl", "--checkpoint", "kept.note")}[command]
    assert run(folder, command, *words, "--key", "log.key") == status
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1


def test_nothing_is_called_valid_without_a_key(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A receipt that vouches for itself proves nothing: the key is asked for."""
    with pytest.raises(SystemExit) as ended:
        run(folder, "receipt", "receipt.json")
    assert ended.value.code == 2
    assert "--key" in capsys.readouterr().err


def test_a_file_that_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cannot be checked, which is not the same as wrong."""
    assert run(folder, "receipt", "missing.json", "--key", "log.key") == 2


def test_the_package_runs_alone(folder: Path) -> None:
    """Copied out of the service, with nothing else of it there, and without its settings."""
    shutil.copytree(Path(verify.__file__).parent, folder / "service" / "verify")
    command = [sys.executable, "-m", "service.verify", "receipt", "receipt.json", "--key", "log.key"]
    done = subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("valid: ")


def test_the_service_has_it_as_a_command_and_loads_nothing_else_for_it(folder: Path) -> None:
    """No settings are needed, and none of the service's other modules."""
    command = [sys.executable, "-X", "importtime", "-m", "service", "verify"]
    command += ["receipt", str(folder / "receipt.json"), "--key", str(folder / "log.key")]
    done = subprocess.run(
        command, env={}, cwd=Path(verify.__file__).parents[2], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    ours = {name for name in loaded if name.startswith("service")}
    assert "service.verify.command" in ours
    assert all(name == "service" or name.startswith("service.verify") for name in ours)
