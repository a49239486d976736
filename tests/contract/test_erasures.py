"""``ports.Erasures``: the fake, SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from service.core.account import Standing
from service.core.erasure import Erasure, Reach
from service.core.errors import Conflict
from service.core.grant import Grant, GrantKind
from service.core.journal import Act, Entry, Placed
from service.core.upload import Segment, State, Upload
from service.ports import PseudonymKey
from tests.contract.conftest import LINE, NOON, LedgerCase, make_key, make_upload

LATER: Final = NOON + timedelta(seconds=1)
ACTOR: Final = "key:gr_000000000001"
ASKED: Final = Entry(NOON, Act.ERASURE_ASKED.value, {"erasure": "er_1"}, ACTOR, account_id="acme")
DONE: Final = Entry(LATER, Act.ERASURE_DONE.value, {"erasure": "er_1"}, ACTOR)
MARKS: Final = {
    Reach.UPLOAD: make_upload(1).id,
    Reach.MEETING: "me_1",
    Reach.PERSON: "pe_1",
    Reach.ACCOUNT: "ac_1",
}
SUBJECTS: Final = MARKS | {Reach.MEETING: "m1", Reach.PERSON: "ada", Reach.ACCOUNT: "acme"}


def make_erasure(reach: Reach, number: int = 1, **changes: Any) -> Erasure:
    """Return an erasure that was asked for at ``LATER``."""
    erasure = Erasure(f"er_{number:032x}", "acme", reach, SUBJECTS[reach], MARKS[reach], ACTOR, LATER)
    return replace(erasure, **changes)


def saved(case: LedgerCase, number: int, **changes: Any) -> Upload:
    """Save an erased upload that nothing was forgotten of."""
    segment = Segment(0, f"key-{number}", 7, "0" * 64, "etag")
    plain: dict[str, Any] = {
        "state": State.ERASED,
        "size": 7,
        "segments": (segment,),
        "person": "ada",
        "grant_id": "gt_1",
    }
    return case.ledger.save(make_upload(number, **plain | changes))


def place_all(case: LedgerCase) -> None:
    """Give every line its place."""
    waiting, size = case.journal.waiting(1000), case.journal.size()
    if waiting:
        case.journal.place(size, [(one.id, f"line {one.id}") for one in waiting], {})


def test_asked_for_twice_it_is_one(ledger_case: LedgerCase) -> None:
    """The one under way is returned, and its line is written once; a done one is no obstacle."""
    first = ledger_case.erasures.ask(make_erasure(Reach.MEETING), ASKED)
    assert first == make_erasure(Reach.MEETING)
    assert ledger_case.erasures.ask(make_erasure(Reach.MEETING, 2), ASKED) == first
    assert ledger_case.erasures.ask(make_erasure(Reach.PERSON, 3), ASKED).id.endswith("3")
    assert len(ledger_case.journal.newest(Act.ERASURE_ASKED, 9)) == 2
    ledger_case.erasures.finish(ledger_case.erasures.let_go(first), DONE)
    assert ledger_case.erasures.ask(make_erasure(Reach.MEETING, 4), ASKED).id.endswith("4")
    assert ledger_case.erasures.find(first.id) is not None
    assert ledger_case.erasures.find("er_x") is None


def test_the_undone_come_in_order_by_how_far_they_are(ledger_case: LedgerCase) -> None:
    """Those with something to forget, those that were let go; a done one is in neither."""
    erasures = ledger_case.erasures
    one = erasures.ask(make_erasure(Reach.MEETING, 1), ASKED)
    two = erasures.ask(make_erasure(Reach.PERSON, 2), ASKED)
    assert [one, two] == list(erasures.undone(9, let_go=False))
    assert [one] == list(erasures.undone(1, let_go=False))
    assert [two] == list(erasures.undone(9, let_go=False, after=one.id))
    gone = erasures.let_go(one)
    assert (gone.subject, gone.uploads, gone.size) == (None, 0, 0)
    assert [two] == list(erasures.undone(9, let_go=False))
    assert [gone] == list(erasures.undone(9, let_go=True))
    done = erasures.finish(gone, DONE)
    assert done.done_at == LATER
    assert erasures.undone(9, let_go=True) == []
    assert erasures.find(one.id) == done


def test_the_line_that_it_is_done_is_written_once(ledger_case: LedgerCase) -> None:
    """Whoever comes second writes none and is told of the first; the line is found by its row."""
    gone = ledger_case.erasures.let_go(ledger_case.erasures.ask(make_erasure(Reach.MEETING), ASKED))
    done = ledger_case.erasures.finish(gone, DONE)
    assert ledger_case.erasures.finish(gone, replace(DONE, at=LATER + timedelta(days=1))) == done
    assert len(ledger_case.journal.newest(Act.ERASURE_DONE, 9)) == 1
    assert done.line is not None
    place_all(ledger_case)
    line = ledger_case.journal.find(done.line)
    assert isinstance(line, Placed)
    assert line.entry.event == Act.ERASURE_DONE
    assert ledger_case.journal.find(10**6) is None


@pytest.mark.parametrize("reach", list(Reach))
def test_it_finds_what_it_is_about_and_nothing_else(ledger_case: LedgerCase, reach: Reach) -> None:
    """By the upload's id, its meeting, its person or its account; of a meeting and a person what was begun
    before it was asked for."""
    mine = saved(ledger_case, 1)
    others: dict[Reach, dict[str, Any]] = {
        Reach.UPLOAD: {"number": 2},
        Reach.MEETING: {"number": 2, "meeting_id": "m2"},
        Reach.PERSON: {"number": 2, "person": "grace"},
        Reach.ACCOUNT: {"number": 2, "account_id": "other"},
    }
    saved(ledger_case, **others[reach])
    saved(ledger_case, 3, account_id="other")
    if reach in {Reach.MEETING, Reach.PERSON}:
        saved(ledger_case, 4, created_at=LATER + timedelta(seconds=1))
    erasure = ledger_case.erasures.ask(make_erasure(reach), ASKED)
    ledger_case.erasures.shut(erasure)
    assert ledger_case.erasures.uploads(erasure, "", 9) == [mine.id]
    assert ledger_case.erasures.uploads(erasure, mine.id, 9) == []
    ledger_case.erasures.forget_uploads(erasure, [mine.id])
    assert ledger_case.erasures.uploads(erasure, "", 9) == []
    assert ledger_case.erasures.let_go(erasure).uploads == 1


@pytest.mark.parametrize("reach", list(Reach))
def test_a_forgotten_upload_is_a_record_that_names_nobody(ledger_case: LedgerCase, reach: Reach) -> None:
    """Its id, digest and times stay; its names, its key and its segments go."""
    upload = saved(ledger_case, 1, content_key=b"key", sha256="1" * 64)
    erasure = ledger_case.erasures.ask(make_erasure(reach), ASKED)
    ledger_case.erasures.forget_uploads(erasure, [upload.id])
    row = ledger_case.ledger.find(upload.id)
    assert row is not None
    marks: dict[Reach, dict[str, Any]] = {
        Reach.MEETING: {"meeting_id": "me_1"},
        Reach.ACCOUNT: {"meeting_id": "ac_1", "account_id": "ac_1"},
    }
    assert row == replace(
        upload,
        name="",
        declared_type="",
        person=None,
        content_key=None,
        segments=(),
        grant_id="gt_1" if reach is Reach.UPLOAD else None,
        **marks.get(reach, {}),
    )


def test_what_is_not_erased_is_not_forgotten(ledger_case: LedgerCase) -> None:
    """All or none of them."""
    gone, there = saved(ledger_case, 1), saved(ledger_case, 2, state=State.RELEASED)
    erasure = ledger_case.erasures.ask(make_erasure(Reach.MEETING), ASKED)
    with pytest.raises(Conflict):
        ledger_case.erasures.forget_uploads(erasure, [gone.id, there.id])
    assert ledger_case.ledger.find(gone.id) == gone


def test_an_upload_that_was_erased_alone_is_found(ledger_case: LedgerCase) -> None:
    """Until an erasure has forgotten it, which it is then known by."""
    first, second = saved(ledger_case, 1), saved(ledger_case, 2)
    saved(ledger_case, 3, state=State.RELEASED)
    assert ledger_case.erasures.unasked(9) == [first.id, second.id]
    assert ledger_case.erasures.unasked(1) == [first.id]
    assert ledger_case.erasures.of_upload(first.id) is None
    erasure = ledger_case.erasures.ask(make_erasure(Reach.UPLOAD), ASKED)
    ledger_case.erasures.forget_uploads(erasure, [first.id])
    assert ledger_case.erasures.unasked(9) == [second.id]
    assert ledger_case.erasures.of_upload(first.id) == erasure


@pytest.mark.parametrize("reach", list(Reach))
def test_rows_of_the_log_forget_what_their_lines_do_not_say(ledger_case: LedgerCase, reach: Reach) -> None:
    """Who it was, where it was no id of ours, the client's own words, and the names of what is erased; a line
    that waits for its place is waited for."""
    upload = saved(ledger_case, 1)
    told = {"sha256": "1" * 64, "request": "my-request"}
    lines = [
        Entry(NOON, "stored", told, "grant:ada-1", upload.id, "acme", "m1", None, State.ERASED),
        Entry(NOON, Act.DOWNLOADED.value, {}, ACTOR, upload.id, "acme", "m1"),
        Entry(NOON, Act.DOWNLOADED.value, {}, "grant:ada-1", make_upload(2).id, "other", "m1"),
        Entry(NOON, Act.KEY_CREATED.value, {}, ACTOR, None, "acme"),
    ]
    saved(ledger_case, 2, account_id="other")
    ledger_case.journal.append(lines)
    erasure = ledger_case.erasures.ask(make_erasure(reach), replace(ASKED, upload_id=upload.id))
    ledger_case.erasures.forget_uploads(erasure, [upload.id])
    assert ledger_case.erasures.forget_others(erasure) > 0
    place_all(ledger_case)
    assert ledger_case.erasures.forget_others(erasure) > 0
    assert ledger_case.erasures.forget_others(erasure) == 0
    account = None if reach is Reach.ACCOUNT else "acme"
    meeting = None if reach in {Reach.ACCOUNT, Reach.MEETING} else "m1"
    assert [one.entry for one in ledger_case.journal.lines(0, 9)] == [
        replace(lines[0], detail={"sha256": "1" * 64}, actor=None, account_id=account, meeting_id=meeting),
        replace(lines[1], account_id=account, meeting_id=meeting),
        lines[2],
        replace(lines[3], account_id=account),
        replace(ASKED, upload_id=upload.id, account_id=account),
    ]
    assert [one.text for one in ledger_case.journal.lines(0, 9)] == [f"line {n}" for n in _ids(ledger_case)]


def _ids(case: LedgerCase) -> list[int]:
    """Return the rows of the lines in their places."""
    return [int(one.text.removeprefix("line ")) for one in case.journal.lines(0, 9)]


def make_grant(number: int) -> Grant:
    """Return a grant for m1."""
    return Grant(
        id=f"gt_{number}",
        account_id="acme",
        kind=GrantKind.UPLOAD,
        meeting_id="m1",
        issued_at=NOON,
        expires_at=NOON + timedelta(hours=1),
        upload_id=None,
        max_files=1,
        max_bytes=1,
        types=frozenset(),
    )


def test_the_doors_of_a_meeting_are_shut(ledger_case: LedgerCase) -> None:
    """Grants of before are revoked, once, and under the mark; those of other meetings, or later, are not."""
    ledger_case.credentials.keep_grant(make_grant(1), NOON)
    ledger_case.credentials.keep_grant(make_grant(2), LATER + timedelta(seconds=1))
    ledger_case.credentials.keep_grant(replace(make_grant(3), meeting_id="m2"), NOON)
    ledger_case.credentials.keep_grant(make_grant(4), NOON)
    ledger_case.credentials.revoke_grant("acme", "gt_4", NOON)
    erasure = ledger_case.erasures.ask(make_erasure(Reach.MEETING), ASKED)
    ledger_case.erasures.shut(erasure)
    found = [ledger_case.credentials.grant("acme", f"gt_{number}") for number in (1, 2, 3, 4)]
    assert [(one.grant.meeting_id, one.revoked_at) for one in found if one] == [
        ("me_1", LATER),
        ("m1", None),
        ("m2", None),
        ("me_1", NOON),
    ]


def test_the_doors_of_a_person_are_shut(ledger_case: LedgerCase) -> None:
    """A grant that was made for somebody opens nothing any more, and does not say for whom it was."""
    ledger_case.credentials.keep_grant(replace(make_grant(1), person="ada"), NOON)
    ledger_case.credentials.keep_grant(replace(make_grant(2), person="grace"), NOON)
    ledger_case.erasures.shut(ledger_case.erasures.ask(make_erasure(Reach.PERSON), ASKED))
    found = [ledger_case.credentials.grant("acme", f"gt_{number}") for number in (1, 2)]
    assert [(one.grant.person, one.revoked_at) for one in found if one] == [(None, LATER), ("grace", None)]


def test_the_doors_of_an_account_are_shut(ledger_case: LedgerCase) -> None:
    """Its keys and grants are gone; another account's are not."""
    ledger_case.credentials.add_key(make_key(1), NOON, 2, LINE)
    ledger_case.credentials.add_key(make_key(2, "other"), NOON, 2, LINE)
    ledger_case.credentials.keep_grant(make_grant(1), NOON)
    erasure = ledger_case.erasures.ask(make_erasure(Reach.ACCOUNT), ASKED)
    ledger_case.erasures.shut(erasure)
    ledger_case.erasures.shut(erasure)
    assert ledger_case.credentials.keys("acme") == []
    assert ledger_case.credentials.key("gr_000000000002") is not None
    assert ledger_case.credentials.grant("acme", "gt_1") is None


def test_an_account_that_is_let_go_is_under_its_mark_and_has_no_keys(ledger_case: LedgerCase) -> None:
    """Not before everything of it was forgotten; and once is as good as twice."""
    upload = saved(ledger_case, 1)
    account = ledger_case.accounts.find("acme")
    assert account is not None
    ledger_case.accounts.change(replace(account, sealed_key=b"sealed", removed_at=NOON), None)
    ledger_case.checkpoints.add_pseudonym_key(PseudonymKey("acme", b"sealed", NOON))
    erasure = ledger_case.erasures.ask(make_erasure(Reach.ACCOUNT), ASKED)
    meeting = ledger_case.erasures.ask(make_erasure(Reach.MEETING, 2), ASKED)
    with pytest.raises(Conflict):
        ledger_case.erasures.let_go(erasure)
    ledger_case.erasures.shut(erasure)
    with pytest.raises(Conflict):
        ledger_case.erasures.let_go(erasure)
    assert ledger_case.erasures.find(erasure.id) == erasure
    ledger_case.erasures.forget_uploads(erasure, [upload.id])
    gone = ledger_case.erasures.let_go(erasure)
    assert (gone.account_id, gone.subject, gone.uploads, gone.size) == ("ac_1", None, 1, 7)
    assert ledger_case.erasures.let_go(erasure) == gone
    assert ledger_case.accounts.find("acme") is None
    known = ledger_case.accounts.find("ac_1")
    assert known is not None
    assert (known.standing, known.sealed_key, known.created_at) == (
        Standing.ERASED,
        None,
        account.created_at,
    )
    assert ledger_case.checkpoints.pseudonym_key("acme") is None
    assert ledger_case.checkpoints.pseudonym_key("ac_1") == PseudonymKey("ac_1", None, NOON)
    other = ledger_case.erasures.find(meeting.id)
    assert other is not None
    assert other.account_id == "ac_1"
    ledger_case.erasures.compact()
