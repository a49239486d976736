"""A meeting whose account was removed, and one that must stay as it is."""

from __future__ import annotations

import pytest

from service.core.caller import Scope
from service.stages import accounts, holds
from tests.web.conftest import assert_problem
from tests.web.jitsi.meeting import API_URL, BASE, CLOSE, Meeting, file_part, metadata, new_file_id, text_part
from tests.web.test_access_table import routes

#: How each route is called: by its method and the end of its rule.
CALLS = {
    ("POST", "/sessions/<session_id>/files"),
    ("GET", "/sessions/<session_id>/files"),
    ("GET", "/sessions/<session_id>/document"),
    ("GET", "/sessions/<session_id>/files/<file_id>"),
    ("DELETE", "/sessions/<session_id>/files/<file_id>"),
    ("DELETE", "/sessions/<session_id>/files"),
}


def test_the_table_has_every_route(meeting: Meeting) -> None:
    """A route that is not in the table is a route that nobody tried."""
    found = {
        (method, rule.removeprefix(BASE))
        for (method, rule), declared in routes(meeting.app).items()
        if rule.startswith(BASE) and declared and declared.scope in set(Scope)
    }
    assert found == CALLS


@pytest.mark.parametrize(("method", "rule"), sorted(CALLS))
def test_a_removed_account_is_shut(meeting: Meeting, method: str, rule: str) -> None:
    """To all who are in one of its meetings, and to those who have a link; until it is brought back."""
    file_id = meeting.share()
    link = meeting.document(file_id).get_json()["presignedUrl"]
    account = meeting.jitsi.issuer.account_id
    accounts.remove(meeting.parts, account, "operator:command")
    path = rule.replace("<session_id>", meeting.session).replace("<file_id>", file_id)
    if method == "POST":
        answer = meeting.post(text_part(metadata(new_file_id())) + file_part() + CLOSE)
    else:
        answer = meeting.call(method, path, headers={"X-File-Id": file_id})
    assert_problem(answer, 410, "account_removed")
    assert link.startswith(API_URL)
    assert_problem(meeting.follow(link), 410, "account_removed")
    accounts.reactivate(meeting.parts, account, "operator:command")
    assert meeting.follow(link).get_data() == b"minutes"


def test_what_is_under_hold_is_not_taken_back(meeting: Meeting) -> None:
    """Not by one id and not with all that somebody sent, of which the rest goes; nor is a file that was sent
    under the id of another.
    """
    kept, other = meeting.share(), meeting.share()
    account = meeting.jitsi.issuer.account_id
    file = meeting.jitsi.files.find(account, meeting.session, kept)
    assert file
    wanted = holds.Wanted(account, "An order to keep", untrusted_upload=file.upload_id)
    hold = holds.place(meeting.parts, wanted, "operator:command")
    assert_problem(meeting.call("DELETE", f"{meeting.files}/{kept}"), 409, "under_hold")
    everything = f"{meeting.files}?user-id={file.user_id}&customer-id={file.customer_id}"
    assert_problem(meeting.call("DELETE", everything), 409, "under_hold")
    assert meeting.document(kept).status_code == 200
    assert meeting.document(other).status_code == 410
    holds.lift(meeting.parts, hold.id, "operator:command")
    assert meeting.call("DELETE", everything).status_code == 204
    assert meeting.document(kept).status_code == 410
