"""The standard's CSV bundle: a ZIP with manifest.csv and a file a collection, written from our rows and read into staging.

Writing is whole ("bulk"): status and dateLastModified are left blank in the files, as the standard wants it; or it is what
changed since a moment ("delta"), with both, and records that are gone. Reading
believes nothing: sizes before unpacking, names of members, the manifest, headings; what it finds becomes sheets for the
import of classes and learners, where every row is looked at before it is written.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from khue.gateway.oneroster import queries
from khue.gateway.oneroster.payloads import MERGED_INTO, grade, moment
from khue.gateway.oneroster.queries import Reading
from khue.kernel import text
from khue.kernel.errors import DomainError

FILES = (
    "academicSessions", "categories", "classes", "classResources", "courses", "courseResources", "demographics", "enrollments",
    "lineItemLearningObjectiveIds", "lineItems", "lineItemScoreScales", "orgs", "resources", "resultLearningObjectiveIds", "results",
    "resultScoreScales", "roles", "scoreScales", "userProfiles", "userResources", "users",
)  # fmt: skip
"""Every file a manifest of version 1.2 speaks of, those that are absent too."""
HEADS: dict[str, tuple[str, ...]] = {
    "academicSessions": ("title", "type", "startDate", "endDate", "parentSourcedId", "schoolYear"),
    "categories": ("title", "weight"),
    "classes": ("title", "grades", "courseSourcedId", "classCode", "classType", "location", "schoolSourcedId", "termSourcedIds", "subjects", "subjectCodes", "periods"),
    "courses": ("schoolYearSourcedId", "title", "courseCode", "grades", "orgSourcedId", "subjects", "subjectCodes"),
    "demographics": (
        "birthDate", "sex", "americanIndianOrAlaskaNative", "asian", "blackOrAfricanAmerican", "nativeHawaiianOrOtherPacificIslander", "white",
        "demographicRaceTwoOrMoreRaces", "hispanicOrLatinoEthnicity", "countryOfBirthCode", "stateOfBirthAbbreviation", "cityOfBirth", "publicSchoolResidenceStatus",
    ),
    "enrollments": ("classSourcedId", "schoolSourcedId", "userSourcedId", "role", "primary", "beginDate", "endDate"),
    "lineItems": (
        "title", "description", "assignDate", "dueDate", "classSourcedId", "categorySourcedId", "gradingPeriodSourcedId", "academicSessionSourcedId",
        "schoolSourcedId", "resultValueMin", "resultValueMax",
    ),
    "orgs": ("name", "type", "identifier", "parentSourcedId"),
    "results": ("lineItemSourcedId", "studentSourcedId", "scoreStatus", "score", "scoreDate", "comment", "textScore", "classSourcedId"),
    "roles": ("userSourcedId", "roleType", "role", "beginDate", "endDate", "orgSourcedId", "userProfileSourcedId"),
    "users": (
        "enabledUser", "username", "userIds", "givenName", "familyName", "middleName", "identifier", "email", "sms", "phone", "agentSourcedIds", "grades",
        "password", "userMasterIdentifier", "resourceSourcedIds", "preferredGivenName", "preferredMiddleName", "preferredFamilyName", "primaryOrgSourcedId", "pronouns",
    ),
}  # fmt: skip
COMMON = ("sourcedId", "status", "dateLastModified")
MERGING = frozenset({"users", "demographics"})
"""Files whose records may go into another: a delta names which, in an extension column."""
LARGEST, MOST_MEMBERS, LARGEST_UNPACKED, MOST_ROWS = 30 * 2**20, 64, 200 * 2**20, 300_000


class NotABundle(DomainError):
    """The file is not a bundle of the standard that can be read. Facts: why."""

    code, status = "oneroster.not-a-bundle", 422
    title = _("Tệp này không đọc được như một gói OneRoster: %(why)s.")
    advice = _("Hãy xuất lại gói CSV phiên bản 1.1 hoặc 1.2 từ phần mềm kia, giữ nguyên tệp ZIP.")


class OfAnotherSchool(DomainError):
    """The bundle names other schools than the one it is brought to. Facts: school."""

    code, status = "oneroster.another-school", 422
    title = _("Gói này không có trường %(school)s.")
    advice = _("Hãy kiểm tra mã trường trong orgs.csv, hoặc chọn đúng trường.")


# -- writing -----------------------------------------------------------------------------------------------


def write(reading: Reading, *, source: str, with_marks: bool, since: datetime | None = None) -> tuple[bytes, int]:
    """Return a bundle of everything the reading sees, or of what changed since a moment, and how many records of persons are in it."""
    tables = dict(_rosters(reading, since))
    if with_marks:
        tables.update(_marks(reading, since))
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
        _member(package, "manifest.csv", [("propertyName", "value"), *_manifest(tables, source, "bulk" if since is None else "delta")])
        for name, rows in sorted(tables.items()):
            _member(package, f"{name}.csv", [(*COMMON, *HEADS[name], *([f"metadata.{MERGED_INTO}"] if since and name in MERGING else [])), *rows])
    return sink.getvalue(), len(tables["users"]) + len(tables.get("results", []))


def _manifest(tables: dict[str, list[Any]], source: str, mode: str) -> Iterator[tuple[str, str]]:
    yield "manifest.version", "1.0"
    yield "oneroster.version", "1.2"
    for name in FILES:
        yield f"file.{name}", mode if name in tables else "absent"
    yield "source.systemName", "Khuê"
    yield "source.systemCode", source


def _member(package: zipfile.ZipFile, name: str, rows: Iterable[Iterable[Any]]) -> None:
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\r\n")
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    package.writestr(info, sink.getvalue().encode())


def _cell(value: Any) -> str:
    """Return a cell: dates as days, lists joined by commas, and nothing a spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(str(one) for one in value)
    if isinstance(value, date):
        return value.isoformat()
    words = str(value)
    return f"'{words}" if words.startswith(("=", "+", "@", "\t", "\r")) or (words.startswith("-") and not words[1:].replace(".", "").isdigit()) else words


@dataclass(frozen=True, slots=True)
class _Writer:
    """How rows are written: whole, with the state left blank, or as changes since a moment, each with its state."""

    reading: Reading
    since: datetime | None

    def rows(self, plural: str) -> Iterator[dict[str, Any]]:
        return queries.everything(self.reading, plural, self.since)

    def state(self, row: dict[str, Any]) -> tuple[str, str]:
        return ("", "") if self.since is None else (row["status"], moment(row["modified"]))

    def row(self, row: dict[str, Any], *cells: Any) -> tuple[Any, ...]:
        told = (row["id"], *self.state(row), *cells)
        return (*told, row["merged_into"]) if self.since is not None and "merged_into" in row else told


def _rosters(reading: Reading, since: datetime | None) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    w = _Writer(reading, since)
    yield "academicSessions", [w.row(r, r["title"], r["type"], r["start_date"], r["end_date"], r["parent"], r["school_year"]) for r in w.rows("academicSessions")]
    yield "orgs", [w.row(r, r["name"], r["type"], r["identifier"], r["parent"]) for r in w.rows("orgs")]
    yield "courses", [w.row(r, str(reading.year), r["title"], r["course_code"], grade(r["grade"]), r["org"], r["subject_title"], r["subject"]) for r in w.rows("courses")]
    yield "classes", [
        w.row(r, r["title"], grade(r["grade"]), r["course"], r["class_code"], r["type"], "", r["school"], r["terms"], r["subject_title"], r["subject"], "")
        for r in w.rows("classes")
    ]
    users = list(w.rows("users"))
    yield "users", [_user(w, r) for r in users]
    yield "roles", [
        (f"{r['id']}.{one['role']}.{one['org']}.{one['begins'] or ''}", *w.state(r), r["id"], "primary" if n == 0 else "secondary", one["role"], one["begins"], one["ends"], one["org"], "")
        for r in users for n, one in enumerate(sorted(r["roles"], key=lambda one: (one["role"], one["org"], one["begins"] or "")))
    ]  # fmt: skip
    yield "demographics", [
        w.row(r, r["birth_date"], r["sex"], *[""] * 7, "", "", r["birth_place"], "") for r in w.rows("demographics")
    ]
    yield "enrollments", [
        w.row(r, r["class_id"], r["school"], r["user_id"], r["role"], r["is_primary"], r["begin_date"], r["end_date"]) for r in w.rows("enrollments")
    ]


def _user(w: _Writer, row: dict[str, Any]) -> tuple[Any, ...]:
    words = row["name"].split()
    return w.row(
        row, row["enabled"], "", f"{{khue:{row['identifier']}}}", words[-1], words[0] if len(words) > 1 else "", " ".join(words[1:-1]), row["identifier"], row["email"],
        "", "", row["agents"] or [], [grade(one) for one in row["grades"] or []], "", "", "", "", "", "", row["primary_org"], "",
    )  # fmt: skip


def _marks(reading: Reading, since: datetime | None) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    w = _Writer(reading, since)
    yield "categories", [w.row(r, r["title"], r["weight"]) for r in w.rows("categories")]
    yield "lineItems", [
        w.row(r, r["title"], "", r["assign_date"], r["due_date"], r["class_id"], r["category"], r["period"], r["period"], r["school"], "0.0", "10.0")
        for r in w.rows("lineItems")
    ]
    yield "results", [
        w.row(r, r["line_item"], r["student"], r["score_status"], f"{r['tenths'] // 10}.{r['tenths'] % 10}" if r["tenths"] is not None else "", r["score_date"], "", "", r["class_id"])
        for r in w.rows("results")
    ]


# -- reading -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Brought:
    """A bundle read: its version and the rows of each file that its manifest says is there."""

    version: str
    files: dict[str, list[dict[str, str]]] = field(default_factory=dict)


def read(content: bytes) -> Brought:
    """Return what a bundle holds. Raises NotABundle with what is wrong; nothing is unpacked before its sizes are known."""
    if len(content) > LARGEST:
        raise NotABundle(why=_("tệp quá lớn"))
    try:
        package = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise NotABundle(why=_("không phải tệp ZIP")) from error
    members = [one for one in package.infolist() if not one.is_dir()]
    names = [one.filename for one in members]
    if len(members) > MOST_MEMBERS or sum(one.file_size for one in members) > LARGEST_UNPACKED:
        raise NotABundle(why=_("gói bung ra quá lớn"))
    if len({name.lower() for name in names}) != len(names) or any("/" in name or "\\" in name or ".." in name for name in names):
        raise NotABundle(why=_("tên tệp trong gói không hợp lệ"))
    if "manifest.csv" not in names:
        raise NotABundle(why=_("thiếu manifest.csv"))
    told = {row.get("propertyName", ""): row.get("value", "") for row in _rows(package, "manifest.csv")}
    version = told.get("oneroster.version", "")
    if version not in ("1.1", "1.2"):
        raise NotABundle(why=_("chỉ đọc phiên bản 1.1 và 1.2"))
    found = Brought(version)
    for name in HEADS:
        state = told.get(f"file.{name}", "absent")
        if state == "absent":
            continue
        if state not in ("bulk", "delta"):
            raise NotABundle(why=_("manifest.csv ghi sai trạng thái tệp"))
        if f"{name}.csv" not in names:
            raise NotABundle(why=_("thiếu tệp mà manifest.csv nói là có"))
        found.files[name] = _rows(package, f"{name}.csv")
    return found


def _rows(package: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    try:
        with package.open(name) as source:
            content = source.read(LARGEST_UNPACKED + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise NotABundle(why=_("tệp trong gói bị hỏng hoặc có mật khẩu")) from error
    if len(content) > LARGEST_UNPACKED:
        raise NotABundle(why=_("gói bung ra quá lớn"))
    try:
        words = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotABundle(why=_("tệp không phải UTF-8")) from error
    if "\0" in words:
        raise NotABundle(why=_("tệp có ký tự lạ"))
    try:
        reader = csv.DictReader(io.StringIO(words, newline=""), strict=True)
        if not reader.fieldnames or len(set(reader.fieldnames)) != len(reader.fieldnames):
            raise NotABundle(why=_("dòng tiêu đề trống hoặc lặp"))
        found = []
        for row in reader:
            if len(found) >= MOST_ROWS:
                raise NotABundle(why=_("gói có quá nhiều dòng"))
            found.append({key: (value or "").strip() for key, value in row.items() if isinstance(key, str) and (value is None or isinstance(value, str))})
    except csv.Error as error:
        raise NotABundle(why=_("tệp CSV bị hỏng")) from error
    return found


def _gone(row: dict[str, str]) -> bool:
    return row.get("status", "").lower() == "tobedeleted"


def _bare(words: str) -> str:
    """Return a cell without the quote mark our own writing puts before what might be a formula."""
    return words[1:] if words[:1] == "'" and words[1:2] in "=+-@" else words


@dataclass(frozen=True, slots=True)
class Sheets:
    """What a bundle becomes for one school: CSV for the import of classes and of learners, with how many rows each."""

    classes: bytes
    class_count: int
    learners: bytes
    learner_count: int
    without_class: int


def sheets(brought: Brought, *, school_code: str, school_uid: str, school_name: str) -> Sheets:
    """Return a bundle as sheets for one school. Raises OfAnotherSchool, NotABundle where a needed file is missing.

    The school is found by its code in orgs.csv, or by our own identifier in a bundle of ours. A learner's class is the
    homeroom class she is enrolled in, else the only class there is of hers.
    """
    for needed in ("orgs", "users", "classes", "enrollments"):
        if needed not in brought.files:
            raise NotABundle(why=_("thiếu orgs, users, classes hoặc enrollments"))
    here = {row["sourcedId"] for row in brought.files["orgs"] if row.get("identifier") == school_code or row.get("sourcedId") == school_uid}
    if not here:
        raise OfAnotherSchool(school=school_name)
    classes = {row["sourcedId"]: row for row in brought.files["classes"] if row.get("schoolSourcedId") in here and not _gone(row)}
    homerooms = {key: row for key, row in classes.items() if row.get("classType", "").lower() == "homeroom"} or classes
    users = {row["sourcedId"]: row for row in brought.files["users"] if not _gone(row)}
    born = {row["sourcedId"]: row for row in brought.files.get("demographics", [])}
    places: dict[str, list[str]] = {}
    for row in brought.files["enrollments"]:
        if row.get("role", "").lower() == "student" and row.get("classSourcedId") in homerooms and row.get("userSourcedId") in users and not _gone(row):
            places.setdefault(row["userSourcedId"], []).append(row["classSourcedId"])
    rows, lost = [], 0
    for key in sorted(places, key=lambda one: (homerooms[places[one][0]].get("title", ""), _name(users[one]))):
        if len(set(places[key])) != 1:
            lost += 1
            continue
        rows.append(_learner(users[key], born.get(key, {}), homerooms[places[key][0]]))
    grades = [(_bare(row.get("title", "")), _grade(row.get("grades", ""))) for row in homerooms.values()]
    return Sheets(
        _sheet(("Tên lớp", "Khối"), sorted(grades)), len(grades),
        _sheet(("Mã định danh học sinh", "Họ và tên", "Ngày sinh", "Giới tính", "Lớp", "Nơi sinh", "Email"), rows), len(rows), lost,
    )  # fmt: skip


def _name(user: dict[str, str]) -> str:
    return text.clean(" ".join(_bare(user.get(part, "")) for part in ("familyName", "middleName", "givenName")))


def _learner(user: dict[str, str], born: dict[str, str], group: dict[str, str]) -> tuple[str, ...]:
    day = born.get("birthDate", "")
    told = "/".join(reversed(day.split("-"))) if len(day) == 10 and day.count("-") == 2 else day
    sex = {"male": "Nam", "female": "Nữ"}.get(born.get("sex", "").lower(), "")
    return (user.get("identifier", ""), _name(user), told, sex, _bare(group.get("title", "")), _bare(born.get("cityOfBirth", "")), user.get("email", ""))


def _grade(words: str) -> str:
    first = words.split(",")[0].strip()
    return str(int(first)) if first.isdigit() else first


def _sheet(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> bytes:
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow(head)
    writer.writerows(rows)
    return b"\xef\xbb\xbf" + sink.getvalue().encode()
