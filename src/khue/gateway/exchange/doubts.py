"""What makes a whole file doubtful: it says it is of another year or school, or a column does not hold what it is taken for.

A doubt is asked, never decided: the file is checked as always, and written only after somebody has said that it is right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from khue.gateway.exchange.kinds import Kind
from khue.gateway.exchange.kinds.base import Parsed
from khue.gateway.exchange.mapping import folded
from khue.gateway.exchange.reasons import Reason, reason
from khue.gateway.exchange.sheets import RawCell
from khue.gateway.exchange.sheets.cells import as_text
from khue.kernel import text
from khue.register.orgs.models import Unit

FEWEST_ROWS = 5
MOSTLY = 0.8
"""A column is taken for another one when so many of at least FEWEST_ROWS rows cannot be read in it."""

_SAID_YEAR = re.compile(r"nam hoc\D{0,12}(20\d\d)\s*[-–—/_. ]+\s*(20\d\d|\d\d)(?!\d)")
_NAMED_YEAR = re.compile(r"(?<!\d)(20\d\d)\s*[-–—_.]\s*(20\d\d)(?!\d)")
_SHORT = (
    ("pho thong dan toc noi tru", "ptdtnt"), ("pho thong dan toc ban tru", "ptdtbt"), ("trung hoc pho thong", "thpt"), ("trung hoc co so", "thcs"),
    ("tieu hoc", "th"), ("mam non", "mn"), ("mau giao", "mg"),
)  # fmt: skip
_LEVELS = {"thpt", "thcs", "th", "mn", "mg", "ptdtnt", "ptdtbt"}
_FILLERS = {"truong", "va", "cap", "xa", "phuong", "thi", "tran"}
_SCHOOL = re.compile(r"\btruong +(?:(?:thpt|thcs|th|mn|mg|ptdtnt|ptdtbt)\b[ ,&]*(?:va +)?)+[^()]*")
_CODE_COLUMNS = {"ma truong", "truong id", "ma truong hoc", "ma don vi"}


def of_file(rows: Sequence[Sequence[RawCell]], first: int, labels: Sequence[str], *, below: int, names: Iterable[str], school: Unit, school_year: int) -> list[Reason]:
    """Return what the lines above the heading, a column of school codes and the names of sheet and file say against year and school.

    first  row of the heading from 0; below  first row of the data
    """
    above = [" ".join(as_text(cell) for cell in row if cell not in ("", None)) for row in rows[:first]]
    found = [*_years(above, names, school_year), *_schools(above, school)]
    return [*found, *_codes(rows[below:], labels, school)]


def _years(above: Sequence[str], names: Iterable[str], school_year: int) -> list[Reason]:
    said = [int(one[1]) for line in above for one in _SAID_YEAR.finditer(text.fold(line))]
    said += [int(one[1]) for name in names for one in _NAMED_YEAR.finditer(name) if int(one[2]) == int(one[1]) + 1]
    if not said or school_year in said:
        return []
    return [reason("other-year", said=f"{said[0]}–{said[0] + 1}", chosen=f"{school_year}–{school_year + 1}")]


def _plain(line: str) -> str:
    plain = folded(line)
    for long, short in _SHORT:
        plain = plain.replace(long, short)
    return plain


def _schools(above: Sequence[str], school: Unit) -> list[Reason]:
    mine = _plain(school.name).split()
    core, levels = set(mine) - _LEVELS - _FILLERS, set(mine) & _LEVELS
    named = [one[0] for line in above if (one := _SCHOOL.search(_plain(line)))]
    for line in named:
        words = set(line.split())
        if core <= words and (not levels or levels & words):
            return []
    if not named or not core:
        return []
    return [reason("other-school", said=_as_written(above), school=school.name)]


def _as_written(above: Sequence[str]) -> str:
    """Return the line that names a school, as the file writes it, at most 120 letters."""
    return next(line.strip() for line in above if _SCHOOL.search(_plain(line)))[:120]


def _codes(rows: Sequence[Sequence[RawCell]], labels: Sequence[str], school: Unit) -> list[Reason]:
    column = next((n for n, label in enumerate(labels) if folded(label) in _CODE_COLUMNS), None)
    if column is None:
        return []
    told = Counter(as_text(row[column]).strip() for row in rows if column < len(row) and row[column] not in ("", None))
    other = [code for code in told if code and code != school.code]
    return [reason("other-code", said=other[0][:20], count=sum(told[code] for code in other), school=school.name)] if other and school.code else []


def of_rows(kind: Kind, parsed: Parsed, *, renamed: int = 0, met: int = 0) -> list[Reason]:
    """Return which columns do not hold what they are taken for: most rows cannot be read there, or all say one name.

    renamed  people whose name the file would change, of those it met
    """
    total = len(parsed.numbers)
    if total < FEWEST_ROWS:
        return []
    if renamed >= FEWEST_ROWS and renamed * 2 > met:
        return [reason("names-shifted", "name", count=renamed, total=met)]
    unread = Counter(one.field for why in parsed.problems.values() for one in {r.field: r for r in why if r.field and r.code != "missing"}.values())
    titles = {one.code: str(one.title) for one in kind.fields}
    found = [reason("column-unread", code, title=titles.get(code, code), count=count, total=total) for code, count in unread.items() if count >= MOSTLY * total]
    names = Counter(name for name in parsed.columns.get("name", ()) if name)
    if names and kind.code in ("learners", "staff"):
        name, most = names.most_common(1)[0]
        if most >= FEWEST_ROWS and most > total / 2:
            found.append(reason("column-same", "name", title=titles["name"], text=name, count=most, total=total))
    return found
