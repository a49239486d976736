from pathlib import Path

from docs.draw import drawn

PAGE = Path(__file__).resolve().parents[2] / "ARCHITECTURE.md"


def test_diagram_is_drawn_from_the_table() -> None:
    """The state diagram in ARCHITECTURE.md is the one that the table of moves gives."""
    page = PAGE.read_text()
    assert drawn(page) == page, "run `make docs`"
