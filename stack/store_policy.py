"""Who may do what in the object store: one identity per role, least rights, as S3 policy documents.

The quarantine holds bytes that nobody has judged, so the identity that serves downloads has no right there at
all, and the one that takes uploads cannot read, list or delete what it wrote. Nobody is an administrator.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

QUARANTINE = "quarantine"
RELEASED = "released"
BUCKETS = (QUARANTINE, RELEASED)
CHECKPOINTS = "checkpoints"
"""The bucket for the log's checkpoints, with Object Lock: what is put there cannot be taken back."""

OBJECTS = "arn:aws:s3:::{}/*"
BUCKET = "arn:aws:s3:::{}"

Grant = tuple[tuple[str, ...], tuple[str, ...]]
"""Actions of S3, and the resources on which they are allowed."""

GRANTS: Mapping[str, tuple[Grant, ...]] = {
    # Aborting is needed by an upload that fails half-way; the same right as writing for a multipart upload.
    "ingest": ((("s3:PutObject", "s3:AbortMultipartUpload"), (OBJECTS.format(QUARANTINE),)),),
    "scan": ((("s3:GetObject",), (OBJECTS.format(QUARANTINE),)),),
    "release": (
        (("s3:GetObject",), (OBJECTS.format(QUARANTINE), OBJECTS.format(RELEASED))),
        (("s3:PutObject", "s3:AbortMultipartUpload"), (OBJECTS.format(RELEASED),)),
        # What is recalled goes back the way that it came. Copies are never multipart uploads.
        (("s3:PutObject",), (OBJECTS.format(QUARANTINE),)),
    ),
    "download": ((("s3:GetObject",), (OBJECTS.format(RELEASED),)),),
    "janitor": (
        (
            # Old versions and deletion markers too, where an operator's buckets are versioned.
            ("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"),
            (BUCKET.format(QUARANTINE), BUCKET.format(RELEASED)),
        ),
        (
            ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"),
            (OBJECTS.format(QUARANTINE), OBJECTS.format(RELEASED)),
        ),
    ),
    "witness": (
        (("s3:ListBucketVersions",), (BUCKET.format(CHECKPOINTS),)),
        (
            ("s3:PutObject", "s3:PutObjectRetention", "s3:GetObject", "s3:GetObjectVersion"),
            (OBJECTS.format(CHECKPOINTS),),
        ),
    ),
}


@dataclass(frozen=True)
class Identity:
    """A role's key pair."""

    access_key: str
    secret_key: str


def load_or_make(path: Path) -> dict[str, Identity]:
    """Read the identities of `path`, an s3.json as SeaweedFS takes it; fresh secrets the first time.

    The grants are written anew each time, so a changed table takes effect at the next start while the
    secrets stay. The file is readable by its owner alone.
    """
    identities = load(path) if path.exists() else {}
    for role in GRANTS:
        identities.setdefault(role, Identity(f"greenroom-{role}", secrets.token_urlsafe(32)))
    write_private(path, json.dumps(document(identities), indent=1))
    return identities


def document(identities: Mapping[str, Identity]) -> dict[str, Any]:
    """The content of s3.json: each role's key pair, and the policy that bears the role's name."""
    return {
        "identities": [
            {
                "name": role,
                "credentials": [{"accessKey": one.access_key, "secretKey": one.secret_key}],
                "policyNames": [role],
            }
            for role, one in identities.items()
        ],
        "policies": [{"name": role, "content": json.dumps(_policy(GRANTS[role]))} for role in identities],
    }


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path`, mode 600 from the first byte on, in place of what stood there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(path)


def _policy(grants: tuple[Grant, ...]) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
            for actions, resources in grants
        ],
    }


def load(path: Path) -> dict[str, Identity]:
    """The identities that stand in `path`, an s3.json; OSError when there is none."""
    content = json.loads(path.read_text())
    return {
        entry["name"]: Identity(entry["credentials"][0]["accessKey"], entry["credentials"][0]["secretKey"])
        for entry in content["identities"]
        if entry["name"] in GRANTS
    }
