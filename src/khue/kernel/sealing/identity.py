"""Who a certificate says its holder is: name, role, organisation.

The subject carries them in standard attributes, so that any PDF reader shows them too: commonName the
person (or the organisation, for a seal), title the role in Vietnamese, organizationName the
organisation, organizationIdentifier its code, serialNumber the holder's own identifier. A long name is
cut at a word; the codes are what a verifier compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cryptography import x509
from cryptography.x509.oid import NameOID


class SignerRole(StrEnum):
    """In what capacity a certificate's holder signs."""

    TEACHER = "teacher"
    VICE_PRINCIPAL = "vice_principal"
    PRINCIPAL = "principal"
    OFFICER = "officer"
    SEAL = "organisation_seal"


TITLES: dict[SignerRole, str] = {
    SignerRole.TEACHER: "Giáo viên",
    SignerRole.VICE_PRINCIPAL: "Phó hiệu trưởng",
    SignerRole.PRINCIPAL: "Hiệu trưởng",
    SignerRole.OFFICER: "Cán bộ quản lý",
    SignerRole.SEAL: "Con dấu của cơ quan, tổ chức",
}
NAME_BYTES = 64  # X.520's bound of a name's part, as the X.509 library counts it
_ROLES = {title: role for role, title in TITLES.items()}


@dataclass(frozen=True, slots=True)
class Identity:
    """The holder of a certificate.

    role             None when the certificate's title is not one of ours
    organisation_id  the organisation's code, "" when the certificate has none
    holder_id        the person's or the organisation's own identifier, "" when it has none
    """

    name: str
    role: SignerRole | None
    organisation: str = ""
    organisation_id: str = ""
    holder_id: str = ""

    @property
    def title(self) -> str:
        """Return the role as it is written in the certificate, "" without one."""
        return TITLES[self.role] if self.role else ""


def fitting(text: str) -> str:
    """Return as many whole words of `text` as fit into a name's part (64 bytes of UTF-8 at most)."""
    if len(text.encode()) <= NAME_BYTES:
        return text
    cut = text.encode()[:NAME_BYTES].decode(errors="ignore")
    return cut.rsplit(" ", 1)[0] if " " in cut else cut


def subject_of(identity: Identity) -> x509.Name:
    """Return the subject name of a certificate for `identity`. Raises ValueError for an empty name."""
    parts = [x509.NameAttribute(NameOID.COUNTRY_NAME, "VN")]
    for oid, value in (
        (NameOID.ORGANIZATION_NAME, identity.organisation),
        (NameOID.ORGANIZATION_IDENTIFIER, identity.organisation_id),
        (NameOID.TITLE, identity.title),
        (NameOID.SERIAL_NUMBER, identity.holder_id),
    ):
        if value:
            parts.append(x509.NameAttribute(oid, fitting(value)))
    parts.append(x509.NameAttribute(NameOID.COMMON_NAME, fitting(identity.name)))
    return x509.Name(parts)


def identity_of(certificate: x509.Certificate) -> Identity:
    """Return what the certificate's subject says; parts that are absent are "" or None."""

    def first(oid: x509.ObjectIdentifier) -> str:
        found = certificate.subject.get_attributes_for_oid(oid)
        return str(found[0].value) if found else ""

    return Identity(
        name=first(NameOID.COMMON_NAME),
        role=_ROLES.get(first(NameOID.TITLE)),
        organisation=first(NameOID.ORGANIZATION_NAME),
        organisation_id=first(NameOID.ORGANIZATION_IDENTIFIER),
        holder_id=first(NameOID.SERIAL_NUMBER),
    )
