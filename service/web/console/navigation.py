"""The console's pages in the order of its menu."""

from typing import Any, Final

from flask import current_app, request, url_for

from service.core.reviewer import Role

#: Endpoint and what the menu calls it.
_PAGES: Final = (
    ("overview.page", "Overview"),
    ("uploads.page", "Uploads"),
    ("held.page", "Held"),
    ("allow_list.page", "Allow-list"),
    ("holds.page", "Holds"),
    ("log.page", "Log"),
    ("requests.page", "Requests"),
    ("reviewers.page", "Reviewers"),
)


def links(role: Role) -> list[tuple[str, str, bool]]:
    """Return address, words and whether it is shown now, of each page that ``role`` may see."""
    return [
        (url_for(endpoint), words, (request.blueprint or "") == endpoint.partition(".")[0])
        for endpoint, words in _PAGES
        if endpoint in current_app.view_functions and role.includes(role_of(endpoint) or Role.READER)
    ]


def role_of(endpoint: str) -> Role | None:
    """Return whom the view of an endpoint is for, ``None`` for everybody.

    Raises ``AttributeError`` if it does not say: then it is for nobody.
    """
    view: Any = current_app.view_functions[endpoint]
    role: Role | None = view.role
    return role
