"""Documents from Typst templates: PDF/A, tagged, the same bytes for the same data.

Data enters only as JSON through `sys.inputs`, never as source text; the template sees its own folder
and nothing else. Fonts come from installed packages, system fonts are ignored. A template keeps its
compiler warm, which is some four times faster than starting anew for each document.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

import typst

FONT_PACKAGES = ("fontpkg_noto_serif", "fontpkg_noto_sans")
Standard = Literal["a-2a", "a-2b"]
STANDARD: Standard = "a-2a"


class TypesettingError(Exception):
    """The template refuses the data, or cannot be compiled."""


@cache
def fonts() -> typst.Fonts:
    """Return the fonts of the installed font packages, found once."""
    folders = [str(resources.files(name) / "files") for name in FONT_PACKAGES]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)


class Template:
    """One Typst file; may be kept for the life of the process and used by several threads in turn."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._compiler: typst.Compiler | None = None

    def render(
        self, data: Mapping[str, object], *, created_at: datetime, standard: Standard | None = STANDARD
    ) -> bytes:
        """Return the document for `data` as PDF bytes.

        data        JSON values only
        created_at  aware; stands in the file's metadata instead of the clock

        Raises TypesettingError with Typst's own words when the template refuses the data.
        """
        inputs = {"data": json.dumps(data, ensure_ascii=False)}
        with self._lock:
            if self._compiler is None:
                self._compiler = typst.Compiler(
                    str(self.path),
                    root=str(self.path.parent),
                    font_paths=fonts(),
                    ignore_system_fonts=True,
                )
            try:
                pdf = self._compiler.compile(
                    format="pdf",
                    sys_inputs=inputs,
                    pdf_standards=[standard] if standard else [],
                    timestamp=int(created_at.timestamp()),
                )
            except typst.TypstError as error:
                raise TypesettingError(str(error)) from error
        assert isinstance(pdf, bytes)
        return pdf
