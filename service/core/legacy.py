"""Legacy Office documents (.doc, .xls, .ppt): which of them a compound file is, and whether it is locked.

clamd 1.4 answers ``OK`` to all of the encrypted forms. Sources: [MS-DOC] 2.5.1, [MS-XLS] 2.1.7 and 2.4.117,
[MS-PPT] 2.3.2 and 2.3.3, [MS-OFFCRYPTO] 2.1 to 2.3.
"""

import struct
from typing import Final

from service.core.compound import DAMAGED, CompoundFile, Entry, Stream
from service.core.objection import Objection

#: The main streams by which the programs know their documents. Excel 5 called its own ``Book``.
MAINS: Final = frozenset({"WORDDOCUMENT", "POWERPOINT DOCUMENT", "WORKBOOK", "BOOK"})
#: Streams and storages that only encrypted documents and those under rights management have.
_LOCKS: Final = frozenset(
    {"ENCRYPTEDPACKAGE", "ENCRYPTIONINFO", "ENCRYPTEDSUMMARY", "\6DATASPACES", "\tDRMCONTENT"}
)
_FIB_ENCRYPTED: Final = 0x0100
#: The first record of a workbook, in all of its versions, and the last one of its first part.
_BEGINNINGS: Final = frozenset({0x0809, 0x0409, 0x0209, 0x0009})
_END_OF_PART, _FILE_PASS = 0x000A, 0x002F
#: What reading one record costs, in steps along a chain.
_RECORD: Final = 10
_PLAIN_TOKEN, _LOCKED_TOKEN = 0xE391C05F, 0xF3D1C4DF
_USER_EDIT, _LOCKED_EDIT = 0x0FF5, 0x20


def has_lock(file: CompoundFile) -> bool:
    """Tell whether a stream or storage is there that only a locked document has."""
    return not _LOCKS.isdisjoint(file.names)


def is_locked(file: CompoundFile) -> bool:
    """Tell whether any document in the file says that it is encrypted, taken-in ones too.

    Raises ``Objection`` where a document is too damaged to say.
    """
    if any(_is_locked(file, stream) for stream in file.streams):
        return True
    document = file.top.get("POWERPOINT DOCUMENT")
    return document is not None and _is_last_edit_locked(file, document)


def _is_locked(file: CompoundFile, stream: Entry) -> bool:
    match stream.name:
        case "WORDDOCUMENT":
            return bool(_unpack("<10xH", file.open(stream))[0] & _FIB_ENCRYPTED)
        case "WORKBOOK" | "BOOK":
            return _is_workbook_locked(file, file.open(stream))
        case "CURRENT USER":
            return _current_user(file, stream)[0] == _LOCKED_TOKEN
        case _:
            return False


def _unpack(form: str, stream: Stream) -> tuple[int, ...]:
    data = stream.read(struct.calcsize(form))
    if len(data) < struct.calcsize(form):
        raise Objection(DAMAGED)
    return struct.unpack(form, data)


def _is_workbook_locked(file: CompoundFile, stream: Stream) -> bool:
    """Look for FilePass among the records of the workbook's first part, where it has to be."""
    kind, length = _unpack("<2H", stream)
    if kind not in _BEGINNINGS:
        raise Objection(DAMAGED)
    while kind not in {_END_OF_PART, _FILE_PASS}:
        file.pay(_RECORD)
        stream.skip(length)
        kind, length = _unpack("<2H", stream)
    return kind == _FILE_PASS


def _current_user(file: CompoundFile, stream: Entry) -> tuple[int, ...]:
    """Return the token that tells plain presentations from encrypted ones, and the place of the last edit."""
    token, place = _unpack("<12x2L", file.open(stream))
    if token not in {_PLAIN_TOKEN, _LOCKED_TOKEN}:
        raise Objection(DAMAGED)
    return token, place


def _is_last_edit_locked(file: CompoundFile, document: Entry) -> bool:
    """Tell whether the presentation's last edit names a key. The token may have been changed to hide it."""
    user = file.top.get("CURRENT USER")
    if user is None:
        raise Objection(DAMAGED)
    stream = file.open(document)
    stream.skip(_current_user(file, user)[1])
    kind, length = _unpack("<2xHL", stream)
    if kind != _USER_EDIT:
        raise Objection(DAMAGED)
    return length >= _LOCKED_EDIT
