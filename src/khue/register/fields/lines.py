"""The catalogue as lines for people and machines: JSON, Markdown, the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.utils.translation import gettext as _

from khue.kernel.permissions import RIGHTS
from khue.register.fields import annex, catalogue
from khue.register.fields.catalogue import Entry
from khue.register.fields.counting import Told
from khue.register.fields.permissions import READING, WRITING
from khue.register.fields.sections import LEVELS, OWNERS, PRIVACY, RETENTION, SECTIONS, TOPICS, TYPES

WRITTEN_BY = {
    "orgs": "orgs.change_tree", "people": "people.edit_file", "schooling": "schooling.edit_classes", "staff": "fields.write_personal",
    "teaching": "teaching.assign", "gradebook": "gradebook.record_mark",
}  # fmt: skip
"""The right that writes a column of an app; values by symbol are written by the right of their privacy."""


def right_to_write(entry: Entry) -> str:
    """Return the code of the right that writes a field."""
    return WRITING[entry.home.privacy] if entry.home.is_keyed else WRITTEN_BY[entry.home.owner]


def roles_of(code: str) -> list[str]:
    """Return the roles that hold a right by default, in the order they are declared."""
    right = RIGHTS.get(code)
    return list(right.roles) if right else []


def as_dict(entry: Entry, told: Told | None = None) -> dict[str, Any]:
    """Return a line as data; `completeness` is null where nothing is counted, else a share from 0 to 1."""
    share = told.share(entry.object, entry.symbol, entry.level) if told and entry.home.filled != "-" else None
    return {
        "number": entry.number, "level": entry.level, "group": entry.group_no, "group_name": entry.group, "topic": entry.topic,
        "object": entry.object, "object_code": entry.object_code, "symbol": entry.symbol, "name": entry.name, "home": entry.home.path,
        "via": entry.home.via, "owner": entry.home.owner, "type": entry.type, "length": entry.length, "list": entry.list_code,
        "privacy": entry.home.privacy, "retention": entry.home.retention, "section": entry.home.section,
        "read_by": roles_of(READING[entry.home.privacy]), "write_right": right_to_write(entry),
        "filled": share.filled if share else None, "of": share.of if share else None,
        "completeness": round(share.filled / share.of, 4) if share and share.of else None,
    }  # fmt: skip


def markdown() -> Iterator[str]:
    """Yield the catalogue as Markdown, line by line, without completeness: the same for every installation."""
    yield "# Danh mục dữ liệu"
    yield ""
    yield (
        f"Mọi trường dữ liệu của Quyết định {annex.INSTRUMENT} và nơi duy nhất giữ giá trị của nó. Tệp này do lệnh "
        "`khue exchange catalogue --markdown docs/data-catalogue.md` sinh ra; đừng sửa bằng tay."
    )
    entries = list(catalogue.entries())
    yield ""
    yield f"{len(entries)} trường; {len({e.home.path for e in entries})} nơi giữ giá trị."
    yield from _classes(entries)
    table = ""
    for entry in entries:
        name = f"{entry.level} {entry.object_code} {entry.object}"
        if name != table:
            table = name
            yield ""
            yield f"## {entry.group_no} {LEVELS[entry.level]}: {entry.group}. {entry.object_code} ({catalogue.object_name(entry.object)})"
            yield ""
            yield "| Ký hiệu | Tên | Kiểu | Danh mục | Nơi giữ | Bảo mật | Lưu | Phần | Nhóm |"
            yield "|---|---|---|---|---|---|---|---|---|"
        size = f"({entry.length})" if entry.length else ""
        home = f"`{entry.home.path}`" + (f" qua {entry.home.via}" if entry.home.via else "")
        cells = (
            f"`{entry.symbol}`" if entry.symbol else "–", entry.name.replace("|", "/"), f"{TYPES[entry.type]}{size}", entry.list_code or "–", home,
            PRIVACY[entry.home.privacy], RETENTION[entry.home.retention], SECTIONS[entry.home.section], TOPICS[entry.topic],
        )  # fmt: skip
        yield f"| {' | '.join(map(str, cells))} |"


def _classes(entries: Iterable[Entry]) -> Iterator[str]:
    yield ""
    yield "| Mức bảo mật | Số trường | Vai trò được xem | Vai trò được sửa (giá trị theo ký hiệu) |"
    yield "|---|---|---|---|"
    for code, name in PRIVACY.items():
        count = sum(e.home.privacy == code for e in entries)
        yield f"| {name} | {count} | {', '.join(roles_of(READING[code]))} | {', '.join(roles_of(WRITING[code]))} |"


def owner_name(entry: Entry) -> str:
    """Return what the owner app of a field is called."""
    return str(OWNERS.get(entry.home.owner, entry.home.owner))


def type_name(entry: Entry) -> str:
    """Return a type with its length in words."""
    name = str(TYPES[entry.type])
    return _("%(type)s, tối đa %(length)s") % {"type": name, "length": entry.length} if entry.length else name
