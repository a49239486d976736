"""How the look into a file says, from any depth, that a clean scan would not mean what it says."""

from service.core.outcome import Answer


class Objection(Exception):
    """Raised where content was met that the scanner cannot have looked into; carries the ``answer``."""

    def __init__(self, answer: Answer) -> None:
        """Object with ``answer``, which is never ``Clean``."""
        super().__init__(answer)
        self.answer = answer
