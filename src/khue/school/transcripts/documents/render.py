"""From the content of a transcript to its printed form, PDF/A-2a and tagged, with places for signatures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from khue.kernel.pictures import qr_svg
from khue.kernel.sealing.fields import Field
from khue.kernel.sealing.typeset import Template

_FOLDER = Path(__file__).parent
_PRIMARY = Template(_FOLDER / "primary.typ")
_SECONDARY = Template(_FOLDER / "secondary.typ")

HOMEROOM, PRINCIPAL, SEAL = "Signature.homeroom", "Signature.principal", "Signature.seal"

_POINTS = 72 / 25.4
# As in common.typ: left margin 18 mm, three columns of 54 mm with gutters of 6 mm, the boxes 26 mm high
# above names of 10 mm above the bottom margin of 20 mm.
_BOTTOM, _TOP = 30.5, 55.5


def _box(left_mm: float) -> tuple[int, int, int, int]:
    corners = (left_mm, _BOTTOM, left_mm + 54, _TOP)
    x1, y1, x2, y2 = (round(side * _POINTS) for side in corners)
    return x1, y1, x2, y2


FIELDS = (
    Field(HOMEROOM, "Chữ ký số của giáo viên chủ nhiệm", _box(18)),
    Field(PRINCIPAL, "Chữ ký số của hiệu trưởng", _box(138)),
    Field(SEAL, "Con dấu số của nhà trường", _box(78)),
)
"""The signature fields, in the order in which they are signed."""


def render(content: Mapping[str, Any], *, verification_address: str, created_at: datetime) -> bytes:
    """Return the document as PDF/A-2a; the first signature adds `FIELDS` on its last page.

    content               as `content.py` describes it
    verification_address  where the public can check the document; stands in the QR code
    created_at            aware; goes into the file's metadata

    The same arguments give the same bytes. Raises TypesettingError when content lacks a part.
    """
    template = _PRIMARY if content["level"] == "primary" else _SECONDARY
    data = {
        "content": content,
        "verification": {"address": verification_address, "qr": qr_svg(verification_address)},
    }
    return template.render(data, created_at=created_at)
