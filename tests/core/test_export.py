"""Exports as values: when they are due, what their files are called."""

import re
from datetime import UTC, datetime
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.export import Phase, member_name, month_after
from tests.core.exports import make_export

UPLOAD = "up_01a20356a2329671583b39fe4590515e"
NOON = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        ((2026, 1, 31), (2026, 2, 28)),
        ((2028, 1, 31), (2028, 2, 29)),
        ((2026, 2, 28), (2026, 3, 28)),
        ((2026, 3, 31), (2026, 4, 30)),
        ((2026, 11, 22), (2026, 12, 22)),
        ((2026, 12, 31), (2027, 1, 31)),
    ],
)
def test_a_month_ends_on_its_day_or_on_the_last_there_is(
    asked: tuple[int, int, int], due: tuple[int, int, int]
) -> None:
    """As Regulation 1182/71 counts months: the same date of the next one, at the same time of day."""
    begun = NOON.replace(*asked)
    assert month_after(begun) == NOON.replace(*due)


def test_progress_is_never_over_and_never_back() -> None:
    """From 0 to 1, whatever was counted; one that is there is all there."""
    export = make_export(1, total=4)
    assert export.progress == 0.0
    assert make_export(1, total=0).progress == 0.0
    assert make_export(1, total=4, done=3).progress == 0.75
    assert make_export(1, total=4, done=9).progress == 1.0
    assert make_export(1, phase=Phase.READY).progress == 1.0


@given(st.text(max_size=300), st.text(max_size=130))
def test_no_name_leads_out_of_its_folder(name: str, meeting: str) -> None:
    """Whatever a file and its meeting are called, there are four parts below the folder that it is unpacked
    in, for Windows and for everybody else, and none of them is a device.
    """
    member = member_name(meeting, UPLOAD, name)
    for path in (PurePosixPath(member), PureWindowsPath(member)):
        assert not path.is_absolute()
        assert not path.drive
        assert not path.root
        assert len(path.parts) == 4
        assert not {".", ".."} & set(path.parts)
        assert path.parts[2] == UPLOAD
    assert not PureWindowsPath(member).is_reserved()
    assert not re.search(r"[\x00-\x1f\x7f]", member)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("agenda.pdf", "agenda.pdf"),
        ("Übersicht 2026 ✓.pptx", "Übersicht 2026 ✓.pptx"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\Windows\\a.txt", "C__Windows_a.txt"),
        ("con.txt", "_con.txt"),
        ("LPT1", "_LPT1"),
        ("...", "file"),
        ("", "file"),
    ],
)
def test_names_stay_as_they_are_where_they_may(name: str, shown: str) -> None:
    """What is harmless is kept, what is not is made so."""
    assert member_name("m1", UPLOAD, name) == f"files/m1/{UPLOAD}/{shown}"
