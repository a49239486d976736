"""The console in this process: the Flask app over fakes, and people who work at it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.core.journal import Entry
from service.core.reviewer import Reviewer, Role
from service.stages.desk import Desk, Elsewhere, accounts, sign_in
from service.web.console import create_console
from service.web.console.entrance import COOKIE, FIELD
from tests.fakes.archive import FakeArchive
from tests.fakes.faults import Faults
from tests.fakes.identity_provider import FakeProvider
from tests.fakes.reviewers import FakeAttempts, FakePasswords, FakeReviewers
from tests.stages.world import World

ORIGIN = "https://console.example"
#: What groups at the provider are here.
ROLES = {"staff": Role.READER, "security": Role.REVIEWER, "heads": Role.ADMINISTRATOR}
PASSWORD = "correct horse battery staple"
_FIELD = re.compile(rf'name="{FIELD}" value="([0-9a-f]{{64}})"')


class Office:
    """A console over a `World` of fakes: `desk`, `world` (its parts, clock and faults) and `app`."""

    def __init__(self) -> None:
        self.world = World()
        #: Of the reviewers, their sessions and tries; those of everything else are the world's.
        self.faults = faults = Faults()
        self.passwords = FakePasswords()
        self.provider = FakeProvider(self.world.faults)
        reviewers = FakeReviewers(faults, self.world.parts.journal)
        self.desk = Desk(
            parts=self.world.parts,
            archive=FakeArchive(self.world.faults, self.world.ledger.rows),
            reviewers=reviewers,
            sessions=reviewers.sessions,
            attempts=FakeAttempts(faults),
            passwords=self.passwords,
            elsewhere=Elsewhere(self.provider, ROLES),
        )
        self.app = create_console(self.desk, ORIGIN)

    def entries(self) -> list[Entry]:
        """Everything in the log that is no move."""
        return list(self.world.journal.entries)

    def hire(self, role: Role = Role.REVIEWER, name: str = "") -> Reviewer:
        """Add a reviewer with `PASSWORD`."""
        return hire(self.desk, role, name)

    def stranger(self) -> Person:
        """Somebody who is not signed in."""
        return Person(self.app.test_client(), None)

    def person(self, role: Role = Role.REVIEWER, name: str = "") -> Person:
        """Somebody who signed in just now."""
        return self.returning(self.hire(role, name))

    def returning(self, reviewer: Reviewer) -> Person:
        """The same, of somebody who is known already."""
        token, _ = sign_in.begin(self.desk, reviewer, "test")
        person = Person(self.app.test_client(), reviewer)
        person.hold(token)
        return person


def hire(desk: Desk, role: Role, name: str = "") -> Reviewer:
    """Add a reviewer with `PASSWORD` to a real or a fake desk; the name is made up if none is given."""
    return accounts.add(desk, name or f"{role.value}-{len(desk.reviewers.all())}", role, PASSWORD)


@dataclass
class Person:
    """A browser without its own mind: what it is told to send is what it sends."""

    client: FlaskClient
    reviewer: Reviewer | None

    def hold(self, token: str) -> None:
        """Put a token into the cookie."""
        self.client.set_cookie(COOKIE, token, domain="console.example", secure=True)

    def held(self) -> str:
        """The token in the cookie; empty for none."""
        cookie = self.client.get_cookie(COOKIE, domain="console.example")
        return cookie.value if cookie else ""

    def get(self, path: str, **options: Any) -> TestResponse:
        """GET a page."""
        return self.client.get(path, base_url=ORIGIN, buffered=True, **options)

    def token(self, path: str = "/sign-in") -> str:
        """The token of the forms on a page."""
        found = _FIELD.search(self.get(path, follow_redirects=True).get_data(as_text=True))
        assert found, f"no form on {path}"
        return found[1]

    def post(self, path: str, fields: dict[str, str] | None = None, **headers: str) -> TestResponse:
        """POST a form as a page of the console does, with its token; headers' names with `_` for `-`."""
        sent = {FIELD: self.token(), **(fields or {})}
        return self.send(path, sent, Sec_Fetch_Site="same-origin", Origin=ORIGIN, **headers)

    def send(self, path: str, fields: dict[str, str], **headers: str) -> TestResponse:
        """POST just these fields, with just these headers."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, base_url=ORIGIN, data=fields, headers=named, buffered=True)
