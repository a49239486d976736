import re

import greenroom_client
from greenroom_client import GreenroomError, errors

DRAWN = re.compile(r"^    ((?:\|   )*)\+-- (\w+)", re.MULTILINE)


def drawn() -> dict[str, str]:
    """Each error of the drawing with the one that it hangs under."""
    above = ["GreenroomError"]
    found = {}
    for indent, name in DRAWN.findall(errors.__doc__ or ""):
        depth = len(indent) // 4 + 1
        found[name] = above[depth - 1]
        above[depth:] = [name]
    return found


def grown(kind: type[GreenroomError]) -> dict[str, str]:
    """The same, from the classes."""
    found: dict[str, str] = {}
    for child in kind.__subclasses__():
        found |= {child.__name__: kind.__name__, **grown(child)}
    return found


def test_the_tree_is_as_drawn() -> None:
    """The drawing shows every error, where it is, and the package gives each of them."""
    assert drawn() == grown(GreenroomError)
    assert set(drawn()) < set(greenroom_client.__all__)
