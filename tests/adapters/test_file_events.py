"""The file of events: what rotation, a full disk and a kill leave."""

from pathlib import Path

from service.adapters.file_events import FileEvents
from tests.contract.test_event_sink import tellings, texts


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    """Rotation needs no signal and loses nothing."""
    path = tmp_path / "events"
    sink = FileEvents(path)
    sink.write(tellings(0, 2))
    path.rename(tmp_path / "events.1")
    sink.write(tellings(2, 2))
    whole = (tmp_path / "events.1").read_text() + path.read_text()
    assert whole.splitlines() == texts(4)


def test_a_line_that_was_cut_off_spoils_no_other(tmp_path: Path) -> None:
    """What a full disk left of a line stays alone; the line comes again, whole."""
    path = tmp_path / "events"
    path.write_text('{"n":0,')
    FileEvents(path).write(tellings(0, 2))
    assert path.read_text().splitlines() == ['{"n":0,', *texts(2)]


def test_strangers_do_not_read_it(tmp_path: Path) -> None:
    """The file is made for its owner and group."""
    path = tmp_path / "events"
    FileEvents(path).write(tellings(0, 1))
    assert path.stat().st_mode & 0o137 == 0
