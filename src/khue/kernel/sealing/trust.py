"""Whether a certificate could be relied on at a moment: chain, validity, revocation, purpose.

Path validation is pyhanko-certvalidator's; nothing is fetched: roots, intermediates and revocation
lists are what the caller keeps. A list newer than the signature counts too, since a revocation that
was dated before the signing is known only afterwards; a list that has grown old counts for what it
names. (The validator itself would pass over lists that a certificate does not point to.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import (
    ExpiredError,
    InvalidCertificateError,
    NotYetValidError,
    PathBuildingError,
    PathValidationError,
    RevokedError,
    ValidationError,
)

EXPIRED = "certificate-expired"
NOT_YET_VALID = "certificate-not-yet-valid"
REVOKED = "certificate-revoked"
UNFIT = "certificate-unfit"
UNTRUSTED = "untrusted-issuer"

Result = TypeVar("Result")


@dataclass(frozen=True)
class Trust:
    """What a verifier relies on.

    roots          anchors; a chain must end in one of them
    intermediates  further CA certificates that signatures may leave out
    crls           revocation lists, DER
    """

    roots: tuple[x509.Certificate, ...]
    intermediates: tuple[x509.Certificate, ...] = ()
    crls: tuple[bytes, ...] = field(default=(), repr=False)


@lru_cache(maxsize=512)
def to_asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    """Return the certificate as asn1crypto holds it (the form pyHanko wants)."""
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


@lru_cache(maxsize=32)
def _crls(data: tuple[bytes, ...]) -> tuple[asn1_crl.CertificateList, ...]:
    return tuple(asn1_crl.CertificateList.load(item) for item in data)


def certificate_problem(
    certificate: x509.Certificate,
    others: Sequence[x509.Certificate],
    *,
    trust: Trust,
    at: datetime,
) -> str:
    """Return "" when the certificate could sign at the moment `at`, else the code of what is wrong.

    others  the further certificates that came with the signature; they build the path, they lend no trust
    """
    if not trust.roots:
        return UNTRUSTED
    context = ValidationContext(
        trust_roots=[to_asn1(root) for root in trust.roots],
        other_certs=[to_asn1(item) for item in (*trust.intermediates, *others)],
        moment=at,
        allow_fetching=False,
        crls=list(_crls(trust.crls)),
        revocation_mode="soft-fail",
        retroactive_revinfo=True,
    )
    validator = CertificateValidator(to_asn1(certificate), validation_context=context)
    problem = run_blocking(_problem(validator))
    if problem == "" and _is_revoked(certificate, (*trust.intermediates, *trust.roots), trust.crls, at):
        return REVOKED
    return problem


def _is_revoked(
    certificate: x509.Certificate, issuers: Sequence[x509.Certificate], lists: Sequence[bytes], at: datetime
) -> bool:
    """Return whether a genuine list of the issuer names the certificate as revoked by the moment `at`.

    A list counts when a CA certificate that the verifier itself keeps has signed it.
    """
    for data in lists:
        revocations = _list(data)
        if revocations.issuer != certificate.issuer:
            continue
        entry = revocations.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if entry is None or entry.revocation_date_utc > at:
            continue
        if any(revocations.is_signature_valid(key) for key in _keys(revocations.issuer, issuers)):
            return True
    return False


@lru_cache(maxsize=32)
def _list(data: bytes) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl(data)


def _keys(name: x509.Name, issuers: Sequence[x509.Certificate]) -> list[CertificateIssuerPublicKeyTypes]:
    return [
        key
        for issuer in issuers
        if issuer.subject == name
        and isinstance(key := issuer.public_key(), (rsa.RSAPublicKey, ec.EllipticCurvePublicKey))
    ]


async def _problem(validator: CertificateValidator) -> str:
    try:
        await validator.async_validate_usage({"digital_signature", "non_repudiation"})
    except ExpiredError:
        return EXPIRED
    except NotYetValidError:
        return NOT_YET_VALID
    except RevokedError:
        return REVOKED
    except InvalidCertificateError:
        return UNFIT
    except (PathBuildingError, PathValidationError, ValidationError, ValueError):
        return UNTRUSTED
    return ""


def run_blocking(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end and return its result, also inside a thread that has a loop running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()
