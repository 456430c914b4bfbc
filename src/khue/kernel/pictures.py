"""Pictures made of text."""

from __future__ import annotations

import io

import segno

MASK = 2


def qr_svg(text: str, *, border: int = 2, **look: object) -> str:
    """Return the QR code of a text as an SVG picture with a quiet zone of `border` modules, error correction M.

    The mask is fixed: choosing the best of eight takes four times as long, and a reader takes any. `look` goes to segno:
    `light` is the colour of the ground, none by default; `omitsize` lets the page say how large the picture is.
    """
    picture = io.BytesIO()
    segno.make(text, error="m", micro=False, mask=MASK).save(picture, kind="svg", border=border, xmldecl=False, **look)
    return picture.getvalue().decode()
