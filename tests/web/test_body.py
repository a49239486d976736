"""The file part of a form as a source."""

from __future__ import annotations

import pytest

from service.web.public.body import MultipartBody
from tests.core.bodies import Body

CHUNK = 256 * 1024


@pytest.mark.parametrize("unit", [b"\r", b"\n", b"\r\n", b"\r\n--", b"\r\n--greenroo", b"x"])
def test_content_of_line_ends_comes_in_as_few_pieces_as_any_other(unit: bytes) -> None:
    """A sender who sends nothing but line ends or near-boundaries gets (but for what is left over) no more
    reads out of the form than were made of the body: each piece costs every stage a turn.
    """
    content = unit * (8 * CHUNK // len(unit))
    head = b'--greenroom\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\n'
    body = Body(head + content + b"\r\n--greenroom--\r\n")
    form = MultipartBody(body, "multipart/form-data; boundary=greenroom", 16 * CHUNK)
    form.open()
    pieces = []
    while piece := form.read(CHUNK):
        pieces.append(piece)
    assert b"".join(pieces) == content
    assert len(pieces) <= len(body.asked) + 1
