"""Grants: short-lived tokens for presenters and participants, and the keys of those who mint their own."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from greenroom_client.documents import Grant, GrantKey
from greenroom_client.identifier import checked
from greenroom_client.reading import read, read_list
from greenroom_client.transport import Transport


class Grants:
    """The grants of an account; needs an API key with the scope ``grants``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def mint(
        self,
        kind: Literal["upload", "download"],
        meeting: str,
        *,
        file: str | None = None,
        max_files: int | None = None,
        max_bytes: int | None = None,
        types: Sequence[str] | None = None,
        person: str | None = None,
        expires_in: int | None = None,
    ) -> Grant:
        """Return a new grant with its ``token``.

        An ``upload`` grant is for a presenter: at most ``max_files`` files of ``max_bytes`` bytes together,
        with only the extensions in ``types``. A ``download`` grant is for a participant: the meeting's
        released files, or only the upload ``file``. ``person`` is whom it is for, in your own words. It
        lives for ``expires_in`` seconds, 900 at most and by default.
        """
        wanted = {
            "kind": kind,
            "meeting": meeting,
            "file": file,
            "max_files": max_files,
            "max_bytes": max_bytes,
            "types": None if types is None else [*types],
            "person": person,
            "expires_in": expires_in,
        }
        body = {name: value for name, value in wanted.items() if value is not None}
        return read(Grant, self._transport.json("POST", "/v1/grants", body=body))

    def refresh(self, grant: Grant | str, *, expires_in: int | None = None) -> Grant:
        """Return the grant with a new token and a new end; what it used of its quota stays used."""
        body = {} if expires_in is None else {"expires_in": expires_in}
        return read(Grant, self._transport.json("POST", f"{_path(grant)}/refresh", body=body))

    def get(self, grant: Grant | str) -> Grant:
        """Return the grant without its token, with what it ``used`` and whether it was revoked."""
        return read(Grant, self._transport.json("GET", _path(grant)))

    def revoke(self, grant: Grant | str) -> None:
        """Make every token of the grant worthless, at once."""
        self._transport.json("DELETE", _path(grant))

    def register_key(self, name: str, jwk: Mapping[str, Any]) -> GrantKey:
        """Let the service take grants that were signed with the private half of ``jwk`` (OKP, Ed25519)."""
        body = {"name": name, "jwk": dict(jwk)}
        return read(GrantKey, self._transport.json("POST", "/v1/grant-keys", body=body))

    def list_keys(self) -> tuple[GrantKey, ...]:
        """Return the registered keys."""
        return read_list(GrantKey, self._transport.json("GET", "/v1/grant-keys"), "keys")

    def revoke_key(self, key: GrantKey | str) -> None:
        """Make every grant that was signed with this key worthless, at once."""
        identifier = key.id if isinstance(key, GrantKey) else key
        self._transport.json("DELETE", f"/v1/grant-keys/{checked(identifier)}")


def _path(grant: Grant | str) -> str:
    return f"/v1/grants/{checked(grant.id if isinstance(grant, Grant) else grant)}"
