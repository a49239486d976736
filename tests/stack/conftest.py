"""A run of `make run` for each module of tests that asks for one."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import leftovers
from stack.ports import claim_block
from tests.stack.running import OFFSETS, Place, Runs


@pytest.fixture(scope="module")
def place(parts_folder: Path) -> Iterator[Place]:
    """Where the runs of this module are, one after another."""
    s3_port, claim = claim_block(OFFSETS)
    with claim:
        found = Place(parts_folder / uuid.uuid4().hex, s3_port)
        yield found
        leftovers.stop(found.state)


@pytest.fixture(scope="module")
def runs(place: Place) -> Iterator[Runs]:
    """The runs of this module."""
    found = Runs(place)
    yield found
    found.stop()


@pytest.fixture
def run(runs: Runs) -> subprocess.Popen[bytes]:
    """A run that is ready."""
    return runs.ready()
