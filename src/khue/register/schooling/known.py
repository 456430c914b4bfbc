"""A school, class, learner or member of staff "as it was on D, as known on E", beside what is known now.

One reading for pages and API: facts with both values, and a list (who is in a class, where a learner went) in which each
line says whether it was known then and is known now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import TextField
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
from khue.register.orgs import queries as orgs
from khue.register.orgs.models import Level, Unit
from khue.register.people.models import Person, Sex
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


TITLES: dict[str, str | Promise] = {
    "truong": gettext_lazy("Trường"), "lop": gettext_lazy("Lớp"), "hoc-sinh": gettext_lazy("Học sinh"), "can-bo": gettext_lazy("Nhân sự"),
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


def _school(actor: Actor, uid: UUID, on: date, known_on: date, at: datetime) -> Known:
    permissions.demand(actor, "orgs.view_tree", at=at)
    node, moment = orgs.unit_on(actor, uid, day=local_day(at)), end_of(known_on)
    then = known(Unit, [node.id], at=moment).select_related("pgh_obj").first()
    unit = then.pgh_obj if then is not None else Unit.objects.get(pk=node.id)
    rows = (
        ("name", _("Tên"), lambda u: u.name),
        ("levels", _("Cấp học"), lambda u: ", ".join(str(Level(code).label) for code in u.levels)),
        ("address", _("Địa chỉ"), lambda u: u.address),
        ("commune", _("Mã xã"), lambda u: u.commune_code),
        ("valid", _("Hoạt động"), lambda u: _days(u.valid)),
    )
    facts = [*_facts(then, unit, rows)]
    if permissions.allowed(actor, "schooling.view_classes", on=unit, at=at):
        facts += [
            _count("learners", _("Số học sinh"), Placement, Placement.objects.main().filter(school=unit), on, moment),
            _count("posts", _("Số nhân sự"), Post, Post.objects.filter(school=unit), on, moment),
        ]
    return Known("truong", unit.uid, unit.name, on, known_on, then is not None, tuple(facts))


def _count(code: str, title: str, model: Any, rows: Any, on: date, moment: datetime) -> Fact:
    """Count rows valid on a day, as known then and as known now: one statement over the index of the history."""
    pairs = rows.annotate(then_valid=known_value(model, "valid", at=moment)).values_list("then_valid", "valid")
    held = [(then is not None and _held(then, on), _held(now, on)) for then, now in pairs]
    return Fact(code, title, str(sum(then for then, _now in held)), str(sum(now for _then, now in held)))


def _class(actor: Actor, uid: UUID, on: date, known_on: date, at: datetime) -> Known:
    group, moment = queries.class_group(actor, str(uid), at=at), end_of(known_on)
    then = _first(ClassGroup, group.pk, moment)
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
    return Known("lop", group.uid, group.name, on, known_on, then is not None, (*_facts(then, group, rows), count), members, people)


def _learner(actor: Actor, uid: UUID, on: date, known_on: date, at: datetime) -> Known:
    file, moment = queries.learner_file(actor, str(uid), at=at), end_of(known_on)
    person = file.person
    told = known(Placement, [p.pk for p in file.placements], at=moment).values(told=JSONObject(
        id="pgh_obj_id", learner="learner_id", valid=Cast("valid", TextField()), closed="closed", is_main="is_main"))  # fmt: skip
    then = known(Person, [person.pk], at=moment).annotate(told_places=ArraySubquery(told)).first()
    rows = (
        ("name", _("Họ và tên"), lambda p: p.name),
        ("born_on", _("Ngày sinh"), lambda p: partial_date(p.born_on, p.born_precision)),
        ("sex", _("Giới tính"), lambda p: str(Sex(p.sex).label)),
        ("birth_place", _("Nơi sinh"), lambda p: p.birth_place),
        ("address", _("Nơi ở hiện tại"), lambda p: p.address),
    )
    before = {row["id"]: _Told(row) for row in (then.told_places if then is not None else ())}
    lines = []
    for place in file.placements:
        row = before.get(place.pk)
        was = row is not None and row.learner_id == person.pk and not row.valid.isempty
        detail = _days(place.valid)
        if was and (row.valid, row.closed) != (place.valid, place.closed):
            ended = str(Closed(row.closed).label) if row.closed else ""
            detail = _("khi đó: %(then)s; nay: %(now)s") % {"then": f"{_days(row.valid)} {ended}".strip(), "now": detail}
        lines.append(Line(place.uid, f"{place.class_group.name}, {place.school.name}", detail, was, not place.valid.isempty))
    where = {
        "then": next((_place(p) for p in file.placements if p.pk in before and before[p.pk].is_main and _held(before[p.pk].valid, on)), ""),
        "now": next((_place(p) for p in file.placements if p.is_main and _held(p.valid, on)), ""),
    }
    facts = (*_facts(then, person, rows), Fact("class", _("Lớp ngày ấy"), where["then"], where["now"]))
    return Known("hoc-sinh", person.uid, person.name, on, known_on, then is not None, facts, tuple(lines), ((person.pk, person.school_id),))


class _Told:
    """A place as it was known, out of the JSON of one statement."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.learner_id, self.closed, self.is_main = row["learner"], row["closed"], row["is_main"]
        lower, _comma, upper = row["valid"].strip("[)").partition(",")
        days = (date.fromisoformat(lower), date.fromisoformat(upper) if upper else None) if lower != "empty" else None
        self.valid = period(*days) if days else DateRange(empty=True)


def _place(place: Placement) -> str:
    return f"{place.class_group.name}, {place.school.name}"


def _staff(actor: Actor, uid: UUID, on: date, known_on: date, at: datetime) -> Known:
    post = Post.objects.select_related("person", "school").filter(uid=uid).first()
    if post is None:
        raise NotFound()
    permissions.demand(actor, "people.edit_file", on=post, at=at)
    moment = end_of(known_on)
    then = _first(Post, post.pk, moment)
    who = _first(Person, post.person_id, moment)
    rows = (
        ("position", _("Chức vụ"), lambda p: str(Position(p.position).label)),
        ("contract", _("Hợp đồng"), lambda p: p.contract_kind),
        ("load", _("Phần trăm định mức"), lambda p: str(p.load_percent)),
        ("valid", _("Thời gian"), lambda p: _days(p.valid)),
        ("held", _("Có vị trí ngày ấy"), lambda p: _("có") if _held(p.valid, on) else _("không")),
    )
    facts = (Fact("name", _("Họ và tên"), who.name if who else "", post.person.name), *_facts(then, post, rows))
    return Known("can-bo", post.uid, post.person.name, on, known_on, then is not None, facts, (), ((post.person_id, post.school_id),))


READERS: dict[str, Callable[[Actor, UUID, date, date, datetime], Known]] = {
    "truong": _school, "lop": _class, "hoc-sinh": _learner, "can-bo": _staff,
}  # fmt: skip
