"""Which URLs webhooks may be sent to: a strict reading of the text, and a check of every address behind it.

A tenant chooses the URL and whoever serves its DNS chooses the addresses, so both are hostile: what they
must not reach is this machine, its network and its cloud's metadata. The special addresses are those of the
IANA registries (RFC 6890) and some that clouds add.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from service.core.errors import AddressNotAllowed

LONGEST_URL: Final = 2048
_LONGEST_NAME: Final = 253
_LAST_PORT: Final = 65535
_FIRST_FREE_PORT: Final = 1024
_HTTPS_PORT: Final = 443
_HTTP_PORT: Final = 80
#: Read by ourselves, because parsers that differ are how a URL passes one of them and is opened by another.
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?:\[(?P<six>[0-9a-f:.]{2,45})\]|(?P<name>[a-z0-9.-]{1,255}))"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<target>/[!$-;=?-Z\[\]_a-z~]*|)",
    re.IGNORECASE | re.ASCII,
)
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
#: What some parsers take for a number in the place of a name's last label (WHATWG URL, 3.5).
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_INSIDE: Final = frozenset({"localhost", "local", "internal", "localdomain", "lan", "home", "corp", "arpa"})

_SPECIAL_4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network, and the unspecified address
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' NAT; a cloud's metadata at 100.100.100.200
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's host agent, on a public address
        "169.254.0.0/16",  # link-local; metadata at 169.254.169.254
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
#: Only these are routed on the Internet; everything outside of it is private, local, multicast or reserved.
_GLOBAL_6: Final = IPv6Network("2000::/3")
_SPECIAL_6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",
        "2002::/16",  # 6to4: any IPv4 address may stand in it
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
#: Where DNS64 puts IPv4 addresses (RFC 6052). The only form with another address inside that is of use.
_NAT64: Final = IPv6Network("64:ff9b::/96")
_LOW_32: Final = 0xFFFFFFFF


class Reach(StrEnum):
    """How far webhooks go: to the Internet, or, for development, also to this machine."""

    PUBLIC = "public"
    LOOPBACK = "loopback"


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in parts. ``host`` is a name or an address without brackets, ``path`` includes the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What ``Host`` says (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = _HTTPS_PORT if self.scheme == "https" else _HTTP_PORT
        return host if self.port == default else f"{host}:{self.port}"


def read_url(untrusted_url: str, reach: Reach) -> Target:
    """Return a URL's parts. Raises ``AddressNotAllowed`` for what is not plainly one that webhooks may go to.

    Taken are https URLs of a full name or a literal address, in ASCII, without credentials and fragment, on
    port 443 or from 1024 up; http too where ``reach`` is this machine. What a name leads to is not known
    here: ``check_addresses`` must follow.
    """
    match = _URL.fullmatch(untrusted_url) if len(untrusted_url) <= LONGEST_URL else None
    if match is None:
        raise AddressNotAllowed(
            "url must be like https://hooks.example.com/path: plain ASCII, no credentials, no fragment, "
            f"at most {LONGEST_URL} characters. Write international names in their xn-- form."
        )
    scheme = match["scheme"].lower()
    if scheme == "http" and reach is not Reach.LOOPBACK:
        raise AddressNotAllowed("url must begin with https://.")
    port = int(match["port"] or (_HTTPS_PORT if scheme == "https" else _HTTP_PORT))
    local = reach is Reach.LOOPBACK and 0 < port <= _LAST_PORT
    if not local and port != _HTTPS_PORT and not _FIRST_FREE_PORT <= port <= _LAST_PORT:
        raise AddressNotAllowed("url's port must be 443 or from 1024 to 65535.")
    host = _address(match["six"]) if match["six"] else _name(match["name"].lower(), reach)
    return Target(scheme, host, port, match["target"] or "/")


def check_addresses(target: Target, addresses: Iterable[str], reach: Reach) -> tuple[str, ...]:
    """Return ``addresses``, those behind a target's host, if every single one of them may be connected to.

    Raises ``AddressNotAllowed`` otherwise, and where there is none. The sentence is the same whatever the
    reason, so that nobody learns from it which names an inner network knows.
    """
    found = tuple(addresses)
    if not found or not all(_allowed(target, text, reach) for text in found):
        where = "public addresses" if reach is Reach.PUBLIC else "public addresses or, for http, to loopback"
        raise AddressNotAllowed(f"url's host must lead to {where} only.")
    return found


def _allowed(target: Target, text: str, reach: Reach) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if reach is Reach.LOOPBACK and text in {"127.0.0.1", "::1"}:
        return True
    return target.scheme == "https" and is_public(address)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether an address is one of the Internet's, whatever it holds inside."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _SPECIAL_4)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & _LOW_32))
    inside = any(address in network for network in _SPECIAL_6)
    return address in _GLOBAL_6 and not inside and address.is_global and address.scope_id is None


def _address(text: str) -> str:
    try:
        return str(IPv6Address(text))
    except ValueError:
        raise AddressNotAllowed("url's host is no IPv6 address.") from None


def _name(name: str, reach: Reach) -> str:
    """Return a DNS name, or an IPv4 address in its one usual spelling."""
    labels = name.split(".")
    last = labels[-1]
    if _NUMBER.fullmatch(last):
        try:
            return str(IPv4Address(name))
        except ValueError:
            raise AddressNotAllowed(
                "url's host must be a name, or an address written as four numbers."
            ) from None
    if reach is Reach.LOOPBACK and name == "localhost":
        return name
    if len(name) > _LONGEST_NAME or len(labels) == 1 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressNotAllowed(
            "url's host must be a full name like hooks.example.com, without a dot at its end."
        )
    if last in _INSIDE:
        raise AddressNotAllowed(f"url's host must be a name of the Internet, not one under .{last}.")
    return name
