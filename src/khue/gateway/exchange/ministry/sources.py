"""Reading files of QĐ 4998 records as ours are written: one JSON array, a workbook of a level, or the package of all.

A file is believed only for its shape: size, names and unpacked size are held to the limits of other uploads; sheets are
read by symbols in their first line; what is no record is refused with its reason.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from django.utils.translation import gettext_lazy as _

from khue.gateway.exchange.ministry import sinks
from khue.gateway.exchange.sheets import limits
from khue.gateway.exchange.sheets.reading import open_book
from khue.register.fields import annex

Records = dict[tuple[str, str], list[dict[str, Any]]]
"""Records by level and name of the file."""
LARGEST_MANIFEST = 4 * 2**20


class NotOurs(limits.SheetRefused):
    """The file holds no records of QĐ 4998."""

    code = "exchange.not-ministry-records"
    title = _("Tệp này không phải tệp bản ghi theo QĐ 4998.")
    advice = _("Hãy chọn gói ZIP, tệp JSON hoặc bảng tính theo đúng mẫu của tệp gửi Bộ: ký hiệu ở dòng đầu, mỗi đối tượng một trang.")


class LevelUnknown(limits.SheetRefused):
    """The file does not say of which level its records are."""

    code = "exchange.level-unknown"
    title = _("Không rõ các bản ghi này thuộc cấp học nào.")
    advice = _("Hãy chọn cấp học, hoặc đặt tên tệp theo cấp: primary.xlsx, primary/learner.json.")


class Incomplete(limits.SheetRefused):
    """The package's own list names files that are not there or are not as it says. Facts: name."""

    code = "exchange.incomplete-package"
    title = _("Gói thiếu hoặc có tệp không đúng như bản kê của gói: %(name)s.")
    advice = _("Gói bị cắt khi gửi hoặc đã bị sửa. Hãy tải lại gói đầy đủ từ nơi gửi.")


class OtherYear(limits.SheetRefused):
    """The package is of another school year. Facts: said, chosen."""

    code = "exchange.other-year"
    title = _("Gói này của năm học %(said)s, còn bạn đang nhập cho năm học %(chosen)s.")
    advice = _("Hãy chọn đúng năm học của gói, hoặc chọn gói của năm học này.")


def check_manifest(content: bytes, *, school_year: int) -> None:
    """Hold a package to its own list: every file there with its checksum, of this school year. Raises Incomplete, OtherYear, Damaged.

    A file without such a list says nothing about itself and passes.
    """
    if content[:4] != b"PK\x03\x04" or "manifest.json" not in _members(content):
        return
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        try:
            told = json.loads(_unpacked(archive, "manifest.json", LARGEST_MANIFEST))
            files, said = dict(told["files"]), int(told["school_year"])
            wanted = {str(name): str(one["sha256"]) for name, one in files.items()}
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise limits.Damaged() from error
        if said != school_year:
            raise OtherYear(said=f"{said}–{said + 1}", chosen=f"{school_year}–{school_year + 1}")
        there = set(archive.namelist())
        for name, sha256 in sorted(wanted.items()):
            if name not in there or hashlib.sha256(_unpacked(archive, name, limits.LIMITS.unpacked)).hexdigest() != sha256:
                raise Incomplete(name=name[:80])


def read(content: bytes, *, name: str, level: str = "", object_: str = "") -> Records:
    """Return the records of a file; `level` and `object_` help where its name does not tell. Raises SheetRefused."""
    limits.check_size(content)
    path = PurePosixPath(name.replace("\\", "/"))
    level = level or next((part for part in (path.stem, path.parent.name) if part in annex.LEVELS), "")
    if path.suffix.lower() == ".json" or content.lstrip()[:1] in (b"[", b"{"):
        return {_named(level, object_ or path.stem): _array(content)}
    if content[:4] != b"PK\x03\x04":
        raise NotOurs()
    members = _members(content)
    if any(member.startswith("xl/") for member in members):
        return _book(content, level)
    return _package(content, members)


def _named(level: str, object_: str) -> tuple[str, str]:
    if not level:
        raise LevelUnknown()
    known = {name for of, name in annex.MAIN if of == level} if level != "higher" else {kind.code for kind in annex.kinds().values()}
    if object_ not in known:
        raise NotOurs()
    return level, object_


def _array(content: bytes) -> list[dict[str, Any]]:
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise limits.Damaged() from error
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise NotOurs()
    if len(found) > limits.LIMITS.rows:
        raise limits.too_big(_("số bản ghi"), len(found), limits.LIMITS.rows)
    return found


def _members(content: bytes) -> list[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            limits._check_names(members, limits.LIMITS)
            if sum(member.file_size for member in members) > limits.LIMITS.unpacked:
                raise limits.too_big(_("dung lượng sau khi giải nén (byte)"), sum(m.file_size for m in members), limits.LIMITS.unpacked)
            return [member.filename for member in members]
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise limits.Damaged() from error


def _package(content: bytes, members: list[str]) -> Records:
    """Return the records of a package: its JSON files; its workbooks where a level has no JSON."""
    found: Records = {}
    left = limits.LIMITS.unpacked
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in sorted(members, key=lambda one: not one.endswith(".json")):
            path = PurePosixPath(member)
            level = path.parent.name if path.suffix == ".json" else path.stem
            if level not in annex.LEVELS or path.suffix not in (".json", ".xlsx") or (path.suffix == ".xlsx" and any(of == level for of, _n in found)):
                continue
            data = _unpacked(archive, member, left)
            left -= len(data)
            found |= read(data, name=member, level=level)
    if not found:
        raise NotOurs()
    return found


def _unpacked(archive: zipfile.ZipFile, member: str, most: int) -> bytes:
    """Return a member's bytes, counted while they come: a false size in the directory is found."""
    try:
        with archive.open(member) as source:
            data = source.read(most + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise limits.Damaged() from error
    if len(data) > most:
        raise limits.too_big(_("dung lượng sau khi giải nén (byte)"), len(data), most)
    return data


def _book(content: bytes, level: str) -> Records:
    book = open_book(content)
    found: Records = {}
    names = {sheet: object_ for object_, sheet in sinks.SHEETS.items()}
    for sheet_name in book.names:
        base = sheet_name.rstrip(" 0123456789")
        object_ = names.get(sheet_name) or names.get(base)
        if object_ is None:
            continue
        if not level:
            raise LevelUnknown()
        rows = book.sheet(sheet_name).rows
        if not rows or (level, object_) not in annex.MAIN:
            continue
        symbols = [str(cell or "").strip() for cell in rows[0]]
        found.setdefault((level, object_), []).extend(_row(symbols, row) for row in rows[2:] if any(cell not in ("", None) for cell in row))
    if not found:
        raise NotOurs()
    return found


def _row(symbols: list[str], row: list[Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for symbol, cell in zip(symbols, row, strict=False):
        if not symbol or cell in ("", None):
            continue
        told[symbol] = _cell(cell)
    return told


def _cell(cell: Any) -> Any:
    """Return a cell as a record has it: whole numbers without a point, days as days, lists from their JSON."""
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    if hasattr(cell, "isoformat"):
        return cell.isoformat()[:10]
    if isinstance(cell, str) and cell.startswith("[{"):
        try:
            return json.loads(cell)
        except ValueError:
            return cell
    return cell


def schools(records: Mapping[tuple[str, str], list[dict[str, Any]]]) -> dict[str, Records]:
    """Return the records school by school, by the code of their school; "" for those that name none."""
    found: dict[str, Records] = {}
    for key, rows in records.items():
        for row in rows:
            code = next((str(row[s]) for s in ("TRUONG_ID", "TRUNG_TAM_ID", "TRƯƠNG_ID", "DON_VI_ID") if isinstance(row.get(s), str | int)), "")
            found.setdefault(code, {}).setdefault(key, []).append(row)
    return found
