"""How a command ends: its exit code, and one line on standard error where it failed."""

import sys
from argparse import Namespace

from service.core.errors import ConfigurationError, GreenroomError


def run(options: Namespace) -> int:
    """Run the command that ``options.run`` is and return its exit code; errors are one line."""
    try:
        return int(options.run(options))
    except GreenroomError as error:
        print(f"greenroom: {error}", file=sys.stderr)
        return 2 if isinstance(error, ConfigurationError) else 1
    except KeyboardInterrupt:
        return 130
