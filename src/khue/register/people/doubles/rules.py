"""How sure a pair of files makes us that both are of one person: points for what is alike, points against.

Every rule is one row of RULES with its sentence, so a page shows each line of the sum. Points add up to at most 100; a
pair is shown from LISTED on. Two different personal numbers settle it: two people. No database, no clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from khue.kernel.text import fold

LISTED, LIKELY, SURE = 55, 70, 85
"""From which points on a pair is shown, is called likely, is called almost sure."""

RULES: dict[str, tuple[int, str | Promise]] = {
    "number-same": (100, _("cùng số định danh cá nhân")),
    "number-differs": (-100, _("hai số định danh cá nhân khác nhau")),
    "name-same": (36, _("họ tên giống hệt")),
    "name-unaccented": (32, _("họ tên giống nhau khi bỏ dấu")),
    "name-near": (22, _("họ tên khác một chữ cái")),
    "name-parts": (18, _("họ tên thiếu hoặc đảo một tiếng")),
    "name-differs": (-20, _("họ tên khác nhau")),
    "born-same": (32, _("cùng ngày sinh")),
    "born-partly": (16, _("ngày sinh chỉ biết một phần và không mâu thuẫn")),
    "born-swapped": (20, _("ngày và tháng sinh bị đảo")),
    "born-near": (12, _("ngày sinh khác một chữ số")),
    "born-unknown": (0, _("một hồ sơ chưa có ngày sinh")),
    "born-differs": (-40, _("ngày sinh khác nhau")),
    "sex-same": (4, _("cùng giới tính")),
    "sex-differs": (-25, _("giới tính khác nhau")),
    "place-same": (8, _("cùng nơi sinh")),
    "place-differs": (-6, _("nơi sinh khác nhau")),
    "parent-same": (16, _("cùng tên cha, mẹ hoặc người giám hộ")),
    "parent-differs": (-14, _("cha, mẹ khác nhau")),
    "phone-same": (10, _("cùng số điện thoại của em hoặc gia đình")),
    "home-same": (4, _("cùng nơi ở")),
}
"""Points and sentence of each rule; of one matter (name, birth, …) at most one row counts."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line of the sum."""

    code: str
    points: int

    @property
    def sentence(self) -> str:
        """Return the line in words."""
        return str(RULES[self.code][1])


@dataclass(frozen=True, slots=True)
class Known:
    """What is compared of one file; texts folded but for `name`, telephone numbers as digits.

    precision  day, month or year: how much of `born` is known
    number     blind index of the personal number, or ""
    parents    folded names
    phones     of the person and her family
    """

    name: str
    born: date | None
    precision: str
    sex: str
    place: str
    commune: str
    address: str
    number: str
    parents: frozenset[str]
    phones: frozenset[str]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Known:
        """Return what a row of `finding` says."""
        phones = {digits for one in (row["phone"], *(p[1] for p in row["parents"])) if len(digits := _digits(one)) >= 9}
        return cls(
            name=row["name"], born=date.fromisoformat(row["born"]) if row["born"] else None, precision=row["precision"], sex=row["sex"],
            place=fold(row["place"]).strip(), commune=row["commune"], address=fold(row["address"]).strip(), number=row["number"] or "",
            parents=frozenset(p[0] for p in row["parents"] if p[0]), phones=frozenset(phones),
        )  # fmt: skip


def _digits(phone: str | None) -> str:
    digits = "".join(mark for mark in phone or "" if mark.isdigit())
    return "0" + digits[2:] if digits.startswith("84") and len(digits) >= 11 else digits


def weigh(one: Known, other: Known) -> tuple[int, list[Evidence]]:
    """Return the points of a pair, 0 to 100, and the lines they come from, the heaviest first."""
    codes = [
        code
        for code in (_number(one, other), _name(one, other), _born(one, other), _sex(one, other), _place(one, other),
                     _parents(one, other), _phones(one, other), _home(one, other))
        if code
    ]  # fmt: skip
    lines = sorted((Evidence(code, RULES[code][0]) for code in codes), key=lambda line: -abs(line.points))
    return max(0, min(100, sum(line.points for line in lines))), lines


def _number(one: Known, other: Known) -> str:
    if not (one.number and other.number):
        return ""
    return "number-same" if one.number == other.number else "number-differs"


def _name(one: Known, other: Known) -> str:
    if one.name.lower() == other.name.lower():
        return "name-same"
    mine, theirs = fold(one.name), fold(other.name)
    if mine == theirs:
        return "name-unaccented"
    if is_near(mine, theirs):
        return "name-near"
    words, others = mine.split(), theirs.split()
    short, long = sorted((words, others), key=len)
    if sorted(words) == sorted(others) or (len(short) >= 2 and len(long) - len(short) == 1 and _is_part(short, long)):
        return "name-parts"
    return "name-differs"


def _is_part(short: Sequence[str], long: Sequence[str]) -> bool:
    rest = iter(long)
    return all(word in rest for word in short)


def is_near(one: str, other: str) -> bool:
    """Return whether one letter put in, left out, changed, or two neighbours swapped make them the same."""
    if abs(len(one) - len(other)) > 1:
        return False
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    mine, theirs = one[at:], other[at:]
    return (
        mine[1:] == theirs[1:] or mine[1:] == theirs or mine == theirs[1:]
        or (len(mine) > 1 and mine[:2] == theirs[1::-1] and mine[2:] == theirs[2:])
    )  # fmt: skip


def _born(one: Known, other: Known) -> str:
    if one.born is None or other.born is None:
        return "born-unknown"
    mine, theirs = one.born, other.born
    if (one.precision, other.precision) != ("day", "day"):
        by_month = "year" not in (one.precision, other.precision)
        agrees = mine.year == theirs.year and (not by_month or mine.month == theirs.month)
        return "born-partly" if agrees else "born-differs"
    if mine == theirs:
        return "born-same"
    if (mine.year, mine.month, mine.day) == (theirs.year, theirs.day, theirs.month):
        return "born-swapped"
    differing = sum(a != b for a, b in zip(mine.isoformat(), theirs.isoformat(), strict=True))
    return "born-near" if differing == 1 else "born-differs"


def _sex(one: Known, other: Known) -> str:
    if "0" in (one.sex, other.sex):
        return ""
    return "sex-same" if one.sex == other.sex else "sex-differs"


def _place(one: Known, other: Known) -> str:
    if not (one.place and other.place):
        return ""
    return "place-same" if one.place == other.place or one.place in other.place or other.place in one.place else "place-differs"


def _parents(one: Known, other: Known) -> str:
    if not (one.parents and other.parents):
        return ""
    if one.parents & other.parents:
        return "parent-same"
    return "" if any(is_near(a, b) for a in one.parents for b in other.parents) else "parent-differs"


def _phones(one: Known, other: Known) -> str:
    return "phone-same" if one.phones & other.phones else ""


def _home(one: Known, other: Known) -> str:
    return "home-same" if one.address and one.address == other.address and one.commune == other.commune else ""
