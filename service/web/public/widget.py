"""``/widget`` and ``/embed``: the upload widget as its build made it, and a page of it for iframes."""

import gzip
import hashlib
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, render_template, request

from service.core.errors import ConfigurationError, NotFound
from service.web.public.door import Door
from service.web.public.operation import Answer, Operation, Sent

#: Where the build leaves the widget, here and in the image.
DIST: Final = Path(__file__).resolve().parents[3] / "widget" / "dist"
_SCRIPT_TYPE: Final = "text/javascript; charset=utf-8"
_STYLE_TYPE: Final = "text/css; charset=utf-8"
#: Short, so that a mended widget is everywhere soon; asking again for what did not change costs no body.
_CACHED: Final = "public, max-age=300"
#: Without the first no page of another origin may load a module (Fetch), without the second no isolated one.
_ANY_ORIGIN: Final = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
_CACHING: Final = {
    "Cache-Control": Sent("", {"const": _CACHED}, always=True),
    "ETag": Sent("For `If-None-Match`.", always=True),
}
_SAME: Final = Answer("It is still what `If-None-Match` names.", headers=_CACHING)
SCRIPT: Final = Operation(
    "Load the upload widget",
    "widget",
    {
        200: Answer(
            "A module that defines the element `greenroom-upload`. Pages of any origin may load it.",
            media_type="text/javascript",
            headers=_CACHING
            | {name: Sent("", {"const": is_}, always=True) for name, is_ in _ANY_ORIGIN.items()},
        ),
        304: _SAME,
    },
)
PAGE: Final = Operation(
    "Show the upload widget in an iframe",
    "widget",
    {
        200: Answer(
            "The page. It reads `meeting`, `lang`, `theme` and `resume` from its own address.",
            media_type="text/html",
            headers={"Content-Security-Policy": Sent("Names who may frame it.", always=True)},
        )
    },
    problems=(NotFound,),
    description="Only pages of `GREENROOM_EMBED_ORIGINS` may do so; where that is `none` there is no page.",
)
PAGE_SCRIPT: Final = Operation(
    "Load the script of the page for iframes",
    "widget",
    {200: Answer("The script.", media_type="text/javascript", headers=_CACHING), 304: _SAME},
)
PAGE_STYLE: Final = Operation(
    "Load the style sheet of the page for iframes",
    "widget",
    {200: Answer("The style sheet.", media_type="text/css", headers=_CACHING), 304: _SAME},
)


@dataclass(frozen=True, slots=True)
class _File:
    """One file of the build, as it is and compressed; ``tag`` is the digest that its ETags are made of."""

    content: bytes
    compressed: bytes
    content_type: str
    tag: str

    def answer(self) -> Response:
        """Return what the request in hand gets: the file as it takes it, or that it has it already."""
        small = request.accept_encodings["gzip"] > 0
        answer = Response(self.compressed if small else self.content, content_type=self.content_type)
        answer.headers["Cache-Control"] = _CACHED
        answer.vary.add("Accept-Encoding")
        tag = f"{self.tag}-gzip" if small else self.tag
        answer.set_etag(tag)
        if small:
            answer.headers["Content-Encoding"] = "gzip"
        if request.if_none_match.contains_weak(tag):
            answer.status_code = 304
            answer.set_data(b"")
        return answer


def blueprint(door: Door, hosts: AbstractSet[str], dist: Path = DIST) -> Blueprint:
    """Return the routes; pages of the origins ``hosts`` may frame ``/embed``.

    The files are read once, now. Raises ``ConfigurationError`` if ``dist`` does not hold them.
    """
    script = _read(dist / "greenroom-upload.js", _SCRIPT_TYPE)
    page_script = _read(dist / "embed.js", _SCRIPT_TYPE)
    page_style = _read(dist / "embed.css", _STYLE_TYPE)
    routes = Blueprint("widget", __name__, template_folder="templates")

    @routes.get("/widget/greenroom-upload.js")
    @door.operation(SCRIPT)
    def widget() -> Response:
        answer = script.answer()
        answer.headers.update(_ANY_ORIGIN)
        return answer

    @routes.get("/embed")
    @door.operation(PAGE)
    def page() -> Response:
        if not hosts:
            raise NotFound("This service lets no page frame its widget: see GREENROOM_EMBED_ORIGINS.")
        answer = Response(render_template("embed.html", hosts=" ".join(sorted(hosts))))
        answer.headers["Content-Security-Policy"] = security_policy(hosts)
        answer.headers["Referrer-Policy"] = "no-referrer"
        return answer

    @routes.get("/embed/embed.js")
    @door.operation(PAGE_SCRIPT)
    def embed_script() -> Response:
        return page_script.answer()

    @routes.get("/embed/embed.css")
    @door.operation(PAGE_STYLE)
    def embed_style() -> Response:
        return page_style.answer()

    return routes


def security_policy(hosts: AbstractSet[str]) -> str:
    """Return the Content-Security-Policy of ``/embed`` for the origins that may frame it."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'none'; "
        f"base-uri 'none'; form-action 'none'; frame-ancestors {' '.join(sorted(hosts))}"
    )


def _read(path: Path, content_type: str) -> _File:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(
            f"the upload widget is not built ({path.name} is missing): run `make widget`"
        ) from None
    compressed = gzip.compress(content, mtime=0)
    return _File(content, compressed, content_type, hashlib.sha256(content).hexdigest()[:32])
