"""Request bodies as sources: raw, and the one file part of a multipart form. Nothing is spooled."""

from collections.abc import Callable
from typing import Final

from gunicorn.http.errors import ParseException
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from werkzeug.exceptions import ClientDisconnected

from service.core.errors import BadRequest, TooLarge, TooSlow, Truncated
from service.ports import Source
from service.web.public.pace import Watched

_CHUNK: Final = 256 * 1024
_LONGEST_HEADER: Final = 4096
_MOST_HEADERS: Final = 8


class RawBody:
    """The body as it comes. A broken connection is ``Truncated``, one cut for its pace ``TooSlow``."""

    def __init__(
        self, stream: Source, length: int | None, watched: Watched | None, ended: Callable[[], None]
    ) -> None:
        """Read from the server's ``stream`` of ``length`` bytes, if known.

        ``watched`` tells whether it was cut off; ``ended`` is called with the last byte, perhaps twice.
        """
        self._stream = stream
        self._left = length
        self._watched = watched
        self._ended = ended

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; empty at the end, however it came about."""
        try:
            data = self._stream.read(size)
        except (OSError, ParseException, ClientDisconnected) as error:
            self._check_pace()
            raise Truncated("The upload broke off. Send it again.") from error
        if self._left is not None:
            self._left -= len(data)
        if not data and self._left:
            self._check_pace()
            # The server reports a connection that broke off as an end like any other.
            raise Truncated("The upload ended before its announced length. Send it again.")
        if not data or self._left == 0:
            self._ended()
        return data

    def _check_pace(self) -> None:
        if self._watched is not None and self._watched.too_slow:
            raise TooSlow("The upload was slower than the minimum rate and was cut off. Send it again.")


class MultipartBody:
    """The one file part of a ``multipart/form-data`` body (RFC 7578).

    ``filename`` and ``media_type`` are known after ``open``. A second part is an error, and so is a body
    that ends before its closing boundary.
    """

    def __init__(self, body: Source, content_type: str, limit: int) -> None:
        """Parse ``body``, of which at most ``limit`` bytes are read, whatever is in it.

        Raises ``BadRequest`` if ``content_type`` names no usable boundary.
        """
        _, options = parse_options_header(content_type)
        self._body = body
        self._room = limit
        self._data, self._name, self._value = bytearray(), bytearray(), bytearray()
        self._headers: dict[str, str] = {}
        self._parts = 0
        self._in_content = False
        self._ended = False
        try:
            self._parser = MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._part_begins,
                    "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._header_ends,
                    "on_headers_finished": self._content_begins,
                    "on_part_data": lambda data, start, end: self._data.extend(data[start:end]),
                    "on_end": self._ends,
                },
                max_header_count=_MOST_HEADERS,
                max_header_size=_LONGEST_HEADER,
            )
        except (KeyError, FormParserError, ValueError):
            raise BadRequest("multipart/form-data needs a boundary of at most 256 bytes.") from None

    def open(self) -> None:
        """Read up to the file's first byte. Raises ``BadRequest`` if the first part is not a file."""
        while not self._in_content and self._advance():
            pass
        if not self._in_content:
            raise BadRequest("The form holds no file.")
        _, options = parse_options_header(self._headers.get("content-disposition"))
        if b"filename" not in options:
            raise BadRequest("The form must hold exactly one part, and it must be a file (with a filename).")
        self.filename = options[b"filename"].decode("utf-8", "replace")
        self.media_type = self._headers.get("content-type", "")

    def read(self, size: int, /) -> bytes:
        """Return the file's next bytes, at most ``size``; empty at the end of a complete body."""
        while not self._data and self._advance():
            pass
        # In one piece however finely the parser cuts, because a piece costs more than its bytes.
        piece = bytes(memoryview(self._data)[:size])
        del self._data[:size]
        return piece

    def _advance(self) -> bool:
        """Parse one more chunk of the body; false after its end."""
        data = self._body.read(_CHUNK)
        if not data:
            if not self._ended:
                raise Truncated("The form ended before its closing boundary. Send it again.")
            return False
        self._room -= len(data)
        if self._room < 0:
            raise TooLarge("The form is larger than the largest file that is accepted.")
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise BadRequest(f"The form is malformed: {error}") from None
        return True

    def _part_begins(self) -> None:
        self._parts += 1
        if self._parts > 1:
            raise BadRequest("The form holds more than one part. Send one file with each request.")

    def _header_ends(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name.clear()
        self._value.clear()

    def _content_begins(self) -> None:
        self._in_content = True

    def _ends(self) -> None:
        self._ended = True
