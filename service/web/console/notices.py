"""What a page that is shown after a form was sent says of it, once.

The sentence waits in a cookie, which only this host can set: it stands in no address, so nobody can send a
colleague a link that claims something, and no name comes into a proxy's log.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import astuple, dataclass
from typing import Final

from flask import Flask, Response, g, redirect, request
from flask.typing import ResponseReturnValue

COOKIE: Final = "__Host-greenroom-notice"
_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the page at ``path``; whether something was done, or nothing."""

    path: str
    done: bool
    sentence: str


def lead(notice: Notice) -> ResponseReturnValue:
    """Return the answer to a form that leads on to the notice's page."""
    answer = redirect(notice.path, 303)
    value = urlsafe_b64encode(json.dumps(astuple(notice)).encode()).decode()
    answer.set_cookie(COOKIE, value, _SECONDS, path="/", secure=True, httponly=True, samesite="Lax")
    return answer


def register(app: Flask) -> None:
    """Give ``notice()`` to the templates of ``app``: what there is to say on the page in hand."""

    @app.after_request
    def forget(response: Response) -> Response:
        if g.get("notice_shown"):
            response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
        return response

    app.jinja_env.globals.update(notice=_here)


def _here() -> Notice | None:
    try:
        match json.loads(urlsafe_b64decode(request.cookies.get(COOKIE, ""))):
            case [request.path, bool(done), str(sentence)]:
                sentence.encode()
                g.notice_shown = True
                return Notice(request.path, done, sentence)
    # What a client sends need not be ours: nested too deep, or no text that can be written.
    except (ValueError, RecursionError):
        pass
    return None
