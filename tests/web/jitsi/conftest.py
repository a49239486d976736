"""A Jitsi Meet installation whose meetings share their files through the app."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from joserfc.jwk import RSAKey

from service import wiring
from service.adapters.sql_jitsi_files import SqlJitsiFiles
from service.stages.jitsi import Jitsi
from service.stages.parts import Parts
from service.web.public import create_app
from tests.web.conftest import SLOTS
from tests.web.jitsi.meeting import API_URL, AUDIENCE, ISSUER, ORIGIN, Meeting, new_session


@pytest.fixture(scope="session")
def signing_key() -> RSAKey:
    """What the meeting's server signs with."""
    return RSAKey.generate_key(2048)


@pytest.fixture(scope="session")
def built_jitsi(
    built: Parts, environ: dict[str, str], signing_key: RSAKey, parts_folder: Path
) -> Iterator[Jitsi]:
    """What the settings make of an installation."""
    pem = parts_folder / "jitsi.pem"
    pem.write_bytes(signing_key.as_pem(private=False))
    settings = {
        "GREENROOM_JITSI_PUBLIC_KEY_FILE": str(pem),
        "GREENROOM_JITSI_ACCOUNT": "jitsi",
        "GREENROOM_JITSI_ISSUER": ISSUER,
        "GREENROOM_JITSI_AUDIENCE": AUDIENCE,
        "GREENROOM_JITSI_ORIGIN": f"https://other.example, {ORIGIN}",
        "GREENROOM_JITSI_API_URL": API_URL,
    }
    built_jitsi = wiring.build(environ | settings).jitsi
    assert built_jitsi is not None
    yield built_jitsi
    cast("SqlJitsiFiles", built_jitsi.files)._database.engine.dispose()


@pytest.fixture
def jitsi(built_jitsi: Jitsi) -> Jitsi:
    """The installation, in an account of its own, which nobody made before."""
    return replace(
        built_jitsi, issuer=replace(built_jitsi.issuer, account_id=f"jitsi-{secrets.token_hex(6)}")
    )


@pytest.fixture
def meeting(parts: Parts, jitsi: Jitsi, signing_key: RSAKey) -> Meeting:
    """A meeting of it."""
    return Meeting(create_app(parts, SLOTS, jitsi), parts, jitsi, signing_key)


@pytest.fixture
def neighbour(meeting: Meeting) -> Meeting:
    """Another meeting of the same installation."""
    return replace(meeting, session=new_session())
