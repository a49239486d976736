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
    try:
        services = wiring.build(os.environ)
    except ConfigurationError as error:
        sys.exit(f"greenroom: {error}")
    services.parts.gate.start()
    slots = Slots(uploads=UPLOADS, waits=WAITS, downloads=DOWNLOADS)
    return create_app(services.parts, slots, services.jitsi, services.upload_origins)


app = make_app()
