import io
import os
import tracemalloc
import zlib

from service.core.container import Container, inspect
from service.core.outcome import Answer, Obstacle, Unscannable
from tests.core.effort import at_most
from tests.core.zips import Part, deflated, zipped

TOO_LARGE = Unscannable(Obstacle.LIMITS, "Greenroom.Limits.Package")
GOOD = Part(b"good", b"some text " * 100, 8)


def look(*parts: Part) -> Answer | None:
    """Look into a plain zip of ``parts``."""
    return inspect(Container("zip"), io.BytesIO(zipped(parts)))


def test_what_unpacks_to_too_much_is_unscannable_at_once() -> None:
    """More than 512 MiB beyond the file's own size is too much, by what the directory says: nothing of it is
    unpacked."""
    bomb = deflated(bytes(1 << 24), 9)
    says = (("size", 1 << 30),)
    with at_most(seconds=0.2):
        assert look(GOOD, Part(b"a", b"", 8, packed=bomb, local=says, central=says)) == TOO_LARGE
    many = [
        Part(b"%d" % n, b"", local=(("size", 1 << 20),), central=(("size", 1 << 20),)) for n in range(600)
    ]
    assert look(*many) == TOO_LARGE


def test_the_largest_bomb_that_is_unpacked_is_bounded() -> None:
    """511 MiB of zeros in half a megabyte pass, in at most 2 s of processor time and a few MiB of memory."""
    size = 511 << 20
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    million, crc = bytes(1 << 20), 0
    for _ in range(511):
        crc = zlib.crc32(million, crc)
    packed = (packer.compress(million) + packer.flush(zlib.Z_FULL_FLUSH)) * 511 + deflated(b"")
    says = (("size", size), ("crc", crc))
    bomb = zipped([Part(b"a", b"", 8, packed=packed, local=says, central=says)])
    with at_most(seconds=2):
        assert inspect(Container("zip"), io.BytesIO(bomb)) is None
    tracemalloc.start()
    try:
        assert inspect(Container("zip"), io.BytesIO(zipped([Part(b"a", os.urandom(1 << 22), 8)]))) is None
        assert tracemalloc.get_traced_memory()[1] < 30 << 20
    finally:
        tracemalloc.stop()
