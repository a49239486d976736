"""A console in which every text that comes from elsewhere is a payload."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from service.core.decision import Allowance, Choice, Decision
from service.core.hold import Hold
from service.core.journal import Act, Entry
from service.core.reviewer import Reviewer, Role
from service.core.upload import Event, State, Upload
from service.core.verdict import Kind, Protection, Verdict
from service.stages.log.checkpoint import sign_when_due
from service.stages.log.place import place
from service.stages.parts import new_upload_id
from tests.console.office import Office
from tests.console.payloads import PAYLOADS
from tests.core.exports import make_export

#: So many uploads have one content: others of the same are shown with each.
_SAME: Final = 4


def poisoned() -> Office:
    """Return a console with uploads, proposals, allow-list, requests and reviewers for all payloads.

    The texts go past the checks at the doors, which are tested elsewhere: the pages must bear them anyway.
    """
    office = Office()
    for number, payload in enumerate(PAYLOADS):
        office.world.clock.advance(300)
        upload = office.world.ledger.save(_upload(office, number))
        if number % 3:
            _decide(office, upload, payload, number)
        _request(office, payload, number)
        reviewer = Reviewer(
            f"rv_{number}", payload, [*Role][number % 3], office.world.clock.now(), subject=f"{number}"
        )
        _hold(office, upload, payload, number)
        office.desk.reviewers.add(reviewer, Entry(office.world.clock.now(), Act.REVIEWER_ADDED.value))
    while place(office.world.parts):
        pass
    sign_when_due(office.world.parts)
    return office


def _text(number: int) -> str:
    return PAYLOADS[number % len(PAYLOADS)]


def _upload(office: Office, number: int) -> Upload:
    now, sha256 = office.world.clock.now(), f"{number // _SAME:064x}"
    verdict = Verdict(
        Kind.SUSPICIOUS,
        "suspicious",
        _text(number + 1),
        sha256,
        9,
        None,
        Protection.DEMO,
        "e" * 64,
        0.2,
        now,
    )
    return Upload(
        id=new_upload_id(now),
        account_id=_text(number + 2),
        meeting_id=_text(number + 3),
        name=_text(number),
        declared_type=_text(number + 4),
        detected_type=_text(number + 5),
        state=State.SCANNING,
        created_at=now,
        updated_at=now,
        size=9,
        sha256=sha256,
    ).moved(
        Event.NOT_SCANNABLE,
        now,
        {"kind": "suspicious", "code": _text(number + 6), "signature": _text(number + 1)},
        actor=f"key:{_text(number + 7)}",
        verdict=verdict,
        reason=_text(number + 6),
    )


def _hold(office: Office, upload: Upload, reason: str, number: int) -> None:
    now, meeting = office.world.clock.now(), upload.meeting_id if number % 2 else None
    office.world.accounts.known(upload.account_id, now)
    hold = Hold(f"hd_{number:032x}", upload.account_id, reason, _text(number + 1), now, meeting)
    office.world.holds.place(hold, Entry(now, Act.HOLD_PLACED.value))


def _request(office: Office, person: str, number: int) -> None:
    account = _text(number + 2)
    asked = make_export(number, person=person, account_id=account, asked_at=office.world.clock.now())
    office.world.exports.ask(asked, Entry(office.world.clock.now(), Act.EXPORT_ASKED.value))


def _decide(office: Office, upload: Upload, reason: str, number: int) -> None:
    now, proposer = office.world.clock.now(), f"rv_{number - 1}"
    signature = upload.verdict.signature if upload.verdict else None
    decision = Decision(
        id=f"de_{number:032x}",
        upload_id=upload.id,
        account_id=upload.account_id,
        meeting_id=upload.meeting_id,
        choice=Choice.ALLOW,
        reason=reason,
        days=30,
        version=upload.version,
        sha256=upload.sha256,
        signature=signature,
        proposed_by=proposer,
        proposed_at=now,
        expires_at=now + timedelta(days=7),
    )
    line = Entry(now, Act.DECISION_PROPOSED.value, decision.detail(), decision.proposed_by, upload.id)
    office.world.decisions.propose(decision, line)
    if number % 3 == 1:
        ends = now + timedelta(days=30)
        office.world.decisions.allowances.add(
            Allowance(
                f"al_{number:032x}",
                decision.id,
                upload.sha256 or "",
                signature or "",
                proposer,
                "rv_0",
                now,
                ends,
            )
        )
