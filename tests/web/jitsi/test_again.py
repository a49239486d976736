"""A file that is shared again under one Idempotency-Key."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any, cast

import pytest

from service.core.errors import LedgerUnavailable
from service.web.public import create_app
from service.web.public.operation import IDEMPOTENCY_KEY, Operation, headers_of
from tests.web.conftest import SLOTS, Without, assert_problem
from tests.web.jitsi.meeting import CLOSE, Meeting, file_part, metadata, new_file_id, text_part


def form(file_id: str, content: bytes = b"minutes", *, metadata_last: bool = False) -> bytes:
    """A form as the browser sends it."""
    parts = [text_part(metadata(file_id)), file_part(content)]
    return b"".join(reversed(parts) if metadata_last else parts) + CLOSE


def fresh_key() -> dict[str, str]:
    """The header with a key that was never used."""
    return {"Idempotency-Key": secrets.token_hex(16)}


@pytest.mark.parametrize("metadata_last", [False, True])
def test_a_file_shared_again_is_answered_again(meeting: Meeting, *, metadata_last: bool) -> None:
    """The same answer, one upload; another content or another fileId under the key is another request."""
    key, file_id = fresh_key(), new_file_id()
    body = form(file_id, metadata_last=metadata_last)
    first = meeting.post(body, headers=key)
    again = meeting.post(body, headers=key)
    assert (first.status_code, first.data) == (again.status_code, again.data)
    assert (first.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    for other in (form(file_id, b"minuteX"), form(new_file_id())):
        assert_problem(meeting.post(other, headers=key), 422, "idempotency_mismatch")
    assert_problem(meeting.post(body, headers=fresh_key()), 409, "conflict")
    assert len(meeting.uploads()) == 1


def test_a_file_whose_answer_got_lost_is_made_known_once(meeting: Meeting) -> None:
    """The process died before the meeting knew the file, or before the answer was kept: sent again it is
    known, once.
    """
    key, file_id = fresh_key(), new_file_id()
    away = Without(meeting.jitsi.files, LedgerUnavailable("away"), "add")
    broken = replace(meeting.jitsi, files=cast("Any", away))
    died = replace(meeting, app=create_app(meeting.parts, SLOTS, broken))
    assert_problem(died.post(form(file_id), headers=key), 503, "ledger_unavailable")
    forgetful = replace(
        meeting.parts,
        answers=cast("Any", Without(meeting.parts.answers, LedgerUnavailable("away"), "settle")),
    )
    lost = replace(meeting, app=create_app(forgetful, SLOTS, meeting.jitsi))
    for sender in (lost, lost, meeting):
        answer = sender.post(form(file_id), headers=key)
        assert (answer.status_code, answer.get_json()) == (200, {"fileId": file_id})
    (upload,) = meeting.uploads()
    assert meeting.upload(file_id) == upload


def test_the_route_says_that_it_takes_a_key(meeting: Meeting) -> None:
    """As every POST does."""
    operation = cast("Any", meeting.app.view_functions["jitsi.post"]).operation
    assert isinstance(operation, Operation)
    assert headers_of(operation, "POST")[-1] is IDEMPOTENCY_KEY
