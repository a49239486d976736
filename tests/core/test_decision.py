"""What two people may say over the scanner: every word of a decision counts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.advice import advice
from service.core.decision import (
    BLOCKED_BY_REVIEWERS,
    CLEARED_BY_ALLOWANCE,
    CLEARED_BY_REVIEWERS,
    LONGEST_REASON,
    Allowance,
    Choice,
    Decision,
    Standing,
    Warrant,
    check_warrant,
    written_reason,
)
from service.core.errors import BadRequest, IllegalMove
from service.core.upload import TRANSITIONS, Event, State, Upload
from service.core.verdict import Kind, Protection, Verdict

NOON: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND: Final = timedelta(seconds=1)
DAY: Final = timedelta(days=1)
DIGEST: Final = "f" * 64
VERDICT: Final = Verdict(
    Kind.SUSPICIOUS, "suspicious", "PUA.X", DIGEST, 5, None, Protection.OFFICIAL, "e" * 64, 0.1, NOON
)
UPLOAD: Final = Upload(
    "up_1",
    "acme",
    "m1",
    "deck.pdf",
    "",
    "",
    State.HELD,
    NOON,
    NOON,
    sha256=DIGEST,
    verdict=VERDICT,
    version=4,
)
PROPOSAL: Final = Decision(
    id="de_1",
    upload_id="up_1",
    account_id="acme",
    meeting_id="m1",
    choice=Choice.RELEASE,
    reason="The macros are ours.",
    days=None,
    version=4,
    sha256=DIGEST,
    signature="PUA.X",
    proposed_by="rv_a",
    proposed_at=NOON,
    expires_at=NOON + 7 * DAY,
)
CONFIRMED: Final = PROPOSAL.settled(Standing.CONFIRMED, "rv_b", NOON + SECOND)
ALLOWED: Final = replace(PROPOSAL, choice=Choice.ALLOW, days=30).settled(Standing.CONFIRMED, "rv_b", NOON)
ALLOWANCE: Final = ALLOWED.allowance("al_1")


def cleared(warrant: Warrant, upload: Upload = UPLOAD, at: datetime = NOON + SECOND) -> Upload:
    """Return an upload as a stage clears it by a warrant."""
    return upload.moved(Event.REVIEWER_CLEARED, at, warrant.detail(), actor="reviewer:rv_b")


def excused(allowance: Allowance) -> Upload:
    """Return an upload as a stage clears it by an allowance, from its scan on."""
    held = replace(UPLOAD, state=State.SCANNING, verdict=None).moved(
        Event.NOT_SCANNABLE, NOON + SECOND, verdict=VERDICT
    )
    return cleared(allowance, held)


def test_what_two_people_decided_may_be_saved() -> None:
    """A release, a block and an excused finding, each as the stages make it."""
    check_warrant(cleared(CONFIRMED), CONFIRMED)
    block = replace(CONFIRMED, choice=Choice.BLOCK)
    check_warrant(
        UPLOAD.moved(Event.REVIEWER_BLOCKED, NOON + SECOND, block.detail(), actor="reviewer:rv_b"), block
    )
    check_warrant(excused(ALLOWANCE), ALLOWANCE)


@pytest.mark.parametrize("edge", TRANSITIONS, ids="-".join)
def test_every_other_move_needs_no_warrant_and_takes_none(edge: tuple[State, Event]) -> None:
    """Without a warrant any move may be saved but people's own two; with one, no other."""
    moved = replace(UPLOAD, state=edge[0]).moved(edge[1], NOON + SECOND)
    people_s = edge[1] in {Event.REVIEWER_CLEARED, Event.REVIEWER_BLOCKED}
    for warrant in (None, CONFIRMED, ALLOWANCE):
        if warrant is None and not people_s:
            check_warrant(moved, warrant)
        else:
            with pytest.raises(IllegalMove):
                check_warrant(moved, warrant)


FLAWS: Final[dict[str, dict[str, Any]]] = {
    "still open": {"standing": Standing.OPEN},
    "rejected": {"standing": Standing.REJECTED},
    "lapsed": {"standing": Standing.LAPSED},
    "confirmed by nobody": {"settled_by": None},
    "confirmed by its proposer": {"settled_by": "rv_a"},
    "of another choice": {"choice": Choice.BLOCK},
    "an allowance still to be made": {"choice": Choice.ALLOW, "days": 1},
    "about another upload": {"upload_id": "up_2"},
    "about an older version": {"version": 3},
    "about a newer version": {"version": 5},
    "about other bytes": {"sha256": "e" * 64},
    "about unknown bytes": {"sha256": None},
    "about another finding": {"signature": "PUA.Y"},
    "about no finding": {"signature": None},
    "expired": {"expires_at": NOON + SECOND},
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_decision_with_any_flaw_releases_nothing(flaw: str) -> None:
    """Whatever is not exactly so: nothing is saved."""
    decision = replace(CONFIRMED, **FLAWS[flaw])
    with pytest.raises(IllegalMove):
        check_warrant(cleared(decision), decision)


def test_bytes_that_nobody_read_are_not_released_by_a_decision_about_unknown_bytes() -> None:
    """Two unknown digests are not the same content; a block may be about one."""
    unknown = replace(UPLOAD, sha256=None)
    decision = replace(CONFIRMED, sha256=None)
    with pytest.raises(IllegalMove):
        check_warrant(cleared(decision, unknown), decision)
    block = replace(decision, choice=Choice.BLOCK)
    check_warrant(
        unknown.moved(Event.REVIEWER_BLOCKED, NOON + SECOND, block.detail(), actor="reviewer:rv_b"), block
    )


UNNAMED: Final[dict[str, Callable[[Upload], Upload]]] = {
    "the service itself": lambda u: u.moved(Event.REVIEWER_CLEARED, NOON + SECOND, CONFIRMED.detail()),
    "the proposer": lambda u: u.moved(
        Event.REVIEWER_CLEARED, NOON + SECOND, CONFIRMED.detail(), actor="reviewer:rv_a"
    ),
    "no decision": lambda u: u.moved(Event.REVIEWER_CLEARED, NOON + SECOND, {}, actor="reviewer:rv_b"),
    "another decision": lambda u: cleared(replace(CONFIRMED, id="de_2"), u),
    "one more move": lambda u: cleared(CONFIRMED, u).moved(Event.COPIED_OUT, NOON + SECOND),
    "cleared twice": lambda u: cleared(
        CONFIRMED, cleared(CONFIRMED, u).moved(Event.COPY_FAILED, NOON + SECOND)
    ),
}


@pytest.mark.parametrize("case", UNNAMED)
def test_the_line_names_the_decision_and_who_confirmed_it(case: str) -> None:
    """What the log would not tell rightly is not saved."""
    with pytest.raises(IllegalMove):
        check_warrant(UNNAMED[case](UPLOAD), CONFIRMED)


ENDED: Final[dict[str, dict[str, Any]]] = {
    "revoked": {"revoked_at": NOON, "revoked_by": "rv_c"},
    "revoked later": {"revoked_at": NOON + DAY, "revoked_by": "rv_c"},
    "expired at that moment": {"expires_at": NOON + SECOND},
    "for other bytes": {"sha256": "e" * 64},
    "for another finding": {"signature": "PUA"},
    "for a finding in other letters": {"signature": "pua.x"},
}


@pytest.mark.parametrize("case", ENDED)
def test_an_allowance_excuses_one_finding_in_one_content_while_it_lives(case: str) -> None:
    """Not a part of its name, not another spelling, not another content, not a moment longer."""
    allowance = replace(ALLOWANCE, **ENDED[case])
    with pytest.raises(IllegalMove):
        check_warrant(excused(allowance), allowance)


def test_an_allowance_needs_a_verdict_about_the_very_bytes() -> None:
    """None, or one about other bytes than the upload's, is not excused."""
    for verdict in (None, replace(VERDICT, sha256="e" * 64), replace(VERDICT, signature=None)):
        with pytest.raises(IllegalMove):
            check_warrant(cleared(ALLOWANCE, replace(UPLOAD, verdict=verdict)), ALLOWANCE)
    with pytest.raises(IllegalMove):
        check_warrant(cleared(ALLOWANCE, replace(UPLOAD, sha256=None)), ALLOWANCE)
    blocked = UPLOAD.moved(Event.REVIEWER_BLOCKED, NOON + SECOND, ALLOWANCE.detail(), actor="reviewer:rv_b")
    with pytest.raises(IllegalMove):
        check_warrant(blocked, ALLOWANCE)


BARREN: Final[dict[str, dict[str, Any]]] = {
    "a release": {"choice": Choice.RELEASE},
    "open": {"standing": Standing.OPEN},
    "settled by nobody": {"settled_by": None},
    "settled by its proposer": {"settled_by": "rv_a"},
    "settled at no time": {"settled_at": None},
    "unknown bytes": {"sha256": None},
    "no finding": {"signature": None},
    "for ever": {"days": None},
    "no day": {"days": 0},
    "more than a year": {"days": 366},
}


@pytest.mark.parametrize("case", BARREN)
def test_an_allowance_follows_from_two_people_s_decision_alone(case: str) -> None:
    """About known bytes and a finding with a name, for a year at most."""
    with pytest.raises(IllegalMove):
        replace(ALLOWED, **BARREN[case]).allowance("al_1")


def test_an_allowance_lasts_from_its_confirmation() -> None:
    """So many days, to the moment."""
    assert ALLOWANCE.created_at == NOON
    assert ALLOWANCE.is_live(NOON + 30 * DAY - timedelta(microseconds=1))
    assert not ALLOWANCE.is_live(NOON + 30 * DAY)


def test_a_proposal_lapses_by_its_time_or_by_any_move_of_its_upload() -> None:
    """What was settled stays settled."""
    assert PROPOSAL.standing_on(UPLOAD, NOON) is Standing.OPEN
    assert PROPOSAL.standing_on(UPLOAD, NOON + 7 * DAY) is Standing.LAPSED
    for changed in (
        replace(UPLOAD, version=5),
        replace(UPLOAD, verdict=None),
        replace(UPLOAD, sha256=None),
        replace(UPLOAD, id="up_2"),
    ):
        assert PROPOSAL.standing_on(changed, NOON) is Standing.LAPSED
        assert CONFIRMED.standing_on(changed, NOON + 8 * DAY) is Standing.CONFIRMED


def test_the_log_gets_the_reason_s_digest_and_never_the_reason() -> None:
    """A reason may name people."""
    detail = CONFIRMED.detail()
    assert "macros" not in str(detail)
    assert len(detail["reason_sha256"]) == 64
    assert detail["reason_sha256"] != replace(CONFIRMED, reason="Another one.").detail()["reason_sha256"]


@given(st.text(max_size=3 * LONGEST_REASON))
def test_a_reason_is_kept_fit_to_show_or_refused(untrusted: str) -> None:
    """10 to 2000 characters, nothing unseen among them, the same when it is written again."""
    try:
        reason = written_reason(untrusted)
    except BadRequest:
        return
    assert 10 <= len(reason) <= LONGEST_REASON
    assert all(line.isprintable() for line in reason.split("\n"))
    assert written_reason(reason) == reason


@pytest.mark.parametrize(
    ("untrusted", "reason"),
    [
        ("  Sent by our\town  press office.\r\n\r\nSeen. ", "Sent by our own press office.\n\nSeen."),
        ("turned \u202eround\u202c here", "turned round here"),
        ("nul \0 and bell \a", "nul and bell"),
        ("x" * 10, "x" * 10),
        ("x" * 2000, "x" * 2000),
    ],
)
def test_a_reason_keeps_its_lines_and_loses_what_cannot_be_seen(untrusted: str, reason: str) -> None:
    """Forms send CRLF; databases take no NUL; nobody is shown text in another order than it was written."""
    assert written_reason(untrusted) == reason


@pytest.mark.parametrize("untrusted", ["", "too short", "x" * 9, " " * 50, "\u200b" * 50, "x" * 2001])
def test_a_reason_that_says_nothing_or_too_much_is_refused(untrusted: str) -> None:
    """The limits count what is kept."""
    with pytest.raises(BadRequest, match="10 to 2000"):
        written_reason(untrusted)


def test_nobody_is_told_clean_of_what_people_let_go_nor_malware_of_what_they_stopped() -> None:
    """The scanner did not say so."""
    for state in (State.CLEARED, State.RELEASED):
        for reason in (CLEARED_BY_REVIEWERS, CLEARED_BY_ALLOWANCE):
            sentence = advice(replace(UPLOAD, state=state, reason=reason))
            assert "clean" not in sentence
            assert "security team" in sentence
            assert ("can be downloaded" in sentence) == (state is State.RELEASED)
    assert "alware" not in advice(replace(UPLOAD, state=State.BLOCKED, reason=BLOCKED_BY_REVIEWERS))
