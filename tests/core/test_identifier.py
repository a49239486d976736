import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import BadRequest
from service.core.naming import identifier, person


@pytest.mark.parametrize("good", ["a", "0", "room-1", "user@example.org", "a:b_c.d", "A" * 128])
def test_identifiers(good: str) -> None:
    """An id of the allowed characters comes back as it is."""
    assert identifier(good, "meeting") == good


@pytest.mark.parametrize(
    "bad",
    [
        "",
        " ",
        "-a",
        ".a",
        "..",
        "a b",
        "a/b",
        "a\\b",
        "a\n",
        "\na",
        "a\0",
        "\u00e9",
        "\u0661",
        "a?b",
        "A" * 129,
        "a%2f",
    ],
    ids=ascii,
)
def test_odd_identifiers_are_refused(bad: str) -> None:
    """Anything else is refused by name, and is not repeated to the sender."""
    with pytest.raises(BadRequest, match=r"^meeting must be") as caught:
        identifier(bad, "meeting")
    assert str(caught.value).startswith("meeting must be 1 to 128 characters of A-Z a-z 0-9")


@given(st.text(max_size=140))
def test_an_identifier_is_plain_ascii(text: str) -> None:
    """Whatever passes as an id can stand in a key, a header, a URL's query and a log line."""
    try:
        accepted = identifier(text, "account")
    except BadRequest:
        return
    assert accepted == text
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}", text)


@pytest.mark.parametrize(
    "good", ["a", "0", "ann+1@example.org", "auth0|5f7c", "urn:uuid:0-1", "a=b,c?d#e%f", "A" * 255]
)
def test_persons(good: str) -> None:
    """What directories and mail systems call people comes back as it is."""
    assert person(good) == good


@pytest.mark.parametrize(
    "bad", ["", " ", ".", "..", "a b", "a/b", "a\n", "\u00e9", "-a", "A" * 256], ids=ascii
)
def test_odd_persons_are_refused(bad: str) -> None:
    """What cannot stand in a path, or does not look like what it is, and is not repeated to the sender."""
    with pytest.raises(BadRequest, match=r"^person must be 1 to 255 visible ASCII"):
        person(bad)
