"""The console's WSGI app with the page of these tests."""

import os

from service import wiring
from service.console import app
from tests.console.bare_page import add

__all__ = ["app"]

add(app, wiring.build(os.environ).desk)
