"""The environment of the processes in the Procfile: what the service's config.py reads, and the stack."""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from stack.clamd import ROOT, socket_path
from stack.processes import MARK
from stack.settings import Settings
from stack.store import REGION
from stack.store_policy import CHECKPOINTS, QUARANTINE, RELEASED, Identity


def compose(
    ours: Mapping[str, str], settings: Settings, identities: Mapping[str, Identity]
) -> dict[str, str]:
    """Our own environment with everything that the stack decides put in its place."""
    keys = {
        f"GREENROOM_S3_{role.upper()}_{kind}_KEY": value
        for role, one in identities.items()
        for kind, value in (("ACCESS", one.access_key), ("SECRET", one.secret_key))
    }
    # Beside the pages that a developer names.
    origins = {
        name: ",".join(filter(None, (settings.demo_origins, ours.get(name))))
        for name in ("GREENROOM_UPLOAD_ORIGINS", "GREENROOM_EMBED_ORIGINS")
    }
    return {
        **ours,
        # The programs of the environment that runs us, before any others of the same name.
        "PATH": f"{Path(sys.executable).parent}:{ours.get('PATH', '/usr/bin:/bin')}",
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "client"))),
        "PYTHONUNBUFFERED": "1",
        MARK: str(settings.state),
        "GREENROOM_STATE_DIR": str(settings.state),
        "GREENROOM_PORT": str(settings.port),
        "GREENROOM_S3_PORT": str(settings.s3_port),
        "GREENROOM_DEMO_PORT": str(settings.demo_port),
        "GREENROOM_CONSOLE_PORT": str(settings.console_port),
        "GREENROOM_CONSOLE_URL": settings.console_url,
        "GREENROOM_METRICS_PORT": str(settings.metrics_port),
        "GREENROOM_METRICS_DIR": str(settings.metrics_folder),
        "GREENROOM_SIGNATURES_DIR": str(settings.signatures.folder),
        "GREENROOM_SIGNATURES": settings.protection,
        "GREENROOM_DATABASE_URL": f"sqlite:///{settings.state / 'ledger.db'}",
        "GREENROOM_SECRETS_KEY": secrets_key(settings.state),
        "GREENROOM_MASTER_KEY_FILE": str(master_key(settings.state)),
        "GREENROOM_S3_ENDPOINT": f"127.0.0.1:{settings.s3_port}",
        "GREENROOM_S3_SECURE": "false",
        "GREENROOM_S3_REGION": REGION,
        "GREENROOM_QUARANTINE_BUCKET": QUARANTINE,
        "GREENROOM_RELEASED_BUCKET": RELEASED,
        "GREENROOM_CHECKPOINTS": f"s3:{CHECKPOINTS}",
        # Whoever tries webhooks on this machine has a receiver on this machine.
        "GREENROOM_WEBHOOKS": "loopback",
        "GREENROOM_CLAMD": f"unix:{socket_path(settings.clamd_folder)}",
        **origins,
        **keys,
    }


def secrets_key(state: Path) -> str:
    """The key that seals what is secret in the ledger of this state folder, made with the first start."""
    path = state / "secrets.key"
    _keep(path, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    return path.read_text()


def master_key(state: Path) -> Path:
    """The file with the master key of this state folder, made with the first start.

    As `python -m service keys new-master` makes one: a keyset of Tink's with one key, whose value is the
    protocol buffer AesGcmKey (field 3, of 32 bytes).
    """
    path, key_id = state / "master.key", secrets.randbits(32) or 1
    key = {
        "keyData": {
            "typeUrl": "type.googleapis.com/google.crypto.tink.AesGcmKey",
            "value": base64.b64encode(b"\x1a\x20" + secrets.token_bytes(32)).decode(),
            "keyMaterialType": "SYMMETRIC",
        },
        "status": "ENABLED",
        "keyId": key_id,
        "outputPrefixType": "TINK",
    }
    _keep(path, json.dumps({"primaryKeyId": key_id, "key": [key]}))
    return path


def _keep(path: Path, new: str) -> None:
    """Write `new` to a file of its owner's alone, unless it is there."""
    if not path.exists():
        begun = path.with_suffix(".new")
        begun.touch(0o600)
        begun.write_text(new)
        begun.rename(path)
