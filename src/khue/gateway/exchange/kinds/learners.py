"""Learners and their classes of a school year, with the names and phones of their families."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _

from khue.gateway.exchange.kinds import cells
from khue.gateway.exchange.kinds.base import Context, Field, Option, Outcome, Parsed, taken
from khue.gateway.exchange.models import ImportRow, What
from khue.gateway.exchange.reasons import Reason, reason
from khue.gateway.exchange.sheets.cells import PartialDate
from khue.kernel import faults, ids, text
from khue.register.orgs.models import level_of_grade
from khue.register.people import bulk as people
from khue.register.people import numbers
from khue.register.people.models import Kinship, Person, Sex
from khue.register.schooling import bulk as schooling
from khue.register.schooling.models import ClassGroup, Opened
from khue.school.gradebook.models import Line

RELATIONS = ("father", "mother", "guardian")
PLAIN = ("name", "sex", "ethnic_group", "nationality", "birth_place", "address", "phone", "email")
"""Fields compared and written as they are; the date of birth carries its precision along."""

FIELDS = (
    Field("code", _("Mã định danh học sinh"), ("Mã học sinh", "Mã HS", "Mã định danh", "Mã định danh Bộ GD&ĐT", "Mã định danh bộ", "Mã ngành", "Mã định danh ngành", "HOC_SINH_ID"), cells.person_code),
    Field("name", _("Họ và tên"), ("Họ tên", "Họ và tên học sinh", "Họ tên học sinh", "Tên học sinh", "Họ, tên", "Họ và tên khai sinh"), cells.name),
    Field("family_middle", _("Họ và tên đệm"), ("Họ đệm", "Họ và đệm", "Họ lót", "Họ và chữ lót", "Họ"), cells.words(90), is_plain=False),
    Field("given", _("Tên"), ("Tên gọi",), cells.words(40), is_plain=False),
    Field("born_on", _("Ngày sinh"), ("Ngày tháng năm sinh", "Ngày, tháng, năm sinh", "NTNS", "Năm sinh", "Sinh ngày", "NGAY_SINH"), cells.born),
    Field("born_day", _("Ngày sinh: ngày"), ("Ngày sinh Ngày", "Ngày tháng năm sinh Ngày"), cells.whole, is_plain=False),
    Field("born_month", _("Ngày sinh: tháng"), ("Ngày sinh Tháng", "Ngày tháng năm sinh Tháng"), cells.whole, is_plain=False),
    Field("born_year", _("Ngày sinh: năm"), ("Ngày sinh Năm", "Ngày tháng năm sinh Năm"), cells.whole, is_plain=False),
    Field("sex", _("Giới tính"), ("GT", "Nam/Nữ", "Nam nữ", "Phái", "GIOI_TINH"), cells.sex),
    Field("female", _("Nữ"), ("Nữ (x)",), cells.tick, is_plain=False),
    Field("group", _("Lớp"), ("Tên lớp", "Lớp học", "Lớp hiện tại", "Lop"), cells.words(60), is_required=True),
    Field("personal_number", _("Số định danh cá nhân"), ("Số CCCD", "CCCD", "Số căn cước", "Căn cước công dân", "Mã định danh công dân", "Số ĐDCN", "ĐDCN", "Số định danh", "Mã định danh cá nhân", "Số CMND/CCCD", "SO_CCCD"), cells.personal_number),
    Field("ethnic_group", _("Dân tộc"), ("DT", "DAN_TOC"), cells.ethnic_group),
    Field("nationality", _("Quốc tịch"), (), cells.nationality),
    Field("birth_place", _("Nơi sinh"), ("Sinh tại", "NOI_SINH"), cells.words(200)),
    Field("address", _("Nơi ở"), ("Địa chỉ", "Chỗ ở hiện nay", "Nơi ở hiện nay", "Hộ khẩu thường trú", "Địa chỉ thường trú", "Nơi thường trú", "Chỗ ở"), cells.words(250)),
    Field("phone", _("Điện thoại học sinh"), ("Điện thoại", "Số điện thoại", "SĐT", "ĐT", "Di động"), cells.phone),
    Field("email", _("Thư điện tử"), ("Email", "E-mail", "Thư điện tử học sinh"), cells.email),
    Field("roll_number", _("Số thứ tự trong lớp"), ("STT trong lớp", "Số thứ tự lớp"), cells.whole),
    Field("father_name", _("Họ tên cha"), ("Họ tên bố", "Cha", "Bố", "Họ và tên cha", "Họ và tên bố", "Tên cha", "Tên bố", "Cha Họ tên", "Cha Họ và tên"), cells.name),
    Field("father_phone", _("Điện thoại cha"), ("SĐT cha", "Số điện thoại cha", "Điện thoại bố", "SĐT bố", "Số điện thoại bố", "Cha Điện thoại", "Cha Số điện thoại", "ĐT cha"), cells.phone),
    Field("mother_name", _("Họ tên mẹ"), ("Mẹ", "Họ và tên mẹ", "Tên mẹ", "Mẹ Họ tên", "Mẹ Họ và tên"), cells.name),
    Field("mother_phone", _("Điện thoại mẹ"), ("SĐT mẹ", "Số điện thoại mẹ", "Mẹ Điện thoại", "Mẹ Số điện thoại", "ĐT mẹ"), cells.phone),
    Field("guardian_name", _("Họ tên người giám hộ"), ("Người giám hộ", "Họ và tên người giám hộ", "Người đỡ đầu", "Người giám hộ Họ tên", "Phụ huynh", "Họ tên phụ huynh"), cells.name),
    Field("guardian_phone", _("Điện thoại người giám hộ"), ("SĐT người giám hộ", "Người giám hộ Điện thoại", "Điện thoại phụ huynh", "SĐT phụ huynh", "Số điện thoại phụ huynh"), cells.phone),
)  # fmt: skip

KEEP_FOREIGN = "keep_foreign_codes"
SAME_NAME = "same_name_is_same"
USUAL_AGE = 5
"""A child enters grade 1 in the calendar year of her sixth birthday: grade g in year y means born in y - g - 5."""
TITLES = {one.code: one.title for one in FIELDS}
_PARTS = """
select g.name, count(*), count(*) filter (where p.learner_id = any(%(met)s))
  from schooling_placement p join schooling_classgroup g on g.id = p.class_group_id
 where p.school_id = %(school)s and p.school_year = %(year)s and p.valid @> %(day)s::date
 group by g.id, g.name having count(*) filter (where p.learner_id = any(%(met)s)) between 1 and count(*) - 1 order by g.name
"""


class Learners:
    """Danh sách học sinh."""

    code = "learners"
    title = _("Học sinh")
    right = "exchange.import"
    fields = FIELDS
    help = _("Mỗi dòng một em: họ và tên, ngày sinh, lớp; thêm mã định danh, số định danh cá nhân, cha mẹ nếu có.")
    options = (
        Option(KEEP_FOREIGN, _("Giữ mã của tỉnh khác"), _("Học sinh mang mã định danh do tỉnh khác cấp được lập hồ sơ với đúng mã đó.")),
        Option(SAME_NAME, _("Cùng họ tên, ngày sinh là một em"), _("Em có hồ sơ ở lớp khác của trường trong năm học này được đổi sang lớp trong tệp.")),
    )  # fmt: skip
    layouts = ()

    # -- once a file -----------------------------------------------------------------------------------------
    def prepare(self, context: Context, parsed: Parsed) -> None:
        """Compose names and dates from their parts, look up the classes, find twins inside the file."""
        _compose_names(parsed)
        _compose_dates(parsed, context.today)
        _compose_sex(parsed)
        context.data.setdefault("classes", classes_of(context))
        if any(name.startswith(RELATIONS) and name.endswith("_name") for name in parsed.columns):
            parsed.extra["guardians"] = True
        _check_twins(context, parsed)

    def absent(self, context: Context) -> list[Reason]:
        """Say of each class the file has learners of how many learners it does not have; one query, after planning."""
        met = [key[1] for key in context.seen if isinstance(key, tuple) and key[0] == "person"]
        if not met:
            return []
        values = {"met": met, "school": context.school_id, "year": context.batch.school_year, "day": max(context.today, context.from_day)}
        with connection.cursor() as cursor:
            cursor.execute(_PARTS, values)
            return [reason("part-of-class", group=name, count=count, absent=count - here) for name, count, here in cursor.fetchall()]

    # -- planning --------------------------------------------------------------------------------------------
    def plan(self, context: Context, parsed: Parsed, indices: Sequence[int]) -> list[Outcome]:
        """Return what becomes of each row: matched by code, else personal number, else name, birth date and class."""
        outcomes = {i: Outcome(i, What.REFUSED, reasons=list(parsed.problems[i])) for i in indices if i in parsed.problems}
        rest = [i for i in indices if i not in outcomes]
        for i in rest:
            outcome = self._class_of(context, parsed, i)
            if outcome is not None:
                outcomes[i] = outcome
        rest = [i for i in rest if i not in outcomes]
        hits = schooling.match_learners(
            [self._key(parsed, i) for i in rest], school_id=context.school_id, school_year=context.batch.school_year
        )
        absent = [
            {"n": i, "code": parsed.get("code", i), "index": parsed.extra["index"][i] if "index" in parsed.extra else None}
            for i in rest
            if self._is_unknown(parsed, i, hits.get(i, []))
        ]
        elsewhere = schooling.held_elsewhere(absent)
        ties = self._known_ties(context, parsed, rest, hits)
        for i in rest:
            outcomes[i] = self._decide(context, parsed, i, hits.get(i, []), elsewhere.get(i), ties)
        result = [outcomes[i] for i in indices]
        for outcome in result:
            outcome.notes.extend(parsed.notes.get(outcome.index, ()))
        taken(context, parsed, result)
        return result

    def _class_of(self, context: Context, parsed: Parsed, i: int) -> Outcome | None:
        """Refuse a row without a class of this school and year."""
        group = context.data["classes"].get(text.fold(parsed.get("group", i)))
        if group is None:
            return Outcome(i, What.REFUSED, reasons=[reason("no-class", "group", text=parsed.get("group", i))])
        return None

    def _key(self, parsed: Parsed, i: int) -> dict[str, Any]:
        index = parsed.extra["index"][i] if "index" in parsed.extra else None
        born = parsed.get("born_on", i)
        return {
            "n": i, "code": parsed.get("code", i) or None, "index": index,
            "fold": people.fold(parsed.get("name", i)), "born": born.on if born else None,
        }  # fmt: skip

    @staticmethod
    def _is_unknown(parsed: Parsed, i: int, hits: Sequence[dict[str, Any]]) -> bool:
        hows = {hit["how"] for hit in hits}
        index = parsed.extra["index"][i] if "index" in parsed.extra else None
        return bool(
            (parsed.get("code", i) and schooling.BY_CODE not in hows)
            or (index and schooling.BY_NUMBER not in hows and not any(hit["personal_index"] == index for hit in hits))
        )

    def _known_ties(self, context: Context, parsed: Parsed, rest: Sequence[int], hits: dict[int, list[dict[str, Any]]]) -> dict:
        if not parsed.extra.get("guardians"):
            return {}
        learners = [hit["id"] for i in rest for hit in hits.get(i, ())]
        return people.known_ties(learners, on=max(context.today, context.from_day))

    def _decide(
        self, context: Context, parsed: Parsed, i: int, hits: Sequence[dict[str, Any]], elsewhere: str | None, ties: dict
    ) -> Outcome:  # fmt: skip
        group_id, group_grade, _name = context.data["classes"][text.fold(parsed.get("group", i))]
        met, refusal = self._choose(context, parsed, i, hits, elsewhere, group_id)
        if refusal is not None:
            what, why = refusal
            return Outcome(i, what, reasons=[why])
        outcome = self._new(parsed, i) if met is None else self._changes(context, parsed, i, met, group_id)
        if outcome.what == What.REFUSED:
            return outcome
        outcome.plan["group_id"] = group_id
        if outcome.what in (What.NEW, What.CHANGED):
            self._doubts(context, parsed, i, outcome, group_grade)
        self._guardians(parsed, i, outcome, met, ties)
        return outcome

    def _choose(
        self, context: Context, parsed: Parsed, i: int, hits: Sequence[dict[str, Any]], elsewhere: str | None, group_id: int
    ) -> tuple[dict[str, Any] | None, tuple[str, Reason] | None]:
        """Return (the person the row means or None for a new one, or why not)."""
        code = parsed.get("code", i)
        index = parsed.extra["index"][i] if "index" in parsed.extra else None
        by_code = next((hit for hit in hits if hit["code"] == code), None) if code else None
        by_number = next((hit for hit in hits if index and hit["personal_index"] == index), None)
        if code and by_code is None:
            brings_it = elsewhere is None and by_number is None and _is_foreign(code) and context.options.get(KEEP_FOREIGN)
            return None, None if brings_it else self._unknown_code(context, code, elsewhere)
        met = by_code or by_number
        if by_code and by_number and by_code["id"] != by_number["id"]:
            return None, (What.REFUSED, reason("number-of-other", "personal_number", code=by_number["code"]))
        if index and by_number is None and elsewhere is not None:
            return None, (What.REFUSED, reason("number-other-school", "personal_number", school=elsewhere))
        if met is not None:
            if met["school_id"] not in (None, context.school_id):
                return None, (What.REFUSED, reason("code-other-school", "code", code=met["code"], school=str(_("trường khác"))))
            if index and met["personal_index"] not in (None, index):
                return None, (What.REFUSED, reason("number-differs", "personal_number", code=met["code"]))
            return met, None
        return self._by_name(context, [hit for hit in hits if hit["how"] == schooling.BY_NAME], index, group_id)

    def _unknown_code(self, context: Context, code: str, elsewhere: str | None) -> tuple[str, Reason]:
        if elsewhere is not None:
            return What.REFUSED, reason("code-other-school", "code", code=code, school=elsewhere or str(_("trường khác")))
        if _is_foreign(code):
            return What.ASKED, reason("code-other-province", "code", code=code)
        if len(code) == 10 and not ids.is_checked(code):
            return What.REFUSED, reason("not-a-code", "code", text=code)
        return What.REFUSED, reason("code-unknown", "code", code=code)

    def _by_name(
        self, context: Context, hits: Sequence[dict[str, Any]], index: str | None, group_id: int
    ) -> tuple[dict[str, Any] | None, tuple[str, Reason] | None]:
        if index:  # a person of another number is another person
            hits = [hit for hit in hits if hit["personal_index"] in (None, index)]
        same_class = [hit for hit in hits if hit["class_group_id"] == group_id]
        if len(same_class) == 1:
            return same_class[0], None
        unplaced = [hit for hit in hits if hit["class_group_id"] is None]
        if len(hits) > 1:
            return None, (What.ASKED, reason("several", "name", count=len(hits)))
        if len(unplaced) == 1:
            return unplaced[0], None
        if hits and context.options.get(SAME_NAME):
            return hits[0], None
        if hits:
            names = {group[0]: group[2] for group in context.data["classes"].values()}
            found = hits[0]
            return None, (What.ASKED, reason("same-name", "name", group=names.get(found["class_group_id"], "?"), code=found["code"]))
        return None, None

    def _new(self, parsed: Parsed, i: int) -> Outcome:
        values = {name: parsed.get(name, i) for name in PLAIN if parsed.get(name, i) not in (None, "")}
        born: PartialDate | None = parsed.get("born_on", i)
        if born:
            values["born_on"], values["born_precision"] = born.on, born.precision
        if parsed.get("personal_number", i):
            values["personal_number"] = parsed.get("personal_number", i)
        if parsed.get("code", i):
            values["code"] = parsed.get("code", i)
        return Outcome(i, What.NEW, plan={"person": values, "roll_number": parsed.get("roll_number", i)})

    def _changes(self, context: Context, parsed: Parsed, i: int, met: dict[str, Any], group_id: int) -> Outcome:
        outcome = Outcome(i, What.UNCHANGED, target=("person", met["id"]), object_id=met["id"], object_version=met["version"])
        changes: dict[str, Any] = {}
        for name in PLAIN:
            value = parsed.get(name, i)
            if value not in (None, "") and value != met[name]:
                changes[name] = value
                outcome.diff[name] = (_shown(name, met[name]), _shown(name, value))
        born: PartialDate | None = parsed.get("born_on", i)
        if born and (born.on, born.precision) != (met["born_on"], met["born_precision"]):
            changes["born_on"], changes["born_precision"] = born.on, born.precision
            outcome.diff["born_on"] = (_shown("born_on", met["born_on"]), _shown("born_on", born.on))
        number = parsed.get("personal_number", i)
        if number and met["personal_index"] is None:
            changes["personal_number"] = number
            outcome.diff["personal_number"] = ("", numbers.masked(number))
        if people.WITHDRAWN in met["facts"]:
            changes["facts"] = {key: value for key, value in met["facts"].items() if key != people.WITHDRAWN}
        outcome.plan = {"changes": changes, "met": met, "roll_number": None}
        self._placing(context, parsed, i, met, group_id, outcome)
        if changes or outcome.diff:
            outcome.what = What.NEW if people.WITHDRAWN in met["facts"] else What.CHANGED
        return outcome

    def _placing(self, context: Context, parsed: Parsed, i: int, met: dict[str, Any], group_id: int, outcome: Outcome) -> None:
        """Plan the placement: none yet, another class, or another number in the list."""
        names = {group[0]: group[2] for group in context.data["classes"].values()}
        roll = parsed.get("roll_number", i)
        outcome.plan["roll_number"] = roll
        if met["place_id"] is None:
            outcome.plan["place"] = "open"
            outcome.diff["group"] = ("", names[group_id])
            return
        outcome.second_id, outcome.second_version = met["place_id"], met["place_version"]
        if met["class_group_id"] != group_id:
            if met["place_until"] is not None and met["place_until"] <= max(context.today, context.from_day) and met["place_until"] < context.until:
                outcome.what, outcome.reasons = What.REFUSED, [reason("left", "group", code=met["code"], why=str(_("đã kết thúc chỗ học")))]
                return
            outcome.plan["place"] = "move"
            outcome.diff["group"] = (names.get(met["class_group_id"], "?"), names[group_id])
        elif roll and roll != met["roll_number"]:
            outcome.plan["place"] = "number"
            outcome.diff["roll_number"] = (str(met["roll_number"] or ""), str(roll))

    def _doubts(self, context: Context, parsed: Parsed, i: int, outcome: Outcome, grade: int) -> None:
        """Note an unusual age and a personal number that disagrees with date of birth or sex."""
        born: PartialDate | None = parsed.get("born_on", i)
        if born and 1 <= grade <= 12:
            usual = grade + USUAL_AGE
            age = context.batch.school_year - born.on.year
            if not usual - 1 <= age <= usual + 3:
                outcome.notes.append(reason("age", "born_on", age=age, grade=grade, usual=usual))
        number = parsed.get("personal_number", i)
        if number:
            found = numbers.doubts(number, born_on=born.on if born else None, sex=parsed.get("sex", i) or "0")
            if found:
                what = str(_("giới tính")) if found == ["number-sex"] else str(_("ngày sinh"))
                outcome.notes.append(reason("number-doubt", "personal_number", what=what))

    def _guardians(self, parsed: Parsed, i: int, outcome: Outcome, met: dict[str, Any] | None, ties: dict) -> None:
        if not parsed.extra.get("guardians"):
            return
        wanted, known = [], []
        for relation in RELATIONS:
            name = parsed.get(f"{relation}_name", i)
            if not name:
                continue
            phone = parsed.get(f"{relation}_phone", i) or ""
            held = [t for t in ties.get((met["id"], relation), ()) if t[2] == people.fold(name)] if met else []
            if not held:
                wanted.append({"relation": relation, "name": name, "phone": phone})
                if met:
                    outcome.diff[f"{relation}_name"] = ("", name)
            elif phone and held[0][3] != phone:
                wanted.append({"relation": relation, "name": name, "phone": phone})
                outcome.diff[f"{relation}_phone"] = (held[0][3], phone)
            else:
                known.append(relation)
        outcome.plan["guardians"] = wanted
        if wanted and outcome.what == What.UNCHANGED:
            outcome.what = What.CHANGED

    # -- writing ---------------------------------------------------------------------------------------------
    def write(self, context: Context, outcomes: Sequence[Outcome]) -> None:
        """Enter new people and their placements, change what changed, tie families: a handful of statements a unit."""
        fresh = [o for o in outcomes if o.what == What.NEW and "person" in o.plan]
        for outcome, made in zip(fresh, people.create([o.plan["person"] for o in fresh], school_id=context.school_id), strict=True):
            outcome.object_id, outcome.object_version, outcome.created = made.id, 1, made.code
            outcome.plan["place"] = "open"
        faults.hit("exchange.learners.after_people")
        known = [o for o in outcomes if o.what in (What.NEW, What.CHANGED) and "met" in o.plan]
        self._write_changes(known)
        self._write_places(context, [o for o in (*fresh, *known) if o.what != What.CONFLICT])
        faults.hit("exchange.learners.after_places")
        self._write_guardians(context, [o for o in (*fresh, *known) if o.what != What.CONFLICT])

    def _write_changes(self, outcomes: Sequence[Outcome]) -> None:
        rows = [o for o in outcomes if o.plan["changes"]]
        versions = people.change(
            [{"id": o.object_id, "version": o.object_version, **o.plan["changes"]} for o in rows]
        )
        for outcome in rows:
            if outcome.object_id not in versions:
                outcome.what, outcome.reasons = What.CONFLICT, [reason("moved-meanwhile")]
                continue
            met = outcome.plan["met"]
            outcome.object_version = versions[outcome.object_id]
            outcome.undo["person"] = {
                name: ["" if name == "personal_number" else _plain(met.get(name)), _plain(value) if name != "personal_number" else "x"]
                for name, value in outcome.plan["changes"].items()
            }

    def _write_places(self, context: Context, outcomes: Sequence[Outcome]) -> None:
        moves = [o for o in outcomes if o.plan.get("place") == "move"]
        day = min(max(context.today, context.from_day), context.until)
        ended = schooling.close([(o.second_id, o.second_version, day) for o in moves])  # type: ignore[misc]
        for outcome in moves:
            met = outcome.plan["met"]
            if outcome.second_id not in ended:
                outcome.what, outcome.reasons = What.CONFLICT, [reason("moved-meanwhile")]
                continue
            outcome.undo["moved"] = [outcome.second_id, _plain(met["place_from"]), _plain(met["place_until"])]
        opening = [o for o in outcomes if o.plan.get("place") in ("open", "move") and o.what != What.CONFLICT]
        placed = schooling.place([
            {
                "learner_id": o.object_id, "class_group_id": o.plan["group_id"],
                "from_day": context.from_day if o.plan["place"] == "open" else max(day, o.plan["met"]["place_from"]),
                "until": context.until if o.plan["place"] == "open" else (o.plan["met"]["place_until"] or context.until),
                "roll_number": o.plan.get("roll_number"), "opened": Opened.IMPORT if o.plan["place"] == "open" else Opened.MOVE,
            }
            for o in opening
        ])  # fmt: skip
        for outcome in opening:
            outcome.second_id, outcome.second_version = placed[outcome.object_id], 1  # type: ignore[index]
            outcome.undo["placed"] = True
        renumbered = [o for o in outcomes if o.plan.get("place") == "number"]
        versions = schooling.number([(o.second_id, o.second_version, o.plan["roll_number"]) for o in renumbered])  # type: ignore[misc]
        for outcome in renumbered:
            if outcome.second_id in versions:
                outcome.undo["roll"] = [outcome.plan["met"]["roll_number"], outcome.plan["roll_number"]]
                outcome.second_version = versions[outcome.second_id]

    def _write_guardians(self, context: Context, outcomes: Sequence[Outcome]) -> None:
        rows = [
            {"learner_id": o.object_id, **guardian} for o in outcomes for guardian in o.plan.get("guardians", ())
        ]
        if not rows:
            return
        day = max(context.today, context.from_day)
        done: dict[int, list[people.Tie]] = {}
        for tie in people.tie_guardians(rows, school_id=context.school_id, on=min(day, context.from_day)):
            done.setdefault(tie.learner_id, []).append(tie)
        for outcome in outcomes:
            if outcome.object_id in done:
                outcome.undo["guardians"] = [
                    [tie.guardian_id, tie.kinship_id, tie.is_new_person, tie.is_new_tie, tie.before_phone] for tie in done[outcome.object_id]
                ]

    # -- undoing ---------------------------------------------------------------------------------------------
    def undo(self, context: Context, rows: Sequence[ImportRow]) -> dict[int, list[Reason]]:
        """Close placements with the reason `undone`, withdraw new people, put changed fields back unless changed since."""
        kept: dict[int, list[Reason]] = {}
        people_now = {p.pk: p for p in Person.objects.select_for_update(of=("self",)).filter(pk__in=[r.object_id for r in rows]).order_by("pk")}
        marked = set(
            Line.objects.filter(learner_id__in=people_now, school_id=context.school_id, school_year=context.batch.school_year)
            .exclude(stamps=[]).extra(where=["0 < any(stamps)"]).values_list("learner_id", flat=True)
        )  # fmt: skip
        back: list[tuple[ImportRow, Person]] = []
        for row in rows:
            person = people_now.get(row.object_id or 0)
            if person is None:
                continue
            if row.what == What.NEW:
                if row.object_id in marked:
                    kept[row.number] = [reason("has-marks")]
                    continue
                if person.version != row.object_version:
                    kept[row.number] = [reason("changed-since", fields=str(_("hồ sơ")))]
                    continue
            back.append((row, person))
        self._undo_places(context, back, kept, marked)
        self._undo_people(context, [pair for pair in back if pair[0].number not in kept or pair[0].what == What.CHANGED], kept)
        return kept

    def _undo_places(self, context: Context, back: Sequence[tuple[ImportRow, Person]], kept: dict[int, list[Reason]], marked: set[int]) -> None:
        opened = {
            row.second_id: row for row, _person in back
            if row.second_id and ((row.detail or {}).get("undo", {}).get("placed") or (row.what == What.NEW and row.detail is None))
        }  # fmt: skip
        undone = schooling.undo_places([(place, row.second_version) for place, row in opened.items()])  # type: ignore[misc]
        for place, row in opened.items():
            if place not in undone:
                kept.setdefault(row.number, []).append(reason("changed-since", "group", fields=str(_("lớp"))))
                continue
            moved = (row.detail or {}).get("undo", {}).get("moved")
            if moved:
                schooling.reopen([(moved[0], date.fromisoformat(moved[1]), date.fromisoformat(moved[2]) if moved[2] else None)])
        numbered = [
            (row.second_id or 0, row.second_version or 0, (row.detail or {})["undo"]["roll"][0]) for row, _person in back
            if (row.detail or {}).get("undo", {}).get("roll")
        ]  # fmt: skip
        schooling.number(numbered)

    def _undo_people(self, context: Context, back: Sequence[tuple[ImportRow, Person]], kept: dict[int, list[Reason]]) -> None:
        batch = str(context.batch.uid)
        changes = []
        for row, person in back:
            undo = (row.detail or {}).get("undo", {})
            restored, lost = _restore(person, undo.get("person", {}))
            if lost:
                kept.setdefault(row.number, []).append(reason("changed-since", fields=", ".join(str(TITLES.get(n, n)) for n in lost)))
            if restored:
                changes.append({"id": person.pk, "version": person.version, **restored})
        people.change(changes)
        people.withdraw([row.object_id or 0 for row, _person in back if row.what == What.NEW and row.number not in kept], batch=batch)
        ties = [tie for row, _person in back if row.number not in kept for tie in (row.detail or {}).get("undo", {}).get("guardians", ())]
        people.end_ties([tie[1] for tie in ties if tie[3]])
        used = set(Kinship.objects.filter(guardian_id__in=[tie[0] for tie in ties if tie[2]]).exclude(valid__isempty=True).values_list("guardian_id", flat=True))
        people.withdraw([tie[0] for tie in ties if tie[2] and tie[0] not in used], batch=batch)
        phones = {tie[0]: tie[4] for tie in ties if tie[4] is not None}
        people.change([
            {"id": guardian.pk, "version": guardian.version, "phone": phones[guardian.pk]}
            for guardian in Person.objects.filter(pk__in=phones).order_by("pk")
        ])  # fmt: skip


def _restore(person: Person, before: dict[str, list[Any]]) -> tuple[dict[str, Any], list[str]]:
    """Return (fields to put back, fields somebody changed since)."""
    restored: dict[str, Any] = {}
    lost = []
    for name, (old, new) in before.items():
        if name in ("born_precision", "facts"):
            continue
        now = person.personal_index and "x" if name == "personal_number" else _plain(getattr(person, name))
        if now != new:
            lost.append(name)
            continue
        restored[name] = old if name != "born_on" else (old or None)
        if name == "born_on" and "born_precision" in before:
            restored["born_precision"] = before["born_precision"][0]
    return restored, lost


def classes_of(context: Context) -> dict[str, tuple[int, int, str]]:
    """Return folded name and code of each class of the school and year to (id, grade, name)."""
    found: dict[str, tuple[int, int, str]] = {}
    rows = ClassGroup.objects.filter(
        school_id=context.school_id, school_year=context.batch.school_year
    ).order_by("id").values_list("id", "grade", "name", "code", "facts")  # fmt: skip
    for pk, grade, name, code, facts in rows:
        if schooling.WITHDRAWN in facts:
            continue
        if code:
            found.setdefault(text.fold(code), (pk, grade, name))
        found[text.fold(text.clean(name))] = (pk, grade, name)
        found.setdefault(text.fold(f"lớp {name}"), (pk, grade, name))
        found.setdefault(text.fold(name).replace(" ", ""), (pk, grade, name))
    return found


def _is_foreign(code: str) -> bool:
    """Return whether a code was given by another province: checked ten digits with other first two."""
    return len(code) == 10 and ids.is_checked(code) and code[:2] != settings.KHUE_PROVINCE


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _shown(name: str, value: Any) -> str:
    if value in (None, ""):
        return ""
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    if name == "sex":
        return str(Sex(value).label)
    if name == "ethnic_group":
        return next((k for k, v in cells.ethnic_groups().items() if v == value and not k.isdigit()), value)
    return str(value)


def _compose_names(parsed: Parsed) -> None:
    """Make `name` of two columns where the file has none; refuse rows without either."""
    whole = parsed.columns.get("name")
    first, last = parsed.columns.pop("family_middle", None), parsed.columns.pop("given", None)
    if whole is None:
        whole = [None] * len(parsed.numbers)
        parsed.columns["name"] = whole
    for i, value in enumerate(whole):
        if value or any(p.field == "name" for p in parsed.problems.get(i, ())):
            if value and last is not None and first is None and last[i] and whole is not None:
                whole[i] = _joined(parsed, i, value, last[i])
            continue
        whole[i] = _joined(parsed, i, first[i] if first else "", last[i] if last else "")
        if not whole[i] and not any(p.field == "name" for p in parsed.problems.get(i, ())):
            parsed.refuse(i, reason("missing", "name", title=str(TITLES["name"]).lower()))


def _joined(parsed: Parsed, i: int, first: str, last: str) -> str:
    joined = f"{first or ''} {last or ''}".strip()
    if not joined:
        return ""
    try:
        return cells.name(joined)
    except cells.Bad as bad:
        parsed.refuse(i, Reason(bad.code, "name", (("title", str(TITLES["name"])), *bad.facts.items())))
        return ""


def _compose_dates(parsed: Parsed, today: date) -> None:
    """Make the birth date of three columns where the file has them apart; refuse dates to come and rows without."""
    days, months, years = (parsed.columns.pop(f"born_{part}", None) for part in ("day", "month", "year"))
    born = parsed.columns.setdefault("born_on", [None] * len(parsed.numbers))
    for i, value in enumerate(born):
        if value is None and years is not None and years[i]:
            try:
                known = bool(days and days[i] and months and months[i])
                value = born[i] = PartialDate(
                    date(years[i], months[i] if months and months[i] else 1, days[i] if known else 1),  # type: ignore[index]
                    "day" if known else "month" if months and months[i] else "year",
                )
            except ValueError:
                parsed.refuse(i, reason("not-a-date", "born_on", text=f"{days and days[i]}/{months and months[i]}/{years[i]}"))
                continue
        if value is None:
            if not any(p.field == "born_on" for p in parsed.problems.get(i, ())):
                parsed.refuse(i, reason("missing", "born_on", title=str(TITLES["born_on"]).lower()))
        elif value.on > today:
            parsed.refuse(i, reason("date-future", "born_on", text=value.on.strftime("%d/%m/%Y")))


def _compose_sex(parsed: Parsed) -> None:
    """Read a column “Nữ” with ticks as the sex."""
    ticks = parsed.columns.pop("female", None)
    if ticks is None or "sex" in parsed.columns:
        return
    parsed.columns["sex"] = ["2" if tick else "1" for tick in ticks]


def _check_twins(context: Context, parsed: Parsed) -> None:
    """Refuse the later of two rows with one code, one personal number, or one name, birth date and class."""
    found = parsed.columns.get("personal_number")
    if found is not None:
        parsed.extra["index"] = [numbers.blind_index(number) if number else None for number in found]
    for name, code in (("code", "twin-code"), ("personal_number", "twin-number")):
        first: dict[str, int] = {}
        for i, value in enumerate(parsed.columns.get(name, ())):
            if value and first.setdefault(value, i) != i:
                parsed.refuse(i, reason(code, name, row=parsed.numbers[first[value]]))
    told: dict[tuple[Any, ...], int] = {}
    folds = [people.fold(name) if name else "" for name in parsed.columns["name"]]
    groups = parsed.columns.get("group", [""] * len(folds))
    for i, key in enumerate(zip(folds, parsed.columns["born_on"], groups, strict=True)):
        if i in parsed.problems or not all(key):
            continue
        before = told.setdefault(key, i)
        if before != i and not _are_two(parsed, before, i):
            parsed.refuse(i, reason("twin-name", "name", row=parsed.numbers[before]))


def _are_two(parsed: Parsed, one: int, other: int) -> bool:
    """Return whether codes or personal numbers say that two rows are two people."""
    return any(
        parsed.get(name, one) and parsed.get(name, other) and parsed.get(name, one) != parsed.get(name, other)
        for name in ("code", "personal_number")
    )


def check_grade(levels: Sequence[str], grade: int) -> bool:
    """Return whether a school of these levels may have a class of this grade; a school without levels may."""
    return not levels or grade < 1 or level_of_grade(grade) in levels


__all__ = ["Learners", "check_grade", "classes_of"]
