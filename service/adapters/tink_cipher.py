"""``ports.Cipher`` on Tink: AES256-GCM for keys, its streaming form for contents."""

import json
from collections.abc import Mapping

import tink
from tink import TinkError, aead, proto_keyset_format, secret_key_access, streaming_aead

from service.adapters.master_key import MasterKey
from service.adapters.tink_frames import TinkContentCipher, sealed_size, stretch
from service.core.account import Account
from service.core.errors import ContentLost, KeysUnavailable, SecretsUnreadable
from service.ports import Stretch

aead.register()
streaming_aead.register()


class TinkAccountKey:
    """One account's key: a keyset of Tink's."""

    def __init__(self, account_id: str, keyset: bytes) -> None:
        """Use the serialized ``keyset``."""
        self._account_id = account_id
        handle = proto_keyset_format.parse(keyset, secret_key_access.TOKEN)
        self._aead = handle.primitive(aead.Aead)

    def new_content_key(self, content_id: str) -> bytes:
        """Make a key for one content."""
        template = streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_1MB
        handle = tink.new_keyset_handle(template)
        place = self._content(content_id)
        sealed: bytes = proto_keyset_format.serialize_encrypted(handle, self._aead, place)
        return sealed

    def content(self, content_id: str, sealed_key: bytes) -> TinkContentCipher:
        """Open a content's key."""
        try:
            handle = proto_keyset_format.parse_encrypted(sealed_key, self._aead, self._content(content_id))
        except TinkError:
            raise ContentLost("the content's key is not one of its account's") from None
        return TinkContentCipher(handle.primitive(streaming_aead.StreamingAead), self._account_id, content_id)

    def _content(self, content_id: str) -> bytes:
        return json.dumps(["content key", self._account_id, content_id]).encode()


class TinkCipher:
    """Accounts' keys, each sealed by the master key of the account's region.

    Whose a key is stands beside it under the master key's seal, and not in the associated data: the service
    in which a master key is kept need not know of any (Vault's transit engine does not).
    """

    def __init__(self, masters: Mapping[str, MasterKey]) -> None:
        """Use the master key of each region."""
        self._masters = masters

    def new_account_key(self, account: Account) -> bytes:
        """Make an account's key and seal it."""
        handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
        keyset = proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
        return self._master(account).seal(_owner(account) + keyset)

    def account_key(self, account: Account) -> TinkAccountKey:
        """Open an account's key."""
        return TinkAccountKey(account.id, self._opened(account).removeprefix(_owner(account)))

    def resealed(self, account: Account) -> bytes | None:
        """Seal an account's key again, unless nothing would change."""
        master = self._master(account)
        opened = self._opened(account)
        return None if master.sealed_by(account.sealed_key or b"") else master.seal(opened)

    def sealed_size(self, size: int) -> int:
        """Return an object's size once it is sealed."""
        return sealed_size(size)

    def stretch(self, size: int, offset: int, length: int) -> Stretch:
        """Return the frames that hold a range."""
        return stretch(size, offset, length)

    def _opened(self, account: Account) -> bytes:
        """Return what lies under the master's seal: whose it is, and the key."""
        opened = self._master(account).open(account.sealed_key or b"")
        if not opened.startswith(_owner(account)):
            raise SecretsUnreadable("An account's key was sealed for another account.")
        return opened

    def _master(self, account: Account) -> MasterKey:
        try:
            return self._masters[account.region]
        except KeyError:
            raise KeysUnavailable(
                f"this process has no master key for the region {account.region!r}"
            ) from None


def _owner(account: Account) -> bytes:
    """Return what stands before an account's key. No id has a zero byte."""
    return f"account key\0{account.id}\0".encode()
