"""Settings for the tests of pure code: Hypothesis without deadlines."""

from hypothesis import settings

# Busy machines are slow machines: how long one example takes says nothing here.
settings.register_profile("core", deadline=None)
settings.load_profile("core")
