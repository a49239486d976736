"""``python -m service log ...``: what the operator hands to an auditor."""

import argparse
from pathlib import Path

import pytest

from service import audit
from service.core.journal import Act, Entry
from service.stages.log.checkpoint import sign
from service.stages.log.place import place
from service.verify.command import main as verify
from tests.stages.world import PDF, World


def run(world: World, capsysbinary: pytest.CaptureFixture[bytes], *words: str) -> bytes:
    """Run a command and return what it printed."""
    parser = argparse.ArgumentParser()
    audit.add_arguments(parser, lambda: world.parts)
    options = parser.parse_args(words)
    assert options.run(options) == 0
    return capsysbinary.readouterr().out


def test_what_is_printed_is_what_verify_checks(
    world: World, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    """Every line, under each checkpoint, with the key; more lines than are read at once."""
    world.upload(PDF)
    for _ in range(3):
        world.journal.append([Entry(world.clock.now(), Act.CANARIES.value, {"who": "é"})] * 501)
        while place(world.parts):
            pass
        sign(world.parts)
    (tmp_path / "log.jsonl").write_bytes(run(world, capsysbinary, "export"))
    (tmp_path / "log.key").write_bytes(run(world, capsysbinary, "key"))
    (tmp_path / "newest.note").write_bytes(run(world, capsysbinary, "checkpoint"))
    (tmp_path / "all.note").write_bytes(run(world, capsysbinary, "checkpoint", "--all"))
    for notes, said in (("newest.note", b"those of the checkpoint"), ("all.note", b"3 checkpoints")):
        words = ["log", "log.jsonl", "--checkpoint", notes, "--key", "log.key"]
        assert verify([str(tmp_path / word) if "." in word else word for word in words]) == 0
        told = capsysbinary.readouterr().out
        assert said in told
        assert b"NOT" not in told


def test_a_log_that_signed_nothing_has_no_checkpoint(
    world: World, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """1 and a line, in place of an empty file that looks like something."""
    parser = argparse.ArgumentParser()
    audit.add_arguments(parser, lambda: world.parts)
    options = parser.parse_args(["checkpoint"])
    assert options.run(options) == 1
    assert capsysbinary.readouterr().out == b""
