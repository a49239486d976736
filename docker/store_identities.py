# ruff: noqa: INP001  a script of the store's image, not part of a package
"""Write the store's s3.json from the secret files of its container: one identity per role, its grants from
stack/store_policy.py.

In: argument 1, the path to write; per role, the secret key in /run/secrets/s3_ROLE_secret_key. Fails with the
file's name when one is missing or empty.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from stack.store_policy import GRANTS, Identity, document, write_private

SECRETS = Path("/run/secrets")


def _identity(role: str) -> Identity:
    path = SECRETS / f"s3_{role}_secret_key"
    secret = path.read_text().strip()
    if not secret:
        raise SystemExit(f"store: {path} is empty")
    return Identity(f"greenroom-{role}", secret)


if __name__ == "__main__":
    identities = {role: _identity(role) for role in GRANTS}
    write_private(Path(sys.argv[1]), json.dumps(document(identities)))
