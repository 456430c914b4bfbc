"""Those who work in a school: their people and their posts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from khue.gateway.exchange.kinds import cells, teachers
from khue.gateway.exchange.kinds.base import Bad, Context, Field, Outcome, Parsed, taken
from khue.gateway.exchange.kinds.learners import _plain, _restore, _shown
from khue.gateway.exchange.models import ImportRow, What
from khue.gateway.exchange.reasons import Reason, reason
from khue.gateway.exchange.sheets import RawCell
from khue.gateway.exchange.sheets.cells import as_text
from khue.kernel import faults, text
from khue.register.people import bulk as people
from khue.register.people import numbers
from khue.register.people.models import Person
from khue.register.schooling.bulk import held_elsewhere
from khue.register.schooling.models import ClassGroup
from khue.register.staff import bulk as staff
from khue.register.staff.models import Position, Post
from khue.school.teaching.models import Assignment

_POSITIONS = {
    "hieu truong": "principal", "ht": "principal", "pho hieu truong": "vice_principal", "p hieu truong": "vice_principal",
    "pht": "vice_principal", "giao vien": "teacher", "gv": "teacher", "to truong chuyen mon": "teacher", "to truong": "teacher",
    "to pho": "teacher", "giao vien tong phu trach doi": "teacher", "tong phu trach doi": "teacher", "van thu": "clerk",
    "giao vu": "clerk", "nhan vien van thu": "clerk", "van thu giao vu": "clerk", "ke toan": "accountant",
    "nhan vien ke toan": "accountant", "y te": "nurse", "nhan vien y te": "nurse", "y te truong hoc": "nurse", "thu vien": "librarian",
    "nhan vien thu vien": "librarian", "thiet bi": "librarian", "thu vien thiet bi": "librarian", "nhan vien": "other",
    "bao ve": "other", "tap vu": "other", "chuyen vien": "officer",
}  # fmt: skip


def position(raw: RawCell) -> str:
    """Return the code of a position."""
    value = " ".join("".join(c if c.isalnum() else " " for c in text.fold(as_text(raw))).split())
    for known in (value, value.removesuffix(" thcs"), value.split(" hang ")[0], " ".join(value.split()[:2])):
        if known in _POSITIONS:
            return _POSITIONS[known]
    if value in Position.values:
        return value
    raise Bad("not-in-list", text=as_text(raw)[:40], list=str(_("chức vụ")))


FIELDS = (
    Field("code", _("Mã định danh"), ("Mã cán bộ", "Mã giáo viên ngành", "Mã định danh giáo viên", "Mã định danh Bộ GD&ĐT", "Mã ngành"), cells.person_code),
    Field("name", _("Họ và tên"), ("Họ tên", "Họ tên giáo viên", "Họ và tên giáo viên", "Giáo viên", "Họ và tên cán bộ", "Họ tên CBGV"), cells.numbered_name, is_required=True),
    Field("born_on", _("Ngày sinh"), ("Ngày tháng năm sinh", "Năm sinh", "NTNS"), cells.born),
    Field("sex", _("Giới tính"), ("GT", "Nam/Nữ", "Phái"), cells.sex),
    Field("personal_number", _("Số định danh cá nhân"), ("Số CCCD", "CCCD", "Số căn cước", "Căn cước công dân", "Số ĐDCN", "Số định danh", "Số CMND/CCCD"), cells.personal_number),
    Field("position", _("Chức vụ"), ("Vị trí việc làm", "Chức danh", "Nhiệm vụ", "Vị trí"), position),
    Field("contract_kind", _("Hình thức hợp đồng"), ("Loại hợp đồng", "Hợp đồng", "Biên chế"), cells.contract_kind),
    Field("subject", _("Môn dạy chính"), ("Môn dạy", "Chuyên môn", "Môn giảng dạy", "Bộ môn"), cells.words(40)),
    Field("short_name", _("Tên viết tắt trong trường"), ("Tên viết tắt", "Bí danh", "Mã giáo viên", "Mã GV", "Tên trên thời khoá biểu"), cells.words(60)),
    Field("phone", _("Điện thoại"), ("Số điện thoại", "SĐT", "ĐT", "Di động"), cells.phone),
    Field("email", _("Thư điện tử"), ("Email", "E-mail"), cells.email),
    Field("ethnic_group", _("Dân tộc"), ("DT",), cells.ethnic_group),
    Field("address", _("Nơi ở"), ("Địa chỉ", "Chỗ ở hiện nay"), cells.words(250)),
)  # fmt: skip
TITLES = {one.code: one.title for one in FIELDS}
OF_PERSON = ("name", "sex", "phone", "email", "ethnic_group")
OF_POST = ("position", "contract_kind", "short_name")


class Staff:
    """Danh sách đội ngũ."""

    code = "staff"
    title = _("Đội ngũ")
    right = "exchange.import"
    fields = FIELDS
    help = _("Mỗi dòng một người: họ và tên, chức vụ, môn dạy; thêm ngày sinh để phân biệt người trùng tên.")
    options = ()
    layouts = ()

    def prepare(self, context: Context, parsed: Parsed) -> None:
        """Look up posts; split numbered names; find twins of code and personal number."""
        teachers.posts_of(context)
        marks = []
        for i, value in enumerate(parsed.columns["name"]):
            name, mark = value or ("", "")
            parsed.columns["name"][i] = name
            marks.append(mark)
        shorts = parsed.columns.setdefault("short_name", [""] * len(marks))
        for i, mark in enumerate(marks):
            if mark and not shorts[i]:
                shorts[i] = teachers.full(parsed.columns["name"][i], mark)[:60]
        found = parsed.columns.get("personal_number", [None] * len(marks))
        parsed.extra["index"] = [numbers.blind_index(number) if number else None for number in found]
        for name, code in (("code", "twin-code"), ("personal_number", "twin-number")):
            first: dict[str, int] = {}
            for i, value in enumerate(parsed.columns.get(name, ())):
                if value and first.setdefault(value, i) != i:
                    parsed.refuse(i, reason(code, name, row=parsed.numbers[first[value]]))
        told: dict[tuple[Any, ...], int] = {}
        for i, name in enumerate(parsed.columns["name"]):
            key = (people.fold(name), parsed.get("born_on", i), shorts[i], parsed.get("code", i), found[i])
            if name and i not in parsed.problems and told.setdefault(key, i) != i:
                parsed.refuse(i, reason("twin-row", "name", row=parsed.numbers[told[key]]))

    def plan(self, context: Context, parsed: Parsed, indices: Sequence[int]) -> list[Outcome]:
        """Return what becomes of each row: matched by code, personal number, short name, name with birth date."""
        posts = teachers.posts_of(context)
        by_index = {row["personal_index"]: row for row in posts.rows if row["personal_index"]}
        unknown = [
            {"n": i, "code": parsed.get("code", i) or None, "index": parsed.extra["index"][i]} for i in indices
            if i not in parsed.problems and (
                (parsed.get("code", i) and parsed.get("code", i) not in posts.by_code)
                or (parsed.extra["index"][i] and parsed.extra["index"][i] not in by_index)
            )
        ]  # fmt: skip
        elsewhere = held_elsewhere(unknown)
        result = []
        for i in indices:
            if i in parsed.problems:
                outcome = Outcome(i, What.REFUSED, reasons=list(parsed.problems[i]))
            else:
                outcome = self._one(context, parsed, i, posts, by_index, elsewhere.get(i))
            outcome.notes.extend(parsed.notes.get(i, ()))
            result.append(outcome)
        taken(context, parsed, result)
        return result

    def _one(
        self, context: Context, parsed: Parsed, i: int, posts: teachers.Posts, by_index: dict[str, dict[str, Any]], elsewhere: str | None
    ) -> Outcome:  # fmt: skip
        code, index, name = parsed.get("code", i), parsed.extra["index"][i], parsed.get("name", i)
        met = posts.by_code.get(code) if code else None
        if met is None and index:
            met = by_index.get(index)
        if met is None and elsewhere is not None:
            return Outcome(i, What.REFUSED, reasons=[reason("teacher-elsewhere", "code", code=code or name, school=elsewhere)])
        if met is None and code:
            return Outcome(i, What.REFUSED, reasons=[reason("code-unknown", "code", code=code)])
        if met is not None and index and met["personal_index"] not in (None, index):
            return Outcome(i, What.REFUSED, reasons=[reason("number-differs", "personal_number", code=met["code"])])
        if met is None:
            met, unclear = self._by_name(parsed, i, posts)
            if unclear is not None:
                return Outcome(i, What.ASKED, reasons=[unclear])
        values = self._values(context, parsed, i)
        return self._new(i, parsed, values) if met is None else self._changes(i, parsed, met, values)

    def _by_name(self, parsed: Parsed, i: int, posts: teachers.Posts) -> tuple[dict[str, Any] | None, Reason | None]:
        born, name, short = parsed.get("born_on", i), parsed.get("name", i), parsed.get("short_name", i)
        rows = posts.by_name.get(people.fold(name), [])
        if short and any(row["short_name"] for row in rows):
            exact = [row for row in rows if text.fold(row["short_name"]) == text.fold(short)]
            rows = exact or [row for row in rows if not row["short_name"]]
        if born is not None:
            rows = [row for row in rows if row["born_on"] in (None, born.on)]
        opened = [row for row in rows if row["is_open"]] or rows
        if len(opened) > 1:
            return None, reason("several-teachers", "name", count=len(opened), text=name)
        return (opened[0], None) if opened else (None, None)

    def _values(self, context: Context, parsed: Parsed, i: int) -> dict[str, Any]:
        """Return the row's values that say something, for person and post."""
        values: dict[str, Any] = {name: parsed.get(name, i) for name in (*OF_PERSON, *OF_POST, "address") if parsed.get(name, i)}
        born = parsed.get("born_on", i)
        if born is not None:
            values["born_on"], values["born_precision"] = born.on, born.precision
        if parsed.get("personal_number", i):
            values["personal_number"] = parsed.get("personal_number", i)
        if parsed.get("subject", i):
            values["subject_code"] = self._subject(context, parsed.get("subject", i))
        return values

    @staticmethod
    def _subject(context: Context, name: str) -> str:
        """Return a subject's code where any grade has that name, else the words themselves."""
        from khue.school.teaching import subjects

        known = context.data.setdefault("subjects", {
            key: code for grade in range(12, 0, -1) for key, code in subjects.names_for(grade, context.batch.school_year).items()
        })  # fmt: skip
        return known.get(subjects.plain(name), name)[:40]

    def _new(self, i: int, parsed: Parsed, values: dict[str, Any]) -> Outcome:
        return Outcome(i, What.NEW, target=("staff", people.fold(values["name"]), str(values.get("born_on")), values.get("short_name", ""), parsed.extra["index"][i]), plan={"values": values})

    def _changes(self, i: int, parsed: Parsed, met: dict[str, Any], values: dict[str, Any]) -> Outcome:
        outcome = Outcome(
            i, What.UNCHANGED, target=("post", met["post_id"]), object_id=met["id"], object_version=met["version"],
            second_id=met["post_id"], second_version=met["post_version"],
        )  # fmt: skip
        of_person = {n: values[n] for n in (*OF_PERSON, "born_on", "born_precision") if n in values and values[n] != met[n]}
        if "personal_number" in values and met["personal_index"] is None:
            of_person["personal_number"] = values["personal_number"]
        of_post = {n: values[n] for n in (*OF_POST, "subject_code") if n in values and values[n] != met[n]}
        if met["position"] in ("principal", "vice_principal") and "position" in of_post and met["is_open"]:
            of_post.pop("position")
            outcome.notes.append(reason("position-kept", "position", position=str(Position(met["position"]).label)))
        for name, value in {**of_person, **of_post}.items():
            if name == "personal_number":
                outcome.diff[name] = ("", numbers.masked(value))
            elif name != "born_precision":
                outcome.diff[name] = (_text(name, met[name]), _text(name, value))
        outcome.plan = {"met": met, "person": of_person, "post": of_post, "reopen": not met["is_open"]}
        if not met["is_open"]:
            outcome.what = What.NEW
        elif of_person or of_post:
            outcome.what = What.CHANGED
        return outcome

    def write(self, context: Context, outcomes: Sequence[Outcome]) -> None:
        """Enter people, open posts, change what changed."""
        fresh = [o for o in outcomes if o.what == What.NEW and "values" in o.plan]
        made = people.create([o.plan["values"] for o in fresh], school_id=context.school_id)
        faults.hit("exchange.staff.after_people")
        posts = staff.open_posts(
            [{"person_id": person.id, **o.plan["values"]} for o, person in zip(fresh, made, strict=True)],
            school_id=context.school_id, from_day=context.from_day,
        )  # fmt: skip
        for outcome, person in zip(fresh, made, strict=True):
            outcome.object_id, outcome.object_version, outcome.created = person.id, 1, person.code
            outcome.second_id, outcome.second_version = posts[person.id], 1
        known = [o for o in outcomes if o.what in (What.NEW, What.CHANGED) and "met" in o.plan]
        self._write_known(context, known)

    def _write_known(self, context: Context, known: Sequence[Outcome]) -> None:
        again = [o for o in known if o.plan["reopen"]]
        staff.reopen_posts([(o.second_id, o.second_version) for o in again], from_day=context.from_day)  # type: ignore[misc]
        people.revive([o.object_id for o in again])  # type: ignore[misc]
        for outcome in again:
            outcome.object_version += 1  # type: ignore[operator]
            outcome.second_version += 1  # type: ignore[operator]
        of_person = [o for o in known if o.plan["person"]]
        of_post = [o for o in known if o.plan["post"]]
        versions = people.change([{"id": o.object_id, "version": o.object_version, **o.plan["person"]} for o in of_person])
        post_versions = staff.change_posts([{"id": o.second_id, "version": o.second_version, **o.plan["post"]} for o in of_post])
        for outcome in known:
            met = outcome.plan["met"]
            if (outcome.plan["person"] and outcome.object_id not in versions) or (outcome.plan["post"] and outcome.second_id not in post_versions):
                outcome.what, outcome.reasons = What.CONFLICT, [reason("moved-meanwhile")]
                continue
            outcome.object_version = versions.get(outcome.object_id or 0, outcome.object_version or 0)
            outcome.second_version = post_versions.get(outcome.second_id or 0, outcome.second_version or 0)
            outcome.undo["person"] = {
                n: ["" if n == "personal_number" else _plain(met.get(n)), "x" if n == "personal_number" else _plain(v)]
                for n, v in outcome.plan["person"].items()
            }
            outcome.undo["post"] = {n: [met[n], v] for n, v in outcome.plan["post"].items()}

    def undo(self, context: Context, rows: Sequence[ImportRow]) -> dict[int, list[Reason]]:
        """End new posts that nothing uses, withdraw their people, put changed fields back unless changed since."""
        kept: dict[int, list[Reason]] = {}
        posts = {p.pk: p for p in Post.objects.select_for_update(of=("self",)).filter(pk__in=[r.second_id for r in rows]).order_by("pk")}
        people_now = {p.pk: p for p in Person.objects.filter(pk__in=[r.object_id for r in rows])}
        busy = set(ClassGroup.objects.filter(homeroom_id__in=posts).values_list("homeroom_id", flat=True))
        busy |= set(Assignment.objects.filter(post_id__in=posts).exclude(valid__isempty=True).values_list("post_id", flat=True))
        gone = []
        for row in rows:
            post, person = posts.get(row.second_id or 0), people_now.get(row.object_id or 0)
            if post is None or person is None:
                continue
            if row.what == What.NEW:
                if post.pk in busy:
                    kept[row.number] = [reason("in-use", what=str(_("phân công hoặc chủ nhiệm")))]
                elif post.version != row.second_version or person.version != row.object_version:
                    kept[row.number] = [reason("changed-since", fields=str(_("hồ sơ")))]
                else:
                    gone.append((row, post))
            else:
                self._put_back(row, post, person, kept)
        staff.undo_posts([(post.pk, post.version) for _row, post in gone])
        people.withdraw([row.object_id for row, _post in gone], batch=str(context.batch.uid))  # type: ignore[misc]
        return kept

    def _put_back(self, row: ImportRow, post: Post, person: Person, kept: dict[int, list[Reason]]) -> None:
        undo = (row.detail or {}).get("undo", {})
        restored, lost = _restore(person, undo.get("person", {}))
        of_post = {}
        for name, (old, new) in undo.get("post", {}).items():
            if getattr(post, name) == new:
                of_post[name] = old
            else:
                lost.append(name)
        if restored:
            people.change([{"id": person.pk, "version": person.version, **restored}])
        if of_post:
            staff.change_posts([{"id": post.pk, "version": post.version, **of_post}])
        if lost:
            kept[row.number] = [reason("changed-since", fields=", ".join(str(TITLES.get(n, n)) for n in lost))]


def _text(name: str, value: Any) -> str:
    if name == "position":
        return str(Position(value).label) if value else ""
    return _shown(name, value)
