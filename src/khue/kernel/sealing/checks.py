"""What a verifier says about each signature, in one form for PDF and XML, and what a document needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from khue.kernel.sealing.identity import SignerRole, identity_of

DAMAGED = "damaged"
CHANGED = "changed"
CHANGED_AFTER = "changed-after-signing"
ALGORITHM = "algorithm-refused"
FUTURE = "signed-in-future"
TIMELESS = "signing-time-missing"
REFERENCES = "wrong-references"

MISSING = "signature-missing"
UNEXPECTED = "signature-unexpected"
ORDER = "wrong-order"
ROLE = "wrong-role"
ORGANISATION = "wrong-organisation"
SAME_PERSON = "same-person"

CLOCK_TOLERANCE = timedelta(minutes=10)
MINIMUM_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """One signature as found in a file.

    field            the place it stands in; "" when the file could not be read at all
    signed_at        as the signer claims; only a register or a time stamp can prove it
    intact           what was signed is what stands there, and the signature value fits it
    trusted          the certificate could be relied on at that moment
    covers_whole     nothing but further signatures of the same document was added after it
    reason           "" when all is well, else the code of the first thing that is wrong
    """

    field: str
    signer_name: str = ""
    role: SignerRole | None = None
    organisation: str = ""
    organisation_id: str = ""
    holder_id: str = ""
    certificate_sha256: str = ""
    signed_at: datetime | None = None
    intact: bool = False
    trusted: bool = False
    covers_whole: bool = False
    reason: str = ""

    @property
    def is_good(self) -> bool:
        """Return whether nothing is wrong with this signature."""
        return self.reason == "" and self.intact and self.trusted and self.covers_whole


@dataclass(frozen=True, slots=True)
class Requirement:
    """One signature that a document must carry, and in what capacities it may be given."""

    field: str
    roles: frozenset[SignerRole]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps a document from being accepted: a code of this module or of `trust`, a field."""

    code: str
    field: str = ""


def check_of(field: str, certificate: x509.Certificate, **facts: object) -> SignatureCheck:
    """Return a check that names the certificate's holder, with the further `facts`."""
    identity = identity_of(certificate)
    return SignatureCheck(
        field=field,
        signer_name=identity.name,
        role=identity.role,
        organisation=identity.organisation,
        organisation_id=identity.organisation_id,
        holder_id=identity.holder_id,
        certificate_sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        **facts,  # type: ignore[arg-type]
    )


def key_problem(certificate: x509.Certificate) -> str:
    """Return "" when the certificate's kind and size of key may sign, else ALGORITHM."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return "" if key.key_size >= MINIMUM_RSA_BITS else ALGORITHM
    return "" if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= 256 else ALGORITHM


def time_problem(signed_at: datetime | None, *, now: datetime) -> str:
    """Return "" when the claimed moment of signing can be, else TIMELESS or FUTURE."""
    if signed_at is None:
        return TIMELESS
    return FUTURE if signed_at > now + CLOCK_TOLERANCE else ""


def judge(
    checks: Sequence[SignatureCheck],
    requirements: Sequence[Requirement],
    *,
    organisation_id: str | None = None,
) -> tuple[Problem, ...]:
    """Return what keeps a document with these signatures from being accepted; empty means accepted.

    checks           in the order in which the signatures were made
    requirements     in the order in which they must have been made
    organisation_id  the organisation all signers must belong to; None asks only that they agree
    """
    if any(check.reason == DAMAGED and check.field == "" for check in checks):
        return (Problem(DAMAGED),)
    problems = [Problem(check.reason, check.field) for check in checks if check.reason]
    problems += _shape_problems(checks, requirements)
    by_field = {check.field: check for check in checks}
    for need in requirements:
        found = by_field.get(need.field)
        if found is not None and found.role not in need.roles:
            problems.append(Problem(ROLE, need.field))
    wanted = organisation_id
    for check in checks:
        wanted = check.organisation_id if wanted is None else wanted
        if check.organisation_id != wanted:
            problems.append(Problem(ORGANISATION, check.field))
    holders = [check.certificate_sha256 for check in checks if check.certificate_sha256]
    if len(set(holders)) < len(holders):
        problems.append(Problem(SAME_PERSON))
    return tuple(dict.fromkeys(problems))


def _shape_problems(checks: Sequence[SignatureCheck], requirements: Sequence[Requirement]) -> list[Problem]:
    """Return missing, unexpected and misordered signatures."""
    wanted = [need.field for need in requirements]
    found = [check.field for check in checks]
    problems = [Problem(MISSING, field) for field in wanted if field not in found]
    problems += [Problem(UNEXPECTED, field) for field in found if field not in wanted]
    present = [field for field in found if field in wanted]
    expected = [field for field in wanted if field in found]
    if present != expected:
        problems += [Problem(ORDER, got) for got, due in zip(present, expected, strict=False) if got != due]
    return problems
