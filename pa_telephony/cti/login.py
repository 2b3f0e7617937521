"""How a password travels to a CTI Manager: AES under a random key, the key under RSA.

The client makes a key of text, encrypts the password with its first 16 bytes (AES-128-CBC, IV of
zeros, which is sent in front), and the key followed by the server's nonce with the public key of
the server's certificate (RSA PKCS#1 v1.5). Observed with Cisco's JTAPI client 11.5 and 15
(docs/protocol/ctiqbe.md §2.2). Pure: keys and nonces are given by the caller.

Needs the extra ``cti``: ``pip install 'pa-telephony[cti]'``.
"""

from __future__ import annotations

import datetime
import hmac
import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pa_telephony.errors import LocalProtocolError, RemoteProtocolError
from pa_telephony.extras import need

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

__all__ = [
    "Certificate",
    "load_cryptography",
    "make_certificate",
    "open_password",
    "same_secret",
    "seal_password",
]

_KEY = 16
_BLOCK = 16
_LONGEST_PASSWORD = 1024


@dataclass(frozen=True)
class Certificate:
    """A server's certificate and the private key behind it."""

    der: bytes
    """X.509 in DER, as ProviderInitResponse carries it."""
    key: RSAPrivateKey = field(repr=False)


def load_cryptography() -> None:
    """Load the modules that a login needs, which fails in a process without free descriptors.

    To be called before any application is served. Raises
    :class:`~pa_telephony.extras.MissingExtra` without the extra ``cti``.
    """
    need("cti", "cryptography")
    for name in ("x509", "hazmat.primitives.asymmetric.padding", "hazmat.primitives.ciphers"):
        importlib.import_module(f"cryptography.{name}")
    _encrypt(b"", bytes(_KEY), bytes(_BLOCK))


def make_certificate(name: str, *, valid_from: datetime.datetime, days: int = 3650) -> Certificate:
    """A self-signed RSA-2048 certificate for ``name``."""
    need("cti", "cryptography")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid_from)
        .not_valid_after(valid_from + datetime.timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return Certificate(certificate.public_bytes(serialization.Encoding.DER), key)


def seal_password(
    password: str, *, certificate: bytes, nonce: str, key: str
) -> tuple[bytes, bytes]:
    """The ``password`` and ``encrypted_key_data`` fields of a ProviderOpenRequest.

    ``key`` is random text of which the first 16 bytes in UTF-8 are the AES key: 16 random ASCII
    characters do. Without a certificate the password cannot be recovered by anyone, and
    ``encrypted_key_data`` is empty.
    """
    need("cti", "cryptography")
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    whole = key.encode()
    if len(whole) < _KEY:
        raise LocalProtocolError(f"a key of {len(whole)} bytes, at least {_KEY}")
    iv = bytes(_BLOCK)
    sealed = iv + _encrypt(password.encode(), whole[:_KEY], iv)
    if not certificate:
        return sealed, b""
    try:
        public = x509.load_der_x509_certificate(certificate).public_key()
    except (ValueError, x509.InvalidVersion, UnsupportedAlgorithm) as error:
        raise RemoteProtocolError(f"the server's certificate cannot be read: {error}") from error
    if not isinstance(public, rsa.RSAPublicKey):
        raise RemoteProtocolError("the server's certificate holds no RSA key")
    try:
        return sealed, public.encrypt(whole + nonce.encode(), padding.PKCS1v15())
    except ValueError as error:
        raise RemoteProtocolError("the server's nonce does not fit its key") from error


def open_password(
    password: bytes, encrypted_key_data: bytes, *, certificate: Certificate, nonce: str
) -> str:
    """The password in a ProviderOpenRequest.

    Raises :class:`RemoteProtocolError`, always the same one: a server that tells what was wrong
    helps an attacker. Our nonce must stand behind the key, or the request is a replay.
    """
    from cryptography.hazmat.primitives.asymmetric import padding

    wrong = RemoteProtocolError("the password cannot be opened")
    if not _BLOCK * 2 <= len(password) <= _LONGEST_PASSWORD or len(password) % _BLOCK:
        raise wrong
    try:
        whole = certificate.key.decrypt(encrypted_key_data, padding.PKCS1v15())
    except ValueError:
        raise wrong from None
    expected = nonce.encode()
    if len(whole) < _KEY + len(expected) or not hmac.compare_digest(
        whole[len(whole) - len(expected) :], expected
    ):
        raise wrong
    try:
        return _decrypt(password[_BLOCK:], whole[:_KEY], password[:_BLOCK]).decode()
    except ValueError:
        raise wrong from None


def same_secret(one: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell how much of them is."""
    return hmac.compare_digest(one.encode(), other.encode())


def _encrypt(data: bytes, key: bytes, iv: bytes) -> bytes:
    from cryptography.hazmat.primitives import padding
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    padder = padding.PKCS7(8 * _BLOCK).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(padder.update(data) + padder.finalize()) + encryptor.finalize()


def _decrypt(data: bytes, key: bytes, iv: bytes) -> bytes:
    from cryptography.hazmat.primitives import padding
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    unpadder = padding.PKCS7(8 * _BLOCK).unpadder()
    return unpadder.update(decryptor.update(data) + decryptor.finalize()) + unpadder.finalize()
