"""The fault kit: a fake clamd that plays one script on each INSTREAM, over a unix socket or TCP.

A script is what a broken, dying or lying clamd does in one dialog. `SCRIPTS` are the faults: after none of
them may a file be called clean. `HONEST` are what a healthy clamd does, so that the kit itself is proved.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from service.core.outcome import Clean, Failed, Infected, Malformed, Suspicious, Unscannable

#: What a test sends: this many chunks, together more than a unix socket's buffer holds.
CHUNKS: Final = 3
CHUNK_SIZE: Final = 256 * 1024

VERSION: Final = b"ClamAV 1.4.6/27826/Thu Nov 20 09:31:54 2026\n"
OK: Final = b"stream: OK\0"
FOUND: Final = b"stream: Eicar-Test-Signature FOUND\0"
_SECONDS_PER_BYTE: Final = 0.2
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class PeerGone(Exception):
    """The sender closed its end; the script's dialog is over."""


class Dialog:
    """One connection as clamd sees it. Scripts are made of these moves."""

    def __init__(self, connection: socket.socket, stop: threading.Event, spoke: threading.Event) -> None:
        self._connection = connection
        self._stop = stop
        self._spoke = spoke

    def command(self) -> bytes:
        """Read the command, up to its NUL or newline."""
        command = b""
        while command[-1:] not in {b"\0", b"\n"}:
            command += self._exactly(1)
        return command

    def chunks(self, count: int) -> None:
        """Read the command and `count` chunks."""
        self.command()
        for _ in range(count):
            self._chunk()

    def everything(self) -> None:
        """Read on to the chunk of length zero."""
        while self._chunk():
            pass

    def stream(self) -> None:
        """Read the command and everything after it."""
        self.command()
        self.everything()

    def half_a_chunk(self) -> None:
        """Read the command and half of the first chunk."""
        self.command()
        (size,) = struct.unpack("!L", self._exactly(4))
        self._exactly(size // 2)

    def say(self, data: bytes) -> None:
        """Send `data`."""
        try:
            self._connection.sendall(data)
        except OSError as error:
            raise PeerGone from error

    def interrupt(self, data: bytes) -> None:
        """Send `data` out of turn, and let the test know that it is on its way."""
        self.say(data)
        self._spoke.set()

    def spell(self, data: bytes) -> None:
        """Send `data` one byte at a time."""
        for place in range(len(data)):
            self.say(data[place : place + 1])
            self._pause(_SECONDS_PER_BYTE)

    def sip(self) -> None:
        """Read one byte now and then, until the sender is gone."""
        while True:
            self._exactly(1)
            self._pause(_SECONDS_PER_BYTE)

    def stop_talking(self) -> None:
        """Close the sending half only."""
        self._connection.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Close so that TCP sends RST; a unix socket's peer sees a reset if bytes were left unread."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._connection.close()

    def hang(self) -> None:
        """Do nothing, not even read, until the sender is gone."""
        poll = select.poll()
        poll.register(self._connection, select.POLLRDHUP)
        while not self._stop.is_set():
            if poll.poll(50):
                return

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise PeerGone

    def _chunk(self) -> int:
        (size,) = struct.unpack("!L", self._exactly(4))
        self._exactly(size)
        return int(size)

    def _exactly(self, size: int) -> bytes:
        pieces = []
        while size:
            try:
                piece = self._connection.recv(min(size, CHUNK_SIZE))
            except OSError as error:
                raise PeerGone from error
            if not piece:
                raise PeerGone
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)


@dataclass(frozen=True)
class Script:
    """One behaviour. `expected` is the outcome it must end in; `early` scripts speak out of turn, and
    `endless` ones are only ended by the sender's deadline.
    """

    name: str
    act: Callable[[Dialog], object]
    expected: type = Failed
    early: bool = False
    endless: bool = False


def after_everything(name: str, reply: bytes, expected: type = Failed) -> Script:
    """A script that reads all bytes like a healthy clamd, says `reply` and closes."""

    def act(dialog: Dialog) -> None:
        dialog.stream()
        dialog.say(reply)

    return Script(name, act, expected)


def _in_turn(*moves: Callable[[Dialog], object]) -> Callable[[Dialog], object]:
    def act(dialog: Dialog) -> None:
        for move in moves:
            move(dialog)

    return act


def _says(data: bytes) -> Callable[[Dialog], object]:
    return lambda dialog: dialog.say(data)


def _interrupts(data: bytes) -> Callable[[Dialog], object]:
    return lambda dialog: dialog.interrupt(data)


def _reads(count: int) -> Callable[[Dialog], object]:
    return lambda dialog: dialog.chunks(count)


def _spells(data: bytes) -> Callable[[Dialog], object]:
    return lambda dialog: dialog.spell(data)


def _floods(dialog: Dialog) -> None:
    while True:
        dialog.say(b"stream: OK " * 1000)


_D: Final = Dialog
_TOO_BIG: Final = b"INSTREAM size limit exceeded. ERROR\0"

_DYING: Final = [
    Script("closes at once", lambda _: None),
    Script("closes after the command", _reads(0)),
    Script("closes in the middle of a chunk", _D.half_a_chunk),
    Script("closes after the first chunk", _reads(1)),
    Script("closes after the last chunk", _reads(CHUNKS)),
    Script("empty reply", _D.stream),
    Script("stops talking after everything", _in_turn(_D.stream, _D.stop_talking, _D.hang)),
    Script(
        "stops talking after the first chunk", _in_turn(_reads(1), _D.stop_talking, _D.hang), endless=True
    ),
    Script("resets at once", _D.reset),
    Script("resets after the command", _in_turn(_D.command, _D.reset)),
    Script("resets in the middle of a chunk", _in_turn(_D.half_a_chunk, _D.reset)),
    Script("resets after everything", _in_turn(_D.stream, _D.reset)),
    Script("half a line, then resets", _in_turn(_D.stream, _says(OK[:-1]), _D.reset)),
    Script("OK in the middle of a chunk, then resets", _in_turn(_D.half_a_chunk, _says(OK), _D.reset)),
]
_HANGING: Final = [
    replace(script, endless=True)
    for script in (
        Script("does not read the command", _D.hang),
        Script("reads the command and no more", _in_turn(_D.command, _D.hang)),
        Script("stops in the middle of a chunk", _in_turn(_D.half_a_chunk, _D.hang)),
        Script("stops after the first chunk", _in_turn(_reads(1), _D.hang)),
        Script("takes everything and does not answer", _in_turn(_D.stream, _D.hang)),
        Script("half a line, then hangs", _in_turn(_D.stream, _says(b"stream: O"), _D.hang)),
        Script("OK without NUL, then hangs", _in_turn(_D.stream, _says(OK[:-1]), _D.hang)),
        Script("OK, and keeps the connection open", _in_turn(_D.stream, _says(OK), _D.hang)),
        Script("OK letter by letter past the deadline", _in_turn(_D.stream, _spells(OK))),
        Script("OK, then more NULs for ever", _in_turn(_D.stream, _says(OK), _spells(bytes(100)))),
        Script("takes a byte now and then", _D.sip),
        Script("answers without end", _in_turn(_D.stream, _floods)),
    )
]
_ERRORS: Final = [
    after_everything("size limit", _TOO_BIG),
    Script("size limit in mid-stream, then closes", _in_turn(_reads(1), _says(_TOO_BIG))),
    Script(
        "size limit in mid-stream, then hangs", _in_turn(_reads(1), _says(_TOO_BIG), _D.hang), endless=True
    ),
    after_everything("disk full", b"Error writing to temporary file ERROR\0"),
    after_everything("no memory", b"stream: Can't allocate memory ERROR\0"),
    after_everything("cannot open", b"stream: Can't open file or directory ERROR\0"),
    after_everything("cannot read", b"stream: Can't read file ERROR\0"),
    after_everything("time limit", b"stream: Time limit reached ERROR\0"),
    after_everything("bad database", b"stream: Malformed database ERROR\0"),
    after_everything("command read timed out", b"COMMAND READ TIMED OUT\0"),
    after_everything("unknown command", b"UNKNOWN COMMAND\0"),
    after_everything("bare ERROR", b"ERROR\0"),
    after_everything("OK ERROR", b"stream: OK ERROR\0"),
    after_everything("answer to another command", b"PONG\0"),
    after_everything("version", VERSION.replace(b"\n", b"\0")),
    after_everything("web server", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
]
_SHAPES: Final = [
    after_everything("half a line", b"stream: O"),
    after_everything("OK without NUL", b"stream: OK"),
    after_everything("OK with newline", b"stream: OK\n"),
    after_everything("OK with newline and NUL", b"stream: OK\n\0"),
    after_everything("two lines", b"stream: OK\nstream: OK\0"),
    after_everything("two NULs", b"stream: OK\0\0"),
    after_everything("NUL first", b"\0stream: OK\0"),
    after_everything("NUL alone", b"\0"),
    after_everything("OK, then FOUND", OK + FOUND),
    after_everything("FOUND, then OK", FOUND + OK),
    after_everything("OK twice", OK + OK),
    after_everything("trailing bytes", OK + b"x"),
    after_everything("lower case", b"stream: ok\0"),
    after_everything("upper case", b"STREAM: OK\0"),
    after_everything("bare OK", b"OK\0"),
    after_everything("another path", b"/tmp/sample.txt: OK\0"),
    after_everything("another descriptor", b"fd[10]: OK\0"),
    after_everything("session number", b"1: stream: OK\0"),
    after_everything("no space", b"stream:OK\0"),
    after_everything("two spaces", b"stream:  OK\0"),
    after_everything("leading space", b" stream: OK\0"),
    after_everything("trailing space", b"stream: OK \0"),
    after_everything("very long OK", b"stream: OK" + b" " * 20_000 + b"\0"),
    after_everything("very long name FOUND", b"stream: " + b"A" * 20_000 + b" FOUND\0"),
    after_everything("binary", bytes(range(256))),
    after_everything("look-alike letters", "stream: \u041e\u041a\0".encode()),
    after_everything("byte order mark", b"\xef\xbb\xbf" + OK),
    after_everything("UTF-16", "stream: OK\0".encode("utf-16-le")),
    after_everything("FOUND without a name", b"stream: FOUND\0"),
    after_everything("FOUND with a blank name", b"stream:  FOUND\0"),
    after_everything("FOUND of another path", b"/tmp/sample.txt: Eicar FOUND\0"),
]
_EARLY: Final = [
    Script("OK before the command", _in_turn(_interrupts(OK), _D.stream), early=True),
    Script("OK before any byte", _in_turn(_D.command, _interrupts(OK), _D.everything), early=True),
    Script("OK after the first chunk", _in_turn(_reads(1), _interrupts(OK), _D.everything), early=True),
    Script("OK before the terminator", _in_turn(_reads(CHUNKS), _interrupts(OK), _D.everything), early=True),
    Script(
        "half of OK before the terminator",
        _in_turn(_reads(1), _interrupts(OK[:4]), _D.everything, _says(OK[4:])),
        early=True,
    ),
    Script(
        "OK before any byte, then hangs",
        _in_turn(_D.command, _interrupts(OK), _D.hang),
        early=True,
        endless=True,
    ),
    Script("OK before any byte, then closes", _in_turn(_D.command, _interrupts(OK)), early=True),
    Script("FOUND before any byte", _in_turn(_D.command, _interrupts(FOUND), _D.everything), early=True),
    Script("size limit, then drains", _in_turn(_reads(1), _interrupts(_TOO_BIG), _D.everything), early=True),
]
_NOT_LOOKED_INTO: Final = [
    after_everything("no name", b"stream: (null) FOUND\0", Unscannable),
    after_everything("limits", b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0", Unscannable),
    after_everything("encrypted zip", b"stream: Heuristics.Encrypted.Zip FOUND\0", Unscannable),
    after_everything("encrypted pdf", b"stream: Heuristics.Encrypted.PDF FOUND\0", Unscannable),
    after_everything("broken program", b"stream: Heuristics.Broken.Executable FOUND\0", Malformed),
    after_everything("macros", b"stream: Heuristics.OLE2.ContainsMacros FOUND\0", Suspicious),
    after_everything("phishing", b"stream: Heuristics.Phishing.Email.SpoofedDomain FOUND\0", Suspicious),
    after_everything("unwanted", b"stream: PUA.Win.Tool.Packed FOUND\0", Suspicious),
]

#: The faults. None of them may end in clean.
SCRIPTS: Final = [*_DYING, *_HANGING, *_ERRORS, *_SHAPES, *_EARLY, *_NOT_LOOKED_INTO]
#: Health. Without these a kit that never works would pass for one that never lies.
HONEST: Final = [
    after_everything("clean", OK, Clean),
    after_everything("infected", FOUND, Infected),
    Script("clean in two pieces", _in_turn(_D.stream, _says(OK[:5]), _says(OK[5:])), Clean),
]
#: What VERSION is answered with, where it is not answered well.
BAD_VERSIONS: Final = [
    Script("closes at once", lambda _: None),
    Script("closes after the command", _D.command),
    Script("resets", _in_turn(_D.command, _D.reset)),
    Script("does not read", _D.hang),
    Script("does not answer", _in_turn(_D.command, _D.hang)),
    Script("half a line, then hangs", _in_turn(_D.command, _says(VERSION[:12]), _D.hang)),
    Script("half a line, then closes", _in_turn(_D.command, _says(VERSION[:12]))),
    Script("letter by letter", _in_turn(_D.command, _spells(VERSION))),
    Script("without end", _in_turn(_D.command, _floods)),
    Script("empty line", _in_turn(_D.command, _says(b"\n"))),
    Script("binary", _in_turn(_D.command, _says(bytes(range(128, 256)) + b"\n"))),
    Script("another program", _in_turn(_D.command, _says(b"220 mail.example ESMTP\n"))),
    Script("very long", _in_turn(_D.command, _says(b"ClamAV " + b"1" * 20_000 + b"\n"))),
]


class FakeClamd:
    """Plays `script` on every connection. `spoke` is set once a script has spoken out of turn.

    With `knows_version` a connection that asks for VERSION gets a good answer instead, as whole passes need
    it; such a fake waits for the first bytes and so cannot play a script that acts before the command.
    """

    def __init__(self, script: Script, listener: socket.socket, *, knows_version: bool) -> None:
        self.script = script
        self.spoke = threading.Event()
        self._listener = listener
        self._knows_version = knows_version
        self._stop = threading.Event()
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, name="fake clamd")]
        self._threads[0].start()

    @property
    def address(self) -> str | tuple[str, int]:
        """Where it listens."""
        name = self._listener.getsockname()
        return name if isinstance(name, str) else (str(name[0]), int(name[1]))

    def close(self) -> None:
        """End every dialog and wait for it."""
        self._stop.set()
        for one in (self._listener, *self._connections):
            with contextlib.suppress(OSError):  # A dialog that is over closed its connection itself.
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            thread = threading.Thread(target=self._converse, args=(connection,), name="fake clamd dialog")
            self._threads.append(thread)
            thread.start()

    def _converse(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(PeerGone):
            if self._knows_version and connection.recv(9, socket.MSG_PEEK) == b"nVERSION\n":
                connection.sendall(VERSION)
            else:
                self.script.act(Dialog(connection, self._stop, self.spoke))


@contextmanager
def playing(
    script: Script, folder: Path, *, tcp: bool = False, knows_version: bool = False
) -> Iterator[FakeClamd]:
    """A fake clamd that plays `script`, on a unix socket in `folder` or on a free TCP port of loopback."""
    listener = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX)
    listener.bind(("127.0.0.1", 0) if tcp else str(folder / "clamd.sock"))
    listener.listen()
    fake = FakeClamd(script, listener, knows_version=knows_version)
    try:
        yield fake
    finally:
        fake.close()
