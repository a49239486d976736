"""Settings for the tests of pure code: Hypothesis without deadlines, and thorough runs only on demand."""

from pathlib import Path

import pytest
from hypothesis import settings

# Busy machines are slow machines: how long one example takes says nothing here.
settings.register_profile("core", deadline=None)
settings.load_profile("core")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what is marked slow in this folder unless ``-m`` speaks of it."""
    if "slow" in config.option.markexpr:
        return
    for item in items:
        if item.path.parent == Path(__file__).parent and item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="thorough: run with -m slow"))
