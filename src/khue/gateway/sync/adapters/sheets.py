"""The fall-back: what changed as a workbook for whoever carries it, a sheet an object; text cells only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import xlsxwriter
from django.utils import timezone

from khue.gateway.exchange.ministry import spec
from khue.gateway.exchange.ministry.sinks import SHEETS, canonical
from khue.gateway.sync.adapters import ACCEPTED, Answer, Outgoing, Page, Status
from khue.gateway.sync.models import SyncChannel, SyncFile
from khue.kernel import files

HEAD = ("IdBanGhi", "SuKien", "PhienBan", "ThoiGianCapNhat")
CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Sheets:
    """Push writes one file a batch and level; the file is the receipt, so every record of it counts as handed over."""

    def __init__(self, channel: SyncChannel) -> None:
        self.channel = channel

    def __enter__(self) -> Sheets:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None

    def push(self, object_: str, batch: Sequence[Outgoing]) -> list[Answer]:
        """See `Adapter.push`."""
        by_level: dict[str, list[Outgoing]] = defaultdict(list)
        for one in batch:
            by_level[one.level].append(one)
        for level, rows in sorted(by_level.items()):
            content = _workbook(level, object_, rows)
            name = f"{self.channel.code}-{level}-{object_}-{timezone.localtime():%Y%m%d-%H%M%S}.xlsx"
            kept = files.store(content, name=name, content_type=CONTENT_TYPE, purpose="sync.file")
            SyncFile.objects.create(channel=self.channel, file=kept, records=len(rows))
        return [Answer(one.record_id, ACCEPTED, "file") for one in batch]

    def pull(self, object_: str, after: str) -> Page:
        """A file holds nothing anybody could ask for."""
        return Page([])

    def status(self) -> Status:
        """A file is always there; it counts nothing."""
        return Status(True)


def _workbook(level: str, object_: str, rows: Sequence[Outgoing]) -> bytes:
    symbols = list(spec.table(level, object_).fields)
    with TemporaryDirectory(prefix="khue-sync-") as folder:
        path = Path(folder) / "book.xlsx"
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
        book = xlsxwriter.Workbook(str(path), options)
        text = book.add_format({"num_format": "@"})
        sheet = book.add_worksheet(SHEETS.get(object_, object_)[:31])
        for column, title in enumerate((*HEAD, *symbols)):
            sheet.write_string(0, column, title, text)
        for line, one in enumerate(rows, 1):
            head = (one.record_id, one.event, str(one.version), one.changed_at.strftime("%Y-%m-%dT%H:%M:%S"))
            for column, value in enumerate((*head, *(_cell(one.record.get(symbol)) for symbol in symbols))):
                if value:
                    sheet.write_string(line, column, value, text)
        book.close()
        return path.read_bytes()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return canonical(value) if isinstance(value, (list, dict)) else str(value)
