"""Start the real parts on loopback: SeaweedFS, clamd and, for tests, PostgreSQL.

`make run` (`python -m stack`) and the test fixtures start every part through these modules, so a part
that works in the tests is configured the same way in front of a developer.
"""


class StackError(Exception):
    """A part cannot be started; the message is one line that says what to do."""
