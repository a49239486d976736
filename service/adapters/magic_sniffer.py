"""``ports.Sniffer`` on libmagic, through python-magic."""

import io
import threading
import zipfile
from typing import Final

import magic

from service.core.errors import ConfigurationError

_PNG: Final = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")


class MagicSniffer:
    """Media types by libmagic. One cookie behind a lock: libmagic's cookies are not safe for two threads."""

    def __init__(self) -> None:
        """Load libmagic's database and test it on known bytes.

        Some releases of libmagic misread buffers: raises ``ConfigurationError`` if this one does.
        """
        self._magic = magic.Magic(mime=True)
        self._lock = threading.Lock()
        for expected, head in (
            ("image/png", _PNG),
            ("application/pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
            ("application/vnd.oasis.opendocument.text", _odf_head()),
        ):
            found = self.media_type(head)
            if found != expected:
                raise ConfigurationError(
                    f"libmagic takes {expected} for {found}: install another release of libmagic1"
                )

    def media_type(self, head: bytes) -> str:
        """Return the media type that the first bytes look like."""
        if len(head) == 1 and head.isascii() and (head.isspace() or head.decode().isprintable()):
            # libmagic calls every content of one byte "very short file" and not text.
            return "text/plain"
        with self._lock:
            return str(self._magic.from_buffer(head))


def _odf_head() -> bytes:
    """Return a package whose first member is an uncompressed ``mimetype``, as ODF 1.3 part 2 asks."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        package.writestr("content.xml", "<x/>")
    return buffer.getvalue()
