"""Reads an XLS from standard input in a process of its own, with limits on memory and time; answers in JSON."""

from __future__ import annotations

import io
import json
import resource
import sys

import python_calamine

DATE = "date"
"""Key of a date in the answer: JSON has none."""


def main() -> int:
    """Write sheet name to (rows, merged ranges) on standard output; return 0, or 1 with the reason's name."""
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
        found = {}
        for name in workbook.sheet_names:
            sheet = workbook.get_sheet_by_name(name)
            end = sheet.end
            if end and (end[0] + 1) * (end[1] + 1) > 5_000_000:
                return 1
            rows = sheet.to_python(skip_empty_area=False)
            while rows and not any(cell not in ("", None) for cell in rows[-1]):
                rows.pop()
            found[name] = (rows, [(*start, *stop) for start, stop in sheet.merged_cell_ranges or ()])
    except python_calamine.PasswordError:
        sys.stderr.write("password")
        return 1
    except (python_calamine.CalamineError, MemoryError, OSError, ValueError):
        sys.stderr.write("damaged")
        return 1
    json.dump(found, sys.stdout, default=lambda moment: {DATE: moment.isoformat() if hasattr(moment, "isoformat") else str(moment)})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
