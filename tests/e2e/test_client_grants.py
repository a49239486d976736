"""Grants through the Python client, against the real service."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from joserfc.jwk import OKPKey

from greenroom_client import Client, Forbidden, NotFound, Unauthenticated
from greenroom_client.minting import mint_locally
from tests.e2e.serving import Backend


@pytest.fixture
def client(backend: Backend) -> Iterator[Client]:
    """A client with the API key of an account of its own."""
    with Client(backend.web.url, backend.key, trust_env=False) as client:
        yield client


def holder(backend: Backend, token: str | None) -> Client:
    """A client of whoever was given the token."""
    assert token
    return Client(backend.web.url, token, trust_env=False)


def test_an_upload_grant_is_minted_used_refreshed_and_revoked(client: Client, backend: Backend) -> None:
    """A grant opens its meeting within its quota; refreshed it is the same one; revoked it opens nothing."""
    grant = client.grants.mint("upload", "m1", max_files=2, max_bytes=1000, types=["txt"], expires_in=600)
    assert (grant.kind, grant.meeting, grant.max_files, grant.types) == ("upload", "m1", 2, ("txt",))
    assert (grant.expires_at - grant.issued_at).total_seconds() == 600
    assert str(grant.token) not in repr(grant)
    with holder(backend, grant.token) as presenter:
        upload = presenter.upload(b"minutes", meeting="m1", name="notes.txt")
        assert presenter.wait_for_verdict(upload).released
        with pytest.raises(Forbidden):
            presenter.upload(b"minutes", meeting="m2", name="notes.txt")
    again = client.grants.refresh(grant, expires_in=60)
    assert (again.id, again.token != grant.token) == (grant.id, True)
    known = client.grants.get(grant)
    assert known.used is not None
    assert (known.used.files, known.used.bytes, known.token, known.revoked_at) == (1, 7, None, None)
    client.grants.revoke(grant)
    assert client.grants.get(grant.id).revoked_at is not None
    with holder(backend, again.token) as presenter, pytest.raises(Unauthenticated):
        presenter.upload(b"minutes", meeting="m1", name="notes.txt")


def test_download_grants_open_a_meeting_or_one_file(client: Client, backend: Backend) -> None:
    """A participant lists and downloads what was granted, and sees no other file."""
    one, other = (client.upload(text, meeting="m1", name="notes.txt") for text in (b"one", b"other"))
    meeting = client.grants.mint("download", "m1")
    with holder(backend, meeting.token) as participant:
        assert [upload.id for upload in participant.list("m1")] == [other.id, one.id]
    grant = client.grants.mint("download", "m1", file=one.id)
    assert grant.file == one.id
    into = io.BytesIO()
    with holder(backend, grant.token) as participant:
        participant.download(one.id, into)
        with pytest.raises(NotFound):
            participant.download(other.id, into)
    assert into.getvalue() == b"one"


def test_self_minted_grants_are_taken_until_their_key_is_revoked(client: Client, backend: Backend) -> None:
    """A token signed with a registered key is a grant, until its key is revoked."""
    key = OKPKey.generate_key("Ed25519")
    known = client.grants.register_key("backend", key.as_dict(private=False))
    assert [one.id for one in client.grants.list_keys()] == [known.id]
    private = key.as_dict(private=True)
    token = mint_locally(
        private, known.id, backend.account, "upload", "m1", max_files=2, max_bytes=100, types=["txt"]
    )
    with holder(backend, token) as presenter:
        assert presenter.upload(b"minutes", meeting="m1", name="notes.txt").meeting == "m1"
        client.grants.revoke_key(known)
        with pytest.raises(Unauthenticated):
            presenter.upload(b"minutes", meeting="m1", name="notes.txt")
    assert client.grants.list_keys()[0].revoked_at is not None


@pytest.mark.parametrize("seconds", [0, -1, 901])
def test_no_grant_is_minted_that_would_not_be_taken(seconds: int) -> None:
    """A life that the service would refuse is a mistake of the caller's."""
    with pytest.raises(ValueError, match="900"):
        mint_locally({}, "gk_1", "acme", "upload", "m1", expires_in=seconds)
