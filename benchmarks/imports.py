"""Importing 50,000 learners, and the same file again.

Floor of the first import: read the file and COPY its rows, as the owner of the tables (no row-level security), into
the very tables the import fills, people and placements, with their keys, history triggers and search indexes.
Nothing is checked, composed or encrypted there. Ours is everything from the upload to the last commit: inspection,
mapping, dry run, second match, codes, encryption, placements, the way back.

Floor of the same file again: read, hash each row, COPY the hashes to a temporary table and join them with the
hashes of the last import.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.ratios import ROUNDS, Ratio, database, measure

ROWS = int(os.environ.get("KHUE_BENCH_ROWS", "50000"))
PARTS = os.environ.get("KHUE_BENCH_PARTS", "first,again,dirty").split(",")
CLASS_SIZE = 40
NOW = datetime(2025, 11, 10, 2, 0, tzinfo=UTC)
FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương", "Lý")
MIDDLE = ("Văn", "Thị", "Hoàng", "Minh", "Ngọc", "Thanh", "Quốc", "Thuỳ", "Gia", "Khánh", "Đức", "Bảo", "Hữu", "Kim", "Xuân")
GIVEN = ("An", "Anh", "Bình", "Châu", "Cường", "Dung", "Đạt", "Giang", "Hà", "Hải", "Hân", "Hiếu", "Hoà", "Huy", "Khang", "Khoa", "Lan", "Linh",
         "Long", "Mai", "Nam", "Ngân", "Nhi", "Phúc", "Phương", "Quân", "Quyên", "Sơn", "Tâm", "Thảo", "Trang", "Trí", "Tuấn", "Uyên", "Vy", "Yến")  # fmt: skip
HEAD = ("STT", "Họ và tên", "Ngày sinh", "Giới tính", "Lớp", "Số định danh cá nhân", "Dân tộc", "Nơi sinh", "Địa chỉ", "Điện thoại", "Thư điện tử", "Số thứ tự trong lớp")


def table(count: int) -> list[tuple[str, ...]]:
    """Return the rows of a file of learners of grades 6 to 9, the same at each run."""
    rows = []
    for n in range(count):
        grade = 6 + n // CLASS_SIZE % 4
        year = 2025 - grade - 5
        name = f"{FAMILY[n % 15]} {MIDDLE[n // 15 % 15]} {GIVEN[n * 7 % 36]} {GIVEN[n * 11 % 35]}"
        boy = n % 2
        rows.append((
            str(n + 1), name, f"{1 + n % 28:02d}/{1 + n // 28 % 12:02d}/{year}", "Nam" if boy else "Nữ", f"{grade}/{n // CLASS_SIZE + 1}",
            f"086{2 if boy else 3}{year % 100:02d}{n:06d}", "Kinh", "Vĩnh Long", f"{n % 900 + 1} đường số {n % 40}", f"09{n:08d}", "", str(n % CLASS_SIZE + 1),
        ))  # fmt: skip
    return rows


def dirty(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the rows with one in five dirty: dates that are none, numbers cut short, classes that are not there, twins, blanks, odd spaces."""
    spoiled = []
    for n, row in enumerate(rows):
        cells = list(row)
        match n % 35:
            case 0:
                cells[2] = "31/02/2013"
            case 5:
                cells[5] = cells[5][:9]
            case 10:
                cells[4] = "Lớp lạ"
            case 15:
                cells[1:] = rows[n - 1][1:]
            case 20:
                cells[1] = ""
            case 25:
                cells[1] = f"  {cells[1].upper()}  "
            case 30:
                cells[9] = "không có"
        spoiled.append(tuple(cells))
    return spoiled


@dataclass(slots=True)
class Cost:
    """What an act cost this process beside time: seconds of processor, and how far its memory rose above what it had."""

    processor: float = 0.0
    risen: int = 0

    def of(self, act: Callable[[], object]) -> None:
        """Run an act and keep the highest cost seen; memory in MB by the kernel's high-water mark, which only rises."""
        processor, peak = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        act()
        self.processor = max(self.processor, time.process_time() - processor)
        self.risen = max(self.risen, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) // 1024)

    def __str__(self) -> str:
        return f"{self.processor:.0f} s of processor of its own, memory {self.risen} MB above"


def write_files(folder: Path, rows: list[tuple[str, ...]]) -> dict[str, Path]:
    """Write the rows as CSV and XLSX."""
    import rustpy_xlsxwriter  # noqa: F401  the fast writer is a dependency; xlsxwriter keeps text as text
    import xlsxwriter

    paths = {"CSV": folder / "hoc-sinh.csv", "XLSX": folder / "hoc-sinh.xlsx"}
    with paths["CSV"].open("w", encoding="utf-8-sig", newline="") as sink:
        csv.writer(sink).writerows([HEAD, *rows])
    book = xlsxwriter.Workbook(str(paths["XLSX"]), {"constant_memory": True, "strings_to_numbers": False})
    page = book.add_worksheet("Danh sách")
    for index, row in enumerate([HEAD, *rows]):
        page.write_row(index, 0, row)
    book.close()
    return paths


def read(path: Path) -> list[list[str]]:
    """Read the rows with the fastest reader at hand and nothing else."""
    if path.suffix == ".csv":
        return list(csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline="")))[1:]
    import python_calamine

    return python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python(skip_empty_area=False)[1:]  # type: ignore[return-value]


PEOPLE = "id, uid, version, code, name, sort_key, born_on, born_precision, sex, ethnic_group, nationality, birth_place, commune_code, address, phone, email, personal_index, facts, school_id"
PLACES = "uid, version, learner_id, school_id, class_group_id, school_year, is_main, valid, opened, closed, roll_number"


def run() -> Iterator[Ratio]:
    """Yield the ratios of the first import and of the same file again, for CSV and XLSX."""
    with database() as (_app, owner, superuser), tempfile.TemporaryDirectory() as folder:
        yield from _run(owner, superuser, Path(folder))


def _run(owner_url: str, superuser_url: str, folder: Path) -> Iterator[Ratio]:
    import psycopg
    from tests import factories

    from khue.gateway.exchange import services
    from khue.gateway.exchange.models import What
    from khue.kernel.database import scope
    from khue.kernel.ids import uid7
    from khue.register.schooling.models import ClassGroup

    rows = table(ROWS)
    paths = write_files(folder, rows)
    names = list(dict.fromkeys(row[4] for row in rows))
    with scope.opened(everything=True):
        here = factories.school("Trường đo tốc độ")
        ClassGroup.objects.bulk_create([ClassGroup(school=here, school_year=2025, grade=int(name.split("/")[0]), name=name) for name in names])
        classes = dict(ClassGroup.objects.filter(school=here).values_list("name", "pk"))
        clerk = factories.actor_of(factories.account("clerk", here))
    owner = psycopg.connect(owner_url)
    superuser = psycopg.connect(superuser_url, autocommit=True)
    superuser.execute("set session_replication_role = replica")
    identifiers = [(str(uid7()), str(uid7()), f"99{n:08d}") for n in range(ROWS)]

    def empty() -> None:
        for name in ("exchange_importrow", "schooling_placement", "schooling_placementhistory", "people_person", "people_personhistory"):
            superuser.execute(f"delete from {name}")
            superuser.execute(f"vacuum analyze {name}")

    def copy(path: Path) -> None:
        owner.execute("set datestyle = 'ISO, DMY'")
        lines = read(path)
        with owner.cursor() as cursor:
            with cursor.copy(f"copy people_person ({PEOPLE}) from stdin") as sink:
                for n, line in enumerate(lines):
                    uid, _place, code = identifiers[n]
                    sink.write_row((n + 1, uid, 1, code, line[1], line[1], line[2], "day", "1", "01", "", line[7], "", line[8], line[9], line[10], line[5], "{}", here.pk))
            with cursor.copy(f"copy schooling_placement ({PLACES}) from stdin") as sink:
                for n, line in enumerate(lines):
                    sink.write_row((identifiers[n][1], 1, n + 1, here.pk, classes[line[4]], 2025, True, "[2025-09-05,2026-05-31)", "import", "", line[11]))
        owner.commit()

    def ours(path: Path) -> None:
        report = services.import_file(clerk, here, "learners", path, now=NOW, school_year=2025)
        assert report.applied[What.NEW] == ROWS, (report.applied, report.problems[:3])

    for kind, target in (("CSV", 2.0), ("XLSX", 2.5)) if "first" in PARTS else ():
        path = paths[kind]
        yield measure(
            f"import of {ROWS:,} learners, {kind}", ours=lambda path=path: ours(path), floor=lambda path=path: copy(path), before=empty,
            target=target, note="floor: read + COPY into the same tables as their owner",
        )  # fmt: skip
    if "dirty" in PARTS:
        apart = folder / "dirty"
        apart.mkdir()
        path = write_files(apart, dirty(rows))["CSV"]

        def taken(path: Path = path) -> None:
            report = services.import_file(clerk, here, "learners", path, now=NOW, school_year=2025)
            counted = {what: report.applied.get(what, 0) for what in (What.NEW, What.REFUSED)}
            assert sum(counted.values()) == ROWS and counted[What.REFUSED] >= ROWS // 20, report.applied
            assert all(why for _number, _what, why in report.problems)

        cost = Cost()
        found = measure(
            f"import of {ROWS:,} learners, one row in five dirty, CSV", ours=lambda: cost.of(taken), floor=lambda: copy(paths["CSV"]), before=empty, target=2.0,
            rounds=min(ROUNDS, 3), note="floor: read + COPY of the clean file; every refused row has its reason",
        )  # fmt: skip
        yield replace(found, note=f"{found.note}; {cost}")
    if "again" in PARTS:
        yield from _again(owner, paths, empty, ours, services, clerk, here)


def _again(owner, paths, empty, ours, services, clerk, here):
    from khue.gateway.exchange.models import What

    for kind, path in paths.items():
        empty()
        ours(path)
        owner.execute("drop table if exists bench_hash")
        owner.execute("create table bench_hash (hash uuid primary key, row int)")
        hashes = [hashlib.md5("\x1f".join(map(str, line)).encode(), usedforsecurity=False).hexdigest() for line in read(path)]
        with owner.cursor() as cursor, cursor.copy("copy bench_hash from stdin") as sink:
            for n, value in enumerate(hashes):
                sink.write_row((value, n))
        owner.execute("analyze bench_hash")
        owner.commit()

        def stage(path: Path = path) -> None:
            with owner.cursor() as cursor:
                cursor.execute("create temporary table staged (hash uuid, row int) on commit drop")
                with cursor.copy("copy staged from stdin") as sink:
                    for n, line in enumerate(read(path)):
                        sink.write_row((hashlib.md5("\x1f".join(map(str, line)).encode(), usedforsecurity=False).hexdigest(), n))
                cursor.execute("select count(*) from staged s where not exists (select 1 from bench_hash b where b.hash = s.hash)")
                assert cursor.fetchone() == (0,)
            owner.commit()

        def again(path: Path = path) -> None:
            report = services.import_file(clerk, here, "learners", path, now=NOW, school_year=2025)
            assert report.checked[What.UNCHANGED] == ROWS and not report.applied, report.checked

        yield measure(f"the same {ROWS:,} learners again, {kind}", ours=again, floor=stage, target=1.3, note="floor: read + stage + hash comparison; no register row written")
