"""Which URLs webhooks may go to (bar R22): the text, and each address behind it."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import AddressNotAllowed
from service.core.webhook_url import Reach, Target, check_addresses, is_public, read_url
from tests.core.hostile_urls import BAD_ADDRESSES, BAD_TEXTS, GOOD_ADDRESSES, url_of

GOOD = read_url("https://hooks.example.com/", Reach.PUBLIC)


#: What development alone opens: http, this machine's names and any port.
OPENED = ("http:", "HTTP:", "https://localhost/", "https://LOCALHOST/", "https://localhost:8443/")
PORTS = (":22/", ":25/", ":80/")


@pytest.mark.parametrize("text", BAD_TEXTS)
def test_a_hostile_text_is_refused(text: str) -> None:
    """As it stands, whatever a name in it leads to."""
    with pytest.raises(AddressNotAllowed):
        read_url(text, Reach.PUBLIC)


@pytest.mark.parametrize("text", [t for t in BAD_TEXTS if not t.startswith(OPENED) and not t.endswith(PORTS)])
def test_a_hostile_text_is_refused_in_development_too(text: str) -> None:
    """All but what is about this machine."""
    with pytest.raises(AddressNotAllowed):
        read_url(text, Reach.LOOPBACK)


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_a_special_address_is_refused(address: str) -> None:
    """Written in the URL, and as one of two answers of the DNS, in either order."""
    assert not is_public(ip_address(address))
    with pytest.raises(AddressNotAllowed):
        check_addresses(read_url(url_of(address), Reach.PUBLIC), [address], Reach.PUBLIC)
    for addresses in (["8.8.8.8", address], [address, "8.8.8.8"]):
        with pytest.raises(AddressNotAllowed):
            check_addresses(GOOD, addresses, Reach.PUBLIC)


@pytest.mark.parametrize("address", sorted(set(BAD_ADDRESSES) - {"127.0.0.1", "::1"}))
def test_for_development_this_machine_alone_is_added(address: str) -> None:
    """Not its network, and not loopback in any other form."""
    with pytest.raises(AddressNotAllowed):
        check_addresses(GOOD, [address], Reach.LOOPBACK)


def test_there_are_enough_hostile_urls() -> None:
    """Bar R22 asks for at least 60."""
    assert len(set(BAD_TEXTS)) >= 60
    assert len(set(BAD_ADDRESSES)) >= 50


@pytest.mark.parametrize("address", GOOD_ADDRESSES)
def test_public_addresses_are_taken(address: str) -> None:
    """The neighbours of the special ranges too; NAT64 where the address inside is public."""
    assert is_public(ip_address(address))
    assert check_addresses(GOOD, [address], Reach.PUBLIC) == (address,)


@given(st.ip_addresses(v=6))
def test_what_is_global_by_the_registry_only_may_pass(address: object) -> None:
    """No IPv6 address passes that the standard library does not call global, but NAT64's."""
    found = ip_address(str(address))
    assert not is_public(found) or found.is_global or str(found).startswith("64:ff9b::")


def test_no_address_is_no_way_in() -> None:
    """A name that leads nowhere is refused with the same words as one that leads inside."""
    words = set()
    for addresses in ([], ["10.0.0.1"], ["nonsense"], ["fe80::1%eth0"]):
        with pytest.raises(AddressNotAllowed) as caught:
            check_addresses(GOOD, addresses, Reach.PUBLIC)
        words.add(str(caught.value))
    assert len(words) == 1


@pytest.mark.parametrize(
    ("text", "target", "authority"),
    [
        ("https://hooks.example.com", Target("https", "hooks.example.com", 443, "/"), "hooks.example.com"),
        (
            "https://Hooks.Example.com:8443/a/b?c=d&e=%20",
            Target("https", "hooks.example.com", 8443, "/a/b?c=d&e=%20"),
            "hooks.example.com:8443",
        ),
        ("https://xn--bcher-kva.example/", Target("https", "xn--bcher-kva.example", 443, "/"), None),
        ("https://93.184.215.14/", Target("https", "93.184.215.14", 443, "/"), None),
        ("https://[2606:4700::1111]:444444/", None, None),
        (
            "https://[2606:4700:0::1111]:4444/",
            Target("https", "2606:4700::1111", 4444, "/"),
            "[2606:4700::1111]:4444",
        ),
    ],
)
def test_a_plain_url_is_read_as_it_is(text: str, target: Target | None, authority: str | None) -> None:
    """Scheme and host without case, the path byte for byte, the port where it is not the usual one."""
    if target is None:
        with pytest.raises(AddressNotAllowed):
            read_url(text, Reach.PUBLIC)
        return
    assert read_url(text, Reach.PUBLIC) == target
    assert target.authority == (authority or target.host)


@pytest.mark.parametrize("text", ["http://127.0.0.1:8000/", "http://localhost:80/", "http://[::1]:9/"])
def test_http_is_for_this_machine_and_development_alone(text: str) -> None:
    """With the setting http goes to loopback and nowhere else, a public name with such a URL included."""
    with pytest.raises(AddressNotAllowed):
        read_url(text, Reach.PUBLIC)
    target = read_url(text, Reach.LOOPBACK)
    assert check_addresses(target, ["127.0.0.1", "::1"], Reach.LOOPBACK)
    for addresses in (["8.8.8.8"], ["127.0.0.1", "8.8.8.8"], ["127.0.0.2"], ["10.0.0.1"]):
        with pytest.raises(AddressNotAllowed):
            check_addresses(target, addresses, Reach.LOOPBACK)
