"""The lists that come with the platform, read from `data/`. No database here.

Marks in the files: V was read in a source, K is to be replaced when the ministry's own list is at hand.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from khue.kernel.codes.models import BEGINNING
from regulations import curriculum

DATA = Path(__file__).parent / "data"
TWO_TIERS_ON = date(2025, 7, 1)
"""The day provinces and communes of QĐ 19/2025/QĐ-TTg came into being and districts ended."""

PREFIXES = {"tinh": "Tỉnh", "thanh_pho_trung_uong": "Thành phố"}


@dataclass(frozen=True, slots=True)
class Item:
    """One value of a list as a file states it."""

    code: str
    name: str
    name_en: str = ""
    sort: int = 0
    parent_code: str = ""
    external: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listing:
    """One list: its items and the days they hold, [since, until)."""

    code: str
    name: str
    items: tuple[Item, ...]
    since: date = BEGINNING
    until: date | None = None
    source: str = ""
    is_verified: bool = False


def rows(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a file in `data/`."""
    with open(DATA / name, encoding="utf-8-sig", newline="") as source:
        yield from csv.DictReader(source)


def full_name(row: dict[str, str]) -> str:
    """Return the name of an old province with its kind before it: Tỉnh Bến Tre."""
    prefix = PREFIXES.get(row["kind"], "")
    return row["name_vi"] if not prefix or row["name_vi"].startswith(prefix) else f"{prefix} {row['name_vi']}"


def _areas() -> Iterator[Listing]:
    decision = "QĐ 19/2025/QĐ-TTg"
    yield Listing(
        "provinces", "Tỉnh, thành phố (từ 01/7/2025)", since=TWO_TIERS_ON, source=decision, is_verified=True,
        items=tuple(Item(r["code"], r["name_vi"], sort=n, facts={"kind": r["kind"]}) for n, r in enumerate(rows("provinces_2025.csv"))),
    )  # fmt: skip
    yield Listing(
        "communes", "Xã, phường, đặc khu (từ 01/7/2025)", since=TWO_TIERS_ON, source=decision, is_verified=True,
        items=tuple(
            Item(r["code"], r["name_vi"], sort=n, parent_code=r["province_code"], facts={"kind": r["kind"]})
            for n, r in enumerate(rows("communes_2025.csv"))
        ),
    )  # fmt: skip
    yield Listing(
        "provinces_legacy", "Tỉnh, thành phố (đến 30/6/2025)", until=TWO_TIERS_ON, is_verified=True,
        items=tuple(
            Item(r["code"], full_name(r), sort=n, facts={"kind": r["kind"], "province_code_2025": r["province_code_2025"]})
            for n, r in enumerate(rows("provinces_legacy63.csv"))
        ),
    )  # fmt: skip
    yield Listing(
        "districts_legacy", "Huyện, quận (đến 30/6/2025)", until=TWO_TIERS_ON, is_verified=True, items=tuple(_districts())
    )
    old: dict[str, Item] = {}
    for row in rows("communes_legacy_to_2025.csv"):
        old.setdefault(row["old_code"], Item(row["old_code"], row["old_name"], sort=len(old), parent_code=row["old_district_code"]))
    yield Listing("communes_legacy", "Xã, phường, thị trấn (đến 30/6/2025)", until=TWO_TIERS_ON, is_verified=True, items=tuple(old.values()))


def _districts() -> Iterator[Item]:
    known = {}
    for row in rows("districts_legacy.csv"):
        known[row["code"]] = Item(row["code"], row["name_vi"], sort=int(row["code"]), parent_code=row["province_code_legacy"], facts={"kind": row["kind"]})
    for row in rows("communes_legacy_to_2025.csv"):  # two districts founded in 2024-25 are only in the map of communes
        code = row["old_district_code"]
        known.setdefault(code, Item(code, row["old_district"], sort=int(code), parent_code=row["old_province_code"]))
    return iter(known.values())


def _people() -> Iterator[Listing]:
    yield Listing(
        "ethnic_groups", "Dân tộc", source="QĐ 121-TCTK/PPCĐ", is_verified=True,
        items=tuple(
            Item(r["code"], r["name_vi"], sort=n, facts={"other_names": r["other_names"], "kind": r["kind"], "is_very_small": r["very_small_group_nd57_2017"] == "1"})
            for n, r in enumerate(rows("ethnic_groups.csv"))
        ),
    )  # fmt: skip
    yield Listing(
        "religions", "Tôn giáo", source="QĐ 132/QĐ-TGCP",
        items=tuple(Item(r["code"], r["name_vi"], r["name_en"], n) for n, r in enumerate(rows("religions.csv"))),
    )
    yield Listing(
        "nationalities", "Quốc tịch", source="TCVN 7217-3:2013 (ISO 3166-1)",
        items=tuple(
            Item(r["iso2"], r["name_vi"], r["name_en"], n, external={"iso3": r["iso3"], "iso_numeric": r["iso_numeric"]})
            for n, r in enumerate(rows("nationalities_subset.csv"))
        ),
    )  # fmt: skip
    yield Listing(
        "grades", "Khối lớp",
        items=tuple(
            Item(r["code"], r["name_vi"], sort=n, parent_code=r["level"], facts={"typical_age": int(r["typical_age"])})
            for n, r in enumerate(rows("grades.csv"))
        ),
    )  # fmt: skip


def _small() -> Iterator[Listing]:
    names: dict[str, str] = {}
    items: dict[str, list[Item]] = {}
    marks: dict[str, set[str]] = {}
    for row in rows("lists.csv"):
        if not row["code"]:  # "unknown" without a code is the empty value, not an item
            continue
        names.setdefault(row["list"], row["list_vi"])
        items.setdefault(row["list"], []).append(Item(row["code"], row["name_vi"], row["name_en_or_key"], int(row["sort"])))
        marks.setdefault(row["list"], set()).add(row["source_mark"])
    for code, name in names.items():
        yield Listing(code, name[:1].upper() + name[1:], tuple(items[code]), is_verified=marks[code] == {"V"})


def _subjects() -> Iterator[Listing]:
    known: dict[str, Item] = {}
    for subject in (one for grade in range(1, 13) for one in curriculum.subjects_for(grade, 2025)):
        known.setdefault(subject.code, Item(subject.code, subject.name_vi, subject.name_en, len(known)))
    yield Listing("subjects", "Môn học, hoạt động giáo dục", tuple(known.values()), source=curriculum.INSTRUMENT)


def listings() -> Iterator[Listing]:
    """Yield every shipped list."""
    yield from _areas()
    yield from _people()
    yield from _small()
    yield from _subjects()
