"""Loopback ports: is one free, which block of them may a test take."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable

from stack import StackError

LOOPBACK = "127.0.0.1"
GRPC_OFFSET = 10_000
"""SeaweedFS puts the gRPC port of each service this far above its HTTP port (its admin part insists)."""
BLOCK = 16
"""A claimed block holds the offsets below this, and the same ones GRPC_OFFSET higher."""
LOWEST = 10_000
"""Blocks lie from here up to LOWEST + GRPC_OFFSET, so that no block's ports are the gRPC ports of another,
and all lie under 32768, where the kernel puts no outgoing connections."""


def is_free(port: int) -> bool:
    """Whether nobody listens on `port` on any address of this machine."""
    with socket.socket() as probe:
        # As the servers do: without it a port whose last connections linger in TIME_WAIT looks taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port that is free at this moment, chosen by the kernel."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def claim_block(offsets: Iterable[int]) -> tuple[int, socket.socket]:
    """Find a base port whose `base + offset` are all free, and the claim that keeps other tests off it.

    The claim is a name in the kernel's abstract socket space: it is taken atomically, and given back when the
    returned socket is closed or its process dies. Raises StackError when nothing is found.
    """
    wanted = list(offsets)
    for _ in range(100):
        base = random.randrange(LOWEST, LOWEST + GRPC_OFFSET, BLOCK)  # noqa: S311 - to avoid others, not to be a secret
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0greenroom-ports-{base}")
        except OSError:
            claim.close()
            continue
        if all(is_free(base + offset) for offset in wanted):
            return base, claim
        claim.close()
    raise StackError("no free block of ports between 10000 and 30000")
