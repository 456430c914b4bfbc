"""A demo authority made once, signers of one school, and small files to sign."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from khue.kernel.sealing import pdf, xml
from khue.kernel.sealing.authority import DemoAuthority
from khue.kernel.sealing.checks import Requirement
from khue.kernel.sealing.identity import Identity, SignerRole
from khue.kernel.sealing.signers import FileSigner
from khue.kernel.sealing.typeset import Template

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
SCHOOL, CODE = "Trường THCS Lê Quí Đôn", "86000501"
HOMEROOM, PRINCIPAL, SEAL = "Signature.homeroom", "Signature.principal", "Signature.seal"
REQUIREMENTS = (
    Requirement(HOMEROOM, frozenset({SignerRole.TEACHER})),
    Requirement(PRINCIPAL, frozenset({SignerRole.PRINCIPAL, SignerRole.VICE_PRINCIPAL})),
    Requirement(SEAL, frozenset({SignerRole.SEAL})),
)
FIELDS = (
    pdf.Field(HOMEROOM, "Giáo viên chủ nhiệm", (50, 20, 203, 90)),
    pdf.Field(PRINCIPAL, "Hiệu trưởng", (50, 95, 203, 165)),
    pdf.Field(SEAL, "Con dấu", None),
)
TYP = """#set page(width: 12cm, height: 8cm)
#set text(font: "Noto Serif", lang: "vi")
#set document(title: "Mẫu")
#let data = json(bytes(sys.inputs.data))
#data.name
"""


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> DemoAuthority:
    """A demo authority with the keys of one school."""
    authority = DemoAuthority.create(tmp_path_factory.mktemp("authority") / "keys", now=NOW)
    people = {
        "teacher": Identity("Nguyễn Thị Hoàng Yến", SignerRole.TEACHER, SCHOOL, CODE, "KH-1"),
        "principal": Identity("Trần Văn Đại", SignerRole.PRINCIPAL, SCHOOL, CODE, "KH-2"),
        "stranger": Identity("Lê Văn Lạ", SignerRole.PRINCIPAL, "Trường THCS Khác", "86000999", "KH-3"),
    }
    for label, identity in people.items():
        authority.issue(label, identity, now=NOW)
    authority.issue(
        "expired", people["teacher"], now=NOW, valid=(NOW - timedelta(days=90), NOW - timedelta(days=1))
    )
    authority.issue_seal("seal", organisation=SCHOOL, organisation_id=CODE, now=NOW)
    return authority


@pytest.fixture(scope="session")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> DemoAuthority:
    """Another authority that nobody trusts, with a teacher of the same name."""
    other = DemoAuthority.create(tmp_path_factory.mktemp("foreign") / "keys", now=NOW)
    other.issue("teacher", Identity("Nguyễn Thị Hoàng Yến", SignerRole.TEACHER, SCHOOL, CODE), now=NOW)
    return other


def signer(authority: DemoAuthority, label: str) -> FileSigner:
    """Return the signer whose key lies under `label`."""
    return FileSigner(authority.path_of(label), authority.password)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A one-page template that prints a name."""
    path: Path = tmp_path_factory.mktemp("template") / "mau.typ"
    path.write_text(TYP)
    return Template(path)


@pytest.fixture(scope="session")
def plain_pdf(template: Template) -> bytes:
    """A PDF/A-2a without fields."""
    return template.render({"name": "Nguyễn Thị Hoàng Yến"}, created_at=NOW)


@pytest.fixture(scope="session")
def blank_pdf(plain_pdf: bytes) -> bytes:
    """The same with its three empty fields."""
    return pdf.place_fields(plain_pdf, FIELDS)


def sign_in_order(
    data: bytes, authority: DemoAuthority, *steps: tuple[str, str], start: datetime = NOW
) -> bytes:
    """Return a PDF signed field by field, a minute apart; a step is (field, label)."""
    for minute, (field, label) in enumerate(steps):
        moment = start + timedelta(minutes=minute)
        data = pdf.sign_pdf(data, field=field, signer=signer(authority, label), signed_at=moment)
    return data


STEPS = ((HOMEROOM, "teacher"), (PRINCIPAL, "principal"), (SEAL, "seal"))


@pytest.fixture(scope="session")
def sealed_pdf(blank_pdf: bytes, authority: DemoAuthority) -> bytes:
    """The PDF with all three signatures."""
    return sign_in_order(blank_pdf, authority, *STEPS)


RAW_XML = """<?xml version='1.0' encoding='UTF-8'?>
<record xmlns="urn:example:record"><content Id="content"><name>Nguyễn Thị Hoàng Yến</name><mark>8.3</mark></content></record>"""


def sign_xml_in_order(data: bytes, authority: DemoAuthority, *steps: tuple[str, str]) -> bytes:
    """Return an XML file signed field by field, a minute apart."""
    for minute, (field, label) in enumerate(steps):
        moment = NOW + timedelta(minutes=minute)
        data = xml.sign_xml(data, field=field, signer=signer(authority, label), signed_at=moment)
    return data


@pytest.fixture(scope="session")
def sealed_xml(authority: DemoAuthority) -> bytes:
    """The XML file with all three signatures."""
    return sign_xml_in_order(RAW_XML.encode(), authority, *STEPS)
