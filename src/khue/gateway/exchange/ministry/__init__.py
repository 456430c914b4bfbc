"""The ministry's file: records in the field names, types, lengths and lists of QĐ 4998/QĐ-BGDĐT.

    report = ministry.write_ministry_files(actor=actor, school_year=2025, folder=Path("out"), now=now)
"""

from __future__ import annotations

from typing import Any


def write_ministry_files(**values: Any) -> dict[str, Any]:
    """Write the files and return the report; arguments as of `writing.write_ministry_files`."""
    from khue.gateway.exchange.ministry import writing

    return writing.write_ministry_files(**values)
