"""Reads: one school, class, post or learner with everything the catalogue says of it, in one statement.

What an actor may read is decided by the class of privacy of each field: those she may not are left out and counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Cast, JSONObject
from django.utils.translation import gettext as _
from psycopg.types.range import DateRange

from khue.kernel import permissions, timeline
from khue.kernel.codes.models import CodeItem
from khue.kernel.errors import NotAllowed, NotFound
from khue.kernel.homes import Home
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.fields import annex, catalogue, telling
from khue.register.fields.annex import Field, Table
from khue.register.fields.models import ExtensionField, Record
from khue.register.fields.permissions import READING, WRITING
from khue.register.fields.sections import SECTIONS
from khue.register.orgs.models import GRADES, Unit, UnitReach
from khue.register.people import numbers
from khue.register.people.models import Kinship, Person
from khue.register.schooling.mine import is_own_learner, school_year_of
from khue.register.schooling.models import ClassGroup, Placement
from khue.register.staff.models import Position, Post

IDENTITY = ("SO_CMTND", "MA_CONG_DAN_ID")
"""Symbols of the personal number: shown by its last digits only."""


@dataclass(slots=True)
class Subject:
    """One thing of the catalogue: a school, a class, a post or a learner, as an actor asked for it.

    row           the row that carries the version (Unit, ClassGroup, Post, Person)
    seen_…        what the relations of a teacher ask, read with the row
    """

    object: str
    row: Any
    name: str
    level: str
    school_id: int
    context: telling.Context
    extensions: list[ExtensionField]
    person_id: int | None = None
    learner_id: int | None = None
    class_group_id: int | None = None
    seen_own_learner: bool = False
    seen_homeroom: bool = False
    records: list[Any] = field(default_factory=list)

    @property
    def pk(self) -> int | None:
        """Return the person's id: what the relation of a guardian compares."""
        return self.person_id

    @property
    def uid(self) -> Any:
        """Return the outside identifier of the row."""
        return self.row.uid

    @property
    def table_name(self) -> str:
        """Return the name of the annex's table: a centre has one by its kind."""
        if self.object != "school" or self.level != "continuing":
            return self.object
        return centre_table(self.row.facts)

    @property
    def table(self) -> Table:
        """Return the fields of this thing at its level, with those added later."""
        name = self.table_name
        made = annex.table(self.level, name) if (self.level, name) in annex.MAIN else annex.table_of(self.object, self.level)
        return catalogue.extended(made, self.extensions, level=self.level)

    @property
    def homes(self) -> dict[str, Home]:
        """Return the homes of its fields."""
        return catalogue.homes_of(self.object, self.extensions)


def centre_table(facts: dict[str, Any]) -> str:
    """Return which of the three tables of centres a centre leaves in, by its kind (list school_kind)."""
    return {"ttngth": "other_centre", "tthtcd": "community_centre"}.get(str(facts.get("MA_LOAI_TRUNG_TAM", "")), "school")


def level_of(grade: int, unit_kind: str) -> str:
    """Return the level of a class of a grade at a school or centre."""
    if unit_kind == "centre":
        return "continuing"
    return next((str(level) for level, grades in GRADES.items() if grade in grades), "preschool")


# --- one statement a thing ------------------------------------------------------------------------


def _records(found: QuerySet[Record]) -> ArraySubquery:
    """Return living records as JSON, the latest first."""
    return ArraySubquery(
        found.living().order_by(F("valid").desc(), "-pk").values(
            told=JSONObject(
                uid="uid", pk="pk", kind="kind", version="version", body="body", school_id="school_id", school_year="school_year",
                valid=Cast("valid", TextField()),
            )
        )
    )  # fmt: skip


def _extensions(day: date) -> ArraySubquery:
    names = ("object", "symbol", "name", "type", "length", "list_code", "is_required", "privacy", "retention", "section", "topic", "levels")
    return ArraySubquery(ExtensionField.objects.filter(valid__contains=day).order_by("pk").values(told=JSONObject(**{name: name for name in names})))


def _day_range(text: str) -> DateRange:
    """Return a period from its text as PostgreSQL writes it: [2025-09-05,2026-05-31)."""
    lower, _, upper = text.strip("[)(]").partition(",")
    return DateRange(date.fromisoformat(lower) if lower else None, date.fromisoformat(upper) if upper else None, "[)")


def _namespaces(told: Iterable[dict[str, Any]]) -> list[Any]:
    return [SimpleNamespace(**{**one, "valid": _day_range(one["valid"])} if "valid" in one else one) for one in told]


def _by_kind(records: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for record in records:
        found[record.kind].append(record)
    return found


def _made(row: Any) -> list[ExtensionField]:
    return [ExtensionField(**one) for one in row.told_extensions]


def school(actor: Actor, uid: Any, *, at: datetime) -> Subject:
    """Return one school or centre; raises NotFound outside the actor's place."""
    day = local_day(at)
    head = Post.objects.filter(school=OuterRef("pk"), position=Position.PRINCIPAL, valid__contains=day).order_by("-pk")
    above = UnitReach.objects.filter(descendant=OuterRef("pk"), ancestor__kind="province", valid__contains=day)
    year = school_year_of(day)
    classes = ClassGroup.objects.filter(school=OuterRef("pk"), school_year=year).exclude(facts__has_key="withdrawn").annotate(
        present=Count("placements", filter=Q(placements__is_main=True, placements__valid__contains=day))
    )  # fmt: skip
    posts = Post.objects.filter(school=OuterRef("pk"), valid__contains=day).values("position").annotate(n=Count("pk")).order_by("position")
    found = (
        Unit.objects.schools().filter(uid=uid).annotate(
            told_extensions=_extensions(day), told_records=_records(Record.objects.filter(school=OuterRef("pk"), person=None)),
            told_head=Subquery(head.values(told=JSONObject(name="person__name", phone="person__phone", email="person__email"))[:1]),
            told_province=Subquery(above.values("ancestor__code")[:1]),
            told_classes=ArraySubquery(classes.order_by("grade", "name").values(told=JSONObject(uid="uid", name="name", grade="grade", n="present"))),
            told_posts=ArraySubquery(posts.values(told=JSONObject(position="position", n="n"))),
        ).first()
    )  # fmt: skip
    if found is None:
        raise NotFound()
    permissions.demand(actor, "fields.read_open", on=found, at=at)
    records = _namespaces(found.told_records)
    level = next(iter(found.levels), "continuing" if found.kind == "centre" else "")
    context = telling.Context(
        day=day, level=level, unit=found, head=SimpleNamespace(**found.told_head) if found.told_head else None,
        records=_by_kind(records), province_code=found.told_province or "",
    )  # fmt: skip
    return Subject("school", found, found.name, level, found.pk, context, _made(found), records=records)


def class_group(actor: Actor, uid: Any, *, at: datetime) -> Subject:
    """Return one class; raises NotFound outside the actor's place."""
    day = local_day(at)
    found = (
        ClassGroup.objects.filter(uid=uid).select_related("school", "homeroom__person").annotate(told_extensions=_extensions(day)).first()
    )
    if found is None:
        raise NotFound()
    permissions.demand(actor, "fields.read_internal", on=found, at=at)
    level = level_of(found.grade, found.school.kind)
    context = telling.Context(day=day, level=level, unit=found.school, group=found)
    return Subject("class", found, found.name, level, found.school_id, context, _made(found), class_group_id=found.pk)


def post(actor: Actor, uid: Any, *, at: datetime) -> Subject:
    """Return one post with its person; raises NotFound outside the actor's place."""
    day = local_day(at)
    found = (
        Post.objects.filter(uid=uid).select_related("school", "person").annotate(
            told_extensions=_extensions(day), told_records=_records(Record.objects.filter(person=OuterRef("person"), kind__in=_kinds("staff"))),
        ).first()
    )  # fmt: skip
    if found is None:
        raise NotFound()
    level = next(iter(found.school.levels), "continuing" if found.school.kind == "centre" else "primary")
    records = _namespaces(found.told_records)
    context = telling.Context(day=day, level=level, unit=found.school, post=found, person=found.person, records=_by_kind(records))
    made = Subject("staff", found, found.person.name, level, found.school_id, context, _made(found), person_id=found.person_id, records=records)
    permissions.demand(actor, "fields.read_personal", on=made, at=at)
    return made


def _kinds(owner: str) -> list[str]:
    return [kind.code for kind in annex.kinds().values() if kind.owner == owner]


def learner(actor: Actor, uid: Any, *, at: datetime) -> Subject:
    """Return one learner as she is placed today, or was last; raises NotFound outside the actor's place."""
    day = local_day(at)
    places = Placement.objects.main().filter(learner=OuterRef("pk")).exclude(closed="undone").order_by(F("valid").desc())
    led = Placement.objects.main().on(day).filter(
        learner=OuterRef("pk"), class_group__homeroom__person_id=actor.person_id or 0, class_group__homeroom__valid__contains=day
    )  # fmt: skip
    ties = Kinship.objects.filter(learner=OuterRef("pk"), valid__contains=day).order_by("-pk")
    found = (
        Person.objects.filter(uid=uid, merged_into=None).annotate(
            told_extensions=_extensions(day), told_records=_records(Record.objects.filter(person=OuterRef("pk"), kind__in=_kinds("learner"))),
            seen_own=is_own_learner(actor, day), seen_led=Exists(led),
            told_kin=ArraySubquery(ties.values(told=JSONObject(relation="relation", name="guardian__name", phone="guardian__phone", born_on="guardian__born_on"))),
            told_place=Subquery(places.values(told=JSONObject(
                valid=Cast("valid", TextField()), opened="opened", closed="closed", roll_number="roll_number", class_id="class_group_id",
                class_uid="class_group__uid", class_name="class_group__name", class_code="class_group__code", grade="class_group__grade",
                school_id="school_id", school_uid="school__uid", school_name="school__name", school_code="school__code", school_kind="school__kind",
            ))[:1]),
        ).first()
    )  # fmt: skip
    if found is None or found.told_place is None:
        raise NotFound()
    place = found.told_place
    group = SimpleNamespace(pk=place["class_id"], uid=place["class_uid"], name=place["class_name"], code=place["class_code"], grade=place["grade"], facts={})
    unit = SimpleNamespace(pk=place["school_id"], uid=place["school_uid"], name=place["school_name"], code=place["school_code"], kind=place["school_kind"], facts={})
    placement = SimpleNamespace(valid=_day_range(place["valid"]), opened=place["opened"], closed=place["closed"], roll_number=place["roll_number"])
    kin = {
        one["relation"]: SimpleNamespace(name=one["name"], phone=one["phone"], born_on=date.fromisoformat(one["born_on"]) if one["born_on"] else None)
        for one in found.told_kin
    }
    records = _namespaces(found.told_records)
    level = level_of(group.grade, unit.kind)
    context = telling.Context(
        day=day, level=level, unit=unit, group=group, person=found, placement=placement, kin=kin, records=_by_kind(records)
    )
    made = Subject(
        "learner", found, found.name, level, found.school_id or unit.pk, context, _made(found), person_id=found.pk, learner_id=found.pk,
        class_group_id=group.pk, seen_own_learner=found.seen_own, seen_homeroom=found.seen_led, records=records,
    )  # fmt: skip
    permissions.demand(actor, "fields.read_personal", on=made, at=at)
    return made


SUBJECTS = {"school": school, "class": class_group, "staff": post, "learner": learner}


NEEDED = {"school": READING["open"], "class": READING["internal"], "staff": READING["personal"], "learner": READING["personal"]}
"""The right without which nothing of a kind is read."""


def subject(actor: Actor, object_: str, uid: Any, *, at: datetime) -> Subject:
    """Return the thing an address names; a role that may read none of its kind is refused before anything is looked up."""
    if not permissions.holds(actor, NEEDED[object_]):
        raise NotAllowed(right=NEEDED[object_])
    return SUBJECTS[object_](actor, uid, at=at)


# --- what is shown --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """One field as shown: its words, the value in words, whether a required one is missing, whether it is written here."""

    field: Field
    home: Home
    value: Any
    text: str
    is_missing: bool
    is_writable: bool


@dataclass(slots=True)
class Section:
    """One section of a file: its fields; how many have a value; whether the actor may write any of it."""

    code: str
    fields: list[Shown] = field(default_factory=list)

    @property
    def filled(self) -> int:
        """Return how many fields have a value."""
        return sum(one.value is not None for one in self.fields)

    @property
    def missing(self) -> list[Shown]:
        """Return the required fields without a value."""
        return [one for one in self.fields if one.is_missing]

    @property
    def is_writable(self) -> bool:
        """Return whether the actor may write some field of it."""
        return any(one.is_writable for one in self.fields)


@dataclass(frozen=True, slots=True)
class File:
    """What an actor sees of a thing: its sections, the records by kind she may read, how many fields she may not."""

    subject: Subject
    sections: list[Section]
    records: list[tuple[annex.Kind, list[Any], bool]]
    hidden: int
    values: dict[str, Any]

    @property
    def missing(self) -> list[Shown]:
        """Return the required fields without a value, of all sections."""
        return [one for section in self.sections for one in section.missing]

    @property
    def share(self) -> int:
        """Return how many per cent of the fields she may read have a value."""
        total = sum(len(section.fields) for section in self.sections)
        return round(100 * sum(section.filled for section in self.sections) / total) if total else 0


def file(actor: Actor, about: Subject, *, at: datetime) -> File:
    """Return what the actor may see of a thing, in the catalogue's sections: one statement for the words of lists."""
    readable = {privacy: permissions.allowed(actor, right, on=about, at=at) for privacy, right in READING.items()}
    writable = {privacy: permissions.allowed(actor, right, on=about, at=at) for privacy, right in WRITING.items()}
    known, table = about.homes, about.table
    shown = {symbol: known[symbol] for symbol in table.fields if readable[known[symbol].privacy]}
    told = telling.values(about.object, shown, about.context)
    names = _names(told, table)
    sections: dict[str, Section] = {}
    for symbol, home in shown.items():
        if table.fields[symbol].type == "list":
            continue
        value = told.get(symbol)
        item = table.fields[symbol]
        sections.setdefault(home.section, Section(home.section)).fields.append(
            Shown(
                item, home, value, _words(item, value, names), item.is_required and value is None,
                writable[home.privacy] and is_writable(about.object, home),
            )
        )  # fmt: skip
    ordered = [sections[code] for code in SECTIONS if code in sections]
    kinds = [
        (kind, about.context.records.get(kind.code, []), writable[kind.privacy])
        for kind in annex.kinds().values()
        if kind.owner == about.object and readable[kind.privacy] and not (actor.people and kind.code == "violence") and (kind.code in about.context.records or _offered(kind, about))
    ]
    return File(about, ordered, kinds, len(table.fields) - len(shown), told)


def _offered(kind: annex.Kind, about: Subject) -> bool:
    """Return whether a kind of record is offered to a thing of this level: EQMS to primary schools, no tables of colleges."""
    if kind.object.startswith("h_"):
        return False
    if kind.object.startswith("eqms_"):
        return about.level == "primary"
    if kind.code == "toy":
        return about.level == "preschool"
    if kind.code in ("graduation", "independent_candidate"):
        return about.level in ("upper_secondary", "continuing")
    return not (kind.code == "retest" and about.level in ("preschool", "primary"))


WRITTEN_COLUMNS = {
    "school": {"DIA_CHI": "address"},
    "class": {"MA": "code"},
    "staff": {"MA_HINH_THUC_HOP_DONG": "contract_kind", "MA_MON_DAY": "subject_code"},
    "person": {
        "MA_GIOI_TINH": "sex", "MA_DAN_TOC": "ethnic_group", "QUOC_TICH_ID": "nationality", "XA_PHUONG_ID": "commune_code",
        "EMAIL": "email", "DI_DONG": "phone", "DIEN_THOAI_LIEN_HE": "phone", "NOI_SINH": "birth_place", "NGAY_SINH": "born_on",
        "SO_CMTND": "personal_number", "MA_CONG_DAN_ID": "personal_number",
    },
}  # fmt: skip
"""Columns the forms of the catalogue write; all others are written where they belong (moves, names, placements, marks)."""


def column_of(object_: str, home: Home) -> str:
    """Return the column a form writes for a field, or "" where it is written elsewhere."""
    if home.model == "people.Person" and home.via == "person":
        return WRITTEN_COLUMNS["person"].get(home.symbol, "")
    return WRITTEN_COLUMNS.get(object_, {}).get(home.symbol, "") if home.via == "" else ""


def is_writable(object_: str, home: Home) -> bool:
    """Return whether the forms of the catalogue write a field: facts of its rows, and some columns."""
    return home.column == "facts" or bool(column_of(object_, home))


def _names(told: dict[str, Any], table: Table) -> dict[tuple[str, str], str]:
    """Return the names of the list items that occur: one statement, none where nothing is of a list."""
    asked = {(item.list_code, str(told[symbol])) for symbol, item in table.fields.items() if item.list_code and symbol in told}
    if not asked:
        return {}
    found = CodeItem.objects.filter(code_list__code__in={one[0] for one in asked}, code__in={one[1] for one in asked})
    return {(code_list, code): name for code_list, code, name in found.order_by("valid").values_list("code_list__code", "code", "name")}


def _words(item: Field, value: Any, names: dict[tuple[str, str], str]) -> str:
    if value is None:
        return ""
    if item.symbol in IDENTITY:
        return numbers.masked(str(value)) if len(str(value)) == 12 else str(value)
    if item.type == "boolean":
        return _("có") if str(value).lower() in ("true", "1") else _("không")
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    if hasattr(value, "text"):  # a partial date
        return str(value.text)
    return names.get((item.list_code, str(value)), str(value))


def events(actor: Actor, about: Subject, *, at: datetime) -> list[timeline.Event]:
    """Return what happened to a person, the newest first: one statement."""
    permissions.demand(actor, "fields.read_personal", on=about, at=at)
    assert about.person_id is not None
    return timeline.of_person(
        about.person_id, on=local_day(at), now=at, allowed=lambda right: permissions.allowed(actor, right, on=about, at=at)
    )


def record(actor: Actor, uid: Any, *, at: datetime) -> tuple[Record, annex.Kind, Subject]:
    """Return one record with its kind and the thing it belongs to: two statements; raises NotFound, NotAllowed."""
    found = Record.objects.living().filter(uid=uid).select_related("school", "person").first()
    kind = annex.kinds().get(found.kind) if found is not None else None
    if found is None or kind is None:
        raise NotFound()
    about = owner_of(actor, found, kind, at=at)
    permissions.demand(actor, READING[kind.privacy], on=about, at=at)
    return found, kind, about


def owner_of(actor: Actor, found: Record, kind: annex.Kind, *, at: datetime) -> Subject:
    """Return the thing a record belongs to: its school, a learner, or the post its person last held there."""
    if kind.owner == "learner":
        return learner(actor, found.person.uid if found.person else None, at=at)
    if kind.owner == "staff":
        held = Post.objects.filter(person=found.person_id, school=found.school_id).order_by(F("valid").desc()).values_list("uid", flat=True).first()
        if held is None:
            raise NotFound()
        return post(actor, held, at=at)
    return school(actor, found.school.uid, at=at)


def records(actor: Actor, kind: annex.Kind, *, at: datetime) -> QuerySet[Record]:
    """Return the living records of a kind in the actor's place, those of colleges and universities too; latest first."""
    permissions.demand(actor, READING[kind.privacy], on=permissions.ANYWHERE, at=at)
    found = Record.objects.living().filter(kind=kind.code)
    if actor.schools is not None:
        found = found.filter(school_id__in=actor.schools)
    return found.select_related("school", "person").order_by("-pk")
