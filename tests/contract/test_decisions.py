"""``ports.Decisions``, ``ports.Allowances`` and the warrants of ``ports.Ledger``, on the fake, SQLite and
PostgreSQL alike.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from service.adapters.schema import log
from service.adapters.schema_decisions import decisions as table
from service.adapters.sql_decisions import SqlAllowances, SqlDecisions
from service.core.decision import Allowance, Choice, Decision, Standing
from service.core.errors import (
    AllowanceEnded,
    AlreadyAllowed,
    AlreadyProposed,
    Conflict,
    IllegalMove,
    LedgerUnavailable,
)
from service.core.journal import Act, Entry
from service.core.upload import Event, State, Upload
from service.core.verdict import Kind, Protection, Verdict
from tests.contract.conftest import NOON, LedgerCase, make_upload
from tests.contract.test_ledger_races import at_once, useless
from tests.fakes.decisions import FakeDecisions

__all__ = ["useless"]  # a fixture

SECOND: Final = timedelta(seconds=1)
DAY: Final = timedelta(days=1)
DIGEST: Final = "f" * 64
VERDICT: Final = Verdict(
    Kind.SUSPICIOUS, "suspicious", "PUA.X", DIGEST, 5, None, Protection.OFFICIAL, "e" * 64, 0.1, NOON
)


def held(case: LedgerCase, number: int = 1, **changes: object) -> Upload:
    """Save an upload that is held for a finding."""
    plain: dict[str, object] = {"state": State.HELD, "size": 5, "sha256": DIGEST, "verdict": VERDICT}
    return case.ledger.save(make_upload(number, **(plain | changes)))


def make_decision(upload: Upload, number: int = 1, **changes: object) -> Decision:
    """Return an open proposal by rv_a."""
    plain: dict[str, object] = {
        "id": f"de_{number:032x}",
        "upload_id": upload.id,
        "account_id": upload.account_id,
        "meeting_id": upload.meeting_id,
        "choice": Choice.RELEASE,
        "reason": "The macros are ours ✓.\nSeen.",
        "days": None,
        "version": upload.version,
        "sha256": upload.sha256,
        "signature": upload.verdict and upload.verdict.signature,
        "proposed_by": "rv_a",
        "proposed_at": NOON,
        "expires_at": NOON + 7 * DAY,
    }
    return Decision(**(plain | changes))  # type: ignore[arg-type]


def a_line(act: Act = Act.DECISION_PROPOSED, upload: Upload | None = None) -> Entry:
    """Return some line of the log."""
    return Entry(NOON, act.value, {"decision": "de_1"}, "reviewer:rv_a", upload.id if upload else None)


def lines(case: LedgerCase) -> list[str]:
    """Return the events of all lines that are no moves."""
    if case.engine is None:
        assert isinstance(case.decisions, FakeDecisions)
        return [entry.event for entry in case.decisions.journal.entries]
    with case.engine.connect() as connection:
        return list(connection.scalars(select(log.c.event).where(log.c.after.is_(None)).order_by(log.c.id)))


def proposed(case: LedgerCase, upload: Upload, number: int = 1, **changes: object) -> Decision:
    """Keep a proposal and return it."""
    decision = make_decision(upload, number, **changes)
    case.decisions.propose(decision, a_line(upload=upload))
    return decision


def confirmed(decision: Decision, by: str = "rv_b", at: datetime = NOON + SECOND) -> Decision:
    """Return a decision as confirmed."""
    return decision.settled(Standing.CONFIRMED, by, at)


def cleared(upload: Upload, decision: Decision | Allowance, at: datetime = NOON + SECOND) -> Upload:
    """Return an upload as cleared by a warrant."""
    who = decision.settled_by if isinstance(decision, Decision) else decision.confirmed_by
    return upload.moved(Event.REVIEWER_CLEARED, at, decision.detail(), actor=f"reviewer:{who}")


def allowed(case: LedgerCase, number: int = 1, **changes: object) -> Allowance:
    """Bring an entry of the allow-list about, from an upload of its own."""
    upload = held(case, number)
    decision = proposed(case, upload, number, **({"choice": Choice.ALLOW, "days": 30} | changes))
    return case.decisions.allow(confirmed(decision), f"al_{number:032x}", a_line(Act.DECISION_CONFIRMED))


def test_a_proposal_is_kept_as_it_was_made(ledger_case: LedgerCase) -> None:
    """Every field comes back, with its line of the log; those about an upload newest first."""
    upload = held(ledger_case)
    first = proposed(ledger_case, upload, 1, choice=Choice.ALLOW, days=30)
    rejected = first.settled(Standing.REJECTED, "rv_b", NOON + SECOND)
    ledger_case.decisions.reject(rejected, a_line(Act.DECISION_REJECTED))
    second = proposed(ledger_case, upload, 2)
    assert ledger_case.decisions.find(first.id) == rejected
    assert ledger_case.decisions.find("de_unknown") is None
    assert list(ledger_case.decisions.of_upload(upload.id)) == [second, rejected]
    assert list(ledger_case.decisions.of_upload("up_unknown")) == []
    assert lines(ledger_case) == ["decision_proposed", "decision_rejected", "decision_proposed"]


def test_one_proposal_about_an_upload_is_open_at_a_time(ledger_case: LedgerCase) -> None:
    """The second waits until the first is settled, whatever it is for; another upload is not concerned."""
    upload = held(ledger_case)
    first = proposed(ledger_case, upload, 1)
    for choice in Choice:
        with pytest.raises(AlreadyProposed):
            proposed(ledger_case, upload, 2, choice=choice)
    proposed(ledger_case, held(ledger_case, 2), 3)
    assert list(ledger_case.decisions.of_upload(upload.id)) == [first]
    assert lines(ledger_case) == ["decision_proposed"] * 2


def test_of_many_who_propose_at_once_one_wins(ledger_case: LedgerCase) -> None:
    """One open proposal, one line of the log."""
    upload = held(ledger_case)

    def propose(number: int) -> bool:
        try:
            proposed(ledger_case, upload, number, proposed_by=f"rv_{number}")
        except AlreadyProposed:
            return False
        return True

    assert sum(at_once(8, propose)) == 1
    assert len(ledger_case.decisions.of_upload(upload.id)) == len(lines(ledger_case)) == 1


def test_a_proposal_about_what_changed_is_not_kept(ledger_case: LedgerCase) -> None:
    """An older version, a newer one, an upload that is not there: nothing is written."""
    upload = held(ledger_case)
    ledger_case.ledger.save(upload)
    for stale in (upload, replace(upload, version=3), make_upload(9, version=1)):
        with pytest.raises(Conflict):
            proposed(ledger_case, stale)
    assert lines(ledger_case) == []


def test_a_proposal_that_lapsed_makes_room(ledger_case: LedgerCase) -> None:
    """By its time, to the moment, or by a move of its upload; what lapsed is never confirmed after that."""
    upload = held(ledger_case)
    first = proposed(ledger_case, upload, 1)
    with pytest.raises(AlreadyProposed):
        proposed(ledger_case, upload, 2, proposed_at=NOON + 7 * DAY - timedelta(microseconds=1))
    later = {"proposed_at": NOON + 7 * DAY, "expires_at": NOON + 14 * DAY}
    second = proposed(ledger_case, upload, 2, **later)
    moved = ledger_case.ledger.save(upload)
    third = proposed(ledger_case, moved, 3)
    standings = [one.standing for one in ledger_case.decisions.of_upload(upload.id)]
    assert standings == [Standing.OPEN, Standing.LAPSED, Standing.LAPSED]
    for gone in (first, second):
        with pytest.raises(Conflict):
            ledger_case.decisions.reject(gone.settled(Standing.REJECTED, "rv_b", NOON), a_line())
    assert ledger_case.decisions.find(third.id) == third


def test_what_waits_for_a_second_person(ledger_case: LedgerCase) -> None:
    """The oldest first; of the uploads that are asked for; nothing that is settled, expired or moved."""
    files = [held(ledger_case, number) for number in range(1, 6)]
    first, second, settled, expired, moved = (
        proposed(ledger_case, upload, number, expires_at=NOON + (1 if number == 4 else 7) * DAY)
        for number, upload in enumerate(files, 1)
    )
    ledger_case.decisions.reject(settled.settled(Standing.REJECTED, "rv_b", NOON + SECOND), a_line())
    ledger_case.ledger.save(files[4].moved(Event.RESCAN_ASKED, NOON + SECOND, {}))
    waiting = ledger_case.decisions.waiting
    assert waiting(NOON + DAY, None, 10) == [first, second]
    assert waiting(NOON + DAY, None, 1) == [first]
    assert waiting(NOON, [file.id for file in files[1:]], 10) == [second, expired]
    assert waiting(NOON, [], 10) == []
    assert moved.standing is Standing.OPEN


def test_a_confirmed_release_is_saved_with_its_upload(ledger_case: LedgerCase) -> None:
    """The move, its line with both people, the decision and the job for the worker: one transaction."""
    upload = held(ledger_case)
    decision = confirmed(proposed(ledger_case, upload))
    saved = ledger_case.ledger.save(cleared(upload, decision), wake=True, warrant=decision)
    assert ledger_case.ledger.find(upload.id) == saved
    assert saved.state is State.CLEARED
    assert ledger_case.decisions.find(decision.id) == decision
    (line,) = ledger_case.ledger.history(upload.id)
    assert (line.actor, line.detail["proposed_by"]) == ("reviewer:rv_b", "rv_a")
    assert (line.detail["decision"], line.detail["sha256"]) == (decision.id, DIGEST)
    assert "macros" not in str(line.detail)
    assert len(ledger_case.jobs) == 1


def nothing_changed(case: LedgerCase, upload: Upload, decision: Decision | None = None) -> bool:
    """Tell whether an upload is as it was, and its proposal open."""
    row = case.ledger.find(upload.id)
    open_still = decision is None or case.decisions.find(decision.id) == decision
    return row == upload and open_still and not case.ledger.history(upload.id) and not case.jobs


def test_nothing_is_cleared_or_blocked_without_a_decision(ledger_case: LedgerCase) -> None:
    """The ledger itself refuses what no stage should ask for."""
    upload = held(ledger_case)
    decision = proposed(ledger_case, upload)
    for warrant in (
        None,
        decision,
        confirmed(decision, "rv_a"),
        replace(confirmed(decision), sha256="0" * 64),
    ):
        with pytest.raises(IllegalMove):
            ledger_case.ledger.save(cleared(upload, confirmed(decision)), wake=True, warrant=warrant)
    with pytest.raises(IllegalMove):
        ledger_case.ledger.save(upload.moved(Event.REVIEWER_BLOCKED, NOON), wake=True)
    assert nothing_changed(ledger_case, upload, decision)


FORGED: Final[dict[str, dict[str, Any]]] = {
    "never proposed": {"id": f"de_{9:032x}"},
    "of another choice": {"choice": Choice.BLOCK},
    "about other bytes": {"sha256": "0" * 64},
    "about another finding": {"signature": "PUA.Y"},
    "by another proposer": {"proposed_by": "rv_c"},
}


@pytest.mark.parametrize("flaw", FORGED)
def test_the_decision_that_counts_is_the_one_in_the_database(ledger_case: LedgerCase, flaw: str) -> None:
    """A warrant that is not what was proposed and is still open confirms nothing."""
    upload = held(ledger_case)
    decision = proposed(ledger_case, upload, **({} if "id" in FORGED[flaw] else FORGED[flaw]))
    forged = replace(confirmed(make_decision(upload)), id=FORGED[flaw].get("id", decision.id))
    with pytest.raises(Conflict):
        ledger_case.ledger.save(cleared(upload, forged), wake=True, warrant=forged)
    assert nothing_changed(ledger_case, upload, decision)


def test_a_decision_about_what_moved_or_expired_releases_nothing(ledger_case: LedgerCase) -> None:
    """Neither by a stale view nor by the new one; and not at the moment at which it expires."""
    upload = held(ledger_case)
    decision = confirmed(proposed(ledger_case, upload))
    late = confirmed(make_decision(upload), at=NOON + 7 * DAY)
    with pytest.raises(IllegalMove):
        ledger_case.ledger.save(cleared(upload, late, NOON + 7 * DAY), warrant=late)
    with pytest.raises(Conflict):
        ledger_case.ledger.save(cleared(upload, late), warrant=late)
    moved = ledger_case.ledger.save(upload)
    with pytest.raises(Conflict):
        ledger_case.ledger.save(cleared(upload, decision), wake=True, warrant=decision)
    with pytest.raises(IllegalMove):
        ledger_case.ledger.save(cleared(moved, decision), wake=True, warrant=decision)
    assert ledger_case.ledger.find(upload.id) == moved
    assert ledger_case.jobs == []


def test_of_all_who_settle_at_once_one_wins(ledger_case: LedgerCase) -> None:
    """Confirmed by several, rejected by several, all at once: one happens, and the rest changes nothing."""
    for number in range(1, 4):
        ledger_case.jobs.clear()
        upload = held(ledger_case, number)
        decision = proposed(ledger_case, upload, number)

        def settle(choice: int) -> bool:
            try:
                if choice % 2:
                    done = confirmed(decision, f"rv_b{choice}")  # noqa: B023 - run within the round
                    ledger_case.ledger.save(cleared(upload, done), wake=True, warrant=done)  # noqa: B023
                else:
                    done = decision.settled(Standing.REJECTED, f"rv_b{choice}", NOON)  # noqa: B023
                    ledger_case.decisions.reject(done, a_line(Act.DECISION_REJECTED))
            except Conflict:
                return False
            return True

        won = at_once(6, settle)
        assert sum(won) == 1
        settled, row = ledger_case.decisions.find(decision.id), ledger_case.ledger.find(upload.id)
        assert settled
        assert row
        assert settled.settled_by == f"rv_b{won.index(True)}"
        went = settled.standing is Standing.CONFIRMED
        assert (row.state is State.CLEARED) == went == bool(ledger_case.jobs) == (won.index(True) % 2 == 1)


def test_a_release_and_its_owner_s_deletion_at_once_are_one_of_both(ledger_case: LedgerCase) -> None:
    """Whoever is second changes nothing: a deleted file is not cleared, a cleared one not deleted unseen."""
    for number in range(1, 4):
        upload = held(ledger_case, number)
        decision = confirmed(proposed(ledger_case, upload, number))

        def act(choice: int) -> bool:
            try:
                if choice:
                    ledger_case.ledger.save(cleared(upload, decision), warrant=decision)  # noqa: B023
                else:
                    ledger_case.ledger.save(upload.moved(Event.DELETED, NOON))  # noqa: B023
            except Conflict:
                return False
            return True

        won = at_once(2, act)
        assert sorted(won) == [False, True]
        row, settled = ledger_case.ledger.find(upload.id), ledger_case.decisions.find(decision.id)
        assert row
        assert settled
        assert row.state is (State.ERASED, State.CLEARED)[won.index(True)]
        assert settled.standing is (Standing.OPEN, Standing.CONFIRMED)[won.index(True)]


def test_an_allowance_is_kept_with_its_decision(ledger_case: LedgerCase) -> None:
    """Found by content and finding while it lives, by its id always; the upload stays where it is."""
    allowance = allowed(ledger_case)
    excusing = ledger_case.allowances.excusing
    assert ledger_case.allowances.find(allowance.id) == allowance
    assert ledger_case.allowances.find("al_unknown") is None
    assert excusing(DIGEST, "PUA.X", NOON + SECOND) == allowance
    assert excusing(DIGEST, "PUA.X", allowance.expires_at - SECOND) == allowance
    assert excusing(DIGEST, "PUA.X", allowance.expires_at) is None
    for sha256, signature in (("e" * 64, "PUA.X"), (DIGEST, "PUA"), (DIGEST, "pua.x"), (DIGEST, "PUA.%")):
        assert excusing(sha256, signature, NOON + SECOND) is None
    decision = ledger_case.decisions.find(allowance.decision_id)
    assert decision
    assert decision.standing is Standing.CONFIRMED
    row = ledger_case.ledger.find(decision.upload_id)
    assert row
    assert (row.state, row.version) == (State.HELD, 1)
    assert lines(ledger_case) == ["decision_proposed", "decision_confirmed"]


def test_an_allowance_needs_its_upload_as_it_was_and_its_decision_open(ledger_case: LedgerCase) -> None:
    """Else nothing is written at all."""
    upload = held(ledger_case)
    decision = proposed(ledger_case, upload, choice=Choice.ALLOW, days=1)
    allow = ledger_case.decisions.allow
    with pytest.raises(IllegalMove):
        allow(confirmed(decision, "rv_a"), "al_1", a_line())
    with pytest.raises(Conflict):
        allow(replace(confirmed(decision), days=365), "al_1", a_line())
    with pytest.raises(Conflict):
        allow(confirmed(decision, at=NOON + 7 * DAY), "al_1", a_line())
    assert ledger_case.decisions.find(decision.id) == decision
    ledger_case.ledger.save(upload)
    with pytest.raises(Conflict):
        allow(confirmed(decision), "al_1", a_line())
    assert ledger_case.decisions.find(decision.id) == decision
    assert ledger_case.allowances.page(None, 10) == []
    assert lines(ledger_case) == ["decision_proposed"]


def test_a_finding_in_a_content_has_one_live_allowance(ledger_case: LedgerCase) -> None:
    """To revoke it is to end it: no second one is left that nobody thought of. Many at once make one."""
    uploads = [held(ledger_case, number) for number in range(1, 7)]
    made = [proposed(ledger_case, one, n, choice=Choice.ALLOW, days=1) for n, one in enumerate(uploads, 1)]

    def allow(choice: int) -> bool:
        try:
            ledger_case.decisions.allow(confirmed(made[choice]), f"al_{choice}", a_line())
        except AlreadyAllowed:
            return False
        return True

    won = at_once(6, allow)
    assert sum(won) == 1
    (there,) = ledger_case.allowances.page(None, 10)
    assert there.id == f"al_{won.index(True)}"
    for number, decision in enumerate(made):
        found = ledger_case.decisions.find(decision.id)
        assert found
        assert (found.standing is Standing.CONFIRMED) == won[number]


def test_an_allowance_that_ended_makes_room_for_another(ledger_case: LedgerCase) -> None:
    """By its time or by a revocation; the list is newest first, in pages, the ended ones included."""
    first = allowed(ledger_case, 1)
    assert ledger_case.allowances.revoke(first.id, "rv_c", NOON, a_line(Act.ALLOWANCE_REVOKED))
    second = allowed(ledger_case, 2, days=1)
    upload = held(ledger_case, 3)
    at = second.expires_at
    decision = proposed(ledger_case, upload, 3, choice=Choice.ALLOW, days=1)
    third = ledger_case.decisions.allow(confirmed(decision, at=at), f"al_{3:032x}", a_line())
    revoked = replace(first, revoked_by="rv_c", revoked_at=NOON)
    assert list(ledger_case.allowances.page(None, 2)) == [third, second]
    assert list(ledger_case.allowances.page(second.id, 2)) == [revoked]


def test_an_allowance_is_revoked_once(ledger_case: LedgerCase) -> None:
    """The first who does is named, with one line of the log; of many at once one is the first."""
    allowance = allowed(ledger_case)
    before = lines(ledger_case)

    def revoke(number: int) -> bool:
        entry = a_line(Act.ALLOWANCE_REVOKED)
        return ledger_case.allowances.revoke(allowance.id, f"rv_{number}", NOON, entry)

    won = at_once(4, revoke)
    assert sum(won) == 1
    found = ledger_case.allowances.find(allowance.id)
    assert found
    assert (found.revoked_by, found.revoked_at) == (f"rv_{won.index(True)}", NOON)
    assert not ledger_case.allowances.revoke("al_unknown", "rv_1", NOON, a_line())
    assert lines(ledger_case) == [*before, "allowance_revoked"]


def scanned(case: LedgerCase, number: int) -> Upload:
    """Save an upload that is being scanned, and return it as found and held, unsaved."""
    scanning = held(case, number, state=State.SCANNING, verdict=None)
    return scanning.moved(Event.NOT_SCANNABLE, NOON + SECOND, verdict=VERDICT)


def test_an_allowance_clears_what_it_excuses(ledger_case: LedgerCase) -> None:
    """Both moves in one transaction, the second by who confirmed the decision."""
    allowance = allowed(ledger_case)
    found = scanned(ledger_case, 2)
    saved = ledger_case.ledger.save(cleared(found, allowance), warrant=allowance)
    assert saved.state is State.CLEARED
    moves = [(line.event, line.actor) for line in ledger_case.ledger.history(found.id)]
    assert moves == [(Event.NOT_SCANNABLE, None), (Event.REVIEWER_CLEARED, "reviewer:rv_b")]


def test_an_allowance_that_was_revoked_clears_nothing(ledger_case: LedgerCase) -> None:
    """Whoever looked it up before; nor does one that was never made, or made otherwise."""
    allowance = allowed(ledger_case)
    found = scanned(ledger_case, 2)
    longer = replace(allowance, expires_at=allowance.expires_at + DAY)
    for other in (longer, replace(allowance, id="al_9"), replace(allowance, confirmed_by="rv_c")):
        with pytest.raises(AllowanceEnded):
            ledger_case.ledger.save(cleared(found, other), wake=True, warrant=other)
    ledger_case.allowances.revoke(allowance.id, "rv_c", NOON, a_line())
    with pytest.raises(AllowanceEnded):
        ledger_case.ledger.save(cleared(found, allowance), wake=True, warrant=allowance)
    assert ledger_case.ledger.find(found.id) == replace(found, **SCANNING)
    assert ledger_case.ledger.history(found.id) == []
    assert ledger_case.jobs == []


SCANNING: Final[dict[str, Any]] = {
    "state": State.SCANNING,
    "verdict": None,
    "updated_at": NOON,
    "unsaved": (),
}


def test_nothing_is_cleared_by_an_allowance_after_it_was_revoked(ledger_case: LedgerCase) -> None:
    """Cleared and revoked at once: when the revocation returned, whatever was not cleared yet never is."""
    for number in range(1, 7, 2):
        allowance = allowed(ledger_case, number)
        found = scanned(ledger_case, number + 1)

        def act(choice: int) -> bool:
            if choice:
                return ledger_case.allowances.revoke(allowance.id, "rv_c", NOON, a_line())  # noqa: B023
            try:
                ledger_case.ledger.save(cleared(found, allowance), warrant=allowance)  # noqa: B023
            except AllowanceEnded:
                return False
            return True

        passed, revoked = at_once(2, act)
        assert revoked
        row = ledger_case.ledger.find(found.id)
        assert row
        assert row.state is (State.CLEARED if passed else State.SCANNING)
        assert len(ledger_case.ledger.history(found.id)) == 2 * passed


def test_the_database_itself_asks_for_two_people(sql_case: LedgerCase) -> None:
    """Whatever code there may be: no row says that one person decided, and none a second open proposal."""
    assert sql_case.engine
    upload = held(sql_case)
    decision = proposed(sql_case, upload)
    with sql_case.engine.connect() as connection:
        row = dict(connection.execute(select(table)).mappings().one())
    for odd in ({"settled_by": decision.proposed_by, "standing": "confirmed"}, {}):
        with pytest.raises(IntegrityError), sql_case.engine.begin() as connection:
            connection.execute(insert(table), row | {"id": "de_2"} | odd)


CALLS: Final[dict[str, Callable[[SqlDecisions, SqlAllowances], object]]] = {
    "propose": lambda decisions, _: decisions.propose(make_decision(make_upload(1)), a_line()),
    "reject": lambda decisions, _: decisions.reject(confirmed(make_decision(make_upload(1))), a_line()),
    "allow": lambda decisions, _: decisions.allow(
        confirmed(make_decision(make_upload(1), choice=Choice.ALLOW, days=1, sha256="f", signature="s")),
        "al_1",
        a_line(),
    ),
    "find": lambda decisions, _: decisions.find("de_1"),
    "of_upload": lambda decisions, _: decisions.of_upload("up_1"),
    "waiting": lambda decisions, _: decisions.waiting(NOON, None, 1),
    "excusing": lambda _, allowances: allowances.excusing(DIGEST, "PUA.X", NOON),
    "find an allowance": lambda _, allowances: allowances.find("al_1"),
    "page": lambda _, allowances: allowances.page(None, 1),
    "revoke": lambda _, allowances: allowances.revoke("al_1", "rv_1", NOON, a_line()),
}


@pytest.mark.parametrize("call", CALLS)
def test_decisions_that_are_away_say_so(useless: Engine, call: str) -> None:
    """Every call raises ``LedgerUnavailable`` and nothing else."""
    with pytest.raises(LedgerUnavailable):
        CALLS[call](SqlDecisions(useless), SqlAllowances(useless))
