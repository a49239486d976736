"""The console's entrance: who is signed in, what they may do, whether it was they who asked, and the log.

Every view declares whom it is for, with ``requires`` or ``everybody``; one that does not is shown to nobody.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from service.core.errors import BadRequest, Forbidden
from service.core.journal import Act, Entry, of_upload
from service.core.reviewer import Reviewer, Role, SignedIn
from service.core.upload import Upload
from service.stages.desk import Desk
from service.stages.desk.sign_in import recognise
from service.web.console.navigation import links, role_of

#: The prefix binds the cookie to this host, every path and HTTPS (RFC 6265bis, 4.1.3.2). Browsers take
#: plain HTTP on loopback for as good.
COOKIE: Final = "__Host-greenroom"
#: The field of every form that proves that the form is ours.
FIELD: Final = "csrf"
_NOT_OURS: Final = "This form is out of date or came from another site. Load the page again."
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_View = TypeVar("_View", bound=Callable[..., ResponseReturnValue])


class Entrance:
    """Lets reviewers into one app."""

    def __init__(self, desk: Desk, origin: str) -> None:
        """Let in who is signed in at ``desk``, from pages of ``origin``."""
        self._desk = desk
        self._origin = origin

    def register(self, app: Flask) -> None:
        """Guard every route of ``app``, those that are added later too."""
        app.before_request(self._admit)
        app.after_request(_keep_cookie)
        app.jinja_env.globals.update(csrf=csrf, reviewer=lambda: g.get("signed_in"), navigation=self._links)

    def requires(self, role: Role) -> Callable[[_View], _View]:
        """Declare that a view is for those with ``role`` or a higher one."""

        def declare(view: _View) -> _View:
            view.role = role  # type: ignore[attr-defined]
            return view

        return declare

    def everybody(self, view: _View) -> _View:
        """Declare that a view is for those too who are not signed in."""
        view.role = None  # type: ignore[attr-defined]
        return view

    def reviewer(self) -> Reviewer:
        """Return who is signed in. For views with a role only."""
        who: SignedIn = g.signed_in
        return who.reviewer

    def log(self, act: Act, upload: Upload | None = None, **detail: Any) -> None:  # noqa: ANN401 - JSON scalars
        """Log what the reviewer in hand sees or asks for; ``detail`` holds no personal data.

        To be called before anything is shown: what cannot be logged is not shown. Raises
        ``LedgerUnavailable``.
        """
        now, actor = self._desk.parts.clock.now(), self.reviewer().actor
        line = (
            Entry(now, act.value, detail, actor)
            if upload is None
            else of_upload(upload, act, now, actor, **detail)
        )
        self._desk.parts.journal.append([line])

    def let_in(self, token: str) -> None:
        """Give the browser ``token`` in place of what it held, from now on."""
        g.token = token
        g.new_token = True

    def _admit(self) -> ResponseReturnValue | None:
        """Run before every request: admit it, or answer in place of the view."""
        if request.endpoint == "static":
            return None
        _check_text()
        given = request.cookies.get(COOKIE, "")
        g.signed_in = recognise(self._desk, given) if _TOKEN.fullmatch(given) else None
        if _TOKEN.fullmatch(given):
            g.token = given
        elif request.method in _SAFE:
            self.let_in(secrets.token_urlsafe(32))
        else:
            # Perhaps a form of another site, with which browsers send no cookie that is Lax: a new one in the
            # answer would take the place of that one, and sign them out.
            raise Forbidden(_NOT_OURS)
        if request.method not in _SAFE:
            self._check_ours()
        if request.endpoint is None:
            return None
        return self._check_role(role_of(request.endpoint))

    def _check_ours(self) -> None:
        """Raise ``Forbidden`` unless the form in hand is one of this console's own pages.

        Twice over: by what the browser says of where it comes from, which pages cannot forge, and by a token
        that only our pages know (OWASP, Cross-Site Request Forgery Prevention).
        """
        site = request.headers.get("Sec-Fetch-Site")
        ours = site == "same-origin" if site else request.headers.get("Origin") == self._origin
        if not ours or not hmac.compare_digest(request.form.get(FIELD, "").encode(), _proof().encode()):
            raise Forbidden(_NOT_OURS)

    def _check_role(self, role: Role | None) -> ResponseReturnValue | None:
        if role is None:
            return None
        if g.signed_in is None:
            return _to_the_door()
        if not self.reviewer().role.includes(role):
            raise Forbidden(f"This is for those with the role {role}; yours is {self.reviewer().role}.")
        return None

    def _links(self) -> list[tuple[str, str, bool]]:
        return links(self.reviewer().role) if g.get("signed_in") else []


def _check_text() -> None:
    """Raise ``BadRequest`` if the address in hand has a query that is no text: nothing here could read it."""
    try:
        request.query_string.decode()
    except UnicodeDecodeError:
        raise BadRequest("The address has bytes in it that are no text in UTF-8.") from None


def _to_the_door() -> ResponseReturnValue:
    """Send the browser to the sign-in page, and back afterwards to what it shows or asks for."""
    if request.headers.get("HX-Request") == "true":
        # A part of a page was asked for: the whole page is to go, and nothing to be put in that part's place.
        return "", 401, {"HX-Redirect": url_for("sign_in.form", next=_shown() or None)}
    onwards = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("sign_in.form", next=onwards), 303)


def _shown() -> str:
    """Return the path and query of the page that the script is in; nothing if that is no address."""
    try:
        shown = urlsplit(request.headers.get("HX-Current-URL", ""))
    except ValueError:
        return ""
    return urlunsplit(("", "", shown.path, shown.query, ""))


def csrf() -> Markup:
    """Return the hidden field that every form needs which is posted."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, _proof())


def _proof() -> str:
    """Return the token of this browser's forms, which nobody can make who does not know its cookie."""
    return hmac.new(g.token.encode(), b"greenroom console form", hashlib.sha256).hexdigest()


def _keep_cookie(response: Response) -> Response:
    if g.get("new_token"):
        response.set_cookie(COOKIE, g.token, path="/", secure=True, httponly=True, samesite="Lax")
    return response
