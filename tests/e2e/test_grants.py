"""Grants on the real service: quotas under many uploads at once, and signing keys changed by the operator."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.e2e.serving import Backend, Web

AT_ONCE = 50
FILES = 10


def call(backend: Backend, method: str, path: str, token: str = "", **options: Any) -> httpx.Response:
    """Send one request, with a token or else with the backend's key."""
    return httpx.request(
        method,
        f"{backend.web.url}{path}",
        headers={"Authorization": f"Bearer {token or backend.key}"},
        timeout=60,
        trust_env=False,
        **options,
    )


def mint(backend: Backend, **wanted: Any) -> dict[str, Any]:
    """Mint a grant for m1."""
    answer = call(backend, "POST", "/v1/grants", json={"meeting": "m1", **wanted})
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_fifty_uploads_at_once_keep_to_the_quota(backend: Backend) -> None:
    """Two processes and fifty senders: as many files as the grant allows are released, and not one more."""
    grant = mint(backend, kind="upload", max_files=FILES)

    def send(number: int) -> str:
        path = f"/v1/uploads?meeting=m1&name={number}.txt"
        content = f"file {number}".encode() * 100
        answer = call(backend, "POST", path, grant["token"], content=content)
        while answer.status_code == 503:
            # A full service asks to come again.
            answer = call(backend, "POST", path, grant["token"], content=content)
        return f"{answer.status_code} {answer.json().get('code') or answer.json()['state']}"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = Counter(pool.map(send, range(AT_ONCE)))
    assert outcomes == {"201 released": FILES, "403 quota_exceeded": AT_ONCE - FILES}
    assert len(backend.uploads()) == FILES
    used = call(backend, "GET", f"/v1/grants/{grant['id']}").json()["used"]
    assert used["files"] == FILES


def test_the_operator_changes_the_signing_key(web: Web, backend: Backend) -> None:
    """The command makes a key that every process uses at once; a grant of the key before still counts."""
    old = mint(backend, kind="download")
    rotated = web.service.run("keys", "rotate-signing", "--drop-old")
    assert rotated.returncode == 0, rotated.stderr
    assert call(backend, "GET", "/v1/uploads?meeting=m1", old["token"]).status_code == 401
    before = mint(backend, kind="download")
    again = web.service.run("keys", "rotate-signing")
    assert again.returncode == 0, again.stderr
    published = {
        key["kid"] for key in httpx.get(f"{web.url}/.well-known/jwks.json", trust_env=False).json()["keys"]
    }
    assert published == {line.removeprefix("KEY_ID=").strip() for line in (rotated.stdout, again.stdout)}
    for grant in (before, mint(backend, kind="download")):
        assert call(backend, "GET", "/v1/uploads?meeting=m1", grant["token"]).status_code == 200
    third = web.service.run("keys", "rotate-signing")
    assert third.returncode == 1
    assert third.stderr.startswith("greenroom: Two keys are trusted until")
