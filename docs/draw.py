"""Draws the state diagram in ARCHITECTURE.md from the table of moves: ``python -m docs.draw``."""

from pathlib import Path
from typing import Final

from service.core.upload import RESTING, TRANSITIONS, State

_PAGE: Final = Path(__file__).resolve().parent.parent / "ARCHITECTURE.md"
_BEGIN: Final = "<!-- states: drawn by `make docs`, do not edit -->\n"
_END: Final = "<!-- end of states -->\n"


def diagram() -> str:
    """Return the table of moves as a Mermaid state diagram; resting states are drawn with a thick border."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> receiving"]
    lines += [f"    {before} --> {after}: {event}" for (before, event), after in TRANSITIONS.items()]
    lines += ["    erased --> [*]", "    classDef resting stroke-width:3px"]
    lines += [f"    class {state} resting" for state in State if state in RESTING]
    return "\n".join([*lines, "```", ""])


def drawn(page: str) -> str:
    """Return ``page`` with the diagram between its two marks made anew."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{diagram()}\n{_END}{after}"


if __name__ == "__main__":
    _PAGE.write_text(drawn(_PAGE.read_text()))
