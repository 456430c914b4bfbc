"""Signed PDF files: what is accepted, and each way of tampering found and named."""

from __future__ import annotations

import asyncio
import hashlib
import io
from datetime import timedelta
from pathlib import Path

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pypdf import PdfReader

from khue.kernel.sealing import pdf, trust
from khue.kernel.sealing.authority import DemoAuthority
from khue.kernel.sealing.checks import (
    CHANGED,
    CHANGED_AFTER,
    DAMAGED,
    FUTURE,
    MISSING,
    ORDER,
    ORGANISATION,
    ROLE,
    SAME_PERSON,
    Problem,
    SignatureCheck,
    judge,
)
from khue.kernel.sealing.identity import SignerRole
from khue.kernel.sealing.stamps import stamp
from khue.kernel.sealing.typeset import Template
from tests.kernel.sealing.conftest import (
    CODE,
    FIELDS,
    HOMEROOM,
    NOW,
    PRINCIPAL,
    REQUIREMENTS,
    SCHOOL,
    SEAL,
    STEPS,
    sign_in_order,
    signer,
)

LATER = NOW + timedelta(hours=1)


def check(data: bytes, authority: DemoAuthority) -> list[SignatureCheck]:
    return pdf.verify_pdf(data, authority.trust, now=LATER)


def test_three_signatures_in_order_are_accepted(sealed_pdf: bytes, authority: DemoAuthority) -> None:
    found = check(sealed_pdf, authority)
    assert [item.field for item in found] == [HOMEROOM, PRINCIPAL, SEAL]
    assert all(item.is_good for item in found)
    assert found[0].signer_name == "Nguyễn Thị Hoàng Yến"
    assert found[0].role is SignerRole.TEACHER
    assert (found[1].organisation, found[1].organisation_id) == (SCHOOL, CODE)
    assert found[2].signed_at == NOW + timedelta(minutes=2)
    assert judge(found, REQUIREMENTS, organisation_id=CODE) == ()


def test_the_earlier_files_are_prefixes_of_the_later(blank_pdf: bytes, sealed_pdf: bytes) -> None:
    assert sealed_pdf.startswith(blank_pdf)


def test_signing_the_same_twice_gives_the_same_bytes(blank_pdf: bytes, authority: DemoAuthority) -> None:
    assert sign_in_order(blank_pdf, authority, *STEPS) == sign_in_order(blank_pdf, authority, *STEPS)


def test_pdf_a_survives_signing(plain_pdf: bytes, blank_pdf: bytes, authority: DemoAuthority) -> None:
    data = blank_pdf
    for minute, (field, label) in enumerate(STEPS):
        key = signer(authority, label)
        moment = NOW + timedelta(minutes=minute)
        look = stamp(key.certificate, moment) if field != SEAL else None
        data = pdf.sign_pdf(data, field=field, signer=key, signed_at=moment, stamp=look)
    reader = PdfReader(io.BytesIO(data))
    root = reader.trailer["/Root"]
    xmp = root["/Metadata"].get_object().get_data().decode()
    before = PdfReader(io.BytesIO(plain_pdf)).trailer
    assert xmp == before["/Root"]["/Metadata"].get_object().get_data().decode()
    assert dict(reader.trailer["/Info"]) == dict(before["/Info"]), "it must go on agreeing with the XMP"
    assert "<pdfaid:part>2</pdfaid:part>" in xmp
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in xmp
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/OutputIntents"][0].get_object()["/S"] == "/GTS_PDFA1"
    assert len(reader.trailer["/ID"]) == 2
    form = root["/AcroForm"].get_object()
    assert "/NeedAppearances" not in form
    assert "/XFA" not in form
    widgets = [item.get_object() for page in reader.pages for item in page.get("/Annots", [])]
    assert len(widgets) == 3
    for widget in widgets:
        flags = widget["/F"]
        assert flags & 4, "a widget must print"
        assert not flags & 0b100011, "a widget must not be hidden, invisible or without view"
        assert "/A" not in widget
        assert "/AA" not in widget
        left, bottom, right, top = (float(side) for side in widget["/Rect"])
        if right > left and top > bottom:
            assert widget["/AP"].keys() == {"/N"}
    assert _fonts_without_file(reader) == []


def _fonts_without_file(reader: PdfReader) -> list[str]:
    """Return the fonts of the whole file, appearances of fields among them, that are not embedded."""
    bare = []
    for number in range(1, int(reader.trailer["/Size"])):
        item = reader.get_object(number)
        descriptor = isinstance(item, dict) and item.get("/Type") == "/FontDescriptor"
        if descriptor and not {"/FontFile", "/FontFile2", "/FontFile3"} & item.keys():
            bare.append(str(item.get("/FontName")))
    return bare


def test_a_changed_byte_is_found(sealed_pdf: bytes, authority: DemoAuthority) -> None:
    place = sealed_pdf.index(b"stream") + 40
    changed = bytearray(sealed_pdf)
    changed[place] ^= 1
    found = check(bytes(changed), authority)
    assert found
    assert {item.reason for item in found} <= {CHANGED, DAMAGED}
    assert judge(found, REQUIREMENTS) != ()


def test_any_changed_byte_is_found(sealed_pdf: bytes, authority: DemoAuthority) -> None:
    """A byte flipped at forty places spread over the file, never accepted and never an exception."""
    step = len(sealed_pdf) // 40
    for place in range(7, len(sealed_pdf), step):
        changed = bytearray(sealed_pdf)
        changed[place] ^= 0x15
        # The zeros that pad a signature value are the one part no signature covers; they say nothing.
        if sealed_pdf[place - 50 : place + 50].count(b"0") > 90:
            continue
        assert judge(check(bytes(changed), authority), REQUIREMENTS) != (), f"byte {place}"


@pytest.mark.parametrize("cut", [0, 10, 1000, -1, -400, -20000])
def test_a_truncated_file_is_not_accepted(sealed_pdf: bytes, authority: DemoAuthority, cut: int) -> None:
    assert judge(check(sealed_pdf[:cut], authority), REQUIREMENTS) != ()


@pytest.mark.parametrize(
    "junk", [b"", b"%PDF-1.7", b"\x00" * 5000, b"PK\x03\x04", b"%PDF-1.7\n1 0 obj<<" * 999]
)
def test_what_is_no_pdf_is_damaged(authority: DemoAuthority, junk: bytes) -> None:
    assert [item.reason for item in check(junk, authority)] == [DAMAGED]


def test_an_update_after_the_seal_is_found(sealed_pdf: bytes, authority: DemoAuthority) -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(sealed_pdf))
    page = writer.root["/Pages"]["/Kids"][0]
    overlay = writer.add_object(generic.StreamObject(stream_data=b"BT ET"))
    page["/Contents"] = generic.ArrayObject([page.raw_get("/Contents"), overlay])
    writer.update_container(page)
    output = io.BytesIO()
    writer.write(output)
    found = check(output.getvalue(), authority)
    assert {item.reason for item in found} == {CHANGED_AFTER}
    assert not any(item.covers_whole for item in found)


def test_an_empty_update_after_the_seal_is_found(sealed_pdf: bytes, authority: DemoAuthority) -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(sealed_pdf))
    writer.root["/Extra"] = generic.NullObject()
    writer.update_root()
    output = io.BytesIO()
    writer.write(output)
    assert {item.reason for item in check(output.getvalue(), authority)} == {CHANGED_AFTER}


def test_bytes_after_the_end_are_found(sealed_pdf: bytes, authority: DemoAuthority) -> None:
    found = check(sealed_pdf + b"\n% one more line\n", authority)
    assert judge(found, REQUIREMENTS) != ()


def test_the_last_update_taken_away_lacks_the_seal(blank_pdf: bytes, authority: DemoAuthority) -> None:
    found = check(sign_in_order(blank_pdf, authority, *STEPS[:2]), authority)
    assert all(item.is_good for item in found)
    assert judge(found, REQUIREMENTS) == (Problem(MISSING, SEAL),)


def test_no_signature_at_all(blank_pdf: bytes, plain_pdf: bytes, authority: DemoAuthority) -> None:
    assert check(blank_pdf, authority) == check(plain_pdf, authority) == []
    assert {item.code for item in judge([], REQUIREMENTS)} == {MISSING}


def test_the_wrong_order_is_named(blank_pdf: bytes, authority: DemoAuthority) -> None:
    found = check(sign_in_order(blank_pdf, authority, STEPS[1], STEPS[0], STEPS[2]), authority)
    assert all(item.is_good for item in found)
    assert {item.code for item in judge(found, REQUIREMENTS)} == {ORDER}


def test_the_wrong_role_and_the_same_key_twice_are_named(blank_pdf: bytes, authority: DemoAuthority) -> None:
    steps = ((HOMEROOM, "teacher"), (PRINCIPAL, "teacher"), (SEAL, "seal"))
    found = check(sign_in_order(blank_pdf, authority, *steps), authority)
    assert set(judge(found, REQUIREMENTS)) == {Problem(ROLE, PRINCIPAL), Problem(SAME_PERSON)}


def test_a_principal_of_another_school_is_named(blank_pdf: bytes, authority: DemoAuthority) -> None:
    steps = ((HOMEROOM, "teacher"), (PRINCIPAL, "stranger"), (SEAL, "seal"))
    found = check(sign_in_order(blank_pdf, authority, *steps), authority)
    assert judge(found, REQUIREMENTS, organisation_id=CODE) == (Problem(ORGANISATION, PRINCIPAL),)
    assert judge(found, REQUIREMENTS) == (Problem(ORGANISATION, PRINCIPAL),)


def test_a_foreign_authority_is_not_trusted(
    blank_pdf: bytes, authority: DemoAuthority, foreign: DemoAuthority
) -> None:
    data = pdf.sign_pdf(blank_pdf, field=HOMEROOM, signer=signer(foreign, "teacher"), signed_at=NOW)
    (found,) = check(data, authority)
    assert (found.intact, found.trusted, found.reason) == (True, False, trust.UNTRUSTED)
    assert check(data, foreign)[0].is_good, "control: its own authority trusts it"


def test_a_certificate_expired_at_signing(blank_pdf: bytes, authority: DemoAuthority) -> None:
    data = sign_in_order(blank_pdf, authority, (HOMEROOM, "expired"))
    assert check(data, authority)[0].reason == trust.EXPIRED
    early = sign_in_order(blank_pdf, authority, (HOMEROOM, "expired"), start=NOW - timedelta(days=100))
    assert check(early, authority)[0].reason in {trust.NOT_YET_VALID, trust.UNTRUSTED}


def test_a_certificate_that_expired_since_is_fine(sealed_pdf: bytes, authority: DemoAuthority) -> None:
    found = pdf.verify_pdf(sealed_pdf, authority.trust, now=NOW + timedelta(days=4 * 365))
    assert all(item.is_good for item in found)


def test_backdating_is_found_when_the_register_proves_the_moment(
    blank_pdf: bytes, authority: DemoAuthority
) -> None:
    data = sign_in_order(blank_pdf, authority, (HOMEROOM, "expired"), start=NOW - timedelta(days=30))
    assert check(data, authority)[0].is_good, "the claimed moment alone cannot be doubted"
    (found,) = pdf.verify_pdf(data, authority.trust, now=LATER, proven_at=NOW)
    assert found.reason == trust.EXPIRED


def test_a_signature_from_the_future_is_refused(blank_pdf: bytes, authority: DemoAuthority) -> None:
    data = sign_in_order(blank_pdf, authority, STEPS[0], start=LATER + timedelta(days=1))
    assert check(data, authority)[0].reason == FUTURE


def test_revocation_counts_from_its_day(blank_pdf: bytes, tmp_path: Path) -> None:
    own = DemoAuthority.create(tmp_path / "keys", now=NOW)
    own.issue_seal("seal", organisation=SCHOOL, organisation_id=CODE, now=NOW)
    before = sign_in_order(blank_pdf, own, (SEAL, "seal"))
    own.revoke("seal", now=NOW + timedelta(days=2))
    after = sign_in_order(blank_pdf, own, (SEAL, "seal"), start=NOW + timedelta(days=3))
    now = NOW + timedelta(days=4)
    assert pdf.verify_pdf(before, own.trust, now=now)[0].is_good
    assert pdf.verify_pdf(after, own.trust, now=now)[0].reason == trust.REVOKED


def test_a_field_is_signed_once(blank_pdf: bytes, authority: DemoAuthority) -> None:
    once = sign_in_order(blank_pdf, authority, STEPS[0])
    with pytest.raises(pdf.PdfSigningError, match="already"):
        sign_in_order(once, authority, STEPS[0])
    with pytest.raises(pdf.PdfSigningError):
        sign_in_order(blank_pdf, authority, ("Signature.nobody", "teacher"))
    with pytest.raises(pdf.PdfSigningError):
        pdf.place_fields(b"no pdf", ())


def test_a_signature_of_one_document_does_not_fit_another(
    template: Template, sealed_pdf: bytes, authority: DemoAuthority
) -> None:
    """The signature value of one file pasted into another with the same layout."""
    other = pdf.place_fields(template.render({"name": "Nguyễn Thị Hoàng Yên"}, created_at=NOW), FIELDS)
    other = sign_in_order(other, authority, *STEPS)
    mine, theirs = (PdfFileReader(io.BytesIO(data)).embedded_signatures[0] for data in (sealed_pdf, other))
    wanted, present = (bytes(item.pkcs7_content).hex().encode() for item in (mine, theirs))
    assert present.lower() in other.lower()
    start = other.lower().index(present.lower())
    pasted = other[:start] + wanted + other[start + len(present) :]
    assert len(pasted) == len(other)
    assert check(pasted, authority)[0].reason == CHANGED


def test_the_registers_hashes_of_each_stage_stand_in_for_the_analysis(
    blank_pdf: bytes, authority: DemoAuthority
) -> None:
    stages, data = {}, blank_pdf
    for minute, (field, label) in enumerate(STEPS):
        moment = NOW + timedelta(minutes=minute)
        data = pdf.sign_pdf(data, field=field, signer=signer(authority, label), signed_at=moment)
        stages[field] = hashlib.sha256(data).hexdigest()
    found = pdf.verify_pdf(data, authority.trust, now=LATER, stages=stages)
    assert judge(found, REQUIREMENTS) == ()
    wrong = stages | {PRINCIPAL: "0" * 64}
    found = pdf.verify_pdf(data, authority.trust, now=LATER, stages=wrong)
    assert [item.reason for item in found] == ["", CHANGED_AFTER, ""]
    found = pdf.verify_pdf(data, authority.trust, now=LATER, stages={})
    assert {item.reason for item in found} == {CHANGED_AFTER}
    changed = bytearray(data)
    changed[data.index(b"stream") + 40] ^= 1
    found = pdf.verify_pdf(bytes(changed), authority.trust, now=LATER, stages=stages)
    assert judge(found, REQUIREMENTS) != ()


def test_signing_and_verifying_work_where_an_event_loop_runs(
    blank_pdf: bytes, authority: DemoAuthority
) -> None:
    async def work() -> list[SignatureCheck]:
        return check(sign_in_order(blank_pdf, authority, STEPS[0]), authority)

    assert asyncio.run(work())[0].is_good


def test_fields_may_come_with_the_first_signature(plain_pdf: bytes, authority: DemoAuthority) -> None:
    key = signer(authority, "teacher")
    first = pdf.sign_pdf(plain_pdf, field=HOMEROOM, signer=key, signed_at=NOW, fields=FIELDS)
    found = check(sign_in_order(first, authority, *STEPS[1:], start=NOW + timedelta(minutes=1)), authority)
    assert judge(found, REQUIREMENTS, organisation_id=CODE) == ()
    with pytest.raises(pdf.PdfSigningError):
        pdf.sign_pdf(b"no pdf", field=HOMEROOM, signer=key, signed_at=NOW, fields=FIELDS)
