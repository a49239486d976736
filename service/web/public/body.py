"""Request bodies as sources: raw, and the one file of a multipart form. Nothing is spooled."""

from collections.abc import Callable, Mapping
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
#: The longest text beside a form's file, in bytes.
_LONGEST_TEXT: Final = 4096
#: Room for a form's boundaries, part headers and texts around the largest file.
_FORM_OVERHEAD: Final = 64 * 1024
#: Takes a text of a form. Raises ``BadRequest`` for one that will not do.
Taker = Callable[[bytes], None]


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
    """The one file of a ``multipart/form-data`` body (RFC 7578), and the short texts beside it.

    ``filename`` and ``media_type`` are known after ``open``. A part that is not asked for is an error, a text
    that does not come is one, and so is a body that ends before its closing boundary; all of them are raised
    before the file's end is told.
    """

    def __init__(
        self, body: Source, content_type: str, limit: int, texts: Mapping[str, Taker] | None = None
    ) -> None:
        """Parse ``body``, of which at most ``limit`` bytes are read, whatever is in it.

        ``texts`` names the parts without a filename that must come once, before or after the file, with at
        most 4 KiB each, and who takes them. Raises ``BadRequest`` if ``content_type`` names no usable
        boundary.
        """
        _, options = parse_options_header(content_type)
        self._body = body
        self._room = limit
        self._wanted = dict(texts or {})
        self._asked_for = "".join(f" and the text {name!r}" for name in self._wanted)
        self._data, self._name, self._value, self._text = bytearray(), bytearray(), bytearray(), bytearray()
        self._headers: dict[str, str] = {}
        self._taker: Taker | None = None
        self._in_content = False
        self._ended = False
        try:
            self._parser = MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._headers.clear,
                    "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._header_ends,
                    "on_headers_finished": self._content_begins,
                    "on_part_data": self._content_comes,
                    "on_part_end": self._content_ends,
                    "on_end": self._ends,
                },
                max_header_count=_MOST_HEADERS,
                max_header_size=_LONGEST_HEADER,
            )
        except (KeyError, FormParserError, ValueError):
            raise BadRequest("multipart/form-data needs a boundary of at most 256 bytes.") from None

    def open(self) -> None:
        """Read up to the file's first byte. Raises ``BadRequest`` if there is none."""
        while not self._in_content and self._advance():
            pass
        if not self._in_content:
            raise BadRequest("The form holds no file.")

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

    def _header_ends(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name.clear()
        self._value.clear()

    def _content_begins(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition"))
        if b"filename" not in options:
            self._taker = self._wanted.pop(options.get(b"name", b"").decode("latin-1"), None)
        elif not self._in_content:
            self._in_content = True
            self.filename = options[b"filename"].decode("utf-8", "replace")
            self.media_type = self._headers.get("content-type", "")
            return
        if self._taker is None:
            raise BadRequest(
                f"The form must hold exactly one file (a part with a filename){self._asked_for}, no more."
            )

    def _content_comes(self, data: bytes, start: int, end: int) -> None:
        if self._taker is None:
            self._data.extend(data[start:end])
        elif len(self._text) + end - start > _LONGEST_TEXT:
            raise BadRequest(f"A text in the form may have at most {_LONGEST_TEXT} bytes.")
        else:
            self._text.extend(data[start:end])

    def _content_ends(self) -> None:
        if self._taker is not None:
            self._taker(bytes(self._text))
            self._taker = None
            self._text.clear()

    def _ends(self) -> None:
        if self._wanted:
            raise BadRequest(f"The form lacks the text {next(iter(self._wanted))!r}.")
        self._ended = True


def open_form(
    body: Source,
    content_type: str,
    announced: int | None,
    largest: int,
    texts: Mapping[str, Taker] | None = None,
) -> MultipartBody:
    """Return an opened form whose file may have ``largest`` bytes (see ``MultipartBody``).

    ``announced`` is the length of the whole body, where it is known. Raises ``TooLarge`` by that alone.
    """
    limit = largest + _FORM_OVERHEAD
    if announced is not None and announced > limit:
        raise TooLarge(f"The form has {announced} bytes; a file may have {largest}.")
    form = MultipartBody(body, content_type, limit, texts)
    form.open()
    return form
