"""A line to the service on which the first answer is lost."""

from __future__ import annotations

import contextlib
import socket
import threading

from stack.ports import LOOPBACK

_CHUNK = 65536


class Lossy:
    """Passes connections on to a port of this machine; what the first of them is answered never arrives."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server((LOOPBACK, 0))
        self.url = f"http://{LOOPBACK}:{self._listener.getsockname()[1]}"
        self.lost = b""
        threading.Thread(target=self._accept, name="lossy line", daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        first = True
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._pass, args=(near, first), daemon=True).start()
                first = False

    def _pass(self, near: socket.socket, lose: bool) -> None:  # noqa: FBT001
        with contextlib.suppress(OSError), near, socket.create_connection((LOOPBACK, self._port)) as far:
            threading.Thread(target=_send, args=(near, far), daemon=True).start()
            if lose:
                self.lost = far.recv(_CHUNK)
                near.shutdown(socket.SHUT_RDWR)
            else:
                _send(far, near)


def _send(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
