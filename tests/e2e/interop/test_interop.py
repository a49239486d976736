"""Four tus clients against the real service, all by the same laws (bar A3): lines that hold."""

from __future__ import annotations

import pytest

from service.stages.receive import SEGMENT_SIZE
from stack.processes import wait_until
from stack.samples import EICAR
from stack.store import Store
from tests.e2e.interop.scene import KIBI, MEBI, PATIENCE, Scene, text
from tests.e2e.serving import stored_keys

ODD = 1_234_567
CHUNK = 500 * KIBI
THOROUGH = pytest.mark.thorough


@pytest.mark.parametrize(
    "size",
    [
        *(pytest.param(size, marks=THOROUGH) for size in (1, SEGMENT_SIZE - 1, SEGMENT_SIZE)),
        *(ODD, SEGMENT_SIZE + 1),
        pytest.param(3 * SEGMENT_SIZE + ODD, marks=[THOROUGH, pytest.mark.slow]),
    ],
)
def test_whole(scene: Scene, size: int) -> None:
    """In one PATCH each byte goes over the line once."""
    job = scene.job(text(size))
    scene.check(job, scene.client.run(job))
    assert [exchange.body for exchange in scene.line.of("PATCH")] == [size]


def test_empty(scene: Scene) -> None:
    """An empty file is complete with its creation."""
    job = scene.job(b"")
    scene.check(job, scene.client.run(job))
    assert scene.line.of("PATCH") == []


@pytest.mark.parametrize(
    ("size", "chunk"),
    [(ODD, CHUNK), (2 * CHUNK, CHUNK), pytest.param(SEGMENT_SIZE + 1, 7 * MEBI, marks=THOROUGH)],
    ids=["odd", "even", "more than a segment"],
)
def test_by_pieces(scene: Scene, size: int, chunk: int) -> None:
    """By pieces too, the last one shorter or just as long."""
    scene.needs(sends_chunks=True)
    job = scene.job(text(size), chunk=chunk)
    scene.check(job, scene.client.run(job))
    assert [exchange.body for exchange in scene.line.of("PATCH")] == [
        min(chunk, size - start) for start in range(0, size, chunk)
    ]


@pytest.mark.parametrize("chunk", [None, CHUNK], ids=["whole", "by pieces"])
def test_with_the_creation(scene: Scene, chunk: int | None) -> None:
    """The first bytes, or all of them, can come with the creation."""
    scene.needs(creates_with_bytes=True)
    job = scene.job(text(ODD), chunk=chunk, with_creation=True)
    scene.check(job, scene.client.run(job))
    assert [exchange.body for exchange in scene.line.of("POST")] == [chunk or ODD]


@pytest.mark.parametrize("chunk", [None, 30], ids=["whole", "by pieces"])
def test_eicar(scene: Scene, chunk: int | None) -> None:
    """Malware is taken in like any file, and is blocked, however it was cut."""
    scene.needs(sends_chunks=chunk is not None)
    assert scene.client.run(scene.job(EICAR, chunk=chunk)).ok
    done = scene.verdict()
    assert (done["state"], done["verdict"]["code"]) == ("blocked", "infected")
    assert scene.backend.client.get(f"/v1/uploads/{done['id']}/content").status_code == 409


def test_given_up(scene: Scene, store: Store) -> None:
    """A client that gives up in the middle leaves nothing behind, and the address is gone."""
    scene.start_and_hold(scene.job(text(ODD)), ODD // 2)
    scene.client.give_up()
    wait_until(
        lambda: [one.status for one in scene.line.of("DELETE")][-1:] == [204], PATIENCE, "the last DELETE"
    )
    done = scene.verdict()
    assert done["state"] == "erased"
    assert stored_keys(store, {done["id"]}) == {"quarantine": [], "released": []}
    asked = scene.backend.client.head(f"/v1/tus/{done['id']}", headers={"Tus-Resumable": "1.0.0"})
    assert asked.status_code == 410
