"""Lines that break, killed services, clients that vanish: one set of laws for every tus client (bar W5)."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from stack.processes import wait_until
from tests.e2e.interop.scene import KIBI, MEBI, PATIENCE, Scene, text
from tests.e2e.serving import Web, kill

CHUNK = 300 * KIBI
SIZE = 3 * MEBI + 17
THOROUGH = pytest.mark.thorough
CUTS, LEAST = 4, 320 * KIBI
SEEDS = [0, *(pytest.param(seed, marks=THOROUGH) for seed in range(1, 5))]
WAYS = pytest.mark.parametrize("chunk", [CHUNK, None], ids=["by pieces", "whole"])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("chunk", "reset"),
    [(CHUNK, False), (CHUNK, True), (None, False), pytest.param(None, True, marks=THOROUGH)],
    ids=["by pieces, ended", "by pieces, reset", "whole, ended", "whole, reset"],
)
def test_cut_anywhere(scene: Scene, chunk: int | None, reset: bool, seed: int) -> None:  # noqa: FBT001
    """Cut at random offsets, a client sends at most a chunk again for each cut; after a reset, which costs
    what was not read yet, it may besides come back too soon once. Where all is one PATCH and the line ended
    in good order it sends nothing again, for the service keeps what came.
    """
    scene.needs(sends_chunks=chunk is not None)
    chance = random.Random(seed)
    job = scene.job(text(SIZE), chunk=chunk)
    scene.line.reset = reset
    scene.line.single_use = reset or chunk is None
    # Far enough from each other that the service must have begun to read before it has all of a piece.
    scene.line.cut_at((2 * number + 1 + chance.random()) * LEAST for number in range(CUTS))
    ending = scene.client.run(job)
    assert not scene.line.cuts
    # Where all is one PATCH, what a reset leaves unread may be any part of it.
    whole = None if reset else 0
    scene.check(job, ending, sent_again=CUTS * chunk * (1 + reset) if chunk else whole)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_lost_answer(scene: Scene, method: str) -> None:
    """A creation, or a last piece, whose answer is lost: asked for again it is not done twice."""
    job = scene.job(text(SIZE))
    scene.line.single_use = True
    scene.line.lost = [method]
    ending = scene.client.run(job)
    if not ending.ok:
        ending = scene.client.run(job)
    assert not scene.line.lost
    scene.check(job, ending)


@pytest.mark.parametrize(
    "cut", [CHUNK // 2, *(pytest.param(cut, marks=THOROUGH) for cut in (0, 1, CHUNK - 1))]
)
def test_cut_in_the_creation(scene: Scene, cut: int) -> None:
    """First bytes that come with the creation are no exception: one upload is made. They come again with
    each creation that is sent again, of which one may be too early.
    """
    scene.needs(creates_with_bytes=True)
    job = scene.job(text(SIZE), chunk=CHUNK, with_creation=True)
    scene.line.single_use = True
    scene.line.cut_at([cut])
    scene.check(job, scene.client.run(job), sent_again=2 * CHUNK)


def test_killed_service(scene: Scene, web: Web) -> None:
    """By kill -9 in the middle of a PATCH, with a new service in its place: the client goes on with it."""
    chunk = CHUNK if scene.client.sends_chunks else None
    doomed = web.service.web()
    scene.line.port = doomed.port
    job = scene.job(text(SIZE), chunk=chunk)
    scene.start_and_hold(job, SIZE // 2)
    for pid in [doomed.child.pid, *doomed.processes()]:
        kill(pid)
    doomed.child.process.wait()
    scene.line.port = web.port
    scene.line.break_off()
    scene.check(job, scene.client.wait(), sent_again=chunk)


@WAYS
def test_vanished_client(scene: Scene, chunk: int | None) -> None:
    """A reload of the page, or a process killed by kill -9: the next one is given the same file and goes on,
    with what the first one kept.
    """
    scene.needs(sends_chunks=chunk is not None)
    job = scene.job(text(SIZE), chunk=chunk)
    scene.start_and_hold(job, SIZE // 2)
    scene.client.vanish()
    scene.line.break_off()
    scene.check(job, scene.client.run(job), sent_again=chunk or 0)
    assert len(scene.line.of("POST")) == 1


def test_expired_grant(scene: Scene) -> None:
    """A grant whose time ran out in the middle begins nothing more, and brings to its end what it began."""
    grant = scene.grant(expires_in=900)
    job = scene.job(text(SIZE), token=grant["token"])
    scene.start_and_hold(job, SIZE // 2)
    scene.client.vanish()
    scene.line.break_off()
    short = scene.backend.client.post(f"/v1/grants/{grant['id']}/refresh", json={"expires_in": 1}).json()[
        "token"
    ]
    wait_until(lambda: scene.create_with(short) == (401, "grant_expired"), PATIENCE, "the grant's end")
    scene.check(job, scene.client.run(replace(job, token=short)))
