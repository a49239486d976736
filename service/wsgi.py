"""The WSGI app that gunicorn serves: ``gunicorn --config service/gunicorn.conf.py service.wsgi:app``."""

import os
import sys

from flask import Flask

from service import wiring
from service.core.errors import ConfigurationError
from service.web.public import create_app

#: Fewer than the threads in gunicorn.conf.py: slow senders must leave room for questions.
UPLOAD_SLOTS = 48


def make_app() -> Flask:
    """Return the app for the environment; end the process with one line if that is not usable."""
    try:
        return create_app(wiring.build(os.environ).parts, UPLOAD_SLOTS)
    except ConfigurationError as error:
        sys.exit(f"greenroom: {error}")


app = make_app()
