"""The upload policy: what may come in and what happens to it. One source for enforcing and publishing."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from service.core.account import Plan
from service.core.container import Container
from service.core.errors import ConfigurationError
from service.core.naming import EXTENSION
from service.core.outcome import Obstacle
from service.core.retention import Periods, read_periods
from service.core.upload import Event, State, after
from service.core.verdict import Kind

#: What each kind of verdict does to an upload that is being scanned.
CONSEQUENCES: Final[Mapping[Kind, Event]] = MappingProxyType(
    {
        Kind.CLEAN: Event.FOUND_CLEAN,
        Kind.INFECTED: Event.FOUND_INFECTED,
        Kind.UNSCANNABLE: Event.NOT_SCANNABLE,
        Kind.MALFORMED: Event.NOT_SCANNABLE,
        Kind.SUSPICIOUS: Event.NOT_SCANNABLE,
        Kind.ERROR: Event.SCAN_EXHAUSTED,
    }
)
#: What each kind of finding in a released upload does to it.
RECALLS: Final[Mapping[Kind, Event]] = MappingProxyType(
    {
        Kind.INFECTED: Event.RECALLED,
        Kind.UNSCANNABLE: Event.DOUBTED,
        Kind.MALFORMED: Event.DOUBTED,
        Kind.SUSPICIOUS: Event.DOUBTED,
    }
)


@dataclass(frozen=True, slots=True)
class FileType:
    """One entry of the allow-list.

    ``content`` are libmagic's answers that are believable for the extension; ``container`` says what a
    package of this type must hold inside, where it is one.
    """

    extension: str
    media_type: str
    content: frozenset[str]
    container: Container | None


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy in force. Sizes in bytes, rates in bytes per second, times in seconds.

    ``digest`` is the SHA-256 (hex) of the settings, named by every verdict made under them.
    """

    max_file_size: int
    minimum_rate: int
    rate_window: int
    signatures_warn_age: int
    signatures_max_age: int
    unfinished_lifetime: int
    types: Mapping[str, FileType]
    periods: Mapping[Plan, Periods]
    digest: str

    def published(self) -> dict[str, Any]:
        """Return the policy as the public document that ``GET /v1/policy`` serves."""
        return {
            "digest": self.digest,
            "max_file_size": self.max_file_size,
            "minimum_rate": {"bytes_per_second": self.minimum_rate, "over_seconds": self.rate_window},
            "signatures": {
                "warn_age_seconds": self.signatures_warn_age,
                "max_age_seconds": self.signatures_max_age,
            },
            "resumable": {"expires_after_seconds": self.unfinished_lifetime},
            "types": [
                {"extension": kind.extension, "media_type": kind.media_type} for kind in self.types.values()
            ],
            "verdicts": {kind.value: _resting_place(kind).value for kind in Kind},
            "unscannable": {
                Obstacle.ENCRYPTED.value: _resting_place(Kind.UNSCANNABLE).value,
                Obstacle.LIMITS.value: _resting_place(Kind.UNSCANNABLE).value,
            },
            "plans": {plan.value: periods.published() for plan, periods in self.periods.items()},
            "oversized": "refused",
            "other_types": "refused",
        }


def _resting_place(kind: Kind) -> State:
    state = after(State.SCANNING, CONSEQUENCES[kind])
    return State.RELEASED if state is State.CLEARED else state


#: clamd looks into no file that is larger, whatever its limits say (libclamav caps them at 2 GiB - 3).
_LARGEST_SCANNED: Final = 2_147_483_645
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9.+-]*/[A-Za-z0-9][A-Za-z0-9.+_-]*")
_NUMBERS: Final = (
    "max_file_size",
    "minimum_rate",
    "rate_window",
    "signatures_warn_age",
    "signatures_max_age",
    "unfinished_lifetime",
)


def read_policy(settings: Mapping[str, Any]) -> Policy:
    """Return the policy that ``settings`` (a parsed policy file) describe.

    Raises ``ConfigurationError`` naming the first setting that is missing, unknown or odd.
    """
    unknown = set(settings) - {*_NUMBERS, "types", "plans"}
    if unknown:
        raise ConfigurationError(f"policy: unknown setting {min(unknown)!r}")
    for name in _NUMBERS:
        value = settings.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
            raise ConfigurationError(f"policy: {name} must be a positive whole number")
    if settings["max_file_size"] > _LARGEST_SCANNED:
        raise ConfigurationError(f"policy: max_file_size must be at most {_LARGEST_SCANNED}")
    types = settings.get("types")
    if not isinstance(types, Mapping) or not types:
        raise ConfigurationError("policy: [types] must name at least one file type")
    allowed = [_file_type(extension, entry) for extension, entry in types.items()]
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"))
    return Policy(
        **{name: settings[name] for name in _NUMBERS},
        types=MappingProxyType({kind.extension: kind for kind in allowed if kind is not None}),
        periods=read_periods(settings.get("plans")),
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )


def _file_type(extension: str, entry: object) -> FileType | None:
    """Return one entry of the allow-list, or ``None`` for one that is switched off."""
    if not isinstance(entry, Mapping) or not set(entry) <= {"enabled", "media_type", "content", "inside"}:
        raise ConfigurationError(f"policy: [types.{extension}] has an unknown or missing setting")
    # An entry that no name can have would be published and never accepted.
    if not EXTENSION.fullmatch(extension):
        raise ConfigurationError(f"policy: [types.{extension}] must be 1 to 16 of a-z 0-9, without a dot")
    content, media_type, enabled = entry.get("content"), entry.get("media_type"), entry.get("enabled", True)
    if not isinstance(enabled, bool) or not _is_media_type(media_type):
        raise ConfigurationError(
            f"policy: [types.{extension}] needs media_type, and enabled is true or false"
        )
    if not isinstance(content, list) or not content or not all(map(_is_media_type, content)):
        raise ConfigurationError(f"policy: [types.{extension}] content must be a list of media types")
    container = _container(extension, entry.get("inside"))
    return FileType(extension, str(media_type), frozenset(content), container) if enabled else None


def _is_media_type(value: object) -> bool:
    return isinstance(value, str) and _MEDIA_TYPE.fullmatch(value) is not None


def _container(extension: str, inside: object) -> Container | None:
    if inside is None:
        return None
    if not isinstance(inside, Mapping) or not all(isinstance(value, str) for value in inside.values()):
        raise ConfigurationError(f"policy: [types.{extension}] inside must be a table of texts")
    try:
        return Container(**inside)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"policy: [types.{extension}] inside: {error}") from None
