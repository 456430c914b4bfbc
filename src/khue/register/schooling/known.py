"""A unit, class, learner or member of staff "as it was on D, as known on E", beside what is known now.

One reading for pages and API: facts with both values, and a list (who is in a class, where a learner went, who her guardians were, what lies under a unit) in which each
line says whether it was known then and is known now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import DateField, DateTimeField, F, Func, JSONField, Subquery, TextField, Value
from django.db.models.functions import Cast, JSONObject
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from psycopg.types.range import DateRange

from khue.kernel import permissions
from khue.kernel.database.fields import period
from khue.kernel.database.known import end_of, known, known_value
from khue.kernel.errors import NotFound
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.kernel.text import partial_date
from khue.register.orgs import known as units
from khue.register.orgs import measures
from khue.register.orgs.models import Level, Unit
from khue.register.orgs.queries import Node
from khue.register.orgs.services import SCHOOL_KINDS
from khue.register.people.models import Kinship, Person, Sex
from khue.register.schooling import queries
from khue.register.schooling.models import ClassGroup, Closed, Placement
from khue.register.staff.models import Position, Post


@dataclass(frozen=True, slots=True)
class Fact:
    """One value: as known then, as known now."""

    code: str
    title: str
    then: str
    now: str

    @property
    def differs(self) -> bool:
        """Return whether something was learnt or put right since."""
        return self.then != self.now


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list: known then, known now, or both."""

    uid: UUID
    text: str
    detail: str
    then: bool
    now: bool


@dataclass(frozen=True, slots=True)
class Known:
    """One thing under two dates. `was_known` is False where nothing of it had been entered yet."""

    object: str
    uid: UUID
    title: str
    on: date
    known_on: date
    was_known: bool
    facts: tuple[Fact, ...]
    lines: tuple[Line, ...] = ()
    people: tuple[tuple[int, int | None], ...] = ()
    family: tuple[Line, ...] = ()


TITLES: dict[str, str | Promise] = {
    "don-vi": gettext_lazy("Đơn vị"), "truong": gettext_lazy("Trường"), "lop": gettext_lazy("Lớp"), "hoc-sinh": gettext_lazy("Học sinh"), "can-bo": gettext_lazy("Nhân sự"),
}  # fmt: skip


def as_known(actor: Actor, object_: str, uid: UUID, *, on: date, known_on: date, at: datetime) -> Known:
    """Return a thing as it was on a day, as known on another; raises NotFound outside the actor's place."""
    if object_ not in READERS:
        raise NotFound()
    return READERS[object_](actor, uid, on, min(known_on, local_day(at)), at)


def _first(model: Any, pk: int, moment: datetime) -> Any:
    return known(model, [pk], at=moment).first()


def _facts(then: Any, now: Any, rows: Iterable[tuple[str, str, Callable[[Any], str]]]) -> tuple[Fact, ...]:
    return tuple(Fact(code, title, told(then) if then is not None else "", told(now)) for code, title, told in rows)


def _days(valid: Any) -> str:
    if valid.isempty:
        return _("không ngày nào")
    return f"{partial_date(valid.lower)} – {partial_date(valid.upper)}" if valid.upper else _("từ %(day)s") % {"day": partial_date(valid.lower)}


def _held(valid: Any, day: date) -> bool:
    return not valid.isempty and day in valid


def _unit(actor: Actor, uid: UUID, on: date, known_on: date, at: datetime) -> Known:
    """Return a unit and what lay under it: a school counts its learners and posts, others list the units below them."""
    permissions.demand(actor, "orgs.view_tree", at=at)
    found, moment = units.unit(actor, uid, day=on, known_on=known_on), end_of(known_on)
    is_school = found.kind in SCHOOL_KINDS
    rows = (
        ("name", _("Tên"), lambda u: u.name),
        ("administered", _("Thuộc quản lý của"), lambda u: u.administered_by),
        *((("located", _("Đặt tại"), lambda u: u.located_in),
           ("levels", _("Cấp học"), lambda u: ", ".join(str(Level(code).label) for code in u.levels))) if is_school else ()),
        ("address", _("Địa chỉ"), lambda u: u.address),
        *((("commune", _("Mã xã"), lambda u: u.commune_code),) if is_school else ()),
        ("valid", _("Hoạt động"), lambda u: _days(u.valid)),
    )  # fmt: skip
    facts, lines = [*_facts(found.then, found.now, rows)], ()
    if not is_school:
        counts, lines = _below(actor, uid, on, known_on, at)
        facts += counts
    elif permissions.allowed(actor, "schooling.view_classes", on=Unit(pk=found.id, kind=found.kind), at=at):
        facts += [
            _count("learners", _("Số học sinh"), Placement, Placement.objects.main().filter(school=found.id), on, moment),
            _count("posts", _("Số nhân sự"), Post, Post.objects.filter(school=found.id), on, moment),
        ]
    kind = "truong" if is_school else "don-vi"
    return Known(kind, found.uid, found.now.name, on, known_on, found.then is not None, tuple(facts), lines)


def _below(actor: Actor, uid: UUID, on: date, known_on: date, at: datetime) -> tuple[list[Fact], tuple[Line, ...]]:
    """Return what lay under a unit then and now, as sums and as one line a unit: two statements."""
    then = {node.uid: node for node in units.children(actor, uid, day=on, known_on=known_on)}
    now = {node.uid: node for node in units.children(actor, uid, day=on, known_on=local_day(at))}
    facts = [Fact("units", _("Số đơn vị trực thuộc"), str(len(then)), str(len(now)))]
    for measure in measures.of(known=True):
        told = [str(sum(node.numbers[measure.code] for node in side.values())) for side in (then, now)]
        facts.append(Fact(measure.code, str(measure.title), told[0], told[1]))
    lines = [
        Line(node.uid, node.name, _told_numbers(then.get(node.uid), now.get(node.uid)), node.uid in then, node.uid in now)
        for node in (then | {uid: node for uid, node in now.items() if uid not in then}).values() if node.uid is not None
    ]  # fmt: skip
    return facts, tuple(lines)


def _told_numbers(then: Node | None, now: Node | None) -> str:
    """Say a unit's code, its name of now where it is another, and its numbers: of then and of now where they differ."""
    side = now or then
    assert side is not None
    words = [side.code]
    if then is not None and now is not None and then.name != now.name:
        words.append(_("nay là %(name)s") % {"name": now.name})
    for code, number in side.numbers.items():
        title, was = str(measures.MEASURES[code].title).lower(), then.numbers[code] if then is not None else number
        words.append(f"{number} {title}" if was == number else _("%(then)s %(what)s, nay %(now)s") % {"then": was, "what": title, "now": number})
    return ", ".join(words)


def _count(code: str, title: str, model: Any, rows: Any, on: date, moment: datetime) -> Fact:
    """Count rows valid on a day, as known then and as known now: one statement over the index of the history."""
    pairs = rows.annotate(then_valid=known_value(model, "valid", at=moment)).values_list("then_valid", "valid")
    held = [(then is not None and _held(then, on), _held(now, on)) for then, now in pairs]
    return Fact(code, title, str(sum(then for then, _now in held)), str(sum(now for _then, now in held)))


def _class(actor: Actor, uid: UUID, on: date, known_on: date, at: datetime) -> Known:
    group, moment = queries.class_group(actor, str(uid), at=at), end_of(known_on)
    then = known(ClassGroup, [group.pk], at=moment).annotate(
        school_then=_unit_name("school_id", on, moment), school_now=_unit_name("school_id", on, None)
    ).first()  # fmt: skip
    now = Placement.objects.main().filter(class_group=group).select_related("learner").annotate(
        then_valid=known_value(Placement, "valid", at=moment), then_name=known_value(Person, "name", at=moment, ref="learner_id")
    )  # fmt: skip
    places, lines = list(now), []
    for place in places:
        was, is_ = place.then_valid is not None and _held(place.then_valid, on), _held(place.valid, on)
        if was or is_:
            name = (was and place.then_name) or place.learner.name
            detail = _("nay là %(name)s") % {"name": place.learner.name} if name != place.learner.name else place.learner.code
            lines.append((place.learner.sort_key, Line(place.learner.uid, name, detail, was, is_)))
    rows = (("name", _("Tên lớp"), lambda g: g.name), ("grade", _("Khối"), lambda g: str(g.grade)))
    members = tuple(line for _key, line in sorted(lines, key=lambda one: (one[0], one[1].uid)))
    count = Fact("learners", _("Số học sinh"), str(sum(one.then for one in members)), str(sum(one.now for one in members)))
    people = tuple((p.learner_id, group.school_id) for p in places)
    school = _school(then) if then is not None else Fact("school", _("Trường"), "", group.school.name)
    return Known("lop", group.uid, group.name, on, known_on, then is not None, (*_facts(then, group, rows), school, count), members, people)


def _learner(actor: Actor, uid: UUID, on: date, known_on: date, at: datetime) -> Known:
    file, moment = queries.learner_file(actor, str(uid), at=at), end_of(known_on)
    person = file.person
    told = known(Placement, [p.pk for p in file.placements], at=moment).values(told=JSONObject(
        id="pgh_obj_id", learner="learner_id", valid=Cast("valid", TextField()), closed="closed", is_main="is_main"))  # fmt: skip
    names = Unit.objects.filter(pk__in={p.school_id for p in file.placements}).annotate(
        then=_unit_name("pk", on, moment), now=_unit_name("pk", on, None)
    ).values(told=JSONObject(id="pk", then="then", now="now"))  # fmt: skip
    record = known(Person, [person.pk], at=moment).values(told=JSONObject(**{name: name for name in _OF_PERSON}))
    told_of = Person.objects.filter(pk=person.pk).annotate(
        told=Subquery(record), told_places=ArraySubquery(told), told_names=ArraySubquery(names),
        told_ties=Func(F("pk"), Value(moment), function="khue_ties_known", output_field=JSONField()),
    ).values("told", "told_places", "told_names", "told_ties").get()  # fmt: skip
    then = _person(told_of["told"])
    schools = {row["id"]: row for row in told_of["told_names"]}
    rows = (
        ("name", _("Họ và tên"), lambda p: p.name),
        ("born_on", _("Ngày sinh"), lambda p: partial_date(p.born_on, p.born_precision)),
        ("sex", _("Giới tính"), lambda p: str(Sex(p.sex).label)),
        ("birth_place", _("Nơi sinh"), lambda p: p.birth_place),
        ("address", _("Nơi ở hiện tại"), lambda p: p.address),
    )
    before = {row["id"]: _Told(row) for row in told_of["told_places"]}
    lines = []
    for place in file.placements:
        row = before.get(place.pk)
        was = row is not None and row.learner_id == person.pk and not row.valid.isempty
        detail = _days(place.valid)
        if was and (row.valid, row.closed) != (place.valid, place.closed):
            ended = str(Closed(row.closed).label) if row.closed else ""
            detail = _("khi đó: %(then)s; nay: %(now)s") % {"then": f"{_days(row.valid)} {ended}".strip(), "now": detail}
        lines.append(Line(place.uid, _place(place, schools, "now"), detail, was, not place.valid.isempty))
    where = {
        "then": next((_place(p, schools, "then") for p in file.placements if p.pk in before and before[p.pk].is_main and _held(before[p.pk].valid, on)), ""),
        "now": next((_place(p, schools, "now") for p in file.placements if p.is_main and _held(p.valid, on)), ""),
    }
    facts = (*_facts(then, person, rows), Fact("class", _("Lớp ngày ấy"), where["then"], where["now"]))
    return Known("hoc-sinh", person.uid, person.name, on, known_on, then is not None, facts, tuple(lines), ((person.pk, person.school_id),), _family(told_of["told_ties"], person.pk, on))


_OF_PERSON = ("name", "born_on", "born_precision", "sex", "birth_place", "address")


def _person(told: dict[str, Any] | None) -> Any:
    """Return what was known of a person, with its date of birth as one; None where nothing was."""
    if told is None:
        return None
    return SimpleNamespace(**{**told, "born_on": date.fromisoformat(told["born_on"]) if told["born_on"] else None})


def _family(ties: list[dict[str, Any]], learner_id: int, on: date) -> tuple[Line, ...]:
    """Return a learner's guardians on a day: known then, known now, or both."""
    lines = []
    for now in ties:
        then = now["then"]
        was = then is not None and then["learner"] == learner_id and _held(_range(then["valid"]), on)
        is_ = _held(_range(now["valid"]), on)
        if was or is_:
            told = _tie(then if was else now)
            detail = told if not (was and is_) or told == _tie(now) else _("khi đó: %(then)s; nay: %(now)s") % {"then": told, "now": _tie(now)}
            lines.append(Line(UUID(now["uid"]), then["name"] if was else now["name"], detail, was, is_))
    return tuple(lines)


def _tie(told: dict[str, Any]) -> str:
    sees = _("được xem kết quả") if told["may_see"] else _("không được xem kết quả")
    return f"{Kinship.Relation(told['relation']).label}, {sees}, {_days(_range(told['valid']))}"


def _range(told: str) -> Any:
    """Return the half-open days a text of the database names."""
    if told == "empty":
        return DateRange(empty=True)
    lower, _comma, upper = told.strip("[)").partition(",")
    return period(date.fromisoformat(lower), date.fromisoformat(upper) if upper else None)


class _Told:
    """A place as it was known, out of the JSON of one statement."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.learner_id, self.closed, self.is_main = row["learner"], row["closed"], row["is_main"]
        self.valid = _range(row["valid"])


def _place(place: Placement, schools: dict[int, dict[str, Any]], side: str) -> str:
    """Name a class and its school as the school was called on the day; its name of today where that was not known then."""
    return f"{place.class_group.name}, {schools[place.school_id][side] or place.school.name}"


def _unit_name(ref: str, on: date, moment: datetime | None) -> Func:
    """Return the expression of a unit's name on a day, as known at a moment (None: as known now)."""
    at = Cast(Value("infinity"), DateTimeField()) if moment is None else Value(moment, DateTimeField())
    return Func(F(ref), Value(on, DateField()), at, function="khue_unit_name", output_field=TextField())


def _staff(actor: Actor, uid: UUID, on: date, known_on: date, at: datetime) -> Known:
    moment = end_of(known_on)
    post = Post.objects.select_related("person").filter(uid=uid).annotate(
        school_then=_unit_name("school_id", on, moment), school_now=_unit_name("school_id", on, None)
    ).first()  # fmt: skip
    if post is None:
        raise NotFound()
    permissions.demand(actor, "people.edit_file", on=post, at=at)
    then = _first(Post, post.pk, moment)
    who = _first(Person, post.person_id, moment)
    rows = (
        ("position", _("Chức vụ"), lambda p: str(Position(p.position).label)),
        ("contract", _("Hợp đồng"), lambda p: p.contract_kind),
        ("load", _("Phần trăm định mức"), lambda p: str(p.load_percent)),
        ("valid", _("Thời gian"), lambda p: _days(p.valid)),
        ("held", _("Có vị trí ngày ấy"), lambda p: _("có") if _held(p.valid, on) else _("không")),
    )
    facts = (Fact("name", _("Họ và tên"), who.name if who else "", post.person.name), _school(post), *_facts(then, post, rows))
    return Known("can-bo", post.uid, post.person.name, on, known_on, then is not None, facts, (), ((post.person_id, post.school_id),))


def _school(row: Any) -> Fact:
    """Return the fact of the school a row lies in, named as on the day."""
    return Fact("school", _("Trường"), row.school_then or "", row.school_now)


READERS: dict[str, Callable[[Actor, UUID, date, date, datetime], Known]] = {
    "don-vi": _unit, "truong": _unit, "lop": _class, "hoc-sinh": _learner, "can-bo": _staff,
}  # fmt: skip
