"""``python -m service.verify``."""

import sys

from service.verify.command import main

sys.exit(main(sys.argv[1:]))
