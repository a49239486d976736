"""The master key, by which accounts' keys are sealed: a keyset of Tink's in a file, or kept by a service."""

import json
from typing import Final, Protocol
from urllib.parse import urlsplit

import tink
from tink import TinkError, aead, json_proto_keyset_format, secret_key_access

from service.core.errors import ConfigurationError, KeysUnavailable, SecretsUnreadable

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
#: Seconds that a service which keeps a key has to answer.
_PATIENCE: Final = 10

aead.register()


class MasterKey(Protocol):
    """Seals and opens a few bytes. Safe for many threads at once."""

    def seal(self, secret: bytes) -> bytes:
        """Return ``secret`` sealed. Raises ``KeysUnavailable``."""

    def open(self, sealed: bytes) -> bytes:
        """Return what was sealed. Raises ``KeysUnavailable`` and ``SecretsUnreadable``."""

    def sealed_by(self, sealed: bytes) -> bool:
        """Tell whether to seal the same again would be by the same key. False where that is not known."""


class KeyInHand:
    """A keyset that this process holds: its primary key seals, each of its keys opens."""

    def __init__(self, keyset: str, setting: str = "GREENROOM_MASTER_KEY_FILE") -> None:
        """Use a keyset in Tink's JSON. Raises ``ConfigurationError`` naming ``setting`` for anything else."""
        try:
            handle = json_proto_keyset_format.parse(keyset, secret_key_access.TOKEN)
            self._aead = handle.primitive(aead.Aead)
            self._prefix = b"\x01" + handle.keyset_info().primary_key_id.to_bytes(4, "big")
        except TinkError:
            raise ConfigurationError(f"{setting} must hold a keyset as `keys new-master` makes one") from None

    def seal(self, secret: bytes) -> bytes:
        """Seal with the primary key."""
        sealed: bytes = self._aead.encrypt(secret, b"")
        return sealed

    def open(self, sealed: bytes) -> bytes:
        """Open with the key that sealed."""
        try:
            opened: bytes = self._aead.decrypt(sealed, b"")
        except TinkError:
            raise SecretsUnreadable(
                "An account's key cannot be opened: the master key is not the one it was sealed with."
            ) from None
        return opened

    def sealed_by(self, sealed: bytes) -> bool:
        """Look which key's id stands before it, as Tink writes it, and open it."""
        if not sealed.startswith(self._prefix):
            return False
        try:
            self.open(sealed)
        except SecretsUnreadable:
            return False
        return True


class KeyElsewhere:
    """A key that never leaves the service which keeps it."""

    def __init__(self, kept: aead.Aead) -> None:
        """Ask ``kept`` each time."""
        self._aead = kept

    def seal(self, secret: bytes) -> bytes:
        """Let it be sealed there."""
        try:
            sealed: bytes = self._aead.encrypt(secret, b"")
        except TinkError as error:
            raise KeysUnavailable(f"what keeps the master key did not seal: {error}") from None
        return sealed

    def open(self, sealed: bytes) -> bytes:
        """Let it be opened there. What is refused there is told like what is away: nobody else knows."""
        try:
            opened: bytes = self._aead.decrypt(sealed, b"")
        except TinkError as error:
            raise KeysUnavailable(f"what keeps the master key did not open: {error}") from None
        return opened

    def sealed_by(self, sealed: bytes) -> bool:  # noqa: ARG002 - those services give their keys versions of their own
        """Say that it is not known."""
        return False


class Succession:
    """A master key and the one before it: the new one seals, either opens."""

    def __init__(self, new: MasterKey, old: MasterKey) -> None:
        """Ask ``new`` first."""
        self._new = new
        self._old = old

    def seal(self, secret: bytes) -> bytes:
        """Seal with the new key."""
        return self._new.seal(secret)

    def open(self, sealed: bytes) -> bytes:
        """Open with the key that sealed. If neither does, the new one's reason counts."""
        try:
            return self._new.open(sealed)
        except (KeysUnavailable, SecretsUnreadable) as reason:
            try:
                return self._old.open(sealed)
            except (KeysUnavailable, SecretsUnreadable):
                raise reason from None

    def sealed_by(self, sealed: bytes) -> bool:
        """Tell whether it was the new key."""
        return self._new.sealed_by(sealed)


def new_keyset() -> str:
    """Return a new master key (AES256-GCM) in Tink's JSON, on one line."""
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    return json.dumps(json.loads(json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN)))


def key_elsewhere(uri: str, token: str, setting: str = "GREENROOM_MASTER_KEY_URI") -> KeyElsewhere:
    """Return the key at ``uri`` (hcvault://, aws-kms://, gcp-kms://); ``token`` is for Vault.

    Opens no connection. Raises ``ConfigurationError`` naming ``setting`` for a URI that is odd, or where what
    speaks to that service is not installed.
    """
    try:
        return KeyElsewhere(_client(uri, token))
    except ImportError:
        scheme = uri.partition(":")[0].replace("-", "")
        raise ConfigurationError(f"{setting}: install tink[{scheme}] for keys that are kept there") from None
    except (TinkError, ValueError) as error:
        raise ConfigurationError(f"{setting} cannot be used: {error}") from None


def _client(uri: str, token: str) -> aead.Aead:
    if uri.startswith("aws-kms://"):
        from tink.integration import awskms  # noqa: PLC0415 - its libraries are there where it is used

        return awskms.AwsKmsClient(uri, None).get_aead(uri)
    if uri.startswith("gcp-kms://"):
        from tink.integration import gcpkms  # noqa: PLC0415

        return gcpkms.GcpKmsClient(uri).get_aead(uri)
    return _vault(uri, token)


def _vault(uri: str, token: str) -> aead.Aead:
    import hvac  # noqa: PLC0415 - half a second that only those wait who need it
    from tink.integration import hcvault  # noqa: PLC0415

    place = urlsplit(uri)
    # Plain HTTP is for trying out on one machine.
    scheme = "http" if place.hostname in _LOOPBACK else "https"
    client = hvac.Client(url=f"{scheme}://{place.netloc}", token=token, timeout=_PATIENCE)
    return hcvault.new_aead(place.path, client)
