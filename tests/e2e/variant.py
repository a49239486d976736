"""The same service under another policy: small files only, and zip switched on."""

from __future__ import annotations

import re
from pathlib import Path

from stack.clamd import ROOT

LIMIT = 1024 * 1024
SHIPPED = ROOT / "service" / "policy.toml"


def write_policy(path: Path, max_file_size: int, *, zip_enabled: bool = False) -> Path:
    """Write the shipped policy to `path` with another limit in bytes, and zip switched on where asked."""
    text, limits = re.subn(
        r"(?m)^max_file_size = \S+", f"max_file_size = {max_file_size}", SHIPPED.read_text()
    )
    assert limits == 1
    if zip_enabled:
        assert text.count("enabled = false") == 1
        text = text.replace("enabled = false", "enabled = true")
    path.write_text(text)
    return path
