"""The client speaks to nobody whose certificate it cannot check."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from greenroom_client import Unreachable
from tests.client.scripted import Server, said_json, upload_document


def make_certificate(path: Path) -> None:
    """Write a key and a certificate for loopback, signed by itself, to `path`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "greenroom")])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
    )
    certificate = builder.sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Server]:
    """A server with a certificate that nobody vouches for."""
    path = tmp_path / "server.pem"
    make_certificate(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server = Server([said_json(200, upload_document())], context)
    yield server
    server.stop()


def test_an_unknown_certificate_is_refused(secure: Server) -> None:
    """No request is sent to a server with a certificate that is not trusted, and it is not tried again."""
    with secure.client() as client, pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED") as raised:
        client.get("up_1")
    assert not raised.value.retryable
    assert secure.requests == []
    assert len(secure.answers) == 1
