"""The scripted server, for every test of the client's behaviour when things go wrong."""

from tests.client.scripted import server

__all__ = ["server"]
