"""A witness in memory, keeping the promises of ``ports.Witness``."""

from tests.fakes.faults import Faults


class FakeWitness:
    """Keeps every note that it was given, by log."""

    def __init__(self, faults: Faults, name: str = "fake") -> None:
        """Fail as ``faults`` say."""
        self._faults = faults
        self.name = name
        self.kept: list[tuple[str, int, str]] = []

    def newest(self, origin: str) -> str | None:
        """Return the note over the most lines."""
        with self._faults.at("witness.newest"):
            of_log = [(size, note) for name, size, note in self.kept if name == origin]
            return max(of_log)[1] if of_log else None

    def keep(self, origin: str, size: int, note: str) -> None:
        """Keep a note."""
        with self._faults.at("witness.keep"):
            self.kept.append((origin, size, note))
