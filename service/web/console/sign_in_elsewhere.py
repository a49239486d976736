"""``/sign-in/oidc``, the way to the OpenID provider, and ``/sign-in/oidc/callback``, the way back."""

import secrets
from typing import Final

from flask import Blueprint, g, redirect, request
from flask.typing import ResponseReturnValue

from service.core.errors import Forbidden, RateLimited, Unauthenticated
from service.stages.desk import Desk, Elsewhere, sign_in_elsewhere
from service.web.console.entrance import Entrance
from service.web.console.sign_in import onwards_to, page

#: Where the provider sends browsers back to, below the console's origin.
CALLBACK: Final = "/sign-in/oidc/callback"


def blueprint(desk: Desk, elsewhere: Elsewhere, entrance: Entrance, origin: str) -> Blueprint:
    """Return the routes of a console that browsers find at ``origin``."""
    routes = Blueprint("sign_in_elsewhere", __name__)
    redirect_uri = f"{origin}{CALLBACK}"

    @routes.get("/sign-in/oidc")
    @entrance.everybody
    def depart() -> ResponseReturnValue:
        onwards = onwards_to(request.args.get("next", ""))
        if g.signed_in is not None:
            return redirect(onwards, 303)
        entrance.let_in(secrets.token_urlsafe(32))
        return redirect(sign_in_elsewhere.depart(elsewhere, g.token, onwards, redirect_uri), 303)

    @routes.get(CALLBACK)
    @entrance.everybody
    def arrive() -> ResponseReturnValue:
        if g.signed_in is not None:
            return redirect(onwards_to(""), 303)
        held, address = g.token, request.remote_addr or ""
        # Good for one way only, however that ends.
        entrance.let_in(secrets.token_urlsafe(32))
        try:
            token, _, onwards = sign_in_elsewhere.arrive(
                desk, elsewhere, held, request.args, address, redirect_uri
            )
        except (Unauthenticated, Forbidden, RateLimited) as error:
            return page(desk, error=error)
        entrance.let_in(token)
        return redirect(onwards_to(onwards), 303)

    return routes
