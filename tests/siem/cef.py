"""Reads CEF messages, and checks them against the dictionary of keys.

Source: ArcSight Common Event Format Implementation Standard, version 26: the greatest length of each key's
value and its type. Only what Greenroom writes is listed.
"""

import re
from typing import Final

LENGTHS: Final = {
    "act": 63,
    "cat": 1023,
    "externalId": 40,
    "fileHash": 255,
    "fileId": 1023,
    "outcome": 63,
    "reason": 1023,
    "suid": 1023,
    **{f"cs{number}": 4000 for number in range(1, 7)},
    **{f"cs{number}Label": 1023 for number in range(1, 7)},
}
NUMBERS: Final = frozenset({"rt", "fsize"})
_PART: Final = r"((?:[^\\|]|\\[\\|])*)"
_MESSAGE: Final = re.compile(rf"(CEF:0)(?:\|{_PART})" + rf"\|{_PART}" * 5 + r"\|(.*)", re.DOTALL)


def read(text: str) -> tuple[list[str], dict[str, str]]:
    """Return a message's header and its extension, both unescaped. Raises ``ValueError`` if it is none."""
    matched = _MESSAGE.fullmatch(text)
    if matched is None:
        raise ValueError(f"not CEF: {text!r}")
    *header, extension = matched.groups()
    keys = list(re.finditer(r"(?:^| )([A-Za-z0-9]+)=", extension))
    ends = [key.start() for key in keys[1:]] + [len(extension)]
    values = {key[1]: _unescaped(extension[key.end() : end]) for key, end in zip(keys, ends, strict=True)}
    if len(values) != len(keys):
        raise ValueError(f"a key comes twice: {text!r}")
    return [_unescaped(part) for part in header], values


def complaints(text: str) -> list[str]:
    """Return what is wrong with a message; an empty list for a valid one."""
    header, values = read(text)
    found = [f"{key} is not in the dictionary" for key in values if key not in LENGTHS and key not in NUMBERS]
    found += [f"{key} is too long" for key, most in LENGTHS.items() if len(values.get(key, "")) > most]
    found += [f"{key} is no number" for key in NUMBERS & values.keys() if not values[key].isdigit()]
    found += [
        f"{key} has no label"
        for key in values
        if re.fullmatch("cs[1-6]", key) and f"{key}Label" not in values
    ]
    if not (header[6].isdigit() and 0 <= int(header[6]) <= 10):
        found.append(f"severity is {header[6]!r}")
    if len(text.splitlines()) != 1:
        found.append("not one line")
    return found


def _unescaped(text: str) -> str:
    return re.sub(r"\\([\\|=])", r"\1", text)
