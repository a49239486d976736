"""The log of the real service: lines get their places while it works, and an auditor can follow it."""

from pathlib import Path

from service.core.journal import Placed
from service.verify.command import main as verify
from stack.samples import EICAR
from tests.e2e.serving import Backend, eventually


def test_a_verdict_is_in_the_tree_within_seconds_and_under_a_checkpoint(
    backend: Backend, tmp_path: Path
) -> None:
    """The worker does it while it does everything else, and the bucket has what was signed."""
    service = backend.web.service
    parts = service.parts
    upload = backend.upload(EICAR, "eicar.txt")

    def placed() -> bool:
        lines = parts.journal.of_upload(upload["id"])
        return bool(lines) and all(isinstance(line, Placed) for line in lines)

    eventually(placed, 5, "the lines' places")
    eventually(lambda: parts.checkpoints.newest() is not None, 5, "the first checkpoint")
    (tmp_path / "log.key").write_text(service.run("log", "key").stdout)
    (tmp_path / "all.note").write_text(service.run("log", "checkpoint", "--all").stdout)
    (tmp_path / "log.jsonl").write_text(service.run("log", "export").stdout)
    words = ["log", "log.jsonl", "--checkpoint", "all.note", "--key", "log.key"]
    assert verify([str(tmp_path / word) if "." in word else word for word in words]) == 0
    (bucket,) = parts.witnesses
    name = parts.checkpoints.log_keys()[0].name
    eventually(lambda: bucket.newest(name) is not None, 5, "the first checkpoint in the bucket")
    newest = bucket.newest(name)
    assert newest in {one.note for one in parts.checkpoints.after(0, 1000)}


def test_an_evidence_pack_of_the_real_service_verifies_offline(backend: Backend, tmp_path: Path) -> None:
    """Up to the first checkpoint, which is over some of what happened."""
    service = backend.web.service
    eventually(lambda: service.parts.checkpoints.newest() is not None, 5, "the first checkpoint")
    pack, key = tmp_path / "pack.zip", tmp_path / "log.key"
    key.write_text(service.run("log", "key").stdout)
    first = service.parts.checkpoints.after(0, 1)[0]
    end = ("--to", first.at.isoformat())
    service.run("evidence", "--from", "2026-01-01", *end, "--output", str(pack))
    assert verify(["evidence", str(pack), "--key", str(key)]) == 0
