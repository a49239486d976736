"""Names that strangers choose: made fit to show, never part of a key, safe in a header."""

import re
import unicodedata
from typing import Final
from urllib.parse import quote

from service.core.errors import BadRequest

LONGEST_NAME_BYTES: Final = 255
_LONGEST_EXTENSION: Final = 16
_LONGEST_TYPE: Final = 127
#: What the ids of uploads and of holds look like, which this service makes.
UPLOAD_ID: Final = re.compile(r"up_[0-9a-f]{32}")
HOLD_ID: Final = re.compile(r"hd_[0-9a-f]{32}")
#: What account and meeting ids look like.
IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")
#: What the people are called who upload: no slash, because it stands in paths.
PERSON: Final = re.compile(r"[A-Za-z0-9][!-.0-~]{0,254}")
#: What ``extension`` gives for the types a policy can name.
EXTENSION: Final = re.compile(r"[a-z0-9]{1,16}")
#: Categories with no place in a display name: controls, formats (bidi overrides among them), surrogates,
#: private use, unassigned, and line and paragraph separators.
_UNSHOWABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
#: Letters, marks and symbols that look like nothing: Hangul fillers, the Braille blank, the grapheme joiner.
_BLANK: Final = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0")


def display_name(untrusted_name: str) -> str:
    """Return ``untrusted_name`` as display text: NFC, one line, no path, at most 255 bytes of UTF-8.

    Control, format and bidirectional characters are taken out, path parts before the last slash or
    backslash too. What is too long loses its middle, never its extension. Raises ``BadRequest`` if
    nothing that can be shown is left.
    """
    text = unicodedata.normalize("NFC", untrusted_name)
    text = re.split(r"[/\\]", text)[-1]
    text = unicodedata.normalize("NFC", " ".join(showable(text).split())).strip(" .")
    if not text:
        raise BadRequest("The file's name has nothing in it that can be shown. Give it a plain name.")
    return _shortened(text)


def showable(text: str) -> str:
    """Return ``text`` without characters that cannot be seen, or that change how others are seen."""
    return "".join(c for c in text if unicodedata.category(c) not in _UNSHOWABLE and c not in _BLANK)


def _shortened(text: str) -> str:
    """Return ``text`` cut to 255 bytes of UTF-8 between characters, keeping a short extension."""
    if len(text.encode()) <= LONGEST_NAME_BYTES:
        return text
    stem, dot, extension = text.rpartition(".")
    if not dot or len(extension.encode()) > _LONGEST_EXTENSION:
        stem, extension = text, ""
    ending = dot + extension if extension else ""
    room = LONGEST_NAME_BYTES - len(ending.encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(" .") + ending


def extension(name: str) -> str:
    """Return the lower-case extension of a display name without its dot, or an empty text."""
    _, dot, ending = name.rpartition(".")
    return ending.lower() if dot else ""


def declared_type(untrusted_type: str) -> str:
    """Return the media type that a sender declared as text to show: printable ASCII, at most 127 of it."""
    return "".join(c for c in untrusted_type if " " <= c <= "~")[:_LONGEST_TYPE]


def identifier(untrusted_value: str, what: str) -> str:
    """Return an account or meeting id that a backend chose, or raise ``BadRequest`` naming ``what``.

    Ids are opaque: 1 to 128 of ``A-Z a-z 0-9 . _ : @ -``, beginning with a letter or digit.
    """
    if not IDENTIFIER.fullmatch(untrusted_value):
        raise BadRequest(
            f"{what} must be 1 to 128 characters of A-Z a-z 0-9 . _ : @ - and begin with a letter or digit."
        )
    return untrusted_value


def person(untrusted_value: str) -> str:
    """Return what an account calls one of its people, or raise ``BadRequest``.

    It is opaque as other ids are, but has room for what directories and mail systems make: 1 to 255 visible
    ASCII characters without a slash, beginning with a letter or digit.
    """
    if not PERSON.fullmatch(untrusted_value):
        raise BadRequest(
            "person must be 1 to 255 visible ASCII characters without / and begin with a letter or digit."
        )
    return untrusted_value


def content_disposition(name: str) -> str:
    """Return the ``Content-Disposition`` value that offers ``name`` as an attachment (RFC 6266, RFC 8187).

    ``filename`` is an ASCII fallback without quotes, backslashes or percent signs (section 4.3 and
    appendix D); ``filename*`` carries the name itself.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    fallback = re.sub(r'[^ -~]|["\\%/;]', "_", plain).strip() or "file"
    if fallback.startswith("."):
        fallback = "file" + fallback
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(name, safe='')}"
