import json
import tomllib
from datetime import date
from typing import Any

import pytest

from service.core.errors import ConfigurationError, TypeNotAllowed
from service.core.filetype import allowed_by_name
from service.core.policy import read_policy
from service.core.verdict import Kind
from tests.core.shipped import POLICY, POLICY_FILE, settings

NUMBERS = ("max_file_size", "minimum_rate", "rate_window", "signatures_warn_age", "signatures_max_age")
ENTRY = {"media_type": "image/png", "content": ["image/png"]}


def test_the_published_policy_is_the_enforced_one() -> None:
    """Every published type is accepted by its name, nothing else is, and the numbers are the same."""
    published = POLICY.published()
    extensions = {kind["extension"] for kind in published["types"]}
    for kind in published["types"]:
        enforced = allowed_by_name(POLICY, f"a.{kind['extension']}")
        assert enforced.media_type == kind["media_type"]
    for extension in set(settings()["types"]) - extensions:
        with pytest.raises(TypeNotAllowed):
            allowed_by_name(POLICY, f"a.{extension}")
    assert published["max_file_size"] == POLICY.max_file_size == 512 * 1024 * 1024
    assert published["minimum_rate"] == {"bytes_per_second": 1024, "over_seconds": 10}
    assert published["signatures"] == {"warn_age_seconds": 86_400, "max_age_seconds": 172_800}
    assert published["digest"] == POLICY.digest


def test_what_a_policy_does_is_published() -> None:
    """Each kind of verdict has its published end: clean is released, infected blocked, the rest held."""
    published = POLICY.published()
    assert published["verdicts"] == {
        kind.value: {Kind.CLEAN: "released", Kind.INFECTED: "blocked"}.get(kind, "held") for kind in Kind
    }
    assert published["unscannable"] == {"encrypted": "held", "limits_exceeded": "held"}
    assert published["oversized"] == published["other_types"] == "refused"


def test_the_published_policy_is_json() -> None:
    """It goes over the wire as it is."""
    assert json.loads(json.dumps(POLICY.published())) == POLICY.published()


def test_a_type_is_switched_on_and_off() -> None:
    """``enabled`` decides whether an entry is accepted and published."""
    changed = settings()
    changed["types"]["zip"]["enabled"] = True
    changed["types"]["pptx"]["enabled"] = False
    policy = read_policy(changed)
    assert allowed_by_name(policy, "a.zip").media_type == "application/zip"
    with pytest.raises(TypeNotAllowed):
        allowed_by_name(policy, "a.pptx")
    published = {kind["extension"] for kind in policy.published()["types"]}
    assert published == set(POLICY.types) - {"pptx"} | {"zip"}


def test_the_digest_names_the_settings() -> None:
    """The same settings have the same digest however they are written down; any change makes another."""
    text = POLICY_FILE.read_text()
    reordered = dict(reversed(tomllib.loads(text).items()))
    assert read_policy(reordered).digest == POLICY.digest
    seen = {POLICY.digest}
    for name in NUMBERS:
        seen.add(read_policy(settings() | {name: settings()[name] + 1}).digest)
    changed = settings()
    changed["types"]["png"]["content"].append("image/x-png")
    seen.add(read_policy(changed).digest)
    assert len(seen) == len(NUMBERS) + 2
    assert all(len(digest) == 64 and int(digest, 16) >= 0 for digest in seen)


def test_the_types_cannot_be_changed() -> None:
    """A policy in force stays as it was read."""
    with pytest.raises(TypeError):
        POLICY.types["exe"] = POLICY.types["png"]  # type: ignore[index]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [0, -1, 1.5, "1024", True, None, [1]], ids=repr)
def test_an_odd_number_is_named(name: str, value: object) -> None:
    """Sizes, rates and times are positive whole numbers, or the setting is named."""
    with pytest.raises(ConfigurationError, match=f"policy: {name} "):
        read_policy(settings() | {name: value})


@pytest.mark.parametrize("name", [*NUMBERS, "types"])
def test_a_missing_setting_is_named(name: str) -> None:
    """Nothing has a silent default."""
    changed = settings()
    del changed[name]
    with pytest.raises(ConfigurationError, match=name):
        read_policy(changed)


def test_a_size_that_no_scanner_reaches_is_refused() -> None:
    """Clamd looks into no file of over 2 147 483 645 bytes: a policy cannot promise more."""
    assert read_policy(settings() | {"max_file_size": 2_147_483_645}).max_file_size == 2_147_483_645
    with pytest.raises(ConfigurationError, match="max_file_size must be at most"):
        read_policy(settings() | {"max_file_size": 2_147_483_646})


def test_an_unknown_setting_is_named() -> None:
    """A misspelt setting is an error, not a default."""
    with pytest.raises(ConfigurationError, match="max_filesize"):
        read_policy(settings() | {"max_filesize": 1})


@pytest.mark.parametrize("types", [{}, [], "pptx", None], ids=repr)
def test_a_policy_names_types(types: object) -> None:
    """Without a list of types there is no policy."""
    with pytest.raises(ConfigurationError, match="types"):
        read_policy(settings() | {"types": types})


@pytest.mark.parametrize(
    "entry",
    [
        None,
        [],
        "image/png",
        {},
        {"media_type": "image/png"},
        {"content": ["image/png"]},
        ENTRY | {"mediatype": "x"},
        ENTRY | {"enabled": "yes"},
        ENTRY | {"enabled": 1},
        ENTRY | {"media_type": "png"},
        ENTRY | {"media_type": "image/png\r\nX: y"},
        ENTRY | {"media_type": "image/png; charset=x"},
        ENTRY | {"media_type": 5},
        ENTRY | {"content": []},
        ENTRY | {"content": "image/png"},
        ENTRY | {"content": [5]},
        ENTRY | {"content": ["image/png", "png"]},
        ENTRY | {"inside": "ooxml"},
        ENTRY | {"inside": []},
        ENTRY | {"inside": {}},
        ENTRY | {"inside": {"kind": "odf"}},
        ENTRY | {"inside": {"kind": "zip", "main": "x"}},
        ENTRY | {"inside": {"kind": "odf", "main": ""}},
        ENTRY | {"inside": {"kind": "odf", "main": 5}},
        ENTRY | {"inside": {"kind": "odf", "main": date(2026, 11, 21)}},
        ENTRY | {"inside": {"kind": ["odf"], "main": "x"}},
        ENTRY | {"inside": {"kind": "odf", "main": "x", "more": "y"}},
        ENTRY | {"enabled": False, "inside": "ooxml"},
        {"enabled": False},
    ],
    ids=repr,
)
def test_an_odd_type_is_named(entry: Any) -> None:
    """An entry with a missing, unknown or odd setting, switched off or not, is named."""
    changed = settings()
    changed["types"]["png"] = entry
    with pytest.raises(ConfigurationError, match=r"\[types\.png\]"):
        read_policy(changed)


@pytest.mark.parametrize(
    "extension", ["PNG", ".png", "tar.gz", "", "p ng", "\u0440ng", "a" * 17, "png\n"], ids=repr
)
def test_an_extension_that_no_name_has_is_refused(extension: str) -> None:
    """What is compared with lower-case extensions must be one: else it would be published, never accepted."""
    changed = settings()
    changed["types"][extension] = ENTRY
    with pytest.raises(ConfigurationError, match=r"\[types\."):
        read_policy(changed)
