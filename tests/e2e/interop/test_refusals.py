"""What the service refuses, as each tus client sees it; and what each of them mends on its own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

import pytest

from tests.e2e.interop.client import Ending
from tests.e2e.interop.line import Exchange
from tests.e2e.interop.scene import Scene, text

LIMIT = 512 * 1024 * 1024
SIZE = 400_000


def once(method: str, **headers: str) -> Callable[[Exchange], None]:
    """What changes these headers of the first request of a method."""
    left = [headers]

    def tamper(exchange: Exchange) -> None:
        if exchange.method == method and left:
            exchange.headers |= {name.replace("_", "-"): value for name, value in left.pop().items()}

    return tamper


def test_too_large(scene: Scene) -> None:
    """413, before a byte of it is sent."""
    file = scene.folder / "large.txt"
    with file.open("wb") as stream:
        stream.truncate(LIMIT + 1)
    ending = scene.client.run(scene.job_of(file))
    assert ending == Ending(ok=False, status=413, code="too_large")
    assert (scene.line.sent, scene.verdict()["state"]) == (0, "refused")


def test_beyond_the_grant(scene: Scene) -> None:
    """403, before a byte of it is sent."""
    job = scene.job(text(SIZE), token=scene.grant(max_bytes=SIZE - 1)["token"])
    assert scene.client.run(job) == Ending(ok=False, status=403, code="quota_exceeded")
    assert (scene.line.sent, scene.backend.uploads()) == (0, [])


def test_wrong_name(scene: Scene) -> None:
    """415, before a byte of it is sent."""
    ending = scene.client.run(scene.job(text(SIZE), name="setup.exe"))
    assert ending == Ending(ok=False, status=415, code="type_not_allowed")
    assert (scene.line.sent, scene.verdict()["state"]) == (0, "refused")


def test_wrong_content(scene: Scene) -> None:
    """415 to the bytes that show it, and the upload has ended."""
    ending = scene.client.run(scene.job(text(SIZE), name="deck.pdf", patient=False))
    assert ending == Ending(ok=False, status=415, code="type_not_allowed")
    assert scene.verdict()["state"] == "refused"


def test_wrong_version(scene: Scene) -> None:
    """412 to another protocol than 1.0.0."""
    scene.line.tamper = once("POST", tus_resumable="0.2.2")
    ending = scene.client.run(scene.job(text(SIZE)))
    assert ending == Ending(ok=False, status=412, code="unsupported_version")
    assert scene.backend.uploads() == []


@pytest.mark.parametrize(
    ("status", "code", "headers"),
    [
        (409, "wrong_offset", {"upload_offset": "1"}),
        (
            460,
            "checksum_mismatch",
            {"upload_checksum": f"sha256 {base64.b64encode(hashlib.sha256(b'').digest()).decode()}"},
        ),
    ],
    ids=["409", "460"],
)
def test_mendable(scene: Scene, status: int, code: str, headers: dict[str, str]) -> None:
    """Nothing of the piece is kept, and the client goes on by itself or, if it does not know how, when it is
    started again.
    """
    job = scene.job(text(SIZE))
    scene.line.tamper = once("PATCH", **headers)
    ending = scene.client.run(job)
    assert ending.ok == (status in scene.client.heals)
    if not ending.ok:
        assert ending == Ending(ok=False, status=status, code=code)
        ending = scene.client.run(job)
    scene.check(job, ending, sent_again=SIZE)
    refused, taken = scene.line.of("PATCH")
    assert (refused.status, taken.status, taken.headers["upload-offset"]) == (status, 204, "0")
