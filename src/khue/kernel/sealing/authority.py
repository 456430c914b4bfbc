"""The demo certificate authority: enough of a trust service to show and test signing.

Not for production: a province uses certificates of a licensed provider (a USB token or a remote signing
service behind `signers.Signer`). Every name it writes says "DEMO". Keys lie as PKCS#12 files with mode
0600 in a directory with mode 0700 that the caller names; that directory belongs to the signing process
and is never readable to the web process.

Layout of the directory: `root.p12`, `issuing.p12`, `holders/<label>.p12`, `root.pem`, `issuing.pem`,
`issuing.crl`, `revoked.json`, `password`, `lock` (held while files are made).
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from khue.kernel.sealing.identity import Identity, SignerRole, subject_of
from khue.kernel.sealing.trust import Trust

KEY_BITS = 2048
PAST_YEARS = 2  # the authority's own certificates begin so long ago that last year's records can be shown
ROOT_YEARS, ISSUING_YEARS, HOLDER_YEARS = 20, 10, 3
CRL_DAYS = 30
_LABEL = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_NOTE = (
    "Demo signing keys of Khuê. They belong to the signing process alone: never give the web process\n"
    "read access to this directory, never copy it, never use it outside a demonstration.\n"
)


class AuthorityError(Exception):
    """The authority refuses: no such label, a label in use, a directory others can read."""


@dataclass(frozen=True, slots=True)
class Holder:
    """One issued certificate: its label, the key file and the certificate."""

    label: str
    path: Path
    certificate: x509.Certificate


def write_private(path: Path, data: bytes) -> None:
    """Write `data` with mode 0600 under a random name, flush it to disk, then move it into place."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Hold the directory against other processes: several signers may need a first certificate at one time."""
    handle = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)


def _ca_name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Khuê DEMO - không có giá trị pháp lý"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=not ca,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _certificate(
    *,
    subject: x509.Name,
    public_key: rsa.RSAPublicKey,
    issuer: x509.Name,
    issuer_key: rsa.RSAPrivateKey,
    valid: tuple[datetime, datetime],
    path_length: int | None,
) -> x509.Certificate:
    """Return a certificate; `path_length` None makes it an end entity, a number a CA of that depth."""
    ca = path_length is not None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
        .add_extension(_usage(ca=ca), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    return builder.sign(issuer_key, hashes.SHA256())


class DemoAuthority:
    """A root, an issuing CA under it, and the certificates it gives to persons and organisations."""

    def __init__(self, directory: Path, password: bytes) -> None:
        """Open an authority made by `create`; raises AuthorityError when the directory is not one."""
        self.directory = directory
        self._password = password
        self._root_key, self.root = self._load(directory / "root.p12")
        self._issuing_key, self.issuing = self._load(directory / "issuing.p12")

    @classmethod
    def create(cls, directory: Path, *, now: datetime) -> DemoAuthority:
        """Make keys and certificates in `directory` (created with mode 0700) and return the authority.

        A directory that already holds an authority is opened, not overwritten. Raises AuthorityError when
        others can enter it.
        """
        if (directory / "issuing.crl").exists():
            return cls.open(directory)
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.chmod(directory, 0o700)
        with _alone(directory):
            if (directory / "issuing.crl").exists():  # made by another process while this one waited
                return cls.open(directory)
            return cls._make(directory, now)

    @classmethod
    def _make(cls, directory: Path, now: datetime) -> DemoAuthority:
        (directory / "holders").mkdir(exist_ok=True, mode=0o700)
        password = secrets.token_urlsafe(24).encode()
        start = now - timedelta(days=365 * PAST_YEARS)
        root_key, issuing_key = _new_key(), _new_key()
        root_name, issuing_name = _ca_name("Khuê DEMO Root CA"), _ca_name("Khuê DEMO Issuing CA")
        root = _certificate(
            subject=root_name,
            public_key=root_key.public_key(),
            issuer=root_name,
            issuer_key=root_key,
            valid=(start, start + timedelta(days=365 * ROOT_YEARS)),
            path_length=1,
        )
        issuing = _certificate(
            subject=issuing_name,
            public_key=issuing_key.public_key(),
            issuer=root_name,
            issuer_key=root_key,
            valid=(start, start + timedelta(days=365 * ISSUING_YEARS)),
            path_length=0,
        )
        write_private(directory / "README", _NOTE.encode())
        write_private(directory / "password", password)
        _store(directory / "root.p12", "root", root_key, root, (), password)
        _store(directory / "issuing.p12", "issuing", issuing_key, issuing, (root,), password)
        write_private(directory / "root.pem", root.public_bytes(serialization.Encoding.PEM))
        write_private(directory / "issuing.pem", issuing.public_bytes(serialization.Encoding.PEM))
        authority = cls(directory, password)
        authority.publish_crl(now=now)  # last: its presence says that the directory is complete
        return authority

    @classmethod
    def open(cls, directory: Path) -> DemoAuthority:
        """Open the authority in `directory` with the password kept there; raises AuthorityError."""
        if not (directory / "issuing.crl").exists():
            raise AuthorityError(f"no demo authority in {directory}")
        if directory.stat().st_mode & 0o077:
            raise AuthorityError(f"others can enter {directory}; its mode must be 0700")
        return cls(directory, (directory / "password").read_bytes())

    @property
    def password(self) -> bytes:
        """Return the password of the key files."""
        return self._password

    def _load(self, path: Path) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
        key, certificate, _ = pkcs12.load_key_and_certificates(path.read_bytes(), self._password)
        if not isinstance(key, rsa.RSAPrivateKey) or certificate is None:
            raise AuthorityError(f"{path.name} is not a key file of this authority")
        return key, certificate

    def issue(
        self,
        label: str,
        identity: Identity,
        *,
        now: datetime,
        valid: tuple[datetime, datetime] | None = None,
    ) -> Holder:
        """Give `identity` a key and a certificate under `label`; a label that has one keeps it.

        label  lower-case letters, digits, dot, dash and underscore; at most 100
        valid  from and to; None is from yesterday for HOLDER_YEARS, never past the issuing CA's end

        Raises AuthorityError for a bad label.
        """
        path = self.path_of(label)
        with _alone(self.directory):
            if path.exists():
                _, certificate = self._load(path)
                return Holder(label, path, certificate)
            return self._issue(path, label, identity, valid, now)

    def _issue(
        self, path: Path, label: str, identity: Identity, valid: tuple[datetime, datetime] | None, now: datetime
    ) -> Holder:
        start, end = valid or (now - timedelta(days=1), now + timedelta(days=365 * HOLDER_YEARS))
        key = _new_key()
        certificate = _certificate(
            subject=subject_of(identity),
            public_key=key.public_key(),
            issuer=self.issuing.subject,
            issuer_key=self._issuing_key,
            valid=(start, min(end, self.issuing.not_valid_after_utc)),
            path_length=None,
        )
        _store(path, label, key, certificate, (self.issuing,), self._password)
        return Holder(label, path, certificate)

    def issue_seal(self, label: str, *, organisation: str, organisation_id: str, now: datetime) -> Holder:
        """Give an organisation its seal certificate (con dấu số) under `label`."""
        identity = Identity(organisation, SignerRole.SEAL, organisation, organisation_id, organisation_id)
        return self.issue(label, identity, now=now)

    def path_of(self, label: str) -> Path:
        """Return where the key file of `label` lies; raises AuthorityError for a label that is none."""
        if not _LABEL.fullmatch(label) or ".." in label:
            raise AuthorityError(f"{label!r} is not a label")
        return self.directory / "holders" / f"{label}.p12"

    def revoke(self, label: str, *, now: datetime) -> None:
        """Revoke the certificate under `label` from `now` on and publish a new CRL."""
        path = self.path_of(label)
        if not path.exists():
            raise AuthorityError(f"nothing was issued under {label!r}")
        _, certificate = self._load(path)
        with _alone(self.directory):
            revoked = self._revoked()
            revoked.setdefault(str(certificate.serial_number), now.astimezone(UTC).isoformat())
            write_private(self.directory / "revoked.json", json.dumps(revoked, sort_keys=True).encode())
            self.publish_crl(now=now)

    def _revoked(self) -> dict[str, str]:
        path = self.directory / "revoked.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def publish_crl(self, *, now: datetime) -> bytes:
        """Write and return the issuing CA's list of revoked certificates (DER), good for CRL_DAYS."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.issuing.subject)
            .last_update(now)
            .next_update(now + timedelta(days=CRL_DAYS))
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._issuing_key.public_key()),
                critical=False,
            )
            .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
        )
        for serial, moment in sorted(self._revoked().items()):
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(int(serial))
                .revocation_date(datetime.fromisoformat(moment))
                .build()
            )
        data = builder.sign(self._issuing_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        write_private(self.directory / "issuing.crl", data)
        return data

    @property
    def trust(self) -> Trust:
        """Return what a verifier needs: the root, the issuing CA, the current CRL. Nothing secret."""
        return Trust(
            roots=(self.root,),
            intermediates=(self.issuing,),
            crls=((self.directory / "issuing.crl").read_bytes(),),
        )


def _store(
    path: Path,
    label: str,
    key: rsa.RSAPrivateKey,
    certificate: x509.Certificate,
    chain: tuple[x509.Certificate, ...],
    password: bytes,
) -> None:
    # The password has 192 random bits, so stretching it would only slow down each opening.
    protection = (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(1000)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(hashes.SHA256())
        .build(password)
    )
    data = pkcs12.serialize_key_and_certificates(
        label.encode(), key, certificate, list(chain) or None, protection
    )
    write_private(path, data)
