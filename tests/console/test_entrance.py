"""Nobody gets in who is not let in, nothing is done that the person did not ask for, everything is logged."""

import re
from base64 import urlsafe_b64encode
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask

from service.core.errors import LedgerUnavailable
from service.core.journal import Act
from service.core.reviewer import IDLE, LONGEST_SESSION, Role
from service.stages.desk import accounts, sign_in
from service.web.console import HEADERS, notices
from service.web.console.entrance import COOKIE, FIELD, Entrance
from service.web.console.navigation import role_of
from tests.console.office import ORIGIN, PASSWORD, Office
from tests.fakes.faults import Moment

NAME = "mara.lindqvist"


def test_every_view_says_whom_it_is_for(office: Office) -> None:
    """No route without a declaration, and none but those of signing in and out are for everybody."""
    with office.app.app_context():
        roles = {name: role_of(name) for name in office.app.view_functions if name != "static"}
    assert {name for name, role in roles.items() if role is None} == {
        "sign_in.form",
        "sign_in.enter",
        "sign_in.leave",
        "sign_in_elsewhere.depart",
        "sign_in_elsewhere.arrive",
    }


def test_a_view_that_says_nothing_is_shown_to_nobody(office: Office) -> None:
    """Forgotten is closed, even to an administrator."""
    office.app.add_url_rule("/forgotten", "forgotten", lambda: "shown")
    answer = office.person(Role.ADMINISTRATOR).get("/forgotten")
    assert (answer.status_code, b"shown" in answer.data) == (500, False)


def test_who_is_not_signed_in_is_asked_to(office: Office) -> None:
    """A page leads to the form, and the form back to the page."""
    answer = office.stranger().get("/?from=2026-11-01&state=held")
    assert answer.status_code == 303
    assert answer.location == "/sign-in?next=/?from%3D2026-11-01%26state%3Dheld"
    assert office.entries() == []


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("needed", Role)
def test_a_role_opens_its_pages_and_those_below(office: Office, role: Role, needed: Role) -> None:
    """Reader, reviewer, administrator: each may do what those before it may, and no more."""
    entrance = Entrance(office.desk, ORIGIN)
    office.app.add_url_rule("/page", "page", entrance.requires(needed)(lambda: "shown"))
    answer = office.person(role).get("/page")
    ranks = [*Role]
    assert answer.status_code == (200 if ranks.index(role) >= ranks.index(needed) else 403)


def test_signing_in(office: Office) -> None:
    """The right name and password lead on; who it was stands in the log, by id, and by name nowhere."""
    reviewer = office.hire(Role.READER, NAME)
    person = office.stranger()
    answer = person.post("/sign-in", {"name": f" {NAME.upper()} ", "password": PASSWORD, "next": "/?a=b"})
    assert (answer.status_code, answer.location) == (303, "/?a=b")
    assert NAME in person.get("/").get_data(as_text=True)
    events = [(entry.event, entry.actor) for entry in office.entries()[1:]]
    assert events == [
        ("signed_in", f"reviewer:{reviewer.id}"),
        ("overview_viewed", f"reviewer:{reviewer.id}"),
    ]
    assert NAME not in repr(office.entries())


def test_the_cookie_is_this_hosts_alone(office: Office) -> None:
    """Prefixed, for HTTPS, out of reach of scripts and of other sites' requests, gone with the browser."""
    office.hire(name=NAME)
    answer = office.stranger().post("/sign-in", {"name": NAME, "password": PASSWORD})
    cookies = answer.headers.getlist("Set-Cookie")
    assert len(cookies) == 1
    value, *attributes = cookies[0].split("; ")
    assert re.fullmatch(COOKIE + "=[A-Za-z0-9_-]{43}", value)
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]


def test_a_token_from_before_is_worth_nothing_after(office: Office) -> None:
    """Signing in gives a new token, whatever the browser held; only its digest is kept."""
    office.hire(name=NAME)
    person = office.stranger()
    person.hold("A" * 43)
    person.post("/sign-in", {"name": NAME, "password": PASSWORD})
    after = person.held()
    assert after != "A" * 43
    assert sign_in.recognise(office.desk, "A" * 43) is None
    who = sign_in.recognise(office.desk, after)
    assert who
    assert after not in repr(who.session)


@pytest.mark.parametrize(
    ("name", "password"),
    [(NAME, "wrong"), ("nobody", PASSWORD), ("", ""), ("\x00" * 200, PASSWORD), (NAME, PASSWORD + " ")],
)
def test_what_is_wrong_looks_the_same(office: Office, name: str, password: str) -> None:
    """One sentence and one status for every mistake, after one check of a password."""
    office.hire(name=NAME)
    person = office.stranger()
    answer = person.post("/sign-in", {"name": name, "password": password})
    assert answer.status_code == 401
    assert "The name or the password is not right." in answer.get_data(as_text=True)
    assert office.passwords.checked == 1
    assert [entry.event for entry in office.entries()[1:]] == [Act.SIGN_IN_FAILED]
    assert "Sign in" in person.get("/", follow_redirects=True).get_data(as_text=True)


def test_a_disabled_reviewer_is_out_at_once(office: Office) -> None:
    """Neither the session nor the password is good any more; enabled again, the password is."""
    person = office.person(name=NAME)
    assert person.reviewer
    accounts.disable(office.desk, person.reviewer)
    assert person.get("/").status_code == 303
    assert person.post("/sign-in", {"name": NAME, "password": PASSWORD}).status_code == 401
    accounts.enable(office.desk, person.reviewer)
    assert person.get("/").status_code == 303
    assert person.post("/sign-in", {"name": NAME, "password": PASSWORD}).status_code == 303


def test_a_password_that_was_changed_meanwhile_lets_nobody_in(office: Office) -> None:
    """Whoever signs in by the old one at that moment has no session that outlives it."""
    mara = office.hire(name=NAME)
    other = "another horse battery staple"
    office.faults.arm(
        "sessions.begin", 1, Moment.BEFORE, lambda: accounts.set_password(office.desk, mara, other)
    )
    person = office.stranger()
    assert person.post("/sign-in", {"name": NAME, "password": PASSWORD}).status_code == 401
    assert person.get("/").status_code == 303
    assert [entry.event for entry in office.entries()[1:]] == ["reviewer_changed", "sign_in_failed"]


def test_signing_out_ends_the_session(office: Office) -> None:
    """The token is worth nothing afterwards, in any browser."""
    person = office.person()
    token = person.held()
    answer = person.post("/sign-out", {FIELD: person.token("/")})
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert sign_in.recognise(office.desk, token) is None
    assert person.held() != token
    assert office.entries()[-1].event == Act.SIGNED_OUT


def test_a_session_ends_when_it_is_idle_or_old(office: Office) -> None:
    """After half an hour without a request, and after twelve hours with as many as you like."""
    clock, second = office.world.clock, timedelta(seconds=1)
    person = office.person()
    clock.advance((IDLE - second).total_seconds())
    assert person.get("/").status_code == 200
    clock.advance(IDLE.total_seconds())
    assert person.get("/").status_code == 303
    person = office.person()
    began = clock.now()
    while clock.now() + IDLE / 2 < began + LONGEST_SESSION:
        clock.advance((IDLE / 2).total_seconds())
        assert person.get("/").status_code == 200
    clock.advance((IDLE / 2).total_seconds())
    assert person.get("/").status_code == 303


def test_too_many_failures_close_the_door_for_a_while(office: Office) -> None:
    """The eleventh try is not looked at, right or wrong, until the first is a quarter of an hour old."""
    office.hire(name=NAME)
    person = office.stranger()
    for _ in range(sign_in.MOST_FOR_BOTH):
        assert person.post("/sign-in", {"name": NAME, "password": "wrong"}).status_code == 401
    for password in (PASSWORD, "wrong"):
        answer = person.post("/sign-in", {"name": NAME, "password": password})
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "900")
    assert office.passwords.checked == sign_in.MOST_FOR_BOTH
    office.world.clock.advance(sign_in.WINDOW.total_seconds() + 1)
    assert person.post("/sign-in", {"name": NAME, "password": PASSWORD}).status_code == 303


def test_a_name_is_one_name_however_it_is_written(office: Office) -> None:
    """Nobody gets more tries by putting blanks around a name, or by writing it in large letters."""
    office.hire(name=NAME)
    person = office.stranger()
    ways = (NAME.upper(), f"{' ' * 128}{NAME}", f"{' ' * 127}{NAME}", f"\u3000{NAME}{' ' * 200}")
    for number in range(sign_in.MOST_FOR_BOTH):
        fields = {"name": ways[number % len(ways)], "password": "wrong"}
        assert person.post("/sign-in", fields).status_code == 401
    for name in (NAME, *ways):
        assert person.post("/sign-in", {"name": name, "password": PASSWORD}).status_code == 429


def test_who_succeeds_is_not_counted(office: Office) -> None:
    """However often somebody signs in, the next time is not refused."""
    office.hire(name=NAME)
    for _ in range(2 * sign_in.MOST_FOR_BOTH):
        answer = office.stranger().post("/sign-in", {"name": NAME, "password": PASSWORD})
        assert answer.status_code == 303


@pytest.mark.parametrize(
    "way",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "/\t/evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\r\nLocation: https://evil.example/",
        "evil.example",
        "/é",
        "",
        "/" + "a" * 3000,
        "//[",
        "http://[",
        "//\u2100",
    ],
)
def test_signing_in_leads_nowhere_else(office: Office, way: str) -> None:
    """An address that is not a path of this console is passed over."""
    office.hire(name=NAME)
    person = office.stranger()
    answer = person.post("/sign-in", {"name": NAME, "password": PASSWORD, "next": way})
    assert (answer.status_code, answer.location) == (303, "/")
    for door in ("/sign-in", "/sign-in/oidc"):
        answer = person.get(door, query_string={"next": way})
        assert (answer.status_code, answer.location) == (303, "/")


def posts(app: Flask) -> list[str]:
    """The address of every route that takes a POST, with made-up values."""
    return sorted(
        re.sub("<[^>]*>", "up_" + "0" * 32, str(rule))
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or set())
    )


@pytest.mark.parametrize("path", posts(Office().app))
def test_a_form_of_another_site_does_nothing(office: Office, path: str) -> None:
    """No POST without the token of this very browser, nor from another site with it; nothing is logged."""
    person = office.person(Role.ADMINISTRATOR)
    token, others = person.token("/"), office.person().token("/")
    before = len(office.entries())
    ours = {"Sec_Fetch_Site": "same-origin", "Origin": ORIGIN}
    for fields in ({}, {FIELD: ""}, {FIELD: others}, {FIELD: token[:-1]}, {FIELD: "é" * 64}):
        assert person.send(path, fields, **ours).status_code == 403, fields
    for headers in (
        {"Sec_Fetch_Site": "cross-site", "Origin": ORIGIN},
        {"Sec_Fetch_Site": "same-site", "Origin": ORIGIN},
        {"Sec_Fetch_Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ORIGIN + ".evil.example"},
        {},
    ):
        assert person.send(path, {FIELD: token}, **headers).status_code == 403, headers
    assert len(office.entries()) == before
    assert person.get("/").status_code == 200


def test_a_form_of_another_site_signs_nobody_out(office: Office) -> None:
    """Browsers send it without our cookie, which is Lax, and keep a cookie that answers it: there is none."""
    person = office.stranger()
    for path in ("/sign-in", "/sign-out", "/nowhere"):
        answer = person.send(path, {}, Sec_Fetch_Site="cross-site", Origin="https://evil.example")
        assert (answer.status_code, answer.headers.getlist("Set-Cookie")) == (403, [])


@pytest.mark.parametrize(
    ("shown", "onwards"),
    [
        (f"{ORIGIN}/?from=2026-11-01&to=2026-11-22", "/?from=2026-11-01&to=2026-11-22"),
        ("https://evil.example//evil.example/x", "/"),
        ("https://[", "/"),
        ("", "/"),
    ],
)
def test_a_part_of_a_page_is_no_place_to_sign_in(office: Office, shown: str, onwards: str) -> None:
    """When the session has ended, a script's request makes the whole page go to the door, and then back."""
    office.hire(name=NAME)
    person = office.stranger()
    answer = person.get("/", headers={"HX-Request": "true", "HX-Current-URL": shown})
    assert (answer.status_code, answer.data) == (401, b"")
    door = answer.headers["HX-Redirect"]
    assert door.startswith("/sign-in")
    fields = {"name": NAME, "password": PASSWORD}
    fields["next"] = dict(parse_qsl(urlsplit(door).query)).get("next", "")
    assert person.post("/sign-in", fields).location == onwards


@pytest.mark.parametrize("path", ["/", "/uploads", "/uploads.csv", "/held", "/sign-in", "/sign-in/oidc"])
def test_an_address_that_is_no_text_is_no_failure_of_ours(office: Office, path: str) -> None:
    """Bytes that are no UTF-8 are refused as what they are, whether or not somebody is signed in."""
    for somebody in (office.stranger(), office.person()):
        before = len(office.entries())
        answer = somebody.get(path, environ_overrides={"QUERY_STRING": "name=\xff"})
        assert (answer.status_code, len(office.entries())) == (400, before)


def test_every_answer_has_the_headers(office: Office) -> None:
    """Pages, errors, redirects and files alike; nothing but files is kept by a browser."""
    person = office.person()
    for path in ("/", "/nothing", "/sign-in", "/sign-out", "/static/console.css"):
        answer = person.get(path)
        assert {name: answer.headers.get(name) for name in HEADERS} == dict(HEADERS)
        assert answer.headers["Cache-Control"] == ("no-cache" if "static" in path else "no-store")


@pytest.mark.parametrize("text", ["[" * 2500, r'["/", true, "\ud800"]', '["/", true]', "9" * 2500, "{"])
def test_a_notice_that_is_none_is_passed_over(office: Office, text: str) -> None:
    """Whatever a client holds for one, pages and errors are shown as without it."""
    held = urlsafe_b64encode(text.encode()).decode()
    for somebody, status in ((office.stranger(), 303), (office.person(), 200)):
        somebody.client.set_cookie(notices.COOKIE, held, domain="console.example", secure=True)
        assert somebody.get("/").status_code == status
        assert somebody.get("/nothing").status_code == 404
        assert somebody.get("/sign-in").status_code in {200, 303}


def test_what_cannot_be_logged_is_not_shown(office: Office) -> None:
    """Without the log there is no page."""
    person = office.person()
    office.world.faults.fail("journal.append", 1, Moment.BEFORE, LedgerUnavailable("the log is away"))
    assert person.get("/").status_code == 503
