"""Signed XML files: accepted as signed, every tampering found, hostile XML refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from lxml import etree

from khue.kernel.sealing import trust, xml
from khue.kernel.sealing.authority import DemoAuthority
from khue.kernel.sealing.checks import (
    CHANGED,
    CHANGED_AFTER,
    DAMAGED,
    FUTURE,
    MISSING,
    ORDER,
    REFERENCES,
    Problem,
    judge,
)
from tests.kernel.sealing.conftest import (
    CODE,
    HOMEROOM,
    NOW,
    PRINCIPAL,
    RAW_XML,
    REQUIREMENTS,
    SEAL,
    STEPS,
    sign_xml_in_order,
    signer,
)

LATER = NOW + timedelta(hours=1)
CONTENT = "{urn:example:record}content"


def check(data: bytes, authority: DemoAuthority) -> xml.XmlVerification:
    return xml.verify_xml(data, authority.trust, now=LATER)


def reasons(data: bytes, authority: DemoAuthority) -> list[str]:
    return [item.reason for item in check(data, authority).checks]


def edit(data: bytes) -> etree._Element:
    return etree.fromstring(data)


def test_three_signatures_in_order_are_accepted(sealed_xml: bytes, authority: DemoAuthority) -> None:
    result = check(sealed_xml, authority)
    assert [item.field for item in result.checks] == [HOMEROOM, PRINCIPAL, SEAL]
    assert all(item.is_good for item in result.checks)
    assert judge(result.checks, REQUIREMENTS, organisation_id=CODE) == ()
    assert result.checks[1].signed_at == NOW + timedelta(minutes=1)
    assert result.content is not None
    signed = etree.fromstring(result.content)
    assert signed.findtext("{urn:example:record}name") == "Nguyễn Thị Hoàng Yến"


def test_signing_is_deterministic(sealed_xml: bytes, authority: DemoAuthority) -> None:
    assert sign_xml_in_order(RAW_XML.encode(), authority, *STEPS) == sealed_xml


def test_a_changed_mark_breaks_all_three(sealed_xml: bytes, authority: DemoAuthority) -> None:
    changed = sealed_xml.replace(b"<mark>8.3</mark>", b"<mark>9.3</mark>")
    result = check(changed, authority)
    assert {item.reason for item in result.checks} == {CHANGED}
    assert result.content is None


def test_white_space_in_the_content_counts(sealed_xml: bytes, authority: DemoAuthority) -> None:
    assert set(reasons(sealed_xml.replace(b"<mark>", b" <mark>"), authority)) == {CHANGED}


def test_a_changed_earlier_signature_breaks_the_later(sealed_xml: bytes, authority: DemoAuthority) -> None:
    root = edit(sealed_xml)
    value = root.find(f".//{{{xml.DS}}}SignatureValue")
    assert value is not None
    value.text = ("A" if value.text[0] != "A" else "B") + value.text[1:]
    assert reasons(xml.to_bytes(root), authority) == [CHANGED, CHANGED, CHANGED]


def test_an_earlier_signature_taken_away_is_found(sealed_xml: bytes, authority: DemoAuthority) -> None:
    root = edit(sealed_xml)
    container = root[1]
    container.remove(container[0])
    assert set(reasons(xml.to_bytes(root), authority)) == {CHANGED}


def test_the_last_signature_taken_away_is_missing(sealed_xml: bytes, authority: DemoAuthority) -> None:
    root = edit(sealed_xml)
    root[1].remove(root[1][2])
    result = check(xml.to_bytes(root), authority)
    assert judge(result.checks, REQUIREMENTS) == (Problem(MISSING, SEAL),)


def test_the_wrong_order_is_named(authority: DemoAuthority) -> None:
    data = sign_xml_in_order(RAW_XML.encode(), authority, STEPS[1], STEPS[0], STEPS[2])
    result = check(data, authority)
    assert all(item.is_good for item in result.checks)
    assert {item.code for item in judge(result.checks, REQUIREMENTS)} == {ORDER}


def test_signatures_that_trade_places_are_found(sealed_xml: bytes, authority: DemoAuthority) -> None:
    root = edit(sealed_xml)
    container = root[1]
    container.insert(0, container[1])
    assert set(reasons(xml.to_bytes(root), authority)) & {CHANGED, REFERENCES}


def test_a_renamed_field_is_found(authority: DemoAuthority) -> None:
    data = sign_xml_in_order(RAW_XML.encode(), authority, STEPS[0])
    for name in (f'field="{HOMEROOM}"', f'Id="{HOMEROOM}"'):
        data = data.replace(name.encode(), name.replace(HOMEROOM, PRINCIPAL).encode())
    assert reasons(data, authority) == [REFERENCES]


def test_a_wrapped_signature_does_not_lend_its_content(sealed_xml: bytes, authority: DemoAuthority) -> None:
    """The signed content hidden deeper, a false one in its place."""
    for false_id in ("content", "other"):
        root = edit(sealed_xml)
        true = root[0]
        false = etree.fromstring(etree.tostring(true).replace(b"8.3", b"10"))
        false.set("Id", false_id)
        root.replace(true, false)
        etree.SubElement(root, "hidden").append(true)
        result = check(xml.to_bytes(root), authority)
        assert not any(item.is_good for item in result.checks)
        assert result.content is None or b"8.3" in result.content
        assert judge(result.checks, REQUIREMENTS) != ()


@pytest.mark.parametrize(
    "old,new",
    [
        (b"</record>", b"<extra/></record>"),
        (b"</record>", b"text</record>"),
        (b"<record ", b'<record state="revoked" '),
        (b"</record>", b"</record><!-- after -->"),
        (b"<s:signatures ", b'<s:signatures note="x" '),
    ],
)
def test_anything_beside_the_content_is_found(
    sealed_xml: bytes, authority: DemoAuthority, old: bytes, new: bytes
) -> None:
    assert old in sealed_xml
    assert set(reasons(sealed_xml.replace(old, new, 1), authority)) == {CHANGED_AFTER}


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE record [<!ENTITY x "y">]>',
        '<!DOCTYPE record SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE record [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    ],
)
def test_a_dtd_is_refused(sealed_xml: bytes, authority: DemoAuthority, head: str) -> None:
    hostile = sealed_xml.replace(b"<record ", head.encode() + b"<record ", 1)
    with pytest.raises(xml.XmlRefused):
        xml.parse_xml(hostile)
    assert reasons(hostile, authority) == [DAMAGED]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not xml",
        b"<a><b></a>",
        RAW_XML.replace("UTF-8", "UTF-16").encode("utf-16"),
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16"),
        b"<a>" * 100_000,
        b"<a>&undeclared;</a>",
        b"<a>" + b" " * xml.MAXIMUM_BYTES + b"</a>",
    ],
    ids=["empty", "text", "unclosed", "utf-16", "utf-16 dtd", "deep", "entity", "large"],
)
def test_what_is_not_our_xml_is_damaged(authority: DemoAuthority, data: bytes) -> None:
    assert reasons(data, authority) == [DAMAGED]


def test_a_harmless_twin_with_a_byte_order_mark_is_read(sealed_xml: bytes, authority: DemoAuthority) -> None:
    assert reasons(b"\xef\xbb\xbf" + sealed_xml, authority) == ["", "", ""]


def test_a_foreign_authority_is_not_trusted(authority: DemoAuthority, foreign: DemoAuthority) -> None:
    data = sign_xml_in_order(RAW_XML.encode(), foreign, (HOMEROOM, "teacher"))
    (found,) = check(data, authority).checks
    assert (found.intact, found.trusted, found.reason) == (True, False, trust.UNTRUSTED)
    assert check(data, foreign).checks[0].is_good


def test_a_swapped_certificate_is_found(authority: DemoAuthority) -> None:
    """The certificate of another holder put in place of the signer's."""
    data = sign_xml_in_order(RAW_XML.encode(), authority, STEPS[0])
    other = sign_xml_in_order(RAW_XML.encode(), authority, (HOMEROOM, "principal"))
    path = f".//{{{xml.DS}}}X509Certificate"
    root = edit(data)
    root.find(path).text = edit(other).find(path).text
    assert reasons(xml.to_bytes(root), authority) == [CHANGED]


def test_expired_and_future(authority: DemoAuthority) -> None:
    data = sign_xml_in_order(RAW_XML.encode(), authority, (HOMEROOM, "expired"))
    assert reasons(data, authority) == [trust.EXPIRED]
    late = xml.sign_xml(
        RAW_XML.encode(),
        field=HOMEROOM,
        signer=signer(authority, "teacher"),
        signed_at=LATER + timedelta(days=1),
    )
    assert reasons(late, authority) == [FUTURE]


def test_a_field_is_signed_once_and_only_with_content(authority: DemoAuthority) -> None:
    key = signer(authority, "teacher")
    once = sign_xml_in_order(RAW_XML.encode(), authority, STEPS[0])
    with pytest.raises(xml.XmlSigningError, match="already"):
        xml.sign_xml(once, field=HOMEROOM, signer=key, signed_at=NOW)
    with pytest.raises(xml.XmlSigningError, match="content"):
        xml.sign_xml(b"<a><b/></a>", field=HOMEROOM, signer=key, signed_at=NOW)
    with pytest.raises(xml.XmlSigningError, match="name"):
        xml.sign_xml(RAW_XML.encode(), field="a']/b['", signer=key, signed_at=NOW)


def test_no_signature_gives_no_check(authority: DemoAuthority) -> None:
    assert check(RAW_XML.encode(), authority) == xml.XmlVerification((), None)
