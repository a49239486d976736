# ruff: noqa: INP001  a script of the app image, not part of a package
"""The worker container's health check: exit 0 if a round of canaries was reported in the last 3 minutes.

Canaries are sent every minute, and are reported whether or not the scanner passed them; so this tells a
worker that stands still from a scanner that is away, which is /readyz's to tell.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta

from service import wiring

LATEST = timedelta(minutes=3)


def main() -> int:
    """Return the exit code: 0 for a worker that goes its rounds, else 1 with one line on standard error."""
    parts = wiring.build(os.environ).parts
    health = parts.ledger.health()
    if health is None or parts.clock.now() - health.at > LATEST:
        sys.stderr.write(f"no round of canaries since {health.at if health else 'the start'}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
