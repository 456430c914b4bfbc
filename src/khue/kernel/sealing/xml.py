"""XAdES: signatures in XML files, each over the content and all earlier signatures.

A signed file is `<root><content Id="content">…</content><signatures>…</signatures></root>`; the content
and the root are the caller's, the container `signatures` is ours. Verification hands back the content
as it was signed; use that and nothing else of the file. One canonicalisation (exclusive C14N 1.0), one
digest (SHA-256). Files are parsed without DTD, entities or anything from outside.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from lxml import etree
from signxml import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.verifier import VerifyResult
from signxml.xades import XAdESSignatureConfiguration, XAdESSigner, XAdESVerifier

from khue.kernel.sealing.checks import (
    CHANGED,
    CHANGED_AFTER,
    DAMAGED,
    REFERENCES,
    SignatureCheck,
    check_of,
    key_problem,
    time_problem,
)
from khue.kernel.sealing.signers import Signer, is_rsa, key_size, sign_bytes
from khue.kernel.sealing.trust import Trust, certificate_problem

NAMESPACE = "urn:khue:sealing:1"
DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
CONTENT_ID = "content"
MAXIMUM_BYTES = 8 * 1024 * 1024
C14N = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
_SIGNATURES = f"{{{NAMESPACE}}}signatures"
_SIGNATURE = f"{{{NAMESPACE}}}signature"
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)*")
_FORBIDDEN = ("<!DOCTYPE", "<!ENTITY", "<!ELEMENT", "<!ATTLIST", "<!NOTATION")


class XmlRefused(Exception):
    """The file is not XML that we read: too large, not UTF-8, with a DTD or entities, or malformed."""


class XmlSigningError(Exception):
    """The file cannot be signed: the content is missing or the field is taken."""


@dataclass(frozen=True, slots=True)
class XmlVerification:
    """What verification found.

    checks   one for each signature, in the order in which they were made
    content  the content element exactly as every signature covers it (canonical bytes); None when there
             is no signature or they do not agree
    """

    checks: tuple[SignatureCheck, ...]
    content: bytes | None


def parse_xml(data: bytes) -> etree._Element:
    """Return the root element of a small UTF-8 file without DTD; raises XmlRefused."""
    if len(data) > MAXIMUM_BYTES:
        raise XmlRefused("the file is too large")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise XmlRefused("the file is not UTF-8") from error
    # Comments and CDATA could hold these words harmlessly; our own files never do.
    if any(word in text for word in _FORBIDDEN):
        raise XmlRefused("the file declares a DTD or entities")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=False,
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise XmlRefused("the file is not well-formed XML") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise XmlRefused("the file declares a DTD")
    return root


def to_bytes(root: etree._Element) -> bytes:
    """Return the element as a UTF-8 file with its declaration."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


class _Key:
    """Our signer where signxml expects a private key."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self.key_size = key_size(signer.certificate)

    def sign(self, data: bytes, **_parameters: object) -> bytes:
        return sign_bytes(self._signer, data)


class _Maker(XAdESSigner):
    """signxml's signer with a given moment and names instead of the clock and random tokens."""

    def __init__(self, field: str, signed_at: datetime, **arguments: Any) -> None:
        super().__init__(claimed_roles=[field], **arguments)
        self._field = field
        self._signed_at = signed_at
        self.signature_annotators.insert(0, self._name_signature)

    def _name_signature(self, sig_root: etree._Element, signing_settings: object) -> None:
        sig_root.set("Id", self._field)

    def _get_token(self, length: int = 4) -> str:
        return f".{self._field}"

    def _add_reference_to_signed_info(
        self, sig_root: etree._Element, node_to_reference: etree._Element, **attrs: str
    ) -> None:
        """Name the canonicalisation in these references too; without it a verifier assumes another."""
        super()._add_reference_to_signed_info(sig_root, node_to_reference, **attrs)
        reference = sig_root.findall(f"{{{DS}}}SignedInfo/{{{DS}}}Reference")[-1]
        transforms = etree.Element(f"{{{DS}}}Transforms")
        etree.SubElement(transforms, f"{{{DS}}}Transform", Algorithm=self.c14n_alg.value)
        reference.insert(0, transforms)

    def add_signing_time(
        self, signed_signature_properties: etree._Element, sig_root: etree._Element, signing_settings: object
    ) -> None:
        node = etree.SubElement(signed_signature_properties, f"{{{XADES}}}SigningTime")
        node.text = self._signed_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def sign_xml(data: bytes, *, field: str, signer: Signer, signed_at: datetime) -> bytes:
    """Return the file with one more signature, over the content and every signature already there.

    Raises XmlRefused for a file we do not read, XmlSigningError when it has no content element with
    Id="content" or already carries `field`, SignerError when the key does not sign.
    """
    if not _FIELD.fullmatch(field):
        raise XmlSigningError(f"{field!r} is not a field name")
    root = parse_xml(data)
    children = [child for child in root if isinstance(child.tag, str)]
    if not children or children[0].get("Id") != CONTENT_ID:
        raise XmlSigningError("the file has no content to sign")
    container = root.find(_SIGNATURES)
    if container is None:
        container = etree.SubElement(root, _SIGNATURES, nsmap={"s": NAMESPACE})
    earlier = [str(item.get("field")) for item in container]
    if field in earlier:
        raise XmlSigningError(f"the field {field} is signed already")
    maker = _Maker(
        field,
        signed_at,
        method=SignatureConstructionMethod.detached,
        signature_algorithm=(
            SignatureMethod.RSA_SHA256 if is_rsa(signer.certificate) else SignatureMethod.ECDSA_SHA256
        ),
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=C14N,
    )
    signature = maker.sign(
        root,
        key=_Key(signer),  # type: ignore[arg-type]
        cert=[signer.certificate, *signer.chain],
        reference_uri=[f"#{CONTENT_ID}", *(f"#{name}" for name in earlier)],
        always_add_key_value=False,
    )
    etree.SubElement(container, _SIGNATURE, field=field).append(signature)
    return to_bytes(root)


def verify_xml(
    data: bytes, trust: Trust, *, now: datetime, proven_at: datetime | None = None
) -> XmlVerification:
    """Return a check of each signature and the content they all cover; never raises for bad input.

    now, proven_at as in `pdf.verify_pdf`. A file that cannot be read gives one check with the field ""
    and the reason `damaged`.
    """
    try:
        root = parse_xml(data)
    except XmlRefused:
        return XmlVerification((SignatureCheck(field="", reason=DAMAGED),), None)
    container = root.find(_SIGNATURES)
    if container is None:
        return XmlVerification((), None)
    clean = _is_clean(root, container)
    checks: list[SignatureCheck] = []
    contents: set[bytes] = set()
    fields = [str(item.get("field")) for item in container if isinstance(item.tag, str)]
    for index, field in enumerate(fields):
        check, content = _check(root, fields[:index], field, trust, now=now, proven_at=proven_at)
        if not clean:
            check = replace(check, covers_whole=False, reason=check.reason or CHANGED_AFTER)
        checks.append(check)
        if content is not None:
            contents.add(content)
    agreed = contents.pop() if len(contents) == 1 and all(check.intact for check in checks) else None
    return XmlVerification(tuple(checks), agreed)


def _is_clean(root: etree._Element, container: etree._Element) -> bool:
    """Return whether the file holds nothing outside the content and the signatures."""
    tree = root.getroottree()
    if root.attrib or list(root)[1:] != [container] or container.attrib:
        return False
    if root.getprevious() is not None or root.getnext() is not None or tree.docinfo.doctype:
        return False
    loose = [root.text, *(child.tail for child in root), container.text, *(item.tail for item in container)]
    if any(text and text.strip() for text in loose):
        return False
    for item in container:
        inside = list(item)
        if item.tag != _SIGNATURE or set(item.attrib) != {"field"} or len(inside) != 1:
            return False
        if inside[0].tag != f"{{{DS}}}Signature" or inside[0].get("Id") != item.get("field"):
            return False
    return True


def _check(
    root: etree._Element,
    earlier: list[str],
    field: str,
    trust: Trust,
    *,
    now: datetime,
    proven_at: datetime | None,
) -> tuple[SignatureCheck, bytes | None]:
    """Return the check of the signature in `field` and the content it covers, if it is intact."""
    if not _FIELD.fullmatch(field):
        return SignatureCheck(field=field[:100], reason=DAMAGED), None
    try:
        certificates = _certificates(root, field)
    except Exception:
        return SignatureCheck(field=field, reason=DAMAGED), None
    certificate, others = certificates[0], certificates[1:]
    try:
        results = _results(root, field, certificate, references=3 + len(earlier))
    except Exception:
        return check_of(field, certificate, reason=CHANGED), None
    content, properties = _covered(results, earlier, field)
    if content is None or properties is None:
        return check_of(field, certificate, reason=REFERENCES), None
    signed_at = _signing_time(properties)
    claimed = properties.findtext(f".//{{{XADES}}}ClaimedRole")
    problem = (
        (REFERENCES if claimed != field else "")
        or key_problem(certificate)
        or time_problem(signed_at, now=now)
    )
    if problem == "" and signed_at is not None:
        problem = certificate_problem(certificate, others, trust=trust, at=proven_at or signed_at)
    check = check_of(
        field,
        certificate,
        signed_at=signed_at,
        intact=True,
        trusted=problem == "",
        covers_whole=True,
        reason=problem,
    )
    return check, content


def _location(field: str) -> str:
    return f"./{_SIGNATURES}/{_SIGNATURE}[@field='{field}']/"


def _certificates(root: etree._Element, field: str) -> list[x509.Certificate]:
    """Return the certificates of one signature, the signer's first; raises when there is none."""
    path = f"{_location(field)}{{{DS}}}Signature/{{{DS}}}KeyInfo/{{{DS}}}X509Data/{{{DS}}}X509Certificate"
    texts = ["".join(str(node.text).split()) for node in root.findall(path)]
    found = [x509.load_pem_x509_certificate(_pem(text)) for text in texts]
    if not found:
        raise ValueError("no certificate")
    return found


def _pem(text: str) -> bytes:
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""]).encode()


def _results(
    root: etree._Element, field: str, certificate: x509.Certificate, *, references: int
) -> list[VerifyResult]:
    """Return what signxml found covered. Trust in the certificate is judged apart, at another moment."""
    config = XAdESSignatureConfiguration(
        location=_location(field),
        expect_references=references,
        signature_methods=frozenset({SignatureMethod.RSA_SHA256, SignatureMethod.ECDSA_SHA256}),
        digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
        verification_time=certificate.not_valid_before_utc,
    )
    return list(XAdESVerifier().verify(root, x509_cert=certificate, expect_config=config))


def _covered(
    results: list[VerifyResult], earlier: list[str], field: str
) -> tuple[bytes | None, etree._Element | None]:
    """Return content and signed properties when exactly these, the key info and the earlier
    signatures are covered; otherwise None for both."""
    content: bytes | None = None
    properties: etree._Element | None = None
    signatures: list[str] = []
    keys = 0
    for result in results:
        node = result.signed_xml
        if node is None:
            return None, None
        if node.get("Id") == CONTENT_ID and content is None:
            content = result.signed_data
        elif node.tag == f"{{{XADES}}}SignedProperties" and properties is None:
            properties = node
        elif node.tag == f"{{{DS}}}KeyInfo":
            keys += 1
        elif node.tag == f"{{{DS}}}Signature":
            signatures.append(str(node.get("Id")))
        else:
            return None, None
    if keys != 1 or signatures != earlier:
        return None, None
    return content, properties


def _signing_time(properties: etree._Element) -> datetime | None:
    text = properties.findtext(f".//{{{XADES}}}SigningTime")
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def content_digest(content: bytes) -> str:
    """Return the SHA-256 of canonical content bytes in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
