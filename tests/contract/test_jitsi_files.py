"""The promises of ``ports.JitsiFiles``, on SQLite and on PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from service.adapters.schema import accounts
from service.adapters.sql_jitsi_files import SqlJitsiFiles
from service.core.errors import Conflict
from service.core.upload import State
from service.ports import JitsiFile, JitsiFiles
from tests.contract.conftest import NOON, LedgerCase, make_upload
from tests.contract.test_ledger_races import at_once


@pytest.fixture
def files(sql_case: LedgerCase) -> JitsiFiles:
    """Each of them in turn, empty, with four uploads of two accounts in the ledger."""
    for number, state in ((1, State.RELEASED), (2, State.HELD), (3, State.RELEASED)):
        sql_case.ledger.save(make_upload(number, state=state))
    sql_case.ledger.save(make_upload(4, state=State.RELEASED, account_id="other"))
    assert sql_case.engine is not None
    return SqlJitsiFiles(sql_case.engine)


def make_file(number: int, **changes: str) -> JitsiFile:
    """The file behind which is the upload of that number."""
    plain = JitsiFile("acme", "m1", f"file-{number}", f"up_{number:032x}", "u-1", "c-1")
    return replace(plain, **changes)


def test_a_file_is_found_within_its_meeting_alone(files: JitsiFiles) -> None:
    """By account, meeting and id, case for case; the same id elsewhere is another file."""
    file, other = make_file(1), make_file(4, account_id="other", file_id="file-1")
    files.add(file)
    files.add(other)
    assert files.find("acme", "m1", "file-1") == file
    assert files.find("other", "m1", "file-1") == other
    for odd in (("acme", "m2", "file-1"), ("acme", "m1", "FILE-1"), ("acme", "m1", "file-2")):
        assert files.find(*odd) is None


def test_an_id_is_given_once(files: JitsiFiles) -> None:
    """A second upload under one id of a meeting is a conflict and changes nothing; so is a second id."""
    files.add(make_file(1))
    for second in (make_file(2, file_id="file-1"), make_file(1, file_id="file-9")):
        with pytest.raises(Conflict):
            files.add(second)
    assert files.find("acme", "m1", "file-1") == make_file(1)
    assert files.find("acme", "m1", "file-9") is None


def test_of_many_at_once_one_is_first(files: JitsiFiles) -> None:
    """Two threads with one id: one gets it."""

    def add(number: int) -> bool:
        try:
            files.add(make_file(number + 1, file_id="same"))
        except Conflict:
            return False
        return True

    assert sorted(at_once(2, add)) == [False, True]


def test_only_what_is_released_is_listed(files: JitsiFiles) -> None:
    """Oldest first, by stretches, of one meeting of one account."""
    for number in (3, 2, 1):
        files.add(make_file(number))
    files.add(make_file(4, account_id="other"))
    assert files.released("acme", "m1", 0, 10) == [make_file(1), make_file(3)]
    assert files.released("acme", "m1", 1, 1) == [make_file(3)]
    assert files.released("acme", "m1", 2, 10) == []
    assert files.released("acme", "m2", 0, 10) == []


def test_one_senders_files_are_told_apart(files: JitsiFiles) -> None:
    """By user and customer together, released or not."""
    files.add(make_file(1, customer_id="c-2"))
    files.add(make_file(2))
    files.add(make_file(3, user_id="u-2"))
    assert files.sent_by("acme", "m1", "u-1", "c-1") == [make_file(2)]
    assert files.sent_by("acme", "m1", "u-3", "c-1") == []
    assert files.sent_by("acme", "m2", "u-1", "c-1") == []


def test_an_account_is_made_once(files: JitsiFiles, sql_case: LedgerCase) -> None:
    """However often and by however many it is asked for, it is the one that was made first."""
    files.ensure_account("fresh", NOON)
    files.ensure_account("fresh", NOON + timedelta(days=1))

    def ensure(_: int) -> bool:
        files.ensure_account("raced", NOON)
        return True

    assert at_once(4, ensure) == [True] * 4
    assert sql_case.engine is not None
    with sql_case.engine.connect() as connection:
        found = connection.execute(
            select(accounts.c.id, accounts.c.created_at).where(accounts.c.id.in_(["fresh", "raced"]))
        ).all()
    assert sorted(tuple(row) for row in found) == [("fresh", NOON), ("raced", NOON)]
