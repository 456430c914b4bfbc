"""How a signature is asked for: one small protocol, so that a key may live anywhere.

A signer gets the SHA-256 digest of what is to be signed and gives the raw signature value; the document
itself never travels. That is what a PKCS#12 file, a USB token and a remote signing service have in
common, and all a remote service (SmartCA and the like) may see.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import pkcs12
from pkcs11.util.ec import encode_ecdsa_signature

DIGEST_SIZE = 32
_SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


class SignerError(Exception):
    """The key cannot be used: file missing, password wrong, token absent, kind of key not supported."""


@runtime_checkable
class Signer(Protocol):
    """One key with its certificate.

    label        what the register of signatures calls it
    certificate  the holder's certificate; RSA (PKCS#1 v1.5) or ECDSA, always with SHA-256
    chain        the CA certificates above it, nearest first, the root may be left out
    """

    label: str
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the signature over a SHA-256 `digest` of 32 bytes (ECDSA in DER). Raises SignerError."""
        ...


def sign_bytes(signer: Signer, data: bytes) -> bytes:
    """Return the signature over `data`; raises SignerError."""
    return signer.sign_digest(hashlib.sha256(data).digest())


def key_size(certificate: x509.Certificate) -> int:
    """Return the size of the certificate's key in bits; raises SignerError for a kind we do not use."""
    key = certificate.public_key()
    if isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
        return key.key_size
    raise SignerError(f"unsupported kind of key: {type(key).__name__}")


def is_rsa(certificate: x509.Certificate) -> bool:
    """Return whether the certificate's key is RSA; raises SignerError unless it is RSA or ECDSA."""
    key_size(certificate)
    return isinstance(certificate.public_key(), rsa.RSAPublicKey)


def _demand_digest(digest: bytes) -> None:
    if len(digest) != DIGEST_SIZE:
        raise SignerError(f"a SHA-256 digest has {DIGEST_SIZE} bytes, this has {len(digest)}")


class FileSigner:
    """A key in a PKCS#12 file, parsed and checked once when the signer is made.

    Parsing an RSA key costs far more than a signature, so keep one signer for a whole batch.
    """

    def __init__(self, path: Path, password: bytes, *, label: str | None = None) -> None:
        try:
            key, certificate, chain = pkcs12.load_key_and_certificates(path.read_bytes(), password)
        except (OSError, ValueError) as error:
            raise SignerError(f"the key file {path.name} cannot be opened") from error
        if certificate is None or not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
            raise SignerError(f"the key file {path.name} holds no usable key with its certificate")
        self._key = key
        self.label = label if label is not None else path.stem
        self.certificate = certificate
        self.chain: tuple[x509.Certificate, ...] = tuple(chain)

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the signature over the digest."""
        _demand_digest(digest)
        prehashed = Prehashed(hashes.SHA256())
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(digest, padding.PKCS1v15(), prehashed)
        return self._key.sign(digest, ec.ECDSA(prehashed))


class TokenSigner:
    """A key in a PKCS#11 token (a USB token, an HSM, SoftHSM in tests); the key never leaves it.

    The session belongs to the caller, who opened it with the token's PIN and closes it.
    """

    def __init__(
        self,
        session: pkcs11.Session,
        *,
        label: str,
        certificate: x509.Certificate | None = None,
        chain: Sequence[x509.Certificate] = (),
    ) -> None:
        """Find the private key, and unless given the certificate, under `label`; raises SignerError."""
        try:
            self._key: Any = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=label)
        except pkcs11.PKCS11Error as error:
            raise SignerError(f"the token has no private key {label!r}") from error
        self.label = label
        self.certificate = certificate or _token_certificate(session, label)
        self.chain: tuple[x509.Certificate, ...] = tuple(chain)
        self._rsa = is_rsa(self.certificate)

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the signature over the digest, made by the token."""
        _demand_digest(digest)
        try:
            if self._rsa:
                return bytes(
                    self._key.sign(_SHA256_DIGEST_INFO + digest, mechanism=pkcs11.Mechanism.RSA_PKCS)
                )
            return encode_ecdsa_signature(self._key.sign(digest, mechanism=pkcs11.Mechanism.ECDSA))
        except pkcs11.PKCS11Error as error:
            raise SignerError(f"the token refused to sign with {self.label!r}") from error


def _token_certificate(session: pkcs11.Session, label: str) -> x509.Certificate:
    wanted = {
        pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
        pkcs11.Attribute.LABEL: label,
    }
    for item in session.get_objects(wanted):
        return x509.load_der_x509_certificate(item[pkcs11.Attribute.VALUE])
    raise SignerError(f"the token has no certificate {label!r}")
