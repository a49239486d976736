"""``ports.Ledger``, where a released upload is downloaded and called back: fake, SQLite and PostgreSQL."""

import json
from dataclasses import replace

import pytest

from service.core.errors import Conflict, NotReleased
from service.core.journal import Act, of_upload
from service.core.upload import Event, Leftover, State
from service.core.webhook import MOST_DOWNLOADS, notices
from tests.contract.conftest import NOON, LedgerCase, make_upload
from tests.contract.test_ledger import SECOND, stored
from tests.contract.webhooks import make_endpoint


def test_a_download_is_logged_and_counted_while_the_file_is_released(ledger_case: LedgerCase) -> None:
    """After a move out of that state there is no such line."""
    ledger = ledger_case.ledger
    upload = ledger.save(make_upload(1, state=State.RELEASED))
    line = of_upload(upload, Act.DOWNLOADED, NOON, "grant:gt_1")
    ledger.downloaded(line)
    recalled = ledger.save(upload.moved(Event.RECALLED, NOON))
    for gone in (line, replace(line, upload_id=make_upload(2).id)):
        with pytest.raises(NotReleased):
            ledger.downloaded(gone)
    events = [entry.entry.event for entry in ledger_case.journal.of_upload(upload.id)]
    assert events == [Act.DOWNLOADED, Event.RECALLED]
    assert ledger.find(upload.id) == recalled


def test_what_is_told_of_a_recall_names_every_download(ledger_case: LedgerCase) -> None:
    """The newest of them, newest first, and how many there were."""
    ledger = ledger_case.ledger
    ledger_case.endpoints.add(make_endpoint(1), 10)
    upload = ledger.save(make_upload(1, state=State.RELEASED))
    for number in range(MOST_DOWNLOADS + 2):
        at = NOON + number * SECOND
        ledger.downloaded(of_upload(upload, Act.DOWNLOADED, at, f"grant:gt_{number}"))
    recalled = upload.moved(Event.RECALLED, NOON)
    ledger.save(recalled, notices=notices(recalled, lambda: "msg_1"))
    work = ledger_case.deliveries.claim(make_endpoint(1).id, NOON + 600 * SECOND, NOON + 700 * SECOND)
    assert work
    told = json.loads(work.body)["data"]["downloads"]
    assert told["total"] == MOST_DOWNLOADS + 2
    assert len(told["newest"]) == MOST_DOWNLOADS
    assert told["newest"][0] == {"by": f"grant:gt_{MOST_DOWNLOADS + 1}", "at": "2026-11-22T12:03:21.123Z"}


def test_a_content_that_came_back_lies_under_the_etags_it_has_now(ledger_case: LedgerCase) -> None:
    """Noted once: an old version is a conflict that changes nothing."""
    ledger = ledger_case.ledger
    old = stored(ledger.save(make_upload(1)))
    old = ledger.save(replace(old, leftover=Leftover.RETURN))
    back = tuple(replace(segment, etag=f"other-{segment.number}") for segment in old.segments)
    noted = ledger.returned(replace(old, segments=back, leftover=Leftover.COPIES))
    assert (
        ledger.find(old.id)
        == noted
        == replace(old, segments=back, leftover=Leftover.COPIES, version=old.version + 1)
    )
    with pytest.raises(Conflict):
        ledger.returned(replace(old, leftover=Leftover.NOTHING))
    assert ledger.find(old.id) == noted
