"""``python -m service``."""

import sys

if sys.argv[1:2] == ["verify"]:
    # An auditor has no settings and need not wait for the rest of the service to be loaded.
    from service.verify.command import main as verify

    sys.exit(verify(sys.argv[2:], "python -m service verify"))

from service.cli import main

sys.exit(main(sys.argv[1:]))
