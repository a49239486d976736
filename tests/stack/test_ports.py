"""Ports that tests take do not get into each other's way."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from stack.ports import BLOCK, GRPC_OFFSET, LOWEST, claim_block, is_free
from stack.store import PORT_OFFSETS


def test_blocks_share_no_port() -> None:
    """Whatever two blocks are claimed, a part of one can be stopped and started without losing its ports."""
    everything = [
        base + offset for base in range(LOWEST, LOWEST + GRPC_OFFSET, BLOCK) for offset in PORT_OFFSETS
    ]
    assert len(set(everything)) == len(everything)
    assert max(everything) < 32_768


def test_a_claimed_block_is_not_given_out_again() -> None:
    """A claim holds while nothing listens on its ports, and ends with its socket."""
    with ExitStack() as claims:
        bases = set()
        for _ in range(50):
            base, claim = claim_block([0])
            claims.enter_context(claim)
            bases.add(base)
        assert len(bases) == 50


def test_a_port_is_free_when_nobody_listens_on_it() -> None:
    """A listener on any address takes the port; a connection that was closed does not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        with socket.create_connection(("127.0.0.1", port)) as client, server.accept()[0]:
            client.shutdown(socket.SHUT_RDWR)
    assert is_free(port)
