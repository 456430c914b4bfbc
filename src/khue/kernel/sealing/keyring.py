"""Where keys come from and what verifiers trust, in this installation.

Keys: a provider, a function `(identity, now) -> Signer`, named by the setting KHUE_SIGNERS
(`package.module:function`). Without one, a demonstration uses the demo authority under KHUE_KEYS, which
gives a certificate at first use; any other installation has no keys until it names a provider.

Trust: the folder KHUE_HOME/trust with `roots/*.pem`, `intermediates/*.pem` and `crls/*.crl`, public files
that the web process reads too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from khue.kernel.errors import DomainError
from khue.kernel.sealing.authority import DemoAuthority, write_private
from khue.kernel.sealing.identity import Identity, SignerRole
from khue.kernel.sealing.signers import FileSigner, Signer
from khue.kernel.sealing.trust import Trust

Provider = Callable[[Identity, datetime], Signer]


class NoCertificate(DomainError):
    """Nobody gave this person or organisation a certificate here. Facts: name."""

    code, status = "sealing.no-certificate", 409
    title = _("Chưa có chứng thư số cho %(name)s.")
    advice = _("Hãy nhờ người phụ trách công nghệ thông tin của trường đăng ký chứng thư số rồi làm lại.")


def signer_for(identity: Identity, *, now: datetime) -> Signer:
    """Return the signer of `identity`. Only signing jobs call it: the web process has no keys.

    Raises NoCertificate when there is none.
    """
    return _provider()(identity, now)


def _provider() -> Provider:
    named = settings.KHUE_SIGNERS
    if named:
        module, _colon, name = named.partition(":")
        return getattr(import_module(module), name)
    return _demo_signer if settings.KHUE_DEMO else _nobody


def _nobody(identity: Identity, now: datetime) -> Signer:
    raise NoCertificate(name=identity.name)


def demo_authority(*, now: datetime) -> DemoAuthority:
    """Return the demonstration's authority, made at first use, with its public part in the trust folder."""
    folder = Path(settings.KHUE_KEYS) / "demo-authority"
    known = _AUTHORITIES.get(folder)
    if known is None:
        known = _AUTHORITIES[folder] = DemoAuthority.create(folder, now=now)
        publish(known.trust)
    return known


_AUTHORITIES: dict[Path, DemoAuthority] = {}
_SIGNERS: dict[tuple[str, str], FileSigner] = {}


def _demo_signer(identity: Identity, now: datetime) -> Signer:
    kind = "seal" if identity.role is SignerRole.SEAL else str(identity.role)
    label = re.sub(r"[^a-z0-9-]", "-", f"{kind}-{identity.organisation_id}-{identity.holder_id}".lower())
    known = _SIGNERS.get((str(settings.KHUE_KEYS), label))
    if known is None or known.certificate.not_valid_after_utc < now:
        authority = demo_authority(now=now)
        holder = authority.issue(label, identity, now=now)
        known = FileSigner(holder.path, authority.password, label=label)
        _SIGNERS[str(settings.KHUE_KEYS), label] = known
    return known


def trust_folder() -> Path:
    """Return the folder of what verifiers rely on."""
    return Path(settings.KHUE_HOME) / "trust"


def publish(trust: Trust) -> None:
    """Write roots, intermediates and revocation lists into the trust folder; what is there stays."""
    folder = trust_folder()
    for name, certificates in (("roots", trust.roots), ("intermediates", trust.intermediates)):
        for certificate in certificates:
            _put(folder / name / f"{certificate.serial_number:x}.pem", certificate.public_bytes(Encoding.PEM))
    for data in trust.crls:
        issuer = x509.load_der_x509_crl(data).issuer.public_bytes().hex()[-40:]
        _put(folder / "crls" / f"{issuer}.crl", data)


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.read_bytes() == data:
        return
    write_private(path, data)
    path.chmod(0o644)


_TRUST: dict[Path, tuple[tuple[tuple[str, int], ...], Trust]] = {}


def trust() -> Trust:
    """Return what verifiers of this installation rely on, read again when a file of the folder changed."""
    folder = trust_folder()
    files = sorted(path for path in folder.glob("*/*") if path.suffix in (".pem", ".crl"))
    stamp = tuple((str(path), path.stat().st_mtime_ns) for path in files)
    known = _TRUST.get(folder)
    if known is None or known[0] != stamp:
        known = (stamp, _read(files))
        _TRUST[folder] = known
    return known[1]


def _read(files: list[Path]) -> Trust:
    def certificates(kind: str) -> tuple[x509.Certificate, ...]:
        found = [path.read_bytes() for path in files if path.parent.name == kind]
        return tuple(item for data in found for item in x509.load_pem_x509_certificates(data))

    lists = tuple(path.read_bytes() for path in files if path.parent.name == "crls")
    return Trust(certificates("roots"), certificates("intermediates"), lists)
