"""What a file may be, asked before any parser sees it: size, members, unpacked size, rows, columns, cells."""

from __future__ import annotations

import io
import itertools
import re
import stat
import zipfile
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from khue.kernel.errors import DomainError


class SheetRefused(DomainError):
    """The file cannot be read as a spreadsheet, or not safely."""

    code, status = "exchange.sheet-refused", 422
    title = _("Không đọc được tệp này.")
    advice = _("Hãy mở tệp bằng Excel hoặc LibreOffice, lưu lại dạng .xlsx rồi tải lên.")


class UnknownKind(SheetRefused):
    """Neither CSV nor XLSX, XLS, ODS by its content."""

    code = "exchange.sheet-unknown"
    title = _("Tệp này không phải bảng tính (.xlsx, .xls, .ods) hay .csv.")


class WebPage(SheetRefused):
    """An HTML page with the ending of a spreadsheet, as some systems export."""

    code = "exchange.sheet-web-page"
    title = _("Tệp này là một trang web được đổi đuôi thành bảng tính.")


class TooBig(SheetRefused):
    """Over a limit. Facts: what, got, most."""

    code, status = "exchange.sheet-too-big", 413
    title = _("Tệp quá lớn: %(what)s là %(got)s, nhiều nhất %(most)s.")
    advice = _("Hãy tách tệp thành nhiều tệp nhỏ hơn, mỗi tệp một khối hoặc một lớp.")


class Unsafe(SheetRefused):
    """Built to harm: a bomb, a path out of its folder, entities. Facts: what."""

    code = "exchange.sheet-unsafe"
    title = _("Tệp này có cấu tạo bất thường (%(what)s) nên không được mở.")
    advice = _("Hãy chép nội dung sang một bảng tính mới, lưu lại rồi tải lên; nếu vẫn bị chặn, báo cán bộ công nghệ thông tin.")


class Locked(SheetRefused):
    """Protected with a password."""

    code = "exchange.sheet-locked"
    title = _("Tệp có mật khẩu nên không đọc được.")
    advice = _("Hãy mở tệp, bỏ mật khẩu, lưu lại rồi tải lên.")


class Damaged(SheetRefused):
    """Cut off or corrupt."""

    code = "exchange.sheet-damaged"
    title = _("Tệp bị hỏng hoặc tải lên chưa trọn vẹn.")


@dataclass(frozen=True, slots=True)
class Limits:
    """The most a file may have."""

    size: int = 30 * 2**20
    members: int = 3_000
    unpacked: int = 400 * 2**20
    sheets: int = 255
    rows: int = 120_000
    columns: int = 400
    cells: int = 5_000_000
    cell_length: int = 32_767


LIMITS = Limits()


def too_big(what: object, got: int, most: int) -> TooBig:
    """Return the refusal with its numbers as people write them."""
    return TooBig(what=str(what), got=f"{got:,}".replace(",", "."), most=f"{most:,}".replace(",", "."))


def check_size(content: bytes, limits: Limits = LIMITS) -> None:
    """Raise TooBig for a file over the limit, Damaged for an empty one."""
    if not content:
        raise Damaged()
    if len(content) > limits.size:
        raise too_big(_("dung lượng (byte)"), len(content), limits.size)


@dataclass(frozen=True, slots=True)
class Archive:
    """What the inspection of a zip found."""

    kind: str
    """"xlsx" or "ods"."""
    formulas: dict[str, tuple[str, ...]]
    """Member name to the first cells that hold formulas."""


def inspect_zip(content: bytes, limits: Limits = LIMITS) -> Archive:
    """Return what kind of workbook the archive is, after every member was unpacked once within the limits.

    Unpacking counts real bytes and checks each member's checksum, so a false size in the directory is found.
    Raises Unsafe, TooBig, Damaged, Locked or UnknownKind.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise Damaged() from error
    with archive:
        members = archive.infolist()
        _check_names(members, limits)
        kind = _kind_of({member.filename for member in members})
        formulas = _unpack_all(archive, members, kind, limits)
    return Archive(kind, formulas)


def _check_names(members: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(members) > limits.members:
        raise too_big(_("số thành phần bên trong"), len(members), limits.members)
    seen: set[str] = set()
    for member in members:
        name = member.filename
        if member.flag_bits & 0x1:
            raise Locked()
        bad = name.startswith(("/", "\\")) or "\\" in name or ".." in name.split("/") or ":" in name or "\x00" in name
        mode = member.external_attr >> 16
        if bad or (mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR)):
            raise Unsafe(what=str(_("đường dẫn lạ bên trong")))
        if name.casefold() in seen:
            raise Unsafe(what=str(_("hai thành phần cùng tên")))
        seen.add(name.casefold())
    if sum(member.file_size for member in members) > limits.unpacked:
        raise Unsafe(what=str(_("nén quá mức")))
    ends = sorted((member.header_offset, member.compress_size) for member in members)
    if any(offset + size > following for (offset, size), (following, _size) in itertools.pairwise(ends)):
        raise Unsafe(what=str(_("các thành phần chồng lên nhau")))


def _kind_of(names: set[str]) -> str:
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "content.xml" in names and "mimetype" in names:
        return "ods"
    if "EncryptedPackage" in names:
        raise Locked()
    raise UnknownKind()


def _unpack_all(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], kind: str, limits: Limits) -> dict[str, tuple[str, ...]]:
    formulas: dict[str, tuple[str, ...]] = {}
    spent = sheets = 0
    for member in members:
        text = member.filename.endswith((".xml", ".rels", ".vml"))
        try:
            data = _unpack(archive, member, limits.unpacked - spent)
        except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, OSError, RuntimeError) as error:
            raise Damaged() from error
        except Exception as error:  # zlib and lzma have their own errors
            if type(error).__module__ in ("zlib", "_lzma"):
                raise Damaged() from error
            raise
        spent += len(data)
        if not text:
            continue
        check_xml(data)
        if kind == "xlsx" and member.filename.startswith("xl/worksheets/") and member.filename.endswith(".xml"):
            sheets += 1
            if sheets > limits.sheets:
                raise too_big(_("số trang tính"), sheets, limits.sheets)
            check_worksheet(data, limits)
            if cells := formula_cells(data):
                formulas[member.filename] = cells
        elif kind == "ods" and member.filename == "content.xml":
            check_ods(data, limits)
            if b"table:formula=" in data:
                formulas["content.xml"] = ()
    return formulas


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    with archive.open(member) as source:
        data = source.read(most + 1)
        if len(data) > most:
            raise Unsafe(what=str(_("nén quá mức")))
        if len(data) == member.file_size:  # reading to the end makes zipfile check the sum
            source.read(1)
    if len(data) != member.file_size:
        raise Damaged()
    return data


_ENCODING = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9_.-]+)""")


def check_xml(data: bytes) -> None:
    """Raise Unsafe for a document type, entities or an encoding our inspection cannot read."""
    head = data[:400]
    named = _ENCODING.search(head)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in head or (named and named[1].lower() not in (b"utf-8", b"us-ascii", b"ascii")):
        raise Unsafe(what=str(_("bảng mã lạ bên trong")))
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise Unsafe(what=str(_("khai báo thực thể XML")))


_ROW = re.compile(rb"<(?:\w+:)?row\b[^>]*?\sr=[\"'](\d+)[\"']")
_WIDE = re.compile(rb"\sr=[\"']([A-Za-z]{2,})\d")
_CELL = re.compile(rb"\sr=[\"']([A-Za-z]+)(\d+)[\"']")


def check_worksheet(data: bytes, limits: Limits) -> None:
    """Raise TooBig when the rows and columns really used span more than the limits; `dimension` is not asked.

    A reader lays a sheet out as a full rectangle: one cell far away would cost gigabytes.
    """
    if data.count(b"<") > 12 * limits.cells:
        raise too_big(_("số ô"), data.count(b"<") // 4, limits.cells)
    rows = max(map(int, _ROW.findall(data)), default=0)
    if rows > limits.rows + 100 or rows == 0:
        rows = max((int(found) for _column, found in _CELL.findall(data)), default=0)
        if rows > limits.rows + 100:
            raise too_big(_("số dòng"), rows, limits.rows)
    wide = {column_number(letters.decode()) for letters in set(_WIDE.findall(data))}
    columns = max(wide, default=26)
    if columns > limits.columns:
        raise too_big(_("số cột"), columns, limits.columns)
    if rows * columns > 2 * limits.cells:
        raise too_big(_("số ô"), rows * columns, limits.cells)


def column_number(letters: str) -> int:
    """Return 1 for A, 27 for AA."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


_FORMULA = re.compile(rb"<(?:\w+:)?c\s[^>]*?r=[\"']([A-Za-z]+\d+)[\"'][^>]*>\s*<(?:\w+:)?f[\s/>]")


def formula_cells(data: bytes, most: int = 2_000) -> tuple[str, ...]:
    """Return the addresses of cells with formulas, at most `most`."""
    if b"<f" not in data and b":f" not in data:
        return ()
    found = []
    for match in _FORMULA.finditer(data):
        found.append(match[1].decode())
        if len(found) >= most:
            break
    return tuple(found)


_ODS_TOKEN = re.compile(
    rb"<table:table-row\b([^>]*)>|</table:table-row>|<table:(?:covered-)?table-cell\b([^>]*)>|<table:table\s"
)
_ROWS_REPEATED = re.compile(rb"table:number-rows-repeated=[\"'](\d+)[\"']")
_COLUMNS_REPEATED = re.compile(rb"table:number-columns-repeated=[\"'](\d+)[\"']")


def check_ods(data: bytes, limits: Limits) -> None:
    """Raise TooBig when repeated rows and cells with content would unfold beyond the limits."""
    total = rows = width = repeat = sheets = 0
    filled = False
    for token in _ODS_TOKEN.finditer(data):
        text = token[0]
        if text.startswith(b"<table:table-row"):
            found = _ROWS_REPEATED.search(token[1] or b"")
            repeat, width, filled = int(found[1]) if found else 1, 0, False
            if (token[1] or b"").endswith(b"/"):
                width = 0
        elif text.startswith(b"</table:table-row"):
            if filled:
                rows += repeat
                total += repeat * width
        elif text.startswith(b"<table:table "):
            rows, sheets = 0, sheets + 1
        else:
            attributes = token[2] or b""
            found = _COLUMNS_REPEATED.search(attributes)
            times = int(found[1]) if found else 1
            if b"office:value-type" in attributes or not attributes.endswith(b"/"):
                filled = True
                width += times
            elif times < 1000:
                width += times
        if rows > limits.rows + 100:
            raise too_big(_("số dòng"), rows, limits.rows)
        if width > 2 * limits.columns:
            raise too_big(_("số cột"), width, limits.columns)
        if total > limits.cells:
            raise too_big(_("số ô"), total, limits.cells)
        if sheets > limits.sheets:
            raise too_big(_("số trang tính"), sheets, limits.sheets)
