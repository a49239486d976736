"""A gate in front of a real clamd: while it is shut, scans get no answer; everything else passes."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path

_CHUNK = 256 * 1024


class Gate:
    """Listens on `path` and passes every connection on to the clamd at `behind`."""

    def __init__(self, path: Path, behind: Path) -> None:
        self.path = path
        self._behind = behind
        self._open = threading.Event()
        self._open.set()
        self._connections: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._accept, name="gate", daemon=True).start()

    def shut(self) -> None:
        """Hold back the answers to scans from now on."""
        self._open.clear()

    def open(self) -> None:
        """Let everything through."""
        self._open.set()

    def close(self) -> None:
        """Let go of everything."""
        self._open.set()
        for one in (self._listener, *self._connections):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(str(self._behind))
                self._connections += [near, far]
                threading.Thread(target=self._pass, args=(near, far), name="gate in", daemon=True).start()

    def _pass(self, near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError):
            first = near.recv(_CHUNK)
            scan = first.startswith(b"zINSTREAM")
            threading.Thread(
                target=self._answer, args=(far, near, scan), name="gate out", daemon=True
            ).start()
            far.sendall(first)
            while data := near.recv(_CHUNK):
                far.sendall(data)

    def _answer(self, far: socket.socket, near: socket.socket, scan: bool) -> None:  # noqa: FBT001
        with contextlib.suppress(OSError):
            while data := far.recv(_CHUNK):
                if scan:
                    self._open.wait()
                near.sendall(data)
            near.shutdown(socket.SHUT_RDWR)
