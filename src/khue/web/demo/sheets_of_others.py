"""Published sheets of real schools, where an installation has them at hand (folder in KHUE_SAMPLES).

They are read where they lie and never copied into the project. Without them the demo invents its own.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from python_calamine import CalamineWorkbook

PATTERN = "timetabling/vn-teaching-assignment/*vnedu-layout.xlsx"
CLASS = re.compile(r"([^,(]+)\((\d+)\)")


def folder() -> Path | None:
    """Return the folder of samples: KHUE_SAMPLES, else `shared/data` beside the project, else None."""
    named = os.environ.get("KHUE_SAMPLES")
    candidate = Path(named) if named else Path(__file__).resolve().parents[5] / "shared" / "data"
    return candidate if candidate.is_dir() else None


def path(samples: Path | None) -> Path | None:
    """Return the published teaching assignment of an upper secondary school, or None."""
    return next(iter(sorted(samples.glob(PATTERN))), None) if samples else None


def _rows(sheet: Path) -> list[tuple[str, str, str]]:
    book = CalamineWorkbook.from_path(str(sheet))
    rows = book.get_sheet_by_name(book.sheet_names[0]).to_python()[1:]
    return [(str(row[0]).strip(), str(row[1]).strip(), str(row[2])) for row in rows if row and row[0]]


def lines(sheet: Path) -> list[tuple[str, str, str, int]]:
    """Return (teacher, subject, class, periods a week) of a sheet in vnEdu's layout."""
    return [
        (teacher, subject, name.strip(), int(periods))
        for teacher, subject, classes in _rows(sheet)
        for name, periods in CLASS.findall(classes)
    ]


def class_names(samples: Path | None) -> tuple[str, ...]:
    """Return the classes the published assignment names, in order; empty without it."""
    sheet = path(samples)
    return tuple(dict.fromkeys(name for _t, _s, name, _p in lines(sheet))) if sheet else ()


def teachers(samples: Path | None) -> dict[str, str] | None:
    """Return the teachers of the published assignment with their main subject; None without it."""
    sheet = path(samples)
    if sheet is None:
        return None
    found: dict[str, str] = {}
    for teacher, subject, _classes in _rows(sheet):
        found.setdefault(teacher, subject)
    return found
