"""The WSGI app that gunicorn serves: ``gunicorn --config service/gunicorn.conf.py service.wsgi:app``."""

import os
import sys

from flask import Flask

from service import wiring
from service.core.errors import ConfigurationError
from service.web.public import create_app
from service.web.public.slots import Slots

#: Together fewer than the threads in gunicorn.conf.py.
UPLOADS, WAITS, DOWNLOADS = 24, 16, 16


def make_app() -> Flask:
    """Return the app for the environment; end the process with one line if that is not usable."""
    slots = Slots(uploads=UPLOADS, waits=WAITS, downloads=DOWNLOADS)
    try:
        built = wiring.build(os.environ)
        app = create_app(built.parts, slots, built.jitsi, built.upload_origins, built.embed_origins)
    except ConfigurationError as error:
        sys.exit(f"greenroom: {error}")
    built.parts.gate.start()
    return app


app = make_app()
