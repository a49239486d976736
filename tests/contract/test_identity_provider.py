"""``ports.IdentityProvider``: the same laws for the fake and for ours over a certified provider."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import pytest

from service.adapters.authlib_provider import AuthlibProvider, Client
from service.core.errors import Unauthenticated
from service.core.identity import subject_of
from service.ports import IdentityProvider, Journey
from tests.fakes.faults import Faults
from tests.fakes.identity_provider import FakeProvider
from tests.oidc.certified import CLIENT_ID, CLIENT_SECRET, Certified

BACK: Final = "http://127.0.0.1:9/sign-in/oidc/callback"
JOURNEY: Final = Journey("s" * 64 + "/uploads?a=b&c", "n" * 64, "v" * 64)


@dataclass
class Case:
    """A provider, and what a person does there: address, name -> the query that comes back."""

    provider: IdentityProvider
    sign_in: Callable[[str, str], Mapping[str, str]]


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certified]:
    """A certified provider."""
    running = Certified(tmp_path_factory.mktemp("oidc"), BACK)
    yield running
    running.stop()


@pytest.fixture(params=["fake", "certified"])
def case(request: pytest.FixtureRequest) -> Case:
    """Each in turn."""
    if request.param == "fake":
        fake = FakeProvider(Faults())
        return Case(fake, lambda address, name: fake.sign_in(address, name, name.partition(".")[0]))
    certified: Certified = request.getfixturevalue("certified")
    client = Client(certified.issuer, CLIENT_ID, CLIENT_SECRET, "openid profile", "groups")
    return Case(AuthlibProvider(client), certified.sign_in)


def come_back(case: Case, name: str = "security.mara", journey: Journey = JOURNEY) -> Mapping[str, str]:
    """Go there and sign in."""
    return case.sign_in(case.provider.address(journey, BACK), name)


def test_who_signs_in_there_is_known_here(case: Case) -> None:
    """By name, groups and a subject that is the same each time, another for another person."""
    query = come_back(case)
    assert (query["state"], query["iss"]) == (JOURNEY.state, case.provider.issuer)
    mara = case.provider.identify(JOURNEY, query["code"], BACK)
    assert mara.subject == subject_of(case.provider.issuer, "security.mara")
    assert (mara.name, mara.groups) == ("security.mara", frozenset({"security"}))
    assert case.provider.identify(JOURNEY, come_back(case)["code"], BACK) == mara
    assert case.provider.identify(JOURNEY, come_back(case, "x.y")["code"], BACK).subject != mara.subject


def test_a_code_is_good_once(case: Case) -> None:
    """A second time it is refused, as is one that never was, and none."""
    code = come_back(case)["code"]
    case.provider.identify(JOURNEY, code, BACK)
    for used in (code, "made-up", "", "\ud800", "x" * 5000):
        with pytest.raises(Unauthenticated):
            case.provider.identify(JOURNEY, used, BACK)


@pytest.mark.parametrize("change", [{"nonce": "o" * 64}, {"verifier": "w" * 64}])
def test_a_code_is_good_for_its_journey(case: Case, change: dict[str, str]) -> None:
    """One that was begun with another nonce or verifier is not taken: it is somebody else's."""
    code = come_back(case)["code"]
    with pytest.raises(Unauthenticated):
        case.provider.identify(replace(JOURNEY, **change), code, BACK)


def test_a_code_is_good_for_its_address(case: Case) -> None:
    """One that was given to another page is not taken."""
    code = come_back(case)["code"]
    with pytest.raises(Unauthenticated):
        case.provider.identify(JOURNEY, code, BACK + "/elsewhere")


def test_the_verifier_stays_here(case: Case) -> None:
    """What the browser is sent there with does not tell how to redeem the code."""
    assert JOURNEY.verifier not in case.provider.address(JOURNEY, BACK)
