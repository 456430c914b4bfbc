"""From bytes to rows of raw cells. What a file is, its content says, not its name."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import python_calamine

from khue.gateway.exchange.sheets import limits as rules
from khue.gateway.exchange.sheets.cells import RawCell
from khue.gateway.exchange.sheets.limits import LIMITS, Limits

Merge = tuple[int, int, int, int]
"""First row, first column, last row, last column of a merged range, from 0."""


@dataclass(slots=True)
class Sheet:
    """One sheet: `rows` as they stand, from the first row and column of the sheet."""

    name: str
    rows: list[list[RawCell]]
    merges: tuple[Merge, ...] = ()
    formulas: tuple[str, ...] = ()
    """Addresses of cells whose value was computed by a formula when the file was last saved."""


@dataclass(slots=True)
class Book:
    """A readable file. Sheets are read when asked for and kept."""

    kind: str
    """"csv", "xlsx", "xls" or "ods"."""
    names: tuple[str, ...]
    encoding: str = ""
    formulas: dict[str, tuple[str, ...]] = field(default_factory=dict)
    limits: Limits = LIMITS
    _workbook: python_calamine.CalamineWorkbook | None = None
    _sheets: dict[str, Sheet] = field(default_factory=dict)

    def sheet(self, name: str) -> Sheet:
        """Return one sheet. Raises KeyError for no such sheet, TooBig or Damaged."""
        if name not in self._sheets:
            if name not in self.names or self._workbook is None:
                raise KeyError(name)
            self._sheets[name] = self._read(name)
        return self._sheets[name]

    def _read(self, name: str) -> Sheet:
        try:
            source = self._workbook.get_sheet_by_name(name)  # type: ignore[union-attr]
            end = source.end
            check_extent(*((end[0] + 1, end[1] + 1) if end else (0, 0)), self.limits)
            rows: list[list[RawCell]] = source.to_python(skip_empty_area=False)  # type: ignore[assignment]
            merges = tuple((*start, *stop) for start, stop in source.merged_cell_ranges or ())
        except python_calamine.CalamineError as error:
            raise rules.Damaged() from error
        while rows and not any(cell not in ("", None) for cell in rows[-1]):
            rows.pop()
        return Sheet(name, rows, merges, self.formulas.get(name, ()))


def check_extent(rows: int, columns: int, limits: Limits = LIMITS) -> None:
    """Raise TooBig for a sheet of more rows, columns or cells than the limits."""
    if rows > limits.rows:
        raise rules.too_big(rules._("số dòng"), rows, limits.rows)
    if columns > limits.columns:
        raise rules.too_big(rules._("số cột"), columns, limits.columns)
    if rows * columns > limits.cells:
        raise rules.too_big(rules._("số ô"), rows * columns, limits.cells)


def open_book(content: bytes, *, name: str = "", limits: Limits = LIMITS) -> Book:
    """Return the book of a file's bytes.

    name   the file's name, used only to tell CSV from other text

    Raises SheetRefused: UnknownKind, WebPage, TooBig, Unsafe, Locked or Damaged.
    """
    rules.check_size(content, limits)
    if content[:4] == b"PK\x03\x04":
        return _open_zip(content, limits)
    if content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return _open_ole(content, limits)
    return _open_csv(content, name, limits)


def _open_zip(content: bytes, limits: Limits) -> Book:
    archive = rules.inspect_zip(content, limits)
    workbook = _calamine(content)
    names = tuple(m.name for m in workbook.sheets_metadata if m.typ == python_calamine.SheetTypeEnum.WorkSheet)
    if not names:
        raise rules.Damaged()
    if len(names) > limits.sheets:
        raise rules.too_big(rules._("số trang tính"), len(names), limits.sheets)
    members = _worksheet_members(content) if archive.formulas and archive.kind == "xlsx" else {}
    formulas = {name: archive.formulas[member] for name, member in members.items() if member in archive.formulas}
    if archive.kind == "ods" and archive.formulas:
        formulas = dict.fromkeys(names, ())
    return Book(archive.kind, names, formulas=formulas, limits=limits, _workbook=workbook)


def _calamine(content: bytes) -> python_calamine.CalamineWorkbook:
    try:
        return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    except python_calamine.PasswordError as error:
        raise rules.Locked() from error
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise rules.Damaged() from error


_SHEET_TAG = re.compile(rb"<(?:\w+:)?sheet\s[^>]*>")
_RELATION_TAG = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")


def _attribute(tag: bytes, name: bytes) -> str:
    import html

    found = re.search(rb"\s(?:\w+:)?" + name + rb"=[\"']([^\"']*)[\"']", tag)
    return html.unescape(found[1].decode("utf-8", "replace")) if found else ""


def _worksheet_members(content: bytes) -> dict[str, str]:
    """Return sheet name to its member in the archive, by the workbook's relations."""
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        workbook = archive.read("xl/workbook.xml")
        try:
            relations = archive.read("xl/_rels/workbook.xml.rels")
        except KeyError:
            return {}
    targets = {}
    for tag in _RELATION_TAG.findall(relations):
        target = _attribute(tag, b"Target").lstrip("/")
        targets[_attribute(tag, b"Id")] = target if target.startswith("xl/") else f"xl/{target}"
    found = {}
    for tag in _SHEET_TAG.findall(workbook):
        relation = re.search(rb"\s\w+:id=[\"']([^\"']*)[\"']", tag)
        if relation:
            found[_attribute(tag, b"name")] = targets.get(relation[1].decode("ascii", "replace"), "")
    return found


# -- XLS: an old binary format whose sheets may claim 65,536 x 256 cells: read apart, with a memory limit ---------
_XLS_MEMORY = 1 << 30
_XLS_SECONDS = 60


def _moment(entry: dict[str, object]) -> object:
    value = entry.get("date")
    try:
        return datetime.fromisoformat(value) if len(entry) == 1 and isinstance(value, str) else entry
    except ValueError:
        return value


def _open_ole(content: bytes, limits: Limits) -> Book:
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise rules.Locked()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "khue.gateway.exchange.sheets.old"], input=content, capture_output=True,
            timeout=_XLS_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise rules.Unsafe(what=str(rules._("đọc quá lâu"))) from error
    if done.returncode != 0:
        raise rules.Locked() if b"password" in done.stderr.lower() else rules.Damaged()
    found = json.loads(done.stdout, object_hook=_moment)
    book = Book("xls", tuple(found), limits=limits)
    for name, (rows, merges) in found.items():
        check_extent(len(rows), max(map(len, rows), default=0), limits)
        book._sheets[name] = Sheet(name, rows, tuple(merges))
    return book


# -- CSV ----------------------------------------------------------------------------------------------------------
_VIETNAMESE = re.compile("[ăâđêôơưĂÂĐÊÔƠƯáàảãạéèíìóòúùýỳ]")
_BYTE_ORDER = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def decode(content: bytes) -> tuple[str, str]:
    """Return (text, encoding): by its byte-order mark, else UTF-8, UTF-16 without mark, Windows-1258.

    Raises UnknownKind for bytes that are no text.
    """
    for mark, encoding in _BYTE_ORDER:
        if content.startswith(mark):
            try:
                return content.decode(encoding), encoding
            except UnicodeDecodeError as error:
                raise rules.Damaged() from error
    try:
        text = content.decode("utf-8")
        if "\x00" not in text:
            return text, "utf-8"
    except UnicodeDecodeError:
        pass
    if b"\x00" in content[:4000]:
        return _utf16(content)
    try:
        text = content.decode("cp1258")
    except UnicodeDecodeError as error:
        raise rules.UnknownKind() from error
    if sum(c < " " and c not in "\t\r\n" for c in text[:4000]):
        raise rules.UnknownKind()
    return text, "cp1258"


def _utf16(content: bytes) -> tuple[str, str]:
    even, odd = content[0:4000:2].count(0), content[1:4000:2].count(0)
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise rules.UnknownKind() from error
    if "\x00" in text or not any(c in text for c in "\n\r,;\t"):
        raise rules.UnknownKind()
    return text, encoding


def delimiter_of(text: str) -> str:
    """Return the delimiter: said by "sep=;", else the one that cuts the first lines most evenly."""
    if text[:4].lower() == "sep=" and len(text) > 4 and text[4] in ",;\t|":
        return text[4]
    lines = [line for line in text[:20_000].splitlines()[:30] if line.strip()]
    lines = lines[:-1] if len(text) > 20_000 and len(lines) > 1 else lines
    best, best_score = ",", 0.0
    for candidate in ("\t", ";", ",", "|"):
        counts = sorted(_outside_quotes(line).count(candidate) for line in lines)
        if not counts or counts[-1] == 0:
            continue
        median = counts[len(counts) // 2]
        score = median * (1 + counts.count(median) / len(counts)) or counts[-1] / 10
        if score > best_score:
            best, best_score = candidate, score
    return best


def _outside_quotes(line: str) -> str:
    return re.sub(r'"[^"]*"', "", line)


def _open_csv(content: bytes, name: str, limits: Limits) -> Book:
    head = content[:2000].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if head.startswith((b"<!doctype html", b"<html", b"<table", b"<meta")) or b"<html" in head:
        raise rules.WebPage()
    if content.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"MZ", b"\x7fELF")) or head.startswith(b"<?xml"):
        raise rules.UnknownKind()
    text, encoding = decode(content)
    delimiter = delimiter_of(text)
    if text[:4].lower() == "sep=":
        text = text.partition("\n")[2]
    rows: list[list[RawCell]] = []
    cells = 0
    try:
        source = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        while part := list(itertools.islice(source, 2000)):
            rows.extend(part)  # type: ignore[arg-type]
            widest = max(map(len, part))
            cells += sum(map(len, part))
            if len(rows) > limits.rows or widest > limits.columns or cells > limits.cells:
                check_extent(len(rows), widest, limits)
                raise rules.too_big(rules._("số ô"), cells, limits.cells)
    except csv.Error as error:
        raise rules.Damaged() from error
    while rows and not any(rows[-1]):
        rows.pop()
    if not rows or (len(rows) == 1 and len(rows[0]) < 2 and not name.lower().endswith((".csv", ".txt", ".tsv"))):
        raise rules.UnknownKind()
    book = Book("csv", ("CSV",), encoding=encoding, limits=limits)
    book._sheets["CSV"] = Sheet("CSV", rows)
    return book


def digest_rows(rows: Sequence[Sequence[RawCell]], key: bytes) -> list[str]:
    """Return 32 hex digits for each row: equal for equal cells read under the same `key` (kind, mapping, options)."""
    start = hashlib.blake2b(key=key[:64], digest_size=16)
    result = []
    for row in rows:
        state = start.copy()
        try:
            state.update("\x1f".join(row).encode())  # type: ignore[arg-type]
        except TypeError:
            state.update("\x1f".join(map(repr, row)).encode())
        result.append(state.hexdigest())
    return result
