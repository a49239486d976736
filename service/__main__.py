"""``python -m service``."""

import sys

if sys.argv[1:2] == ["verify"]:
    # An auditor has no settings, and does not wait for the rest of the service to be loaded.
    from service.verify.command import main as verify

    sys.exit(verify(sys.argv[2:], "python -m service verify"))

if sys.argv[1:2] == ["submit"]:
    # Nor does a sender.
    from service.submit import main as submit

    sys.exit(submit(sys.argv[2:], "python -m service submit"))

from service.cli import main

sys.exit(main(sys.argv[1:]))
