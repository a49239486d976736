"""Names that an attacker, a careless program or a foreign system gives a file: built here, shown nowhere."""

from itertools import product
from typing import Final

#: Characters that turn, join, hide or end text, by name so that this file stays readable.
MARKS: Final = {
    "nul": "\0",
    "bell": "\a",
    "backspace": "\b",
    "tab": "\t",
    "line feed": "\n",
    "vertical tab": "\v",
    "form feed": "\f",
    "carriage return": "\r",
    "crlf": "\r\n",
    "escape": "\x1b[31m",
    "delete": "\x7f",
    "next line": "\x85",
    "csi": "\x9b31m",
    "soft hyphen": "\xad",
    "arabic letter mark": "\u061c",
    "mongolian vowel separator": "\u180e",
    "zero width space": "\u200b",
    "zero width non-joiner": "\u200c",
    "zero width joiner": "\u200d",
    "left-to-right mark": "\u200e",
    "right-to-left mark": "\u200f",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "left-to-right embedding": "\u202a",
    "right-to-left embedding": "\u202b",
    "pop directional": "\u202c",
    "left-to-right override": "\u202d",
    "right-to-left override": "\u202e",
    "word joiner": "\u2060",
    "left-to-right isolate": "\u2066",
    "right-to-left isolate": "\u2067",
    "first strong isolate": "\u2068",
    "pop isolate": "\u2069",
    "byte order mark": "\ufeff",
    "interlinear anchor": "\ufff9",
    "tag letter": "\U000e0041",
    "high surrogate": "\ud800",
    "low surrogate": "\udfff",
    "escaped byte": "\udcff",
    "private use": "\ue000",
    "unassigned": "\u0378",
    "noncharacter": "\uffff",
    "last noncharacter": "\U0010ffff",
    "grapheme joiner": "\u034f",
    "hangul filler": "\u3164",
    "halfwidth hangul filler": "\uffa0",
    "braille blank": "\u2800",
}
_PLACES: Final = ("{}deck.pptx", "de{}ck.pptx", "deck.pp{}tx", "deck.pptx{}")

_PATHS: Final = [
    "../../etc/passwd.txt",
    "..\\..\\windows\\win.ini.txt",
    "/etc/passwd.txt",
    "C:\\Users\\x\\deck.pptx",
    "\\\\server\\share\\deck.pptx",
    "file:///etc/passwd.txt",
    "....//....//deck.pptx",
    "..\\/..\\/deck.pptx",
    "a/b\\c/deck.pptx",
    "~/deck.pptx",
    "./deck.pptx",
    "deck.pptx/../evil.pdf",
    "\\deck.pptx",
    "%2e%2e%2fdeck.pptx",
    "..%2f..%2fdeck.pptx",
    "%00deck.pptx",
    "deck.pptx%00.pdf",
    "%0d%0aSet-Cookie: a=b.pdf",
    "%c0%ae%c0%ae%c0%afdeck.pptx",
    "..%c0%afdeck.pptx",
    "%252e%252e%252fdeck.pptx",
    "\uff0e\uff0e\uff0fdeck.pptx",
    "\u2024\u2024\u2215deck.pptx",
    "a\u2044deck.pptx",
    "a\u29f8deck.pptx",
    "a\uff3cdeck.pptx",
]
_HEADERS: Final = [
    'deck".pptx',
    'deck"; filename="evil.exe.pptx',
    "deck'.pptx",
    'de"ck\\".pptx',
    "deck;x=y.pptx",
    "deck,evil.pptx",
    "deck=.pptx",
    "deck?.pptx",
    "=?utf-8?Q?evil?=.pptx",
    "=?utf-8?B?ZXZpbA==?=.pptx",
    "UTF-8''evil.exe.pptx",
    "filename*=UTF-8''evil.pptx",
    "deck\r\nSet-Cookie: a=b\r\n\r\n<html>.pptx",
    "deck\r\n X: folded.pptx",
    "deck\n\tX: folded.pptx",
    "deck.pptx\r\nContent-Length: 0",
    "%22deck%22.pptx",
    "100%.pptx",
    "%41%zz%.pptx",
    "\uff02deck\uff02.pptx",
    "\uff05\uff10\uff0d.pptx",
    "\u2028deck\u2029.pptx",
    "deck\u560d\u560a.pptx",
]
_SPOOFS: Final = [
    "deck\u202excod.exe.pptx",
    "\u202exslx.pptx",
    "\u05d0\u05d1\u05d2.pptx",
    "\u0645\u0644\u0641 \u0639\u0631\u0636.pptx",
    "\u05d0\u200fabc\u200e.pptx",
    "d\u0435\u0441k.pptx",
    "deck.\u0440\u0440t\u0445",
    "\u212aelvin.pptx",
    "deck\u037e.pptx",
    "\u00c5ngstrom.pptx",
    "\u212bngstrom.pptx",
    "A\u030angstrom.pptx",
    "\ufb01le.pptx",
    "\u1e9e\u0130\u0131.pptx",
    "deck.PPTX",
    "deck.PpTx",
    "deck.pptx.exe.pptx",
    "deck.exe .pptx",
    "deck.exe" + " " * 100 + ".pptx",
    "deck.exe" + "\u00a0" * 100 + ".pptx",
    "deck.exe" + "\u3000" * 100 + ".pptx",
    "deck.pptx" + "." * 50,
    "deck.pptx" + " ." * 50,
    "deck.pptx\u3000",
    "deck.pptx::$DATA.pptx",
    "deck.pptx:evil.pptx",
    "\ufe0fdeck\ufe0f.pptx",
    "\u2460\u2461.pptx",
    "\u1d41d\u1d41e.pptx",
]
_EMOJI: Final = [
    "\U0001f600.pptx",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467.pptx",
    "\U0001f1e9\U0001f1ea.pptx",
    "\u2764\ufe0f.pptx",
    "\U0001f44d\U0001f3fd.pptx",
    "\U0001f3f4\U000e0067\U000e0062\U000e007f.pptx",
    "\U0001f600" * 200 + ".pptx",
]
_LONG: Final = [
    "a" * 255,
    "a" * 256,
    "a" * 250 + ".pptx",
    "a" * 251 + ".pptx",
    "a" * 10_000 + ".pptx",
    "\u00e9" * 127 + ".pptx",
    "\u00e9" * 128 + ".pptx",
    "\u6f22" * 85 + ".pptx",
    "\u6f22" * 84 + "\U0001f600.pptx",
    "e" + "\u0301" * 1000 + ".pptx",
    "Z" + "\u0335\u0336\u0337\u0338" * 300 + "algo.pptx",
    "\u1100\u1161\u11a8" * 100 + ".pptx",
    "a" * 240 + " . . . " * 10 + ".pptx",
    "a" * 300 + "." + "b" * 16,
    "a" * 300 + "." + "b" * 17,
    "a." + "b" * 300,
    "." * 300 + "pptx",
    "a" + "." * 300 + "pptx",
    "\u0958" * 60 + ".pptx",
    "\U0001d160" * 40 + ".pptx",
    "/" * 500 + "a.pptx",
    "x" * 249 + "\u0301.pptx",
]
_DOTS: Final = [
    ".pptx",
    "..pptx",
    "...pptx",
    ".htaccess",
    ".deck.pptx",
    "-rf.pptx",
    "--help.pptx",
    "~deck.pptx",
    "$HOME.pptx",
    "`id`.pptx",
    "$(id).pptx",
    "|id.pptx",
    "&&id.pptx",
    "<script>alert(1)<script>.pptx",
    "a b  c.pptx",
    " deck.pptx ",
    "{{7*7}}.pptx",
    "${jndi:ldap:x}.pptx",
    "=cmd()!A1.csv",
    "+1.csv",
    "@SUM(1).csv",
    "' OR 1=1 --.pptx",
    "*.pptx",
    "a>b<c.pptx",
    "deck",
    "0",
    "\u0301\u0301.pptx",
]
_RESERVED: Final = [
    f"{name}{ending}"
    for name, ending in product(
        ("CON", "PRN", "AUX", "NUL", "COM1", "LPT9", "con", "CLOCK$", "CONIN$"), ("", ".pptx", " .pptx")
    )
]

#: Names with something to show.
SHOWABLE: Final = list(
    dict.fromkeys(
        [place.format(mark) for place, mark in product(_PLACES, MARKS.values())]
        + _PATHS
        + _HEADERS
        + _SPOOFS
        + _EMOJI
        + _LONG
        + _DOTS
        + _RESERVED
    )
)
#: Names with nothing to show.
EMPTY: Final = list(
    dict.fromkeys(
        [
            "",
            " ",
            ".",
            "..",
            "...",
            ". .",
            "/",
            "\\",
            "a/",
            "deck.pptx/",
            "C:\\",
            "../..",
            "..\\..\\",
            "\u3000",
            "\u00a0",
            " . \t . ",
            *(mark for mark in MARKS.values() if "31m" not in mark),
        ]
    )
)
