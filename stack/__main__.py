"""`python -m stack` is what `make run` executes once everything is installed."""

import sys

from stack.run import main

sys.exit(main())
