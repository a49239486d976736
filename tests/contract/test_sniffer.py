"""``ports.Sniffer``: the fake and libmagic agree on what the tests rely on."""

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from service.adapters.magic_sniffer import MagicSniffer
from service.core.canary import EICAR
from service.ports import Sniffer
from stack.samples import clean_deck
from tests.fakes.sniffer import FakeSniffer


def package(*members: tuple[str, bytes]) -> bytes:
    """Return a zip whose members are stored as they are, in order."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as written:
        for name, data in members:
            written.writestr(zipfile.ZipInfo(name), data)
    return content.getvalue()


ODT: Final = "application/vnd.oasis.opendocument.text"
HEADS: Final = {
    "nothing": (b"", "application/x-empty"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "application/pdf"),
    "png": (
        bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"),
        "image/png",
    ),
    "gif": (b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,", "image/gif"),
    "text": (b"Dear all,\nthe minutes of yesterday.\n", "text/plain"),
    "EICAR": (EICAR, "text/plain"),
    "pptx": (clean_deck(), "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    "odt": (package(("mimetype", ODT.encode()), ("content.xml", b"<x/>")), ODT),
    "zip": (package(("notes.txt", b"notes")), "application/zip"),
    "OOXML with another first member": (
        package(("junk.bin", bytes(9)), ("[Content_Types].xml", b"<Types/>"), ("ppt/x", b"")),
        "application/zip",
    ),
}


@pytest.fixture(params=["fake", "libmagic"])
def sniffer(request: pytest.FixtureRequest) -> Sniffer:
    """Each sniffer in turn."""
    return FakeSniffer() if request.param == "fake" else MagicSniffer()


@pytest.mark.parametrize("case", HEADS)
def test_first_bytes_tell_the_type(sniffer: Sniffer, case: str) -> None:
    """The media type is that of the content, whatever anyone calls it."""
    head, media_type = HEADS[case]
    assert sniffer.media_type(head) == media_type


@pytest.mark.parametrize("head", [b"\0", b"\xff" * 65536, b"PK\x03\x04", b"PK\x03\x04mimetype", b"%PDF"])
def test_odd_bytes_raise_nothing(sniffer: Sniffer, head: bytes) -> None:
    """Whatever comes, the answer is a media type."""
    assert "/" in sniffer.media_type(head)


def test_many_threads_may_ask_at_once(sniffer: Sniffer) -> None:
    """Libmagic's cookies are not safe for two threads, the sniffer is."""
    cases = list(HEADS.values()) * 20
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda case: sniffer.media_type(case[0]), cases))
    assert found == [media_type for _, media_type in cases]
