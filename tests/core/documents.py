"""A good document of each packaged type, and the look into one under the shipped policy."""

import io

import pytest

from service.core.container import inspect
from service.core.errors import TypeNotAllowed
from service.core.outcome import Answer, Malformed, Obstacle, Unscannable
from tests.core.packages import (
    ODF,
    OOXML,
    keynote,
    odf,
    ooxml,
)
from tests.core.shipped import POLICY

MAINS = {
    "pptx": f"{OOXML}presentationml.presentation.main+xml",
    "docx": f"{OOXML}wordprocessingml.document.main+xml",
    "xlsx": f"{OOXML}spreadsheetml.sheet.main+xml",
}


MACROS = {
    "pptx": "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml",
    "docx": "application/vnd.ms-word.document.macroEnabled.main+xml",
    "xlsx": "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
}


ODFS = {"odp": f"{ODF}presentation", "odt": f"{ODF}text", "ods": f"{ODF}spreadsheet"}


GOOD = (
    {extension: ooxml(main) for extension, main in MAINS.items()}
    | {extension: odf(media_type) for extension, media_type in ODFS.items()}
    | {"key": keynote()}
)


ENCRYPTED_OOXML = Unscannable(Obstacle.ENCRYPTED, "Greenroom.Encrypted.OOXML")


COMPRESSION = Unscannable(Obstacle.LIMITS, "Greenroom.Package.Compression")


DAMAGED = Malformed("Greenroom.Package.Damaged")


ENCRYPTED_PACKAGE = Unscannable(Obstacle.ENCRYPTED, "Greenroom.Encrypted.Package")


#: Nine levels of entities, each ten times the one before: a thousand million characters.
BOMB = (
    '<!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, 9))
    + "]>"
)


def look(extension: str, content: bytes) -> Answer | None:
    """Look into ``content`` as the shipped policy wants it for ``extension``."""
    container = POLICY.types[extension].container
    assert container is not None
    return inspect(container, io.BytesIO(content))


def assert_refused(extension: str, content: bytes) -> None:
    """State that ``content`` does not pass as ``extension``."""
    with pytest.raises(TypeNotAllowed):
        look(extension, content)
