"""What an auditor is handed, and what of it can be forged: nothing."""

from __future__ import annotations

import argparse
import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from service import evidence
from service.core.errors import BadRequest, ConfigurationError, LogDamaged, NotSignedYet
from service.core.journal import Act, Entry, of_move
from service.core.upload import Event, LogLine, State, Upload
from service.stages.log.checkpoint import sign
from service.stages.log.keys import public_key, signing_key
from service.stages.log.place import place
from service.verify.checkpoint import Checkpoint, read_checkpoint
from service.verify.command import main as verify
from service.verify.extracts import EXTRACTS, Extracts
from service.verify.manifest import LISTED, MANIFEST, read_manifest
from service.verify.merkle import Frontier, leaf_hash
from service.verify.note import PublicKey, read_note, split_notes, write_note
from tests.console.office import Office
from tests.stages.reviewing import ODD, allowance, decided, find, held
from tests.stages.world import PDF, World

Members = dict[str, bytes]
#: A move: what happened, the states before and after, and its detail.
Told = tuple[Event, State, State, dict[str, object]]


def keep(world: World) -> None:
    """Place and sign everything, a minute later."""
    while place(world.parts):
        pass
    sign(world.parts)
    world.clock.advance(60)


def a_day(world: World) -> None:
    """Files that are found clean, that people let go and that the allow-list excuses; one is blocked."""
    world.journal.append([Entry(world.clock.now(), Act.SIGNATURES.value, {"engine": "1"})])
    world.upload(PDF)
    keep(world)
    decided(world, held(world))
    world.work()
    allowance(world)
    assert world.upload(ODD).state is State.RELEASED
    world.journal.append([Entry(world.clock.now(), Act.CANARIES.value, {"failures": ""})])
    keep(world)


class Auditor:
    """Somebody with the log's key and a pack."""

    def __init__(self, office: Office, folder: Path) -> None:
        self.office, self.folder = office, folder
        self.pack, self.key = folder / "pack.zip", folder / "log.key"
        self.key.write_text(f"{public_key(office.world.parts)}\n")

    def order(self, since: str = "2026-11-01", until: str | None = None) -> int:
        """Have the pack made; the command's exit code."""
        parser = argparse.ArgumentParser()
        evidence.add_arguments(parser, lambda: self.office.desk)
        end = until or self.office.world.clock.now().isoformat()
        words = ["--from", since, "--to", end, "--output", str(self.pack)]
        options = parser.parse_args(words)
        return int(options.run(options))

    def check(self, *words: str) -> int:
        """Check it; the command's exit code."""
        return verify(["evidence", str(self.pack), "--key", str(self.key), *words])

    def members(self) -> Members:
        """What is in it."""
        with zipfile.ZipFile(self.pack) as pack:
            return {name: pack.read(name) for name in pack.namelist()}

    def forge(self, members: Members) -> None:
        """Put something else into its place."""
        with zipfile.ZipFile(self.pack, "w") as pack:
            for name, content in members.items():
                pack.writestr(name, content)

    def sign_again(self, members: Members) -> Members:
        """What somebody who has the signing key makes of it."""
        was = read_manifest(read_note(members[MANIFEST].decode()))
        digests = {name: hashlib.sha256(members[name]).hexdigest() for name in LISTED}
        text = replace(was, members=digests).text()
        return members | {MANIFEST: sign_as_the_log(self.office.world, text)}


@pytest.fixture
def auditor(tmp_path: Path) -> Auditor:
    """An auditor after a day's work."""
    office = Office()
    a_day(office.world)
    return Auditor(office, tmp_path)


def lines(content: bytes) -> list[dict[str, object]]:
    """Read JSON lines."""
    return [json.loads(line) for line in content.splitlines()]


def test_a_pack_proves_what_covers_every_release(
    auditor: Auditor, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a clean verdict, a decision or an allowance, each with its line, and all of it verifies offline."""
    assert auditor.order() == 0
    assert auditor.check() == 0
    assert "3 releases" in capsys.readouterr().out
    members = auditor.members()
    covered = lines(members["coverage.jsonl"])
    assert [one["by"] for one in covered] == ["clean", "decision", "allowance"]
    log = lines(members["log.jsonl"])
    for one in covered:
        cleared, position = one["cleared"], one["position"]
        assert isinstance(cleared, int)
        assert isinstance(position, int)
        assert cleared < position
        assert log[cleared]["upload"] == log[position]["upload"] == one["upload"]
        assert log[cleared]["after"] == "cleared"
    assert members["exceptions.jsonl"] == members["uploads.jsonl"] == b""
    events = [line["line"] for line in lines(members["decisions.jsonl"])]
    assert len(events) == 5
    assert len(lines(members["signatures.jsonl"])) == len(lines(members["canaries.jsonl"])) == 1
    assert b"python -m service verify evidence" in members["README.txt"]


def test_nothing_in_it_tells_of_a_person(auditor: Auditor) -> None:
    """Neither the account's and the meetings' names nor those of files, nor the reasons of reviewers."""
    auditor.order()
    everything = b"".join(auditor.members().values())
    world = auditor.office.world
    personal = {text for row in world.ledger.rows() for text in (row.account_id, row.meeting_id, row.name)}
    personal |= {
        decision.reason for row in world.ledger.rows() for decision in world.decisions.of_upload(row.id)
    }
    assert len(personal) > 3
    assert [
        text
        for text in personal
        if f'"{text}"'.encode() in everything or (len(text) > 6 and text.encode() in everything)
    ] == []


CHANGES: dict[str, Callable[[Members, str], Members]] = {
    "a bit": lambda members, name: members | {name: bytes([*members[name][:-1], members[name][-1] ^ 1])},
    "removed": lambda members, name: {other: members[other] for other in members if other != name},
    "emptied": lambda members, name: members | {name: b""},
    "more": lambda members, name: members | {name: members[name] + b"{}\n"},
}


@pytest.mark.parametrize("name", sorted({*LISTED, MANIFEST}))
def test_no_member_can_be_changed_removed_or_added(auditor: Auditor, name: str) -> None:
    """Whichever it is; and nothing can be put beside it, under a new name or its own."""
    auditor.order()
    members = auditor.members()
    for change in CHANGES.values():
        if members[name] or change is CHANGES["more"]:
            auditor.forge(change(members, name))
            assert auditor.check() == 1
    auditor.forge(members | {f"{name}.more": b""})
    assert auditor.check() == 1
    auditor.forge(members)
    assert auditor.check() == 0
    with zipfile.ZipFile(auditor.pack, "a") as pack, pytest.warns(UserWarning, match="Duplicate"):
        pack.writestr(name, members[name])
    assert auditor.check() == 1


@pytest.mark.parametrize("name", sorted(LISTED - {"README.txt", "uploads.jsonl"}))
def test_who_has_the_signing_key_cannot_change_what_follows_from_the_log(auditor: Auditor, name: str) -> None:
    """A manifest that is signed again makes no extract true, and no line one of the log."""
    auditor.order()
    members = auditor.members()
    for change in (CHANGES["a bit"], CHANGES["emptied"], CHANGES["more"]):
        if members[name] or change is CHANGES["more"]:
            auditor.forge(auditor.sign_again(change(members, name)))
            assert auditor.check() == 1
    auditor.forge(auditor.sign_again(members))
    assert auditor.check() == 0


def sign_as_the_log(world: World, text: str) -> bytes:
    """The log's note of a text, by whoever has its key."""
    key = signing_key(world.parts)
    signature = world.parts.signer.sign(world.parts.sealer.unseal(key.sealed), text.encode())
    return write_note(text, PublicKey(key.name, key.public_key), signature).encode()


def another_history(world: World, members: Members) -> Members:
    """A pack of a log in which the first line never was what it is, whole in itself but for its manifest."""
    changed = members["log.jsonl"].replace(b'"engine":"1"', b'"engine":"2"', 1)
    assert changed != members["log.jsonl"]
    span = read_manifest(read_note(members[MANIFEST].decode())).span
    sizes = [
        read_checkpoint(read_note(note)).size for note in split_notes(members["checkpoints.note"].decode())
    ]
    frontier, extracts, notes = Frontier(), Extracts(span), b""
    forged = dict.fromkeys(EXTRACTS, b"")
    for position, line in enumerate(changed.splitlines()):
        frontier.append(leaf_hash(line))
        for name, added in extracts.take(position, line):
            forged[name] += added
        if frontier.size in sizes:
            checkpoint = Checkpoint(public_key(world.parts).name, frontier.size, frontier.root())
            notes += sign_as_the_log(world, checkpoint.text()) + b"\n"
    return members | forged | {"log.jsonl": changed, "checkpoints.note": notes}


def test_a_whole_forgery_is_found_by_what_was_kept(auditor: Auditor) -> None:
    """Somebody with the signing key makes another log, whole in itself; who kept one checkpoint sees it."""
    world = auditor.office.world
    kept = auditor.folder / "kept.note"
    kept.write_text(world.checkpoints.signed[0].note)
    auditor.order()
    assert auditor.check("--checkpoint", str(kept)) == 0
    auditor.forge(auditor.sign_again(another_history(world, auditor.members())))
    assert auditor.check() == 0
    assert auditor.check("--checkpoint", str(kept)) == 1


def test_there_is_no_pack_of_a_log_that_was_changed(auditor: Auditor) -> None:
    """The service says so in place of proving what is not so; no half of a file stays."""
    places = auditor.office.world.journal.places
    first = next(row for row, (position, _) in places.items() if position == 0)
    places[first] = (0, places[first][1].replace('"engine":"1"', '"engine":"2"'))
    with pytest.raises(LogDamaged):
        auditor.order()
    assert not list(auditor.folder.glob("*pack*"))


def rewritten(world: World, upload: Upload, **changes: object) -> None:
    """Change a row past the service."""
    world.ledger._rows[upload.id] = replace(find(world, upload), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [{"state": State.RELEASED}, {"sha256": "0" * 64}])
def test_a_row_that_says_otherwise_is_an_exception(
    auditor: Auditor, change: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    """One that was never released, and one of another content: told loudly, in the pack too, which verifies
    and still ends with 1."""
    world = auditor.office.world
    wanted = State.HELD if "state" in change else State.RELEASED
    row = next(row for row in world.ledger.rows() if row.state is wanted)
    rewritten(world, row, **change)
    assert auditor.order() == 1
    said = capsys.readouterr().err
    assert f"EXCEPTION {row.id}" in said
    assert row.id.encode() in auditor.members()["uploads.jsonl"]
    assert b"!!!" in auditor.members()["README.txt"]
    assert auditor.check() == 1
    assert "EXCEPTIONS" in capsys.readouterr().out


def moves(upload: Upload, *told: Told) -> list[Entry]:
    """Lines that a service which does not keep its own laws might write."""
    return [of_move(upload, LogLine(upload.created_at, *move)) for move in told]


CLEAN: dict[str, object] = {"kind": "clean", "sha256": "a" * 64}
OUT: Told = (Event.COPIED_OUT, State.CLEARED, State.RELEASED, {"sha256": "a" * 64})
BY_ONE: dict[str, object] = {"sha256": "a" * 64, "decision": "de_1", "proposed_by": "rv_a"}
WRONG: dict[str, list[Told]] = {
    "nothing before it": [OUT],
    "not clean": [(Event.FOUND_CLEAN, State.SCANNING, State.CLEARED, CLEAN | {"kind": "infected"}), OUT],
    "another content": [
        (Event.FOUND_CLEAN, State.SCANNING, State.CLEARED, CLEAN | {"sha256": "b" * 64}),
        OUT,
    ],
    "found clean, then blocked": [
        (Event.FOUND_CLEAN, State.SCANNING, State.CLEARED, CLEAN),
        (Event.FOUND_INFECTED, State.CLEARED, State.BLOCKED, {}),
        OUT,
    ],
    "released twice": [(Event.FOUND_CLEAN, State.SCANNING, State.CLEARED, CLEAN), OUT, OUT],
    "cleared by nobody": [(Event.REVIEWER_CLEARED, State.HELD, State.CLEARED, BY_ONE), OUT],
}


@pytest.mark.parametrize("case", WRONG)
def test_a_release_that_nothing_covers_is_an_exception(auditor: Auditor, case: str) -> None:
    """What stands in the proved lines decides, whatever the table says."""
    world = auditor.office.world
    row = next(row for row in world.ledger.rows() if row.state is State.RELEASED)
    fake = replace(row, id="up_" + "f" * 32)
    world.journal.append(moves(fake, *WRONG[case]))
    keep(world)
    assert auditor.order() == 1
    (found,) = lines(auditor.members()["exceptions.jsonl"])
    assert found["upload"] == fake.id
    assert found["problem"]
    assert auditor.check() == 1


def test_packs_leave_no_line_out(auditor: Auditor) -> None:
    """Two times one after the other have every release between them; each goes back to the first line."""
    world = auditor.office.world
    middle = world.checkpoints.signed[0].at.isoformat()
    found = []
    for since, until in (("2026-11-01", middle), (middle, None)):
        auditor.order(since, until)
        assert auditor.check() == 0
        found.append([line["position"] for line in lines(auditor.members()["coverage.jsonl"])])
        auditor.pack.unlink()
    assert len({*found[0], *found[1]}) == 3
    assert len(found[1]) < 3 or len(found[0]) < 3


def test_what_is_not_signed_yet_is_waited_for(auditor: Auditor) -> None:
    """A time that is not over, or whose last lines are under no checkpoint: no pack, and no file."""
    with pytest.raises(BadRequest):
        auditor.order(until="2099-01-01")
    auditor.office.world.upload(PDF)
    with pytest.raises(NotSignedYet):
        auditor.order()
    assert not list(auditor.folder.glob("*pack*"))


def test_nothing_is_overwritten(auditor: Auditor) -> None:
    """A file that is there stays as it is."""
    auditor.pack.write_text("mine")
    with pytest.raises(ConfigurationError):
        auditor.order()
    assert auditor.pack.read_text() == "mine"
    assert len(list(auditor.folder.glob("*pack*"))) == 1
