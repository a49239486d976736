"""``ports.Answers``, and the keys that ``ports.Ledger`` takes: the same laws for fake and databases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from sqlalchemy import Engine

from service.adapters.sql_answers import SqlAnswers
from service.core.errors import Conflict, IdempotencyInProgress, LedgerUnavailable
from service.core.upload import Event
from service.ports import Answers, Claim, Entry, Reply
from tests.contract.conftest import NOON, LedgerCase, make_upload
from tests.contract.test_ledger_races import at_once, useless

__all__ = ["useless"]  # a fixture

SECOND: Final = timedelta(seconds=1)
REPLY: Final = Reply(201, {"Location": "/v1/x", "Content-Type": "application/json"}, bytes(range(256)))


def make_claim(number: int = 1, **changes: object) -> Claim:
    """Return a claim on the key "k"."""
    plain: dict[str, object] = {
        "id": f"{number:032x}",
        "account_id": "acme",
        "grant_id": "",
        "key": "k",
        "fingerprint": "f" * 64,
        "made_at": NOON,
    }
    return Claim(**(plain | changes))  # type: ignore[arg-type]


@pytest.fixture
def answers(ledger_case: LedgerCase) -> Answers:
    """The answers of each case."""
    return ledger_case.answers


def known(answers: Answers) -> Entry | None:
    """Return what is known of the key "k"."""
    return answers.find("acme", "", "k")


def test_a_key_is_held_as_it_was_claimed(answers: Answers) -> None:
    """Every field comes back, times to the microsecond; a key that nobody claimed is not known."""
    claim = make_claim(key=' ~"\\' + "k" * 251, running_until=NOON + SECOND)
    answers.claim(claim)
    assert answers.find("acme", "", claim.key) == Entry(claim, None, None)
    assert known(answers) is None


def test_a_key_that_is_held_is_not_claimed_again(answers: Answers) -> None:
    """The first claim stays as it was, whoever tries."""
    answers.claim(make_claim(1))
    for other in (make_claim(2), make_claim(1)):
        with pytest.raises(IdempotencyInProgress):
            answers.claim(other)
    assert known(answers) == Entry(make_claim(1), None, None)


@pytest.mark.parametrize("other", [{"account_id": "other"}, {"grant_id": "gt_1"}, {"key": "K"}])
def test_a_key_belongs_to_one_account_and_grant(answers: Answers, other: dict[str, str]) -> None:
    """The same text of another account or grant is another key, and so is the text in other letters."""
    answers.claim(make_claim(1))
    claim = make_claim(2, **other)
    answers.claim(claim)
    assert known(answers) == Entry(make_claim(1), None, None)
    assert answers.find(claim.account_id, claim.grant_id, claim.key) == Entry(claim, None, None)


def test_a_claim_is_taken_over_once(answers: Answers) -> None:
    """Whoever names the claim that is there takes it over; the next, and one that names another, does not."""
    answers.claim(make_claim(1, running_until=NOON))
    taker = make_claim(2, replaces=make_claim(1).id, fingerprint="e" * 64, made_at=NOON + SECOND)
    answers.claim(taker)
    for late in (make_claim(3, replaces=make_claim(1).id), make_claim(4, replaces="0" * 32)):
        with pytest.raises(IdempotencyInProgress):
            answers.claim(late)
    assert known(answers) == Entry(replace(taker, replaces=None), None, None)
    with pytest.raises(IdempotencyInProgress):
        answers.claim(make_claim(5, key="never", replaces=make_claim(1).id))
    assert answers.find("acme", "", "never") is None


def test_an_answer_is_kept_by_who_holds_the_key(answers: Answers) -> None:
    """Status, headers and body come back as given; one who lost the key changes nothing."""
    answers.claim(make_claim(1))
    answers.settle(make_claim(1), REPLY)
    assert known(answers) == Entry(make_claim(1), None, REPLY)
    answers.settle(make_claim(2), replace(REPLY, status=500))
    assert known(answers) == Entry(make_claim(1), None, REPLY)
    answers.settle(make_claim(3, key="never"), REPLY)
    assert answers.find("acme", "", "never") is None


def test_a_key_is_let_go_by_who_holds_it(answers: Answers) -> None:
    """After that it is as if it had never been claimed; one who lost the key changes nothing."""
    answers.claim(make_claim(1))
    answers.release(make_claim(2))
    assert known(answers)
    answers.release(make_claim(1))
    assert known(answers) is None
    answers.claim(make_claim(2))


def test_only_what_is_old_is_forgotten(answers: Answers) -> None:
    """Claims made before the moment go, with their answers; those made then or later stay."""
    for number, key in enumerate(("older", "just", "newer")):
        answers.claim(make_claim(number, key=key, made_at=NOON + (number - 1) * SECOND))
    answers.settle(make_claim(0, key="older"), REPLY)
    answers.purge(NOON)
    assert [key for key in ("older", "just", "newer") if answers.find("acme", "", key)] == ["just", "newer"]


def test_of_many_who_claim_at_once_one_wins(answers: Answers) -> None:
    """A key is held by one, and by the one that was told so; a claim is taken over by one likewise."""
    for replaces in (None, make_claim(0).id):
        if replaces:
            answers.purge(NOON + SECOND)
            answers.claim(make_claim(0))

        def claim(number: int) -> bool:
            try:
                answers.claim(make_claim(number + 1, replaces=replaces))  # noqa: B023 - run within the round
            except IdempotencyInProgress:
                return False
            return True

        won = at_once(16, claim)
        assert sum(won) == 1
        entry = known(answers)
        assert entry
        assert entry.claim.id == make_claim(won.index(True) + 1).id


def test_an_upload_and_its_key_are_saved_together(ledger_case: LedgerCase) -> None:
    """After the save both are there, and the key knows its upload."""
    ledger_case.ledger.save(make_upload(1), claim=make_claim(1))
    assert known(ledger_case.answers) == Entry(make_claim(1), make_upload(1).id, None)
    taker = make_claim(2, replaces=make_claim(1).id)
    ledger_case.ledger.save(make_upload(2), claim=taker)
    assert known(ledger_case.answers) == Entry(replace(taker, replaces=None), make_upload(2).id, None)


def test_without_its_key_an_upload_is_not_saved(ledger_case: LedgerCase) -> None:
    """If another holds the key, there is no row and no log line of the upload."""
    ledger = ledger_case.ledger
    ledger.save(make_upload(1), claim=make_claim(1))
    for claim in (make_claim(2), make_claim(2, replaces="0" * 32)):
        with pytest.raises(IdempotencyInProgress):
            ledger.save(make_upload(2).moved(Event.REFUSED, NOON), claim=claim)
        assert ledger.find(make_upload(2).id) is None
        assert list(ledger.history(make_upload(2).id)) == []
    assert known(ledger_case.answers) == Entry(make_claim(1), make_upload(1).id, None)


def test_without_its_upload_a_key_is_not_taken(ledger_case: LedgerCase) -> None:
    """A save that conflicts leaves the key to others."""
    ledger_case.ledger.save(make_upload(1))
    with pytest.raises(Conflict):
        ledger_case.ledger.save(make_upload(1), claim=make_claim(1))
    assert known(ledger_case.answers) is None


def test_of_many_uploads_saved_at_once_with_one_key_one_is(ledger_case: LedgerCase) -> None:
    """One row, one log, and the key knows that one; the others left nothing."""

    def save(number: int) -> bool:
        upload = make_upload(number).moved(Event.REFUSED, NOON)
        try:
            ledger_case.ledger.save(upload, claim=make_claim(number))
        except IdempotencyInProgress:
            return False
        return True

    won = at_once(16, save)
    assert sum(won) == 1
    (row,) = ledger_case.ledger.page("acme", "m1", None, 100)
    assert row.id == make_upload(won.index(True)).id
    entry = known(ledger_case.answers)
    assert entry
    assert (entry.upload_id, entry.claim.id) == (row.id, make_claim(won.index(True)).id)


CALLS: Final[dict[str, Callable[[Answers], object]]] = {
    "find": known,
    "claim": lambda answers: answers.claim(make_claim()),
    "take over": lambda answers: answers.claim(make_claim(replaces="0" * 32)),
    "settle": lambda answers: answers.settle(make_claim(), REPLY),
    "release": lambda answers: answers.release(make_claim()),
    "purge": lambda answers: answers.purge(NOON),
}


@pytest.mark.parametrize("call", CALLS)
def test_answers_that_are_away_say_so(useless: Engine, call: str) -> None:
    """Every call raises ``LedgerUnavailable`` and nothing else."""
    with pytest.raises(LedgerUnavailable):
        CALLS[call](SqlAnswers(useless))
