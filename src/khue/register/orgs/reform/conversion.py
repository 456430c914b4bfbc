"""Tables that say which old commune became which new one, read into one form.

Two layouts are known: our own (`communes_legacy_to_2025.csv`: one header line of field names) and the one the
agencies publish (two header lines, areas as "Quận Ba Đình (001)", a note in words). Plain or gzip.
"""

from __future__ import annotations

import csv
import gzip
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from khue.kernel import text
from khue.kernel.codes import shipped as lists


@dataclass(frozen=True, slots=True)
class Part:
    """One old commune (or, with an empty old_code, a whole district) into one new commune.

    is_whole    all of the old unit went there
    is_default  of the parts of one old commune, the one a school is taken to lie in until somebody decides
    """

    old_code: str
    old_name: str
    district_code: str
    district_name: str
    province_code: str
    province_name: str
    new_code: str
    new_name: str
    new_province_code: str
    new_province_name: str
    is_whole: bool
    is_default: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A conversion table: its parts, and rows of areas that are no unit (listed, not applied)."""

    parts: tuple[Part, ...]
    remarks: tuple[str, ...] = ()

    def of_new_provinces(self, codes: Iterable[str] | None) -> Table:
        """Return the part of the table that ends in these provinces of today; all of it for None."""
        if codes is None:
            return self
        chosen = set(codes)
        return Table(tuple(part for part in self.parts if part.new_province_code in chosen), self.remarks)

    def of_old_provinces(self, codes: Iterable[str] | None) -> Table:
        """Return the part of the table that begins in these former provinces; all of it for None."""
        if codes is None:
            return self
        chosen = set(codes)
        return Table(tuple(part for part in self.parts if part.province_code in chosen), self.remarks)

    def old_provinces_of(self, codes: Iterable[str]) -> set[str]:
        """Return the former provinces that became these provinces of today."""
        chosen = set(codes)
        return {part.province_code for part in self.parts if part.new_province_code in chosen}


class UnknownLayout(ValueError):
    """The file is no conversion table in a layout we know."""


@lru_cache(maxsize=1)
def shipped() -> Table:
    """Return the table that comes with the platform, with the five island districts that had no commune."""
    new_provinces = {row["code"]: row["name_vi"] for row in lists.rows("provinces_2025.csv")}
    old_provinces = {row["code"]: lists.full_name(row) for row in lists.rows("provinces_legacy63.csv")}
    parts = [_own(row, old_provinces, new_provinces) for row in lists.rows("communes_legacy_to_2025.csv")]
    return Table((*parts, *_islands(parts, old_provinces, new_provinces)))


def _own(row: dict[str, str], old: dict[str, str], new: dict[str, str]) -> Part:
    return Part(
        row["old_code"], row["old_name"], row["old_district_code"], row["old_district"],
        row["old_province_code"], old.get(row["old_province_code"], row["old_province_code"]),
        row["new_code"], row["new_name"], row["new_province_code"], new.get(row["new_province_code"], row["new_province_code"]),
        is_whole=row["kind"] == "whole", is_default=row["default_target"] == "1",
    )  # fmt: skip


def _bare(name: str) -> str:
    return text.fold(re.sub(r"^(Huyện|Đặc khu|Thị xã|Thành phố|Quận)\s+", "", unicodedata.normalize("NFC", name)))


def _islands(parts: list[Part], old: dict[str, str], new: dict[str, str]) -> Iterator[Part]:
    """Yield the districts without communes that became a special zone: same name, same province of today."""
    linked = {part.new_code for part in parts}
    districts = {part.district_code for part in parts}
    province_now = {row["code"]: row["province_code_2025"] for row in lists.rows("provinces_legacy63.csv")}
    zones = {
        (row["province_code"], _bare(row["name_vi"])): row for row in lists.rows("communes_2025.csv") if row["code"] not in linked
    }
    for row in lists.rows("districts_legacy.csv"):
        province = row["province_code_legacy"]
        zone = zones.get((province_now[province], _bare(row["name_vi"])))
        if zone is not None and row["code"] not in districts:
            yield Part(
                "", "", row["code"], row["name_vi"], province, old[province], zone["code"], zone["name_vi"],
                zone["province_code"], new[zone["province_code"]], is_whole=True, is_default=True,
                note=f"{row['name_vi']} thành {zone['name_vi']}",
            )  # fmt: skip


def read(path: str | Path) -> Table:
    """Return the conversion table in a file of either layout; raises UnknownLayout."""
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as source:  # type: ignore[operator]
        rows = [[unicodedata.normalize("NFC", cell).strip() for cell in row] for row in csv.reader(source)]
    if rows and rows[0][:1] == ["old_code"]:
        new = {row["code"]: row["name_vi"] for row in lists.rows("provinces_2025.csv")}
        old = {row["code"]: lists.full_name(row) for row in lists.rows("provinces_legacy63.csv")}
        return Table(tuple(_own(dict(zip(rows[0], row, strict=False)), old, new) for row in rows[1:] if row))
    if len(rows) > 2 and "Mã Xã mới" in rows[1] and "Mã Xã cũ" in rows[1]:
        return _published(rows[1], rows[2:])
    raise UnknownLayout(str(path))


def _area(cell: str) -> tuple[str, str]:
    """Return (code, name) of "Quận Ba Đình (001)"."""
    found = re.fullmatch(r"(.*?)\s*\((\d+)\)", cell)
    if found is None:
        raise UnknownLayout(cell)
    return found[2], found[1]


def _published(header: list[str], rows: list[list[str]]) -> Table:
    at = {name: header.index(name) for name in ("Tên Xã mới", "Mã Xã mới", "Tên Xã cũ", "Mã Xã cũ", "Ghi chú", "Quận/huyện", "Tỉnh cũ")}
    parts: list[Part] = []
    remarks: list[str] = []
    province_names: dict[str, str] = {}
    for row in rows:
        if len(row) <= at["Tỉnh cũ"] or not row[at["Mã Xã mới"]]:
            continue  # a heading: the name of a province in capitals
        note, old_code = " ".join(row[at["Ghi chú"]].split()), row[at["Mã Xã cũ"]]
        new_province, new_province_name = _area(row[0])
        district, district_name = _area(row[at["Quận/huyện"]])
        province, province_name = _area(row[at["Tỉnh cũ"]])
        province_names[province] = max(province_names.get(province, ""), province_name, key=len)
        if not old_code and "huyện" not in note.lower():
            remarks.append(f"{row[at['Tên Xã cũ']]} ({district_name}): {note} → {row[at['Tên Xã mới']]}")
            continue
        parts.append(
            Part(
                old_code, row[at["Tên Xã cũ"]], district, district_name, province, province_name,
                row[at["Mã Xã mới"]], row[at["Tên Xã mới"]], new_province, new_province_name,
                is_whole="một phần" not in note.lower(), is_default=False, note=note,
            )
        )  # fmt: skip
    settled = list(_settled(parts, remarks))
    named = [replace(part, province_name=province_names[part.province_code]) for part in settled]
    return Table(tuple(_with_defaults(named)), tuple(remarks))


def _settled(parts: list[Part], remarks: list[str]) -> Iterator[Part]:
    """Yield the parts with one province a district, the one most of its rows name; say which rows disagreed."""
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for part in parts:
        votes[part.district_code][part.province_code] += 1
    for part in parts:
        [(province, _votes)] = votes[part.district_code].most_common(1)
        if part.province_code != province:
            remarks.append(
                f"{part.old_name} {part.old_code} ({part.district_name}): bảng ghi tỉnh {part.province_code}, theo huyện là tỉnh {province}"
            )
            part = replace(part, province_code=province)
        yield part


def _with_defaults(parts: list[Part]) -> list[Part]:
    """Mark one part of each old commune: with all its people, else of its own code, else the first."""
    by_old: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        by_old[part.old_code or f"district {part.district_code}"].append(part)
    result = []
    for group in by_old.values():
        best = min(group, key=lambda part: ("toàn bộ dân số" not in part.note.lower(), part.new_code != part.old_code))
        alone = len(group) == 1
        result += [replace(part, is_whole=alone, is_default=part is best) for part in group]
    return result
