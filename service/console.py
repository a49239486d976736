"""The console's WSGI app: ``gunicorn --config service/gunicorn.conf.py service.console:app``."""

import os
import sys

from flask import Flask

from service import wiring
from service.core.errors import ConfigurationError
from service.web.console import create_console


def make_app() -> Flask:
    """Return the app for the environment; end the process with one line if that is not usable."""
    try:
        built = wiring.build(os.environ)
    except ConfigurationError as error:
        sys.exit(f"greenroom: {error}")
    return create_console(built.desk, built.console_url)


app = make_app()
