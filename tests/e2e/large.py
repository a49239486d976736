"""Large files for tests, and what they cost a process."""

from __future__ import annotations

import hashlib
import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path

MIB = 1024 * 1024


def resident(pid: int) -> int:
    """Bytes of memory that the process holds."""
    return int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) * 1024  # type: ignore[index]


def wav(size: int) -> bytes:
    """RIFF, WAVE and a format chunk for one channel of PCM: clamd looks through sound faster than text."""
    form = (1, 1, 44100, 88200, 2, 16)
    return struct.pack(
        "<4sL4s4sLHHLLHH4sL", b"RIFF", size - 8, b"WAVE", b"fmt ", 16, *form, b"data", size - 44
    )


def pieces(size: int, digest: hashlib._Hash) -> Iterator[bytes]:
    """A sound of `size` bytes, counted into `digest`."""
    block = os.urandom(8 * MIB)
    head = wav(size)
    for start in range(0, size, len(block)):
        piece = ((b"%044x" % start if start else head) + block[44:])[: size - start]
        digest.update(piece)
        yield piece


def write_sound(path: Path, size: int) -> str:
    """Write a sound of `size` bytes to `path` and return its sha256 in hex."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        file.writelines(pieces(size, digest))
    return digest.hexdigest()
