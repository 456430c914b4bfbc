"""Parsers of cells that several kinds share: names, dates of birth, sex, numbers, phones, lists."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import date
from functools import cache
from importlib.resources import files

from django.utils.translation import gettext_lazy as _

from khue.gateway.exchange.kinds.base import Bad, Noted
from khue.gateway.exchange.sheets import RawCell
from khue.gateway.exchange.sheets.cells import (
    PartialDate,
    as_date,
    as_digits,
    as_text,
    as_whole,
    is_number,
    unharmed,
)
from khue.kernel import ids, text

_NOT_IN_NAMES = re.compile(r"[0-9=@<>{}\[\]\\/|;:!?#$%^&*_+~\"]")


def words(most: int) -> Callable[[RawCell], str]:
    """Return a parser of free text of at most `most` characters."""

    def parse(raw: RawCell) -> str:
        value = unharmed(as_text(raw))
        if len(value) > most:
            raise Bad("too-long", most=most)
        return value

    return parse


def name(raw: RawCell) -> str:
    """Return a person's full name, capitals as written unless all are capitals."""
    value = as_text(raw)
    if len(value) > 120:
        raise Bad("too-long", most=120)
    if _NOT_IN_NAMES.search(value) or not any(c.isalpha() for c in value):
        raise Bad("not-a-name", text=value[:60])
    return value.title() if value.isupper() and len(value) > 3 else value


_NUMBERED = re.compile(r"\s*[(\[]\s*([A-Za-z]{0,4}\d{1,6})\s*[)\]]\s*$")


def numbered_name(raw: RawCell) -> tuple[str, str]:
    """Return (name, mark) of “Ngô Thị Huyên (003)”: timetable programmes number teachers of equal names."""
    value = as_text(raw)
    found = _NUMBERED.search(value)
    return (name(value[: found.start()]), found[1]) if found else (name(value), "")


def born(raw: RawCell) -> PartialDate | Noted:
    """Return a date of birth; month or year alone is noted."""
    found = as_date(raw)
    if found is None:
        raise Bad("not-a-date", text=as_text(raw)[:40])
    if found.on.year < 1915:
        raise Bad("date-too-old", text=as_text(raw)[:40])
    if found.precision != "day":
        known = _("tháng và năm") if found.precision == "month" else _("năm")
        return Noted(found, "date-partial", {"known": str(known)})
    return found


def day(raw: RawCell) -> date:
    """Return a whole date."""
    found = as_date(raw)
    if found is None or found.precision != "day":
        raise Bad("not-a-date", text=as_text(raw)[:40])
    return found.on


_SEXES = {
    **dict.fromkeys(("nam", "trai", "m", "male", "1", "b", "boy"), "1"),
    **dict.fromkeys(("nu", "gai", "f", "female", "2", "g", "girl", "n"), "2"),
    **dict.fromkeys(("khong ro", "chua ro", "khac", "0"), "0"),
}


def sex(raw: RawCell) -> str:
    """Return "1" for Nam, "2" for Nữ, "0" for unknown (QCVN 109:2017)."""
    value = text.fold(as_text(raw)).strip(" .")
    if value not in _SEXES:
        raise Bad("not-a-sex", text=as_text(raw)[:20])
    return _SEXES[value]


def tick(raw: RawCell) -> bool | None:
    """Return True for x, 1, có; False for 0, không; None for an empty cell."""
    value = text.fold(as_text(raw)).strip(" .")
    if not value:
        return None
    return value not in ("0", "khong", "no", "false", "-", "k")


def personal_number(raw: RawCell) -> str | Noted:
    """Return the twelve digits; a number cell that lost its leading zero gets it back, with a note."""
    value = as_digits(raw)
    if value.isascii() and value.isdigit():
        if len(value) == 12:
            return value
        if is_number(raw) and len(value) == 11:
            return Noted("0" + value, "number-padded")
    raise Bad("not-a-number", text=as_text(raw)[:20])


_PHONE = re.compile(r"0\d{8,10}\Z")


def phone(raw: RawCell) -> str:
    """Return a telephone number: +84 912 345 678, 912345678 (as a number), 0912.345.678 → 0912345678.

    Of two numbers in one cell the first is kept.
    """
    value = as_digits(as_text(raw).split("/")[0].split(",")[0].split(";")[0]).replace("(", "").replace(")", "")
    if value.startswith("+84"):
        value = "0" + value[3:].lstrip("0")
    elif value.startswith("84") and len(value) in (11, 12):
        value = "0" + value[2:]
    elif value.isdigit() and len(value) == 9:
        value = "0" + value
    if not _PHONE.match(value):
        raise Bad("not-a-phone", text=as_text(raw)[:30])
    return value


_EMAIL = re.compile(r"[^@\s<>,;]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\Z")


def email(raw: RawCell) -> str:
    """Return an address of electronic mail."""
    value = as_text(raw)
    if not _EMAIL.match(value) or len(value) > 254:
        raise Bad("not-an-email", text=value[:40])
    return value.lower()


def whole(raw: RawCell) -> int:
    """Return a whole number of at most nine digits."""
    value = as_whole(raw)
    if value is None:
        raise Bad("not-whole", text=as_text(raw)[:20])
    return value


def person_code(raw: RawCell) -> str:
    """Return a person's code: ten digits with their check digit, or a code of up to 20 signs from elsewhere."""
    value = as_digits(raw).upper()
    if is_number(raw) and value.isdigit() and len(value) == 9 and ids.is_checked("0" + value):
        value = "0" + value
    if not re.fullmatch(r"[A-Z0-9]{4,20}", value):
        raise Bad("not-a-code", text=as_text(raw)[:30])
    return value


def grade(raw: RawCell) -> int:
    """Return a grade 1 to 12 of “Khối 6”, 6, “6.0”."""
    found = re.search(r"\d{1,2}", as_text(raw))
    if found is None or not 1 <= int(found[0]) <= 12:
        raise Bad("not-whole", text=as_text(raw)[:20])
    return int(found[0])


@cache
def ethnic_groups() -> dict[str, str]:
    """Return folded name, other name and code of each ethnic group to its code (list of the shared catalogue)."""
    found: dict[str, str] = {}
    source = files("khue.kernel.codes").joinpath("data/ethnic_groups.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(source.splitlines()))
    for row in rows:
        for other in (row.get("other_names") or "").split(","):
            found.setdefault(text.fold(other.strip()), row["code"])
    for row in rows:
        found[text.fold(row["name_vi"])] = row["code"]
        found[row["code"]] = row["code"]
        found[row["code"].lstrip("0")] = row["code"]
    found.pop("", None)
    return found


def ethnic_group(raw: RawCell) -> str:
    """Return the code of an ethnic group."""
    value = text.fold(as_text(raw)).removeprefix("dan toc ").strip()
    code = ethnic_groups().get(value)
    if code is None:
        raise Bad("not-in-list", text=as_text(raw)[:40], list=str(_("dân tộc")))
    return code


@cache
def nationalities() -> dict[str, str]:
    """Return folded name and code of each nationality to its code."""
    found: dict[str, str] = {}
    source = files("khue.kernel.codes").joinpath("data/nationalities_subset.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(source.splitlines()):
        values = list(row.values())
        code = values[0]
        for value in values:
            if isinstance(value, str) and value:
                found.setdefault(text.fold(value), code)
    return found


def nationality(raw: RawCell) -> str:
    """Return the code of a nationality."""
    code = nationalities().get(text.fold(as_text(raw)))
    if code is None:
        raise Bad("not-in-list", text=as_text(raw)[:40], list=str(_("quốc tịch")))
    return code


CONTRACT_WORDS = {
    "permanent": ("bien che", "khong xac dinh thoi han", "khong thoi han", "hdlv khong xac dinh thoi han", "vien chuc khong xac dinh thoi han"),
    "fixed": ("xac dinh thoi han", "co thoi han", "hdlv xac dinh thoi han", "vien chuc xac dinh thoi han"),
    "labour": ("hdld", "hop dong", "hop dong lao dong", "hop dong truong"),
    "support111": ("hop dong 111", "nghi dinh 111", "nd 111", "hop dong 68", "nghi dinh 68"),
    "visiting": ("thinh giang", "hop dong thinh giang"),
}
"""How schools write the kinds of contract of the shared list, folded."""


@cache
def contract_kinds() -> dict[str, str]:
    """Return folded name and words in use of each kind of contract to its code."""
    source = files("khue.kernel.codes").joinpath("data/lists.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(source.splitlines()) if row["list"] == "contract_kind"]
    found = {_plain(row["name_vi"]): row["code"] for row in rows}
    for row in rows:
        found[row["code"]] = row["code"]
        found |= dict.fromkeys(CONTRACT_WORDS.get(row["code"], ()), row["code"])
    return found


def _plain(value: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.fold(value)).split())


def contract_kind(raw: RawCell) -> str:
    """Return the code of a kind of contract, or the words as written when the list does not know them.

    “Viên chức” alone does not say for how long: such words stay for the ministry's report to name.
    """
    return contract_kinds().get(_plain(as_text(raw))) or words(20)(raw)
