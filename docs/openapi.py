"""Writes docs/openapi.json, the copy of what ``GET /openapi.json`` serves: ``python -m docs.openapi``."""

import json
import tempfile
from pathlib import Path
from typing import Final

from flask import Flask

from service import wiring
from service.web.public import create_app
from service.web.public.notifications import NOTIFICATIONS
from service.web.public.openapi import document
from service.web.public.slots import Slots
from stack import environment
from stack.clamd import DEMO_SIGNATURES, Signatures
from stack.settings import DEFAULT_PORT, DEFAULT_S3_PORT, Settings
from stack.store_policy import GRANTS, Identity

COPY: Final = Path(__file__).with_name("openapi.json")


def make_app() -> Flask:
    """Return the app as it is shipped. Nothing that it stands on is there: it can be described, not asked."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            Path(folder), DEFAULT_PORT, DEFAULT_S3_PORT, Signatures(DEMO_SIGNATURES, "demo"), "demo"
        )
        identities = {role: Identity("none", "none") for role in GRANTS}
        parts = wiring.build(environment.compose({}, settings, identities)).parts
    return create_app(parts, Slots(uploads=1, waits=1, downloads=1))


def text() -> str:
    """Return the document as it is committed."""
    return json.dumps(document(make_app(), NOTIFICATIONS), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    COPY.write_text(text())
