import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.core.outcome import (
    BLAMELESS,
    Clean,
    Failed,
    Failure,
    Infected,
    Malformed,
    Obstacle,
    Outcome,
    Suspicious,
    Unscannable,
    read_found,
    read_reply,
)
from tests.core.replies import FOUND, LONGEST, NOT_AN_ANSWER, OK


def found(name: str) -> bytes:
    """Return the reply that reports ``name``."""
    return f"stream: {name} FOUND\0".encode("ascii")


def is_clean(outcome: Outcome) -> bool:
    """Tell whether an outcome is the clean one."""
    return isinstance(outcome, Clean)


def test_the_one_reply_that_is_clean() -> None:
    """Exactly the bytes ``stream: OK`` and a NUL are a clean answer."""
    assert read_reply(OK) == Clean()


@pytest.mark.parametrize(
    ("name", "meaning"), FOUND, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_a_found_name_means(name: str, meaning: Outcome) -> None:
    """Each line of the table, whole prefixes only, and whatever is not listed is an infection."""
    assert read_found(name) == meaning
    assert read_reply(found(name)) == meaning


@pytest.mark.parametrize(("reply", "failure"), NOT_AN_ANSWER, ids=lambda value: repr(value)[:40])
def test_what_is_no_answer(reply: bytes, failure: Failure) -> None:
    """Errors, silence, half a line, two lines and garbage are failures, each of its kind."""
    outcome = read_reply(reply)
    assert isinstance(outcome, Failed)
    assert outcome.failure is failure
    assert outcome.detail.isprintable()


def test_a_name_may_end_like_a_reply() -> None:
    """A signature name that itself contains `` FOUND`` is still a whole name, and an infection."""
    assert read_reply(b"stream: A FOUND FOUND\0") == Infected("A FOUND")
    assert read_reply(b"stream: stream: OK FOUND\0") == Infected("stream: OK")


def test_the_longest_reply() -> None:
    """A line of 512 bytes with its NUL is read; one byte more is not believed."""
    fixed = len(found(""))
    assert read_reply(found("A" * (LONGEST - fixed))) == Infected("A" * (LONGEST - fixed))
    assert isinstance(read_reply(found("A" * (LONGEST - fixed + 1))), Failed)


def test_blameless_failures_say_nothing_about_the_file() -> None:
    """Only a scanner that is away or not believed is blameless: what a file can provoke uses up attempts."""
    provoked = {
        Failure.TIMEOUT,
        Failure.CONNECTION_LOST,
        Failure.SCANNER_ERROR,
        Failure.STREAM_LIMIT,
        Failure.PROTOCOL,
    }
    assert set(Failure) - BLAMELESS == provoked


@given(st.binary(max_size=600))
def test_arbitrary_bytes_are_never_clean(reply: bytes) -> None:
    """No bytes but the one reply are clean, and reading never raises."""
    assert is_clean(read_reply(reply)) == (reply == OK)


@given(st.text(alphabet="stream: OKFUND()nulERO.\0\n ", max_size=40))
def test_bytes_made_of_replies_are_never_clean(text: str) -> None:
    """The same for bytes that are put together from what replies are made of."""
    assert is_clean(read_reply(text.encode())) == (text == OK.decode())


@given(st.integers(0, len(OK)), st.binary(max_size=4), st.integers(0, 3))
@example(0, b"", 0)
@example(len(OK), b"\0", 0)
@example(0, OK, 0)
def test_a_mutated_ok_is_never_clean(place: int, insert: bytes, delete: int) -> None:
    """The good reply with anything inserted, deleted, replaced, doubled or put around it is not clean."""
    reply = OK[:place] + insert + OK[place + delete :]
    assert is_clean(read_reply(reply)) == (reply == OK)


@given(st.binary(min_size=1, max_size=20))
def test_ok_with_company_is_never_clean(extra: bytes) -> None:
    """A prefix or suffix of any kind makes the good reply worthless."""
    assert not is_clean(read_reply(OK + extra))
    assert not is_clean(read_reply(extra + OK))
    assert not is_clean(read_reply(OK * (1 + len(extra))))


def test_every_single_byte_change_of_ok() -> None:
    """All 11 x 255 replies that differ from the good one in one byte are not clean, nor is any part of it."""
    for place in range(len(OK)):
        for value in set(range(256)) - {OK[place]}:
            assert not is_clean(read_reply(OK[:place] + bytes([value]) + OK[place + 1 :]))
        assert not is_clean(read_reply(OK[:place]))
        assert not is_clean(read_reply(OK[place + 1 :]))
        assert not is_clean(read_reply(OK[:place] + OK[place + 1 :]))


PREFIXES = [
    "Heuristics.Limits.Exceeded",
    "Heuristics.Encrypted.",
    "Heuristics.Broken.",
    "PUA.",
    "Heuristics.",
]


@given(st.one_of(st.text(), st.builds(str.__add__, st.sampled_from(PREFIXES), st.text())))
def test_read_found_is_total_and_never_clean(name: str) -> None:
    """Any name at all means something, keeps itself as the signature, and is never clean."""
    answer = read_found(name)
    match answer:
        case Infected(signature) | Malformed(signature) | Suspicious(signature):
            assert signature == name
        case Unscannable(obstacle, signature):
            assert signature == name
            assert obstacle in Obstacle
        case Clean():
            pytest.fail("a found name was read as clean")


@given(st.from_regex(r"[!-~]([ -~]{0,60}[!-~])?", fullmatch=True))
def test_reading_a_found_line_is_reading_its_name(name: str) -> None:
    """A whole FOUND line with a plain name means what the name means, whatever the name contains."""
    assert read_reply(found(name)) == read_found(name)


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_an_error_line_is_never_an_answer(text: str) -> None:
    """A line that ends in ERROR is a failure, whatever stands before it."""
    outcome = read_reply(f"{text} ERROR\0".encode("ascii"))
    assert isinstance(outcome, Failed)
    assert outcome.failure in {Failure.SCANNER_ERROR, Failure.STREAM_LIMIT}
