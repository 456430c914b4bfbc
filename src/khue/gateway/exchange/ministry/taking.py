"""Taking records of QĐ 4998 in: each compared with what the register tells under the same symbols, the difference written.

The same records again change nothing. What a form of the catalogue writes is written; lists get the records they lack; classes,
learners and staff that are not there are made; what other acts decide (places, marks, assignments) is left and told. Nothing is
taken away by what a file does not say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from khue.gateway.exchange.ministry import mapping, reading, spec
from khue.gateway.exchange.ministry.sources import Records, schools
from khue.kernel import audit, faults, ids, permissions, text
from khue.kernel.codes import queries as codes
from khue.kernel.codes.shipped import TWO_TIERS_ON
from khue.kernel.database.fields import period
from khue.kernel.errors import DomainError
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.fields import annex, catalogue, queries, telling
from khue.register.fields import services as fields
from khue.register.fields.checking import PROBLEMS, Lists, Violation, check
from khue.register.fields.models import Record
from khue.register.fields.permissions import WRITING
from khue.register.orgs.models import Unit
from khue.register.people import numbers
from khue.register.people import services as people
from khue.register.people.models import Kinship, Person
from khue.register.schooling import services as schooling
from khue.register.schooling.models import ClassGroup
from khue.register.staff.models import Position, Post

RIGHT = "exchange.take_ministry"
REASONS = {
    **PROBLEMS, "unknown-school": _("Không có trường này trong phạm vi của bạn"), "unknown-class": _("Không có lớp này"),
    "unknown-person": _("Không có người này ở trường"), "elsewhere": _("Khác với dữ liệu đang có; được ghi ở chỗ khác"),
    "not-allowed": _("Vai trò không được sửa trường này"), "refused": _("Không ghi được"), "twice": _("Bản ghi lặp lại trong tệp"),
    "another-person": _("Số định danh của người khác"), "not-a-name": _("Không phải họ tên người"),
    "names-shifted": _("Phần lớn họ tên không khớp với mã; có thể cột bị lệch dòng, chưa ghi bản ghi nào của loại này"),
}  # fmt: skip
POSITIONS = {told: position for position, told in telling.STAFF_POSITIONS.items()}
GRADES = {"NT1": -5, "NT2": -4, "NT3": -3, "MG3": -2, "MG4": -1, "MG5": 0}
KIN = {
    "TEN_CHA": (Kinship.Relation.FATHER, "NAM_SINH_CHA"), "TEN_ME": (Kinship.Relation.MOTHER, "NAM_SINH_ME"),
    "TEN_NGUOI_DD": (Kinship.Relation.GUARDIAN, "NAM_SINH_NGUOI_DO_DAU"),
}  # fmt: skip
ORDER = ("school", "other_centre", "community_centre", "class", "staff", "learner")
"""What is pointed to before what points; all others after."""
MOST_PROBLEMS = 2_000
NAMES = frozenset({"HO_TEN", *KIN})
FEWEST_SHIFTED = 5
"""Of so many people known by their codes, more than half must bear their names: else a column slipped."""


@dataclass(slots=True)
class Report:
    """What became of the records: how many stayed, changed, were made or refused, by level and object; the first problems."""

    counts: Counter[str] = field(default_factory=Counter)
    problems: list[dict[str, str]] = field(default_factory=list)

    def count(self, level: str, object_: str, what: str) -> None:
        """Count one record: same, changed, made or refused."""
        self.counts[what] += 1
        self.counts[f"{level}.{object_}.{what}"] += 1

    def problem(self, level: str, object_: str, key: str, symbol: str, problem: str) -> None:
        """Note what was not taken; codes and symbols, no values."""
        self.counts["problems"] += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append({"level": level, "object": object_, "record": key, "symbol": symbol, "problem": problem})

    def as_dict(self) -> dict[str, Any]:
        """Return the report as data."""
        return {"counts": dict(sorted(self.counts.items())), "problems": self.problems}


def take(*, actor: Actor, records: Records, school_year: int, now: datetime, unit_code: str = "", report: Report | None = None) -> Report:
    """Take everything in, school by school, in the caller's transaction; see `steps`."""
    report = report or Report()
    for _code in steps(actor=actor, records=records, school_year=school_year, now=now, unit_code=unit_code, report=report):
        pass
    return report


def steps(*, actor: Actor, records: Records, school_year: int, now: datetime, report: Report, unit_code: str = "") -> Iterator[str]:
    """Take records in one school at a time and yield its code; a school outside the actor's place is refused whole.

    unit_code  the college or university records of level 6 belong to: they name none we know
    """
    permissions.demand(actor, RIGHT, on=permissions.ANYWHERE, at=now)
    first, last_day = reading.days_of(school_year)
    day = min(max(local_day(now), first), last_day)
    on = max(day, TWO_TIERS_ON)
    lists = codes.tables(spec.list_codes(), on=on)
    communes = dict(codes.items("communes", on=on).values_list("code", "parent_code"))
    higher = {key: rows for key, rows in records.items() if key[0] == "higher"}
    if higher:
        _take_higher(actor, higher, unit_code, lists, report, now)
        yield unit_code
    for code, of_school in sorted(schools({key: rows for key, rows in records.items() if key[0] != "higher"}).items()):
        unit = Unit.objects.schools().filter(code=code).first() if code else None
        if unit is None or not permissions.allowed(actor, RIGHT, on=unit, at=now):
            for (level, object_), rows in of_school.items():
                for _row in rows:
                    report.count(level, object_, "refused")
                report.problem(level, object_, code, "", "unknown-school")
            yield code
            continue
        with transaction.atomic():
            _School(actor, unit, school_year, day, communes, lists, report, now).take(of_school)
            audit.record(actor, "exchange.ministry.take", on=unit, at=now, school_year=school_year, counts=dict(report.counts))
            faults.hit("exchange.ministry_take.before_commit")
        yield code


class _School:
    """One school's records against its rows; rows are read again when some were made."""

    def __init__(
        self, actor: Actor, unit: Unit, school_year: int, day: date, communes: Mapping[str, str], lists: Lists, report: Report, now: datetime
    ) -> None:
        self.actor, self.unit, self.year, self.day, self.now = actor, unit, school_year, day, now
        self.communes, self.lists, self.report = communes, lists, report
        self.may = {privacy: permissions.allowed(actor, right, on=unit, at=now) for privacy, right in WRITING.items()}
        self._read()

    def _read(self) -> None:
        [self.rows] = reading.read([self.unit.pk], school_year=self.year, day=self.day, communes=self.communes)

    def take(self, of_school: Records) -> None:
        """Take the records of every level and object, what is pointed to first."""
        keys = sorted(of_school, key=lambda key: (ORDER.index(key[1]) if key[1] in ORDER else 99, key))
        for level, object_ in keys:
            table = catalogue.extended(spec.table(level, object_), self.rows.extensions, level=level)
            if table.subject in ("class", "staff", "learner"):
                self._make_missing(level, object_, table, of_school[level, object_])
            if object_ in ORDER or object_ in ("result", "eqms_start", "eqms_mid", "eqms_end"):
                self._compare(level, object_, table, of_school[level, object_])
            else:
                self._records(level, object_, table, of_school[level, object_])

    # -- comparing ---------------------------------------------------------------------------------

    def _compare(self, level: str, object_: str, table: annex.Table, given: Sequence[dict[str, Any]]) -> None:
        current = {self._key(object_, values): values for values in mapping.RECORDS[object_](self.rows, level)}
        former = self._former(object_)
        seen: set[str] = set()
        if self._is_shifted(object_, given, current, former):
            self.report.problem(level, object_, self.unit.code, "HO_TEN", "names-shifted")
            for _raw in given:
                self.report.count(level, object_, "refused")
            return
        for raw in given:
            wanted, wrong = self._checked(table, raw)
            key = self._key(object_, {**raw, **wanted})
            values = current.get(key) or current.get(former.get(key, ""))
            for one in wrong:
                if one.problem != "missing":
                    self.report.problem(level, object_, key, one.symbol, one.problem)
            for symbol in set(raw) - set(table.fields):
                self.report.problem(level, object_, key, symbol, "unknown-field")
            if key in seen or values is None:
                self.report.problem(level, object_, key, "", "twice" if key in seen else "unknown-person")
                self.report.count(level, object_, "refused")
                continue
            seen.add(key)
            known, _faults = check(table, values, self.lists)
            differing = {symbol: value for symbol, value in wanted.items() if known.get(symbol) != value}
            changed = self._write(level, object_, table, key, values, differing, known) if differing else False
            self.report.count(level, object_, "changed" if changed else "same")

    def _checked(self, table: annex.Table, raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[Violation]]:
        """Return a record held to its fields; a name with a figure in it is no name, whatever its length says."""
        wanted, wrong = check(table, {s: v for s, v in raw.items() if s in table.fields}, self.lists)
        for symbol in sorted(NAMES & set(wanted)):
            if any(letter.isdigit() for letter in str(wanted[symbol])):
                del wanted[symbol]
                wrong.append(Violation(symbol, "not-a-name"))
        return wanted, wrong

    def _is_shifted(self, object_: str, given: Sequence[dict[str, Any]], current: Mapping[str, Any], former: Mapping[str, str]) -> bool:
        """Return whether most people known by their codes are called otherwise: a column sorted by itself or moved by a line."""
        if object_ not in ("staff", "learner"):
            return False
        pairs = []
        for raw in given:
            key = self._key(object_, raw)
            values = current.get(key) or current.get(former.get(key, ""))
            if values is not None and raw.get("HO_TEN"):
                pairs.append(text.fold(str(raw["HO_TEN"])) == text.fold(str(values.get("HO_TEN", ""))))
        return len(pairs) >= FEWEST_SHIFTED and sum(pairs) * 2 < len(pairs)

    def _key(self, object_: str, values: Mapping[str, Any]) -> str:
        if object_ in ("school", "other_centre", "community_centre", "eqms_start", "eqms_mid", "eqms_end"):
            return self.unit.code
        if object_ == "class":
            return str(values.get("MA") or values.get("TEN") or "")
        person = next((str(values[s]) for s in ("GIAO_VIEN_ID", "HOC_SINH_ID", "HOC_VIEN_ID", "MA") if values.get(s)), "")
        if object_ == "result":
            return f"{person} {values.get('MA_LOP', '')} {values.get('HOC_KY', '')}"
        return person

    def _former(self, object_: str) -> dict[str, str]:
        """Return our code of each person by the code another system knew her by, and by her personal number."""
        if object_ not in ("staff", "learner"):
            return {}
        return {str(one.facts["MA_CU"]): one.code for one in self._persons(object_) if one.facts.get("MA_CU")}

    def _persons(self, object_: str) -> list[Person]:
        return [post.person for post in self.rows.posts] if object_ == "staff" else [place.learner for place in self.rows.placements]

    # -- writing -----------------------------------------------------------------------------------

    def _write(
        self, level: str, object_: str, table: annex.Table, key: str, values: Mapping[str, Any], differing: Mapping[str, Any], known: Mapping[str, Any]
    ) -> bool:  # fmt: skip
        homes = catalogue.homes_of(table.subject, self.rows.extensions)
        rows = self._rows_of(table.subject, values)
        person = rows.get("people.Person")
        by_row: dict[str, list[str]] = {}
        beside: dict[str, dict[str, Any]] = {}
        changed = False
        for symbol, value in differing.items():
            home = homes[symbol]
            if not self.may[home.privacy]:
                self.report.problem(level, object_, key, symbol, "not-allowed")
            elif home.column == "body" and home.via == "list":
                changed |= self._add_missing(symbol, value, known.get(symbol, []), person)
            elif home.column == "body" and home.via in ("health", "result_extra"):
                beside.setdefault(home.via, {})[symbol] = value
            elif symbol in KIN and object_ == "learner":
                changed |= self._kin(level, key, symbol, differing, person)
            elif queries.is_writable(table.subject, home) and home.model in rows:
                by_row.setdefault(home.model, []).append(symbol)
            elif not self._is_known_otherwise(symbol, values):
                self.report.problem(level, object_, key, symbol, "elsewhere")
        for model, symbols in by_row.items():
            changed |= self._put(level, object_, table.subject, key, rows[model], homes, symbols, differing)
        for kind, body in beside.items():
            extra = {"HOC_KY": values.get("HOC_KY")} if kind == "result_extra" else {}
            changed |= self._record(kind, {**body, **extra}, person)
        return changed

    def _is_known_otherwise(self, symbol: str, values: Mapping[str, Any]) -> bool:
        """Return whether a code differs only because another system gave it: it is kept as the former one; and years with their names."""
        return symbol in ("MA", "HOC_SINH_ID", "HOC_VIEN_ID", "GIAO_VIEN_ID") or symbol in {year for _relation, year in KIN.values()}

    def _rows_of(self, subject: str, values: Mapping[str, Any]) -> dict[str, Any]:
        pk = values["_id"]
        if subject == "school":
            return {"orgs.Unit": self.unit}
        if subject == "class":
            return {"schooling.ClassGroup": next(one for one in self.rows.classes if one.pk == pk)}
        if subject == "staff":
            post = next(one for one in self.rows.posts if one.pk == pk)
            return {"staff.Post": post, "people.Person": post.person}
        if subject == "learner":
            return {"people.Person": next(one.learner for one in self.rows.placements if one.learner_id == pk)}
        if subject == "result":
            result = next(one for one in self.rows.results if one.pk == pk)
            return {"people.Person": result.learner}
        return {}

    def _put(
        self, level: str, object_: str, subject: str, key: str, row: Any, homes: Mapping[str, Any], symbols: list[str], wanted: Mapping[str, Any]
    ) -> bool:  # fmt: skip
        held = type(row).objects.select_for_update(of=("self",)).get(pk=row.pk)
        changed = fields.put(held, subject, homes, symbols, wanted)
        if not changed:
            return False
        try:
            with transaction.atomic():
                fields.save(held)
        except DomainError:
            for symbol in changed:
                self.report.problem(level, object_, key, symbol, "another-person")
            return False
        for name in ("facts", *(queries.column_of(subject, homes[s]) for s in changed)):
            if name and hasattr(held, name):
                setattr(row, name, getattr(held, name))
        row.version = held.version
        audit.record(
            self.actor, "fields.write", on=held, at=self.now, school_id=self.unit.pk, person_id=held.pk if isinstance(held, Person) else None,
            object=subject, symbols=sorted(changed), source="ministry-file",
        )  # fmt: skip
        return True

    def _add_missing(self, symbol: str, wanted: Any, known: Any, person: Person | None) -> bool:
        kind = annex.kinds_filling(symbol)[0]
        left = list(known)
        added = False
        for body in wanted:
            if body in left:
                left.remove(body)
            else:
                added |= self._record(kind.code, body, person)
        return added

    def _record(self, kind: str, body: dict[str, Any], person: Person | None) -> bool:
        known = annex.kinds()[kind]
        made = Record.objects.create(
            kind=kind, school=self.unit, person=person if known.is_personal else None, school_year=self.year if known.is_yearly else None,
            valid=period(self.day), body={symbol: value for symbol, value in body.items() if value is not None},
        )  # fmt: skip
        audit.record(self.actor, "fields.record.add", on=made, at=self.now, person_id=made.person_id, school_id=self.unit.pk, kind=kind, symbols=sorted(body))
        return True

    def _kin(self, level: str, key: str, symbol: str, differing: Mapping[str, Any], person: Person | None) -> bool:
        """Enter a father, mother or guardian the file names where the learner has none; another name is left and told."""
        relation, year = KIN[symbol]
        assert person is not None
        if any(tie.relation == relation for tie in self.rows.guardians.get(person.pk, [])):
            self.report.problem(level, "learner", key, symbol, "elsewhere")
            return False
        born = date(differing[year], 1, 1) if isinstance(differing.get(year), int) and 1900 <= differing[year] <= self.year else None
        name = text.clean(str(differing[symbol]))
        [code] = ids.next_person_codes(settings.KHUE_PROVINCE, 1)
        guardian = Person.objects.create(
            code=code, name=name, sort_key=text.sort_key(name), born_on=born, born_precision="year" if born else "day", school_id=self.unit.pk
        )
        tie = Kinship.objects.create(guardian=guardian, learner=person, relation=relation, school_id=self.unit.pk, valid=period(self.day))
        self.rows.guardians[person.pk].append(tie)
        audit.record(self.actor, "people.kinship.open", on=tie, at=self.now, person_id=person.pk, school_id=self.unit.pk, relation=relation)
        return True

    # -- what is not there yet ---------------------------------------------------------------------

    def _make_missing(self, level: str, object_: str, table: annex.Table, given: Sequence[dict[str, Any]]) -> None:
        known = {self._key(object_, values) for values in mapping.RECORDS[object_](self.rows, level)} | set(self._former(object_))
        indexes = {one.personal_index for one in self._persons(object_) if one.personal_index} if object_ != "class" else set()
        made = 0
        for raw in given:
            wanted, _wrong = self._checked(table, raw)
            key = self._key(object_, {**raw, **wanted})
            if key in known or not key:
                continue
            known.add(key)
            if object_ != "class" and not wanted.get("HO_TEN"):  # nobody is made of a code alone
                continue
            try:
                with transaction.atomic():
                    made += self._make(object_, key, wanted, indexes)
            except DomainError as refusal:
                self.report.problem(level, object_, key, "", "another-person" if "number" in refusal.code else "refused")
        if made:
            self.report.counts["made"] += made
            self.report.counts[f"{level}.{object_}.made"] += made
            self._read()

    def _make(self, object_: str, key: str, wanted: Mapping[str, Any], indexes: set[str | None]) -> int:
        if object_ == "class":
            return self._make_class(key, wanted)
        number = str(wanted.get("MA_CONG_DAN_ID") or wanted.get("SO_CMTND") or "")
        is_number = number.isdigit() and len(number) == 12
        if is_number and numbers.blind_index(number) in indexes:  # here already, under another system's code
            person = next(one for one in self._persons(object_) if one.personal_index == numbers.blind_index(number))
            Person.objects.filter(pk=person.pk).update(facts={**person.facts, "MA_CU": key})
            person.facts["MA_CU"] = key
            return 0
        group = self._class_named(str(wanted.get("MA_LOP") or "")) if object_ == "learner" else None
        if object_ == "learner" and group is None:
            return 0
        person = people.create_person(
            actor=self.actor, school_id=self.unit.pk, name=str(wanted.get("HO_TEN") or ""), now=self.now, personal_number=number if is_number else "",
            born_on=date.fromisoformat(wanted["NGAY_SINH"]) if wanted.get("NGAY_SINH") else None, sex=wanted.get("MA_GIOI_TINH") or "0",
            facts={"MA_CU": key},
        )  # fmt: skip
        if group is not None:
            _first, last = reading.days_of(self.year)
            schooling.place(
                actor=self.actor, learner=person, group=group, from_day=self.day, until=date.fromordinal(last.toordinal() + 1), now=self.now, opened="import"
            )
        else:
            position = POSITIONS.get(str(wanted.get("MA_LOAI_CAN_BO")), Position.TEACHER if wanted.get("MA_NHOM_CAN_BO") == "teacher" else Position.OTHER)
            post = Post.objects.create(person=person, school=self.unit, position=position, valid=period(self.day))
            audit.record(self.actor, "staff.post.open", on=post, at=self.now, person_id=person.pk, school_id=self.unit.pk, position=position)
        return 1

    def _make_class(self, key: str, wanted: Mapping[str, Any]) -> int:
        grade = GRADES.get(str(wanted.get("MA_KHOI")), int(wanted["MA_KHOI"]) if str(wanted.get("MA_KHOI", "")).isdigit() else None)
        if grade is None:
            return 0
        made = schooling.create_class(
            actor=self.actor, school=self.unit, school_year=self.year, grade=grade, name=str(wanted.get("TEN") or key), now=self.now
        )
        ClassGroup.objects.filter(pk=made.pk).update(code=key)
        return 1

    def _class_named(self, code: str) -> ClassGroup | None:
        return next((one for one in self.rows.classes if code and code in (one.code, one.name)), None)

    # -- tables whose records have no key of their own ---------------------------------------------

    def _records(self, level: str, object_: str, table: annex.Table, given: Sequence[dict[str, Any]]) -> None:
        kind = annex.kinds()[object_]
        homes = catalogue.homes_of(object_, self.rows.extensions)
        held = {s for s, home in homes.items() if home.column == "body"}
        current = [check(table, values, self.lists)[0] for values in mapping.RECORDS[object_](self.rows, level)]
        learners = {one.code: one for one in self._persons("learner")} | {str(one.facts.get("MA_CU")): one for one in self._persons("learner")}
        for raw in given:
            wanted, wrong = check(table, {s: v for s, v in raw.items() if s in table.fields}, self.lists)
            key = str(raw.get("HOC_SINH_ID") or raw.get("HOC_VIEN_ID") or self.unit.code)
            for one in wrong:
                if one.problem != "missing":
                    self.report.problem(level, object_, key, one.symbol, one.problem)
            if wanted in current:
                current.remove(wanted)
                self.report.count(level, object_, "same")
                continue
            person = learners.get(key)
            if (kind.is_personal and person is None) or not self.may[kind.privacy]:
                self.report.problem(level, object_, key, "", "unknown-person" if kind.is_personal and person is None else "not-allowed")
                self.report.count(level, object_, "refused")
                continue
            self._record(kind.code, {s: v for s, v in wanted.items() if s in held}, person)
            self.report.count(level, object_, "made")


def _take_higher(actor: Actor, records: Records, unit_code: str, lists: Lists, report: Report, now: datetime) -> None:
    """Take records of colleges and universities in: kept whole under their table, browsed in the catalogue."""
    unit = Unit.objects.filter(code=unit_code, kind="college").first()
    for (level, object_), rows in sorted(records.items()):
        if unit is None or not actor.covers_school(unit.pk):
            report.problem(level, object_, unit_code, "", "unknown-school")
            for _row in rows:
                report.count(level, object_, "refused")
            continue
        kind = annex.kinds()[object_]
        table = annex.Table("higher", object_, kind.code, kind.title, fields.body_fields(kind), kind.object)
        known = [row.body for row in Record.objects.living().filter(school=unit, kind=object_)]
        for raw in rows:
            wanted, wrong = check(table, {s: v for s, v in raw.items() if s in table.fields}, lists)
            for one in wrong:
                report.problem(level, object_, unit_code, one.symbol, one.problem)
            if not wanted or wanted in known:
                report.count(level, object_, "same" if wanted else "refused")
                continue
            made = Record.objects.create(kind=object_, school=unit, valid=period(local_day(now)), body=wanted)
            known.append(wanted)
            audit.record(actor, "fields.record.add", on=made, at=now, school_id=unit.pk, kind=object_, symbols=sorted(wanted))
            report.count(level, object_, "made")
