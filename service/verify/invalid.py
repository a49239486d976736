"""What a check says that did not succeed."""


class Invalid(ValueError):
    """What was checked is not what it should be; ``str`` of it is one line that says why."""
