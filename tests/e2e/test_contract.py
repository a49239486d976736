"""The published contract against the real service, as Schemathesis tries it from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stack.clamd import ROOT
from tests.e2e.serving import Service, Web

CONFIG = Path(__file__).parent / "schemathesis" / "schemathesis.toml"
#: Generated requests for each operation and phase.
EXAMPLES = 25
MANY_EXAMPLES = 400


def identities(service: Service) -> str:
    """Two accounts' keys, in the format of Web Fuzzing Commons."""
    entries = [
        {
            "name": name,
            "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {service.new_key()[1]}"}],
        }
        for name in ("owner", "stranger")
    ]
    return json.dumps({"auth": entries})


def try_contract(web: Web, folder: Path, examples: int) -> None:
    """Run every phase and every check with that many examples; fail with what was found."""
    keys = folder / "identities.json"
    keys.write_text(identities(web.service))
    found = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIG),
            *("run", f"{web.url}/openapi.json", "--max-examples", str(examples), "--checks", "all"),
        ],
        # A configured proxy would take requests elsewhere.
        env={"PATH": os.environ["PATH"], "IDENTITIES": str(keys), "NO_PROXY": "*", "PYTHONPATH": str(ROOT)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_contract_holds(web: Web, tmp_path: Path) -> None:
    """Bar R23: what the document allows is taken, what it forbids refused, and answers are as it says."""
    try_contract(web, tmp_path, EXAMPLES)


@pytest.mark.thorough
def test_contract_holds_for_long(web: Web, tmp_path: Path) -> None:
    """The same with many more requests."""
    try_contract(web, tmp_path, MANY_EXAMPLES)
