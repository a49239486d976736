"""A fresh world for every test."""

import pytest

from tests.stages.world import World


@pytest.fixture
def world() -> World:
    """Everything works, the canaries just passed and the signatures are fresh."""
    return World()
