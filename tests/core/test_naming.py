import re
import unicodedata
from email.message import Message
from email.utils import collapse_rfc2231_value
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.http import parse_options_header

from service.core.errors import BadRequest
from service.core.naming import (
    LONGEST_NAME_BYTES,
    content_disposition,
    declared_type,
    display_name,
    extension,
)
from tests.core.hostile_names import EMPTY, MARKS, SHOWABLE
from tests.core.shipped import POLICY

#: Categories that must not be shown: controls, formats, surrogates, private, unassigned, line separators.
UNSHOWABLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
#: RFC 6266 with RFC 8187's value-chars, and a quoted-string without anything to escape.
DISPOSITION = re.compile(
    r'attachment; filename="([ !#-$&-.0-:<-\[\]-~]+)"; '
    r"filename\*=UTF-8''((?:%[0-9A-F]{2}|[A-Za-z0-9!#$&+.^_`|~-])+)"
)
#: A name as a person or a careless program might write it: any text, and texts rich in odd characters.
NAMES = st.one_of(
    st.text(alphabet=st.characters(), max_size=300),
    st.lists(
        st.sampled_from([*MARKS.values(), *"a.b/\\ \"'%;é漢\u0301\u0338\U0001f600", ".pptx", "x" * 120]),
        max_size=12,
    ).map("".join),
)


def assert_shown_well(untrusted: str) -> None:
    """State the laws of a display name about one name."""
    try:
        name = display_name(untrusted)
    except BadRequest:
        return
    assert unicodedata.is_normalized("NFC", name)
    assert 0 < len(name.encode()) <= LONGEST_NAME_BYTES
    assert not {unicodedata.category(char) for char in name} & UNSHOWABLE
    assert len(name.splitlines()) == 1
    assert not set(name) & set("/\\")
    assert name == name.strip(" .")
    assert display_name(name) == name


def assert_offered_well(name: str) -> None:
    """State the laws of a Content-Disposition about one name."""
    header = content_disposition(name)
    matched = DISPOSITION.fullmatch(header)
    assert matched, header
    assert unquote_to_bytes(matched[2]).decode() == name
    assert not matched[1].startswith(".")
    kind, options = parse_options_header(header)
    assert (kind, options) == ("attachment", {"filename": name})
    message = Message()
    message["Content-Disposition"] = header
    plain, exact = [
        value for key, value in message.get_params([], "content-disposition") if key == "filename"
    ]
    assert plain == matched[1]
    assert collapse_rfc2231_value(exact) == name


def test_there_are_enough_hostile_names() -> None:
    """The hand-made names are many, and no two are the same."""
    assert len(set(SHOWABLE)) == len(SHOWABLE) >= 200


@pytest.mark.parametrize("untrusted", SHOWABLE, ids=ascii)
def test_hostile_names_are_shown_and_offered_well(untrusted: str) -> None:
    """A hostile name with something in it to show becomes a plain one, and that one survives a header."""
    assert_shown_well(untrusted)
    assert_offered_well(display_name(untrusted))


@pytest.mark.parametrize("untrusted", EMPTY, ids=ascii)
def test_names_with_nothing_to_show_are_refused(untrusted: str) -> None:
    """Where nothing visible is left, the sender is asked for a plain name."""
    with pytest.raises(BadRequest, match="plain name"):
        display_name(untrusted)


@pytest.mark.parametrize("mark", MARKS.values(), ids=MARKS)
@pytest.mark.parametrize("place", ["{}deck.pptx", "de{}ck.pptx", "deck.pp{}tx", "deck.pptx{}"])
def test_invisible_characters_change_nothing(mark: str, place: str) -> None:
    """A mark that cannot be seen is taken out and takes nothing visible with it.

    An escape sequence loses only what makes a terminal obey it."""
    visible = "".join(char for char in mark if char in "[31m")
    assert display_name(place.format(mark)) == place.format(visible)


@given(NAMES)
@settings(max_examples=300)
@example("a" * 254 + "\u00e9")
@example("\ufeff.\u200b.pptx")
def test_any_name_is_shown_and_offered_well(untrusted: str) -> None:
    """The same for any text at all: refused, or shown well and offered well."""
    assert_shown_well(untrusted)
    try:
        name = display_name(untrusted)
    except BadRequest:
        return
    assert_offered_well(name)


@pytest.mark.thorough
@given(NAMES)
@settings(max_examples=10_000)
def test_ten_thousand_names_are_shown_and_offered_well(untrusted: str) -> None:
    """The same, 10 000 times."""
    test_any_name_is_shown_and_offered_well.hypothesis.inner_test(untrusted)  # type: ignore[attr-defined]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80))
@settings(max_examples=300)
@example("a\r\nSet-Cookie: x=y")
@example('a"; filename=b')
@example("\x00\x7f\x85")
def test_no_text_can_leave_the_header(text: str) -> None:
    """Even a text that never went through ``display_name`` makes one header of plain characters, and comes
    back exactly."""
    assert_offered_well(text)


@given(
    st.text(alphabet="ab \u00e9\u6f22\U0001f600.", max_size=400),
    st.from_regex(r"[a-z0-9]{1,15}", fullmatch=True),
)
@settings(max_examples=300)
def test_the_extension_is_kept(stem: str, ending: str) -> None:
    """However long the name, a short extension survives the cut, so the type is what the sender said."""
    assert extension(display_name(f"x{stem}.{ending}")) == ending


def test_a_cut_name_loses_its_middle_only() -> None:
    """A name over 255 bytes keeps its beginning and its extension and is as long as it may be."""
    assert display_name("a" * 300 + ".pptx") == "a" * 250 + ".pptx"
    assert display_name("\u6f22" * 100 + ".pptx") == "\u6f22" * 83 + ".pptx"
    assert display_name("a" * 300) == "a" * 255
    assert display_name("a" * 300 + "." + "b" * 16) == "a" * 238 + "." + "b" * 16
    assert display_name("a" * 300 + "." + "b" * 17) == "a" * 255


@pytest.mark.parametrize(
    ("untrusted", "shown"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\x\\deck.pptx", "deck.pptx"),
        ("deck\u202excod.exe.pptx", "deckxcod.exe.pptx"),
        ("  deck \t of\u3000Monday .pptx. ", "deck of Monday .pptx"),
        (".htaccess", "htaccess"),
        ("A\u030angstrom.pptx", "\u00c5ngstrom.pptx"),
        ("a\u200b\u030a.pptx", "\u00e5.pptx"),
        ("Quartal 3 - \u00dcbersicht.pptx", "Quartal 3 - \u00dcbersicht.pptx"),
        ("\u041e\u0442\u0447\u0451\u0442.pdf", "\u041e\u0442\u0447\u0451\u0442.pdf"),
    ],
)
def test_examples_of_names(untrusted: str, shown: str) -> None:
    """What people see, by example; an honest name in any script stays as it is."""
    assert display_name(untrusted) == shown


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("deck.pptx", "pptx"),
        ("deck.PPTX", "pptx"),
        ("deck.tar.gz", "gz"),
        ("deck", ""),
        ("deck.", ""),
        ("pptx", ""),
        ("a.\u0440\u0440t\u0445", "\u0440\u0440t\u0445"),
    ],
)
def test_the_extension_of_a_name(name: str, found: str) -> None:
    """The extension is what follows the last dot, in lower case; look-alikes stay what they are."""
    assert extension(name) == found


@given(st.text(max_size=300))
@example("text/plain\r\nSet-Cookie: a=b")
@example("x" * 128)
def test_a_declared_type_is_plain_text(untrusted: str) -> None:
    """A declared media type is kept as text to show: its printable ASCII, in order, at most 127 of it."""
    shown = declared_type(untrusted)
    assert len(shown) <= 127
    assert not re.search(r"[^ -~]", shown)
    assert re.sub(r"[^ -~]", "", untrusted).startswith(shown)
    assert declared_type(shown) == shown


def test_an_honest_declared_type_stays() -> None:
    """What senders really declare is kept as it is."""
    for media_type in ("", "application/pdf", "text/plain; charset=utf-8", POLICY.types["pptx"].media_type):
        assert declared_type(media_type) == media_type
