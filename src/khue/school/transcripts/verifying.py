"""Whether a transcript's files are what the register says: signatures, roles, order, content, certificates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from khue.kernel import files
from khue.kernel.sealing import keyring
from khue.kernel.sealing.checks import DAMAGED, Problem, Requirement, SignatureCheck, judge
from khue.kernel.sealing.identity import TITLES, SignerRole, identity_of
from khue.kernel.sealing.trust import Trust
from khue.kernel.sealing.xml import verify_xml
from khue.school.transcripts.documents import twin
from khue.school.transcripts.documents.content import ContentError
from khue.school.transcripts.documents.render import HOMEROOM, PRINCIPAL, SEAL
from khue.school.transcripts.models import Signing, Transcript, TranscriptSignature

__all__ = [
    "REQUIREMENTS",
    "TITLES",
    "Verdict",
    "fingerprint",
    "identity_of",
    "problems_of",
    "title_of",
    "verify",
]

LEADERS = frozenset({SignerRole.PRINCIPAL, SignerRole.VICE_PRINCIPAL})
REQUIREMENTS = (
    Requirement(HOMEROOM, LEADERS | {SignerRole.TEACHER}),
    Requirement(PRINCIPAL, LEADERS),
    Requirement(SEAL, frozenset({SignerRole.SEAL})),
)
"""In this order and by these: homeroom teacher, leader of the school, the school's seal."""

OTHER_CONTENT = "other-content"
OTHER_FILE = "other-file"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification of a sealed transcript found.

    checks    the PDF's signatures in their order
    problems  of PDF, XML and register together; empty means all is well
    """

    checks: tuple[SignatureCheck, ...]
    problems: tuple[Problem, ...]

    @property
    def is_good(self) -> bool:
        """Return whether nothing is wrong."""
        return not self.problems


def title_of(role: str) -> str:
    """Return the words of a signer's role as a signature row keeps it, "" for an unknown one."""
    return next((title for known, title in TITLES.items() if known == role), "")


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate in hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def problems_of(
    transcript: Transcript, *, pdf: bytes, xml: bytes, now: datetime, stages: Mapping[str, str] | None = None
) -> tuple[Problem, ...]:
    """Return what is wrong with these files as the sealed files of `transcript`; empty is good.

    stages as in `kernel.sealing.pdf.verify_pdf`.
    """
    return _judged(_Subject(transcript, pdf, xml, stages), keyring.trust(), now)[1]


def _judged(
    subject: _Subject, trust: Trust, now: datetime
) -> tuple[tuple[SignatureCheck, ...], tuple[Problem, ...]]:
    from khue.kernel.sealing.pdf import verify_pdf  # loads for a second, and most processes never verify

    transcript, xml = subject.transcript, subject.xml
    organisation = transcript.content["school"]["code"]
    checks = tuple(verify_pdf(subject.pdf, trust, now=now, stages=subject.stages))
    twins = verify_xml(xml, trust, now=now)
    problems = [
        *judge(checks, REQUIREMENTS, organisation_id=organisation),
        *judge(twins.checks, REQUIREMENTS, organisation_id=organisation),
    ]
    if twins.content is None or not _says(twins.content, transcript):
        problems.append(Problem(OTHER_CONTENT))
    return checks, tuple(dict.fromkeys(problems))


def _says(signed: bytes, transcript: Transcript) -> bool:
    try:
        return twin.read(signed) == transcript.content
    except ContentError:
        return False


def verify(transcript: Transcript, signatures: Sequence[TranscriptSignature], *, now: datetime) -> Verdict:
    """Verify the stored files of a sealed transcript against the register.

    signatures  its signature rows with their files; the last one's files are what people hold
    """
    last = next((item for item in signatures if item.step == Signing.SEAL), None)
    if last is None:
        return Verdict((), (Problem("signature-missing", SEAL),))
    try:
        pdf, xml = files.read(last.pdf), files.read(last.xml)
    except files.DamagedFile:
        return Verdict((), (Problem(DAMAGED),))
    stages = {_field(item.step): item.pdf.sha256 for item in signatures}
    hour = now.replace(minute=0, second=0, microsecond=0)
    checks, problems = _cached(_Subject(transcript, pdf, xml, stages), keyring.trust(), hour)
    by_field = {check.field: check.certificate_sha256 for check in checks}
    named = {field: item.certificate_sha256 for item in signatures for field in [_field(item.step)]}
    if by_field != named:
        problems = (*problems, Problem(OTHER_FILE))
    return Verdict(checks, problems)


def _field(step: str) -> str:
    return {Signing.HOMEROOM: HOMEROOM, Signing.PRINCIPAL: PRINCIPAL, Signing.SEAL: SEAL}[Signing(step)]


class _Subject:
    """A transcript with its files, equal to another by content and bytes, for the cache of verdicts."""

    def __init__(
        self, transcript: Transcript, pdf: bytes, xml: bytes, stages: Mapping[str, str] | None
    ) -> None:
        self.transcript, self.pdf, self.xml, self.stages = transcript, pdf, xml, stages
        known = tuple(sorted(stages.items())) if stages is not None else None
        self._key = (transcript.content_sha256, pdf, xml, known)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Subject) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=128)
def _cached(
    subject: _Subject, trust: Trust, hour: datetime
) -> tuple[tuple[SignatureCheck, ...], tuple[Problem, ...]]:
    """Judge once an hour: the same bytes, the same lists of trust, the same answer."""
    return _judged(subject, trust, hour.replace(minute=59, second=59))
