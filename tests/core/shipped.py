"""The policy that Greenroom comes with, as settings and as the policy they make."""

import copy
import tomllib
from pathlib import Path
from typing import Any, Final

import service
from service.core.policy import Policy, read_policy

POLICY_FILE: Final = Path(service.__file__).with_name("policy.toml")
_SETTINGS: Final = tomllib.loads(POLICY_FILE.read_text())
POLICY: Final[Policy] = read_policy(_SETTINGS)


def settings() -> dict[str, Any]:
    """Return the shipped settings, to be changed at will."""
    return copy.deepcopy(_SETTINGS)
