"""Uploads one file with tuspy, or deletes what was begun: `upload|give-up JOB MEMORY`, both as in client.py.

Ends with 1 and tells status and body of the answer where the upload fails.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import requests
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError
from tusclient.storage.filestorage import FileStorage
from tusclient.uploader.uploader import Uploader

RETRIES, RETRY_SECONDS = 60, 0.3


def make_uploader(job: dict[str, Any], memory: str) -> Uploader:
    """The uploader as tuspy's documentation has it. For a remembered address it asks for the offset."""
    headers = {"Authorization": f"Bearer {job['token']}", "Idempotency-Key": job["key"]}
    client = TusClient(job["endpoint"], headers=headers)
    return client.uploader(
        job["file"],
        metadata={"filename": job["file"].rpartition("/")[2], "meeting": job["meeting"]},
        retries=RETRIES if job["patient"] else 0,
        retry_delay=RETRY_SECONDS,
        store_url=True,
        url_storage=FileStorage(memory),  # type: ignore[no-untyped-call]
        upload_checksum=job["chunk"] is not None,
        **({"chunk_size": job["chunk"]} if job["chunk"] else {}),
    )


def main() -> int:
    """Do what the arguments say."""
    verb, job, memory = sys.argv[1:]
    try:
        uploader = make_uploader(json.loads(job), memory)
        if verb == "give-up":
            headers = uploader.get_headers()  # type: ignore[no-untyped-call]
            requests.delete(str(uploader.url), headers=headers, timeout=60).raise_for_status()
        else:
            uploader.upload()
    except TusCommunicationError as error:
        sys.stdout.buffer.write(error.response_content or b"")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
