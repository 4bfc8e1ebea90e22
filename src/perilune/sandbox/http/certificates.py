"""Certificates of the played vendors: a good one, and the ways in which one can be wrong. Made anew for each start."""

import ipaddress
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_NAMES = ("localhost", "api.kimi.com", "api.kimi.ai", "api.moonshot.ai", "api.moonshot.cn", "openrouter.ai")
_LIFE = timedelta(days=30)


class Tls(StrEnum):
    """What a client that trusts `Shown.authority` finds: nothing wrong, or one thing."""

    GOOD = "good"
    WRONG_NAME = "wrong-name"
    EXPIRED = "expired"
    UNKNOWN_AUTHORITY = "unknown-authority"


class Shown(NamedTuple):
    """How the sandbox answers a TLS hello. `authority` is the PEM that a client is told to trust."""

    context: ssl.SSLContext
    authority: str


class _Signer(NamedTuple):
    name: x509.Name
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def shown_for(kind: Tls, now: datetime | None = None) -> Shown:
    """A server's side of TLS with this kind of certificate."""
    at = now or datetime.now(UTC)
    trusted = _authority("Perilune Sandbox CA", at)
    signer = _authority("Somebody Else CA", at) if kind is Tls.UNKNOWN_AUTHORITY else trusted
    names = ("elsewhere.example",) if kind is Tls.WRONG_NAME else _NAMES
    ends = at - timedelta(days=1) if kind is Tls.EXPIRED else at + _LIFE
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = _leaf(signer, key, names, ends, has_address=kind is not Tls.WRONG_NAME)
    return Shown(_context(key, leaf, signer.certificate), _pem(trusted.certificate))


def _authority(name: str, at: datetime) -> _Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    builder = _builder(subject, subject, key.public_key(), at - _LIFE * 2, at + _LIFE * 2)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return _Signer(subject, key, builder.sign(key, hashes.SHA256()))


def _leaf(
    signer: _Signer, key: ec.EllipticCurvePrivateKey, names: tuple[str, ...], ends: datetime, *, has_address: bool
) -> x509.Certificate:
    builder = _builder(_name(names[0]), signer.name, key.public_key(), ends - _LIFE, ends)
    known: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    if has_address:
        known += [x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1")]
    return builder.add_extension(x509.SubjectAlternativeName(known), critical=False).sign(signer.key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _context(key: ec.EllipticCurvePrivateKey, leaf: x509.Certificate, authority: x509.Certificate) -> ssl.SSLContext:
    """The `ssl` module reads certificates from files alone: theirs is gone before this returns."""
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "server.pem"
        file.write_bytes(private + (_pem(leaf) + _pem(authority)).encode())
        context.load_cert_chain(file)
    return context
