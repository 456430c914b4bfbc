"""PAdES: signatures in PDF files, one incremental update each, so that earlier ones stay verifiable.

`place_fields` puts the empty fields into a finished PDF/A once; each `sign_pdf` then fills one. The
first signature certifies the document: from then on only the remaining fields may be filled. A verifier
here is stricter than the standard: every later revision must itself be one of the signatures.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from asn1crypto import tsp
from cryptography import x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.content import PdfContent
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, BoxConstraints, Margins, SimpleBoxLayoutRule
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers as hanko
from pyhanko.sign.attributes import CMSAttributeProvider, SigningCertificateV2Provider
from pyhanko.sign.diff_analysis import ModificationLevel, SuspiciousModification
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter, append_signature_field
from pyhanko.sign.signers.pdf_cms import CAdESSignedAttributeProviderSpec, PdfCMSSignedAttributes
from pyhanko.sign.validation.generic_cms import validate_sig_integrity
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from khue.kernel.sealing.checks import (
    ALGORITHM,
    CHANGED,
    CHANGED_AFTER,
    DAMAGED,
    SignatureCheck,
    check_of,
    key_problem,
    time_problem,
)
from khue.kernel.sealing.fields import Field
from khue.kernel.sealing.signers import Signer, SignerError, is_rsa, key_size
from khue.kernel.sealing.trust import Trust, certificate_problem, run_blocking, to_asn1

DIGEST = "sha256"
ACCEPTED_DIGESTS = frozenset({"sha256", "sha384", "sha512"})
ACCEPTED_SUBFILTERS = frozenset({"/ETSI.CAdES.detached", "/adbe.pkcs7.detached"})
CMS_OVERHEAD = 1200  # bytes of a CMS object beside certificates and signature value, generously


class PdfSigningError(Exception):
    """The file cannot be signed: it is no readable PDF, or the field is missing or filled."""


class _Writer(IncrementalPdfFileWriter):
    """An incremental update that leaves the document's own metadata alone.

    pyHanko would rewrite the XMP packet with its name and the clock, and lose PDF/A's extension schemas
    on the way. The second half of the file identifier comes from the bytes signed, not from chance, so
    that the same act gives the same file.
    """

    def _update_meta(self) -> None:
        return None

    @classmethod
    def _handle_id(cls, prev: PdfFileReader) -> generic.ArrayObject:
        first = prev.trailer["/ID"][0] if "/ID" in prev.trailer else None
        prev.stream.seek(0)
        second = hashlib.sha256(prev.stream.read()).digest()[:16]
        if not isinstance(first, generic.ByteStringObject):
            first = generic.ByteStringObject(getattr(first, "original_bytes", second))
        return generic.ArrayObject([first, generic.ByteStringObject(second)])


def place_fields(data: bytes, fields: Sequence[Field]) -> bytes:
    """Return the PDF with the empty signature fields added as one incremental update.

    Raises PdfSigningError when `data` is no readable PDF.
    """
    try:
        writer = _Writer(io.BytesIO(data))
        _append(writer, fields)
        output = io.BytesIO()
        writer.write(output)
    except Exception as error:  # a PDF parser fed with foreign bytes raises nearly anything
        raise PdfSigningError("the file is not a readable PDF") from error
    return output.getvalue()


def _append(writer: IncrementalPdfFileWriter, fields: Iterable[Field]) -> None:
    for item in fields:
        spec = SigFieldSpec(
            sig_field_name=item.name,
            on_page=item.page,
            box=item.box,
            readable_field_name=item.label,
        )
        append_signature_field(writer, spec)


def sign_pdf(
    data: bytes,
    *,
    field: str,
    signer: Signer,
    signed_at: datetime,
    reason: str = "",
    stamp: bytes | None = None,
    fields: Sequence[Field] = (),
) -> bytes:
    """Return the PDF with `field` signed, as one more incremental update.

    signed_at  aware; written as the signing time
    stamp      a one-page PDF drawn into the field's box; None leaves the box as it is
    fields     fields to add in the same update: all the document will ever have, with the first signature

    The first signature of a file certifies it. Raises PdfSigningError when the file or the field does not
    allow it and SignerError when the key does not sign.
    """
    if signed_at.tzinfo is None:
        raise ValueError("signed_at needs a zone")
    try:
        writer = _Writer(io.BytesIO(data))
        filled = list(writer.prev.embedded_signatures)
        names = {signature.field_name for signature in filled}
        _append(writer, fields)
    except Exception as error:
        raise PdfSigningError("the file is not a readable PDF") from error
    if field in names:
        raise PdfSigningError(f"the field {field} is signed already")
    metadata = hanko.PdfSignatureMetadata(
        field_name=field,
        md_algorithm=DIGEST,
        subfilter=SigSeedSubFilter.PADES,
        reason=reason or None,
        name=None,
        certify=not filled,
        docmdp_permissions=MDPPerm.FILL_FORMS,
    )
    session = _PdfSigner(metadata, _Adapter(signer), signed_at, _style(stamp))
    try:
        output = run_blocking(
            session.async_sign_pdf(writer, existing_fields_only=True, bytes_reserved=_room(signer))
        )
    except SignerError:
        raise
    except Exception as error:
        raise PdfSigningError(f"the field {field} cannot be signed") from error
    return bytes(output.getbuffer())


def _room(signer: Signer) -> int:
    """Return how many hexadecimal digits to keep free for the signature value."""
    certificates = (signer.certificate, *signer.chain)
    size = sum(len(to_asn1(item).dump()) for item in certificates) + key_size(signer.certificate) // 8
    return 2 * (size + CMS_OVERHEAD)


class _FrozenAttribute(SigningCertificateV2Provider):
    """The signing certificate's attribute, parsed again from its bytes.

    asn1crypto encodes what was built from Python values anew at each look, level by level: left as built,
    this one attribute takes most of the time of a signature.
    """

    async def build_attr_value(self, dry_run: bool = False) -> tsp.SigningCertificateV2:
        built = await super().build_attr_value(dry_run)
        return tsp.SigningCertificateV2.load(built.dump())


class _Attributes(CAdESSignedAttributeProviderSpec):
    """The signed attributes of PAdES as pyHanko gives them, the costly one frozen."""

    def signed_attr_providers(
        self, data_digest: bytes, digest_algorithm: str
    ) -> Iterable[CMSAttributeProvider]:
        for provider in super().signed_attr_providers(data_digest, digest_algorithm):
            if isinstance(provider, SigningCertificateV2Provider):
                yield _FrozenAttribute(provider.signing_cert)
            else:
                yield provider


class _Adapter(hanko.Signer):
    """Our signer as pyHanko knows one."""

    def __init__(self, signer: Signer) -> None:
        store = SimpleCertificateStore()
        store.register_multiple([to_asn1(item) for item in signer.chain])
        super().__init__(signing_cert=to_asn1(signer.certificate), cert_registry=store, embed_roots=False)
        self.signed_attr_prov_spec = _Attributes(
            attr_settings=PdfCMSSignedAttributes(),
            signing_cert=to_asn1(signer.certificate),
            is_pades=True,
            timestamper=None,
        )
        self._signer = signer
        self._length = key_size(signer.certificate) // 8 if is_rsa(signer.certificate) else 144

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        if dry_run:
            return bytes(self._length)
        return self._signer.sign_digest(hashlib.new(digest_algorithm, data).digest())


class _PdfSigner(hanko.PdfSigner):
    """pyHanko's signer with the moment of signing given, not read from the clock."""

    def __init__(
        self,
        metadata: hanko.PdfSignatureMetadata,
        signer: hanko.Signer,
        signed_at: datetime,
        style: StaticStampStyle | None,
    ) -> None:
        super().__init__(metadata, signer, stamp_style=style)
        self._signed_at = signed_at

    def init_signing_session(self, pdf_out: Any, existing_fields_only: bool = False) -> Any:
        session = super().init_signing_session(pdf_out, existing_fields_only=existing_fields_only)
        session.system_time = self._signed_at
        return session


_thread = threading.local()


def _stamp_reader(data: bytes) -> PdfFileReader:
    """Return a reader of a stamp; a batch uses the same one, so each thread keeps its last."""
    known = getattr(_thread, "stamp", None)
    if known is None or known[0] != data:
        known = _thread.stamp = (data, PdfFileReader(io.BytesIO(data)))
    return known[1]


class _PageFromBytes(PdfContent):
    """The first page of a PDF held in memory, as stamp content."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        super().__init__()

    def render(self) -> bytes:
        assert self.writer is not None
        page = self.writer.import_page_as_xobject(_stamp_reader(self.data))
        self.resources.xobject["/Stamp"] = page
        left, bottom, right, top = page.get_object()["/BBox"]
        self.box = BoxConstraints(width=abs(right - left), height=abs(top - bottom))
        return b"/Stamp Do"


def _style(stamp: bytes | None) -> StaticStampStyle | None:
    layout = SimpleBoxLayoutRule(
        x_align=AxisAlignment.ALIGN_MID, y_align=AxisAlignment.ALIGN_MID, margins=Margins()
    )
    if stamp is None:
        return StaticStampStyle(border_width=0, background=None, background_opacity=1)
    return StaticStampStyle(
        border_width=0,
        background=_PageFromBytes(stamp),
        background_layout=layout,
        background_opacity=1,
    )


def verify_pdf(
    data: bytes,
    trust: Trust,
    *,
    now: datetime,
    proven_at: datetime | None = None,
    stages: Mapping[str, str] | None = None,
) -> list[SignatureCheck]:
    """Return a check of each signature in the order in which they were made; never raises for bad input.

    proven_at  a moment at which the caller's own register proves the signatures existed; certificates
               are judged then instead of at the time the signer claims
    stages     field to SHA-256 (hexadecimal) of the whole file as the caller's register knows it right
               after that signature. Compared with the bytes, it proves more than looking at what later
               updates changed, and takes a sixth of the time. None looks at the changes.

    A file that cannot be read gives one check with the field "" and the reason `damaged`; a file without
    signatures gives an empty list.
    """
    try:
        reader = PdfFileReader(io.BytesIO(data))
        found = sorted(reader.embedded_signatures, key=lambda item: item.signed_revision)
        revisions = reader.xrefs.total_revisions
    except Exception:
        return [SignatureCheck(field="", reason=DAMAGED)]
    signed = {item.signed_revision for item in found}
    ends = [_end(item) for item in found]
    checks = []
    for item in found:
        try:
            known = None if stages is None else _is_stage(data, item, stages)
            check = _check(item, trust, now=now, proven_at=proven_at, is_known=known)
        except Exception:
            checks.append(SignatureCheck(field=str(item.field_name), reason=DAMAGED))
            continue
        later = set(range(item.signed_revision + 1, revisions))
        if later - signed or len(signed) < len(found) or max(ends) != len(data):
            check = _spoil(check, CHANGED_AFTER)
        checks.append(check)
    return checks


def _end(item: EmbeddedPdfSignature) -> int:
    """Return where the signed bytes end, 0 when the signature leaves out more than its own value."""
    start, before, after, rest = (int(part) for part in item.byte_range)
    return after + rest if start == 0 and 0 < before < after else 0


def _is_stage(data: bytes, item: EmbeddedPdfSignature, stages: Mapping[str, str]) -> bool:
    """Return whether the file up to the end of this signature is what the register knows."""
    return hashlib.sha256(data[: _end(item)]).hexdigest() == stages.get(str(item.field_name))


def _spoil(check: SignatureCheck, reason: str) -> SignatureCheck:
    return replace(check, covers_whole=False, reason=check.reason or reason)


def _check(
    item: EmbeddedPdfSignature,
    trust: Trust,
    *,
    now: datetime,
    proven_at: datetime | None,
    is_known: bool | None,
) -> SignatureCheck:
    certificate = x509.load_der_x509_certificate(item.signer_cert.dump())
    others = [x509.load_der_x509_certificate(cert.dump()) for cert in item.other_embedded_certs]
    item.compute_integrity_info(skip_diff=is_known is not None)
    digest_fits, value_fits = validate_sig_integrity(
        item.signer_info, item.signer_cert, expected_content_type="data", actual_digest=item.compute_digest()
    )
    intact = digest_fits and value_fits
    whole = intact and _covers(item, is_known)
    signed_at = item.self_reported_timestamp
    problem = _algorithm_problem(item, certificate) or time_problem(signed_at, now=now)
    if signed_at is not None:
        trusted = certificate_problem(certificate, others, trust=trust, at=proven_at or signed_at)
    else:
        trusted = problem
    reason = (CHANGED if not intact else "") or ("" if whole else CHANGED_AFTER) or problem or trusted
    return check_of(
        str(item.field_name),
        certificate,
        signed_at=signed_at,
        intact=intact,
        trusted=trusted == "" and problem == "",
        covers_whole=whole,
        reason=reason,
    )


def _algorithm_problem(item: EmbeddedPdfSignature, certificate: x509.Certificate) -> str:
    digest = item.signer_info["digest_algorithm"]["algorithm"].native
    if digest not in ACCEPTED_DIGESTS or item.sig_object.get("/SubFilter") not in ACCEPTED_SUBFILTERS:
        return ALGORITHM
    return key_problem(certificate)


def _covers(item: EmbeddedPdfSignature, is_known: bool | None) -> bool:
    """Return whether the signature covers its whole revision and only signing followed it."""
    if item.coverage is None or item.coverage < SignatureCoverageLevel.ENTIRE_REVISION:
        return False
    if is_known is not None:
        return is_known
    if item.coverage == SignatureCoverageLevel.ENTIRE_FILE:
        return True
    result = item.diff_result
    if result is None or isinstance(result, SuspiciousModification):
        return False
    return result.modification_level <= ModificationLevel.FORM_FILLING
