"""What a filled signature field shows: who signed, as what, when.

Decree 30/2020 on records work shows a person's digital signature in blue and an organisation's in red;
the text follows that. One stamp serves all documents of a batch signed within the same minute.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path

from cryptography import x509

from khue.kernel.sealing.identity import SignerRole, identity_of
from khue.kernel.sealing.typeset import Template

VIETNAM = timezone(timedelta(hours=7))
_TEMPLATE = Template(Path(__file__).parent / "stamp" / "stamp.typ")


def stamp(certificate: x509.Certificate, signed_at: datetime) -> bytes:
    """Return a one-page PDF of 153 x 70 points for the holder of `certificate`; `signed_at` is aware."""
    return _stamp(certificate, signed_at.astimezone(VIETNAM).replace(second=0, microsecond=0))


@lru_cache(maxsize=64)
def _stamp(certificate: x509.Certificate, minute: datetime) -> bytes:
    identity = identity_of(certificate)
    data = {
        "name": identity.name,
        "title": identity.title,
        "organisation": identity.organisation,
        "signed": minute.strftime("%d/%m/%Y %H:%M"),
        "seal": identity.role is SignerRole.SEAL,
    }
    return _TEMPLATE.render(data, created_at=minute, standard="a-2b")
