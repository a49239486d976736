"""Looking into bytes."""

from typing import Protocol

from service.core.outcome import Engine, Outcome


class ScanStream(Protocol):
    """One scan under way. Not for two threads at once."""

    def feed(self, chunk: bytes) -> None:
        """Hand the next bytes over. Raises ``ScannerUnavailable`` when the scanner does not take them; the
        scan is then lost: ``outcome`` may tell why but nothing about the content, ``close`` must follow."""

    def finish(self) -> None:
        """Say that all bytes were fed. Does not wait. Raises ``ScannerUnavailable``."""

    def outcome(self, timeout: float | None = None) -> Outcome | None:
        """Wait for the answer, at most ``timeout`` seconds or until the scan's deadline.

        ``None`` means not yet, ask again; past the deadline it is ``Failed``. Never raises."""

    def close(self) -> None:
        """Let go of the scan. May be called twice and at any time."""


class Scanner(Protocol):
    """Looks into bytes. Safe for many threads at once. Keeps nothing."""

    def open(self) -> ScanStream:
        """Begin a scan under one total deadline. Raises ``ScannerUnavailable``."""

    def engine(self) -> Engine:
        """Return who scans and with which signatures, no older than a second or two.
        Raises ``ScannerUnavailable``."""


class Sniffer(Protocol):
    """Tells a media type from first bytes. Safe for many threads at once."""

    def media_type(self, head: bytes) -> str:
        """Return the media type that the bytes look like. Never raises for odd bytes."""
