"""Reads: the checklist, versions and their boards, what a move would cost, what is broken, days of people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, JSONField, OuterRef, Q, QuerySet, Subquery, Value
from django.utils.translation import gettext as _

from khue.kernel import permissions
from khue.kernel.database.fields import period as span
from khue.kernel.errors import NotFound
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import Actor
from khue.register.orgs.models import Unit
from khue.register.schooling.mine import school_year_of
from khue.register.schooling.models import ClassGroup, Placement
from khue.register.staff.models import Post
from khue.school.timetable import catalogue, covering, places, problems, requirements, telling, weeks
from khue.school.timetable.chains import Chain, propose
from khue.school.timetable.models import (
    CalendarLink,
    ClassSheet,
    Cover,
    Lesson,
    Room,
    TeacherAbsence,
    Timetable,
    TimetableRule,
    WeekChange,
    WeekPattern,
)
from khue.school.timetable.names import subject_title
from khue.school.timetable.problems import Built
from khue.school.timetable.services.drafts import RUNNING, difference, landing
from khue.school.timetable.solving import checking
from khue.school.timetable.weeks import Grid, Place

BY = {"lop": "class", "gv": "teacher", "phong": "room"}


def own_school(actor: Actor, right: str, *, at: datetime) -> Unit:
    """Return the school the actor works at, where she has the right; raises NotFound, NotAllowed."""
    permissions.demand(actor, right, on=permissions.ANYWHERE, at=at)
    found = Unit.objects.schools().filter(pk=actor.unit_id or 0).first()
    if found is None or not actor.covers_school(found.pk):
        raise NotFound()
    permissions.demand(actor, right, on=found.pk, at=at)
    return found


# --- the checklist ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setup:
    """How far the preparation is: the week, and for each step what is there and what is missing."""

    pattern: WeekPattern | None
    classes: int
    teachers: int
    periods: int
    rooms: int
    rules: int
    findings: Sequence[requirements.Finding]

    @property
    def is_ready(self) -> bool:
        """Return whether nothing stops the work."""
        return not any(one.is_blocking for one in self.findings)


def checklist(actor: Actor, *, on: date, school_year: int, at: datetime) -> Setup:
    """Return the preparation of the actor's own school; four statements."""
    permissions.demand(actor, "timetable.plan", on=actor.unit_id, at=at)
    school_id = actor.unit_id or 0
    pattern = WeekPattern.objects.filter(school_id=school_id, valid__contains=on).first()
    register = requirements.read(school_id, school_year, on)
    rules, rooms = _rules_and_rooms(school_id, school_year)
    found = requirements.findings(register, pattern, rules, rooms)
    return Setup(
        pattern, len(register.groups), len({one.post_id for one in register.assignments}),
        sum(one.periods for one in register.assignments), len(rooms), len(rules), found,
    )  # fmt: skip


def _rules_and_rooms(school_id: int, school_year: int) -> tuple[list[catalogue.Wish], frozenset[str]]:
    """Return the wishes in use and the uids of rooms in use; one statement."""
    rules = TimetableRule.objects.filter(school_id=school_id, school_year=school_year, is_active=True).values_list(
        "uid", "kind", "parameters", "weight"
    )
    rooms = Room.objects.filter(school_id=school_id, is_open=True).values_list(
        "uid", Value("room"), Value({}, JSONField()), F("holds")
    )
    wishes, known = [], set()
    for uid, kind, parameters, weight in rules.union(rooms, all=True):
        if kind == "room":
            known.add(str(uid))
        elif kind in catalogue.KINDS:
            wishes.append(catalogue.Wish(kind, parameters, weight, str(uid)))
    return sorted(wishes, key=lambda one: one.source), frozenset(known)


def rules(actor: Actor, *, school_year: int, at: datetime) -> list[TimetableRule]:
    """Return the wishes of the actor's school, by section of the catalogue."""
    permissions.demand(actor, "timetable.plan", on=actor.unit_id, at=at)
    return list(TimetableRule.objects.filter(school_id=actor.unit_id, school_year=school_year).order_by("kind", "pk"))


def rule(actor: Actor, uid: Any, *, at: datetime) -> TimetableRule:
    """Return one wish; raises NotFound outside the actor's place."""
    found = TimetableRule.objects.select_related("school").filter(uid=uid).first()
    if found is None:
        raise NotFound()
    permissions.demand(actor, "timetable.plan", on=found, at=at)
    return found


@dataclass
class Choices:
    """What the fields of a wish may name: lists of (value, label)."""

    teachers: list[tuple[str, str]] = field(default_factory=list)
    classes: list[tuple[str, str]] = field(default_factory=list)
    rooms: list[tuple[str, str]] = field(default_factory=list)
    subjects: list[tuple[str, str]] = field(default_factory=list)


def choices(actor: Actor, *, school_year: int, on: date, at: datetime, wanted: Sequence[str] = catalogue.LISTS) -> Choices:
    """Return what wishes of the actor's school may name, of the parameters wanted; at most three statements."""
    permissions.demand(actor, "timetable.plan", on=actor.unit_id, at=at)
    people = {"teachers", "classes", "subjects", "others"} & set(wanted)
    register = requirements.read(actor.unit_id or 0, school_year, on) if people else requirements.Register((), ())
    rooms = Room.objects.filter(school_id=actor.unit_id, is_open=True).order_by("name") if "rooms" in wanted else ()
    posts = {one.post_id: one.post for one in register.assignments}
    ordered = sorted(posts.values(), key=lambda post: post.person.sort_key)
    codes = sorted({one.subject_code for one in register.assignments}, key=subject_title)
    return Choices(
        [(str(post.uid), post.short_name or post.person.name) for post in ordered],
        [(str(group.uid), group.name) for group in register.groups],
        [(str(room.uid), room.name) for room in rooms],
        [(code, subject_title(code)) for code in codes],
    )


def told(one: TimetableRule, names: Choices) -> str:
    """Return a wish as a sentence: its title and what it names."""
    kind = catalogue.KINDS.get(one.kind)
    if kind is None:
        return one.kind
    parts = []
    labels = {"teachers": names.teachers, "classes": names.classes, "rooms": names.rooms, "subjects": names.subjects, "others": names.subjects}
    for name, known in labels.items():
        wanted = one.parameters.get(name) or ()
        by_value = dict(known)
        if wanted:
            shown = [by_value.get(value, _("(không còn)")) for value in wanted]
            parts.append(", ".join(shown[:6]) + ("…" if len(shown) > 6 else ""))
    if one.parameters.get("slots"):
        spots = [weeks.place_name(place) for place in one.parameters["slots"]]
        parts.append("; ".join(spots[:4]) + ("…" if len(spots) > 4 else ""))
    if "number" in one.parameters:
        parts.append(str(one.parameters["number"]))
    return ": ".join(filter(None, (str(kind.title), " · ".join(parts))))


def rooms(actor: Actor, *, at: datetime) -> list[Room]:
    """Return the rooms of the actor's school by name."""
    permissions.demand(actor, "timetable.plan", on=actor.unit_id, at=at)
    return list(Room.objects.filter(school_id=actor.unit_id).order_by("-is_open", "name"))


def room(actor: Actor, uid: Any, *, at: datetime) -> Room:
    """Return one room; raises NotFound outside the actor's place."""
    found = Room.objects.select_related("school").filter(uid=uid).first()
    if found is None:
        raise NotFound()
    permissions.demand(actor, "timetable.plan", on=found, at=at)
    return found


def pattern(actor: Actor, *, at: datetime) -> WeekPattern | None:
    """Return the newest week pattern of the actor's school."""
    permissions.demand(actor, "timetable.plan", on=actor.unit_id, at=at)
    return WeekPattern.objects.filter(school_id=actor.unit_id).order_by("-valid").first()


# --- versions -----------------------------------------------------------------------------------------------------


def versions(actor: Actor, *, at: datetime) -> list[Timetable]:
    """Return the versions in the actor's place she may see, newest first: drafts only for those who plan."""
    permissions.demand(actor, "timetable.view", on=permissions.ANYWHERE, at=at)
    found = Timetable.objects.select_related("school").order_by("-pk")
    found = found.filter(school_id=actor.unit_id) if actor.schools is None or (actor.unit_id in actor.schools) else found.filter(school_id__in=actor.schools)
    if not permissions.holds(actor, "timetable.plan"):
        found = found.exclude(state=Timetable.State.DRAFT)
    return list(found[:60])


def version(actor: Actor, uid: Any, *, at: datetime) -> Timetable:
    """Return one version with its week; `is_solving` says whether the solver is at work on it. One statement."""
    running = Job.objects.filter(uid=OuterRef("job_uid"), state__in=RUNNING)
    found = (
        Timetable.objects.select_related("pattern", "school", "base").filter(uid=uid)
        .annotate(is_solving=Exists(running), log=Subquery(Job.objects.filter(uid=OuterRef("job_uid")).values("result")[:1])).first()
    )  # fmt: skip
    if found is None:
        raise NotFound()
    permissions.demand(actor, "timetable.plan" if found.state == Timetable.State.DRAFT else "timetable.view", on=found, at=at)
    return found


def lessons_of(actor: Actor, held: Timetable, *, at: datetime) -> list[Lesson]:
    """Return the lessons of a version with their names; one statement."""
    permissions.demand(actor, "timetable.view", on=held, at=at)
    return list(
        Lesson.objects.filter(timetable=held).select_related("class_group", "post__person", "room")
        .order_by("class_group__grade", "class_group__name", "subject_code", "part", "pk")
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """One lesson in a cell of a board."""

    key: str
    subject: str
    group: str
    teacher: str
    room: str
    duration: int
    is_pinned: bool
    is_fixed: bool
    weeks: int
    part: int = 1

    @property
    def name(self) -> str:
        """Return what a list calls it."""
        return f"{self.subject} {self.group}"


@dataclass(slots=True)
class Cell:
    """One slot of one person's or room's week: what is there, and with a lesson chosen what moving it there means."""

    place: Place
    lessons: list[Shown] = field(default_factory=list)
    option: Option | None = None
    is_open: bool = True

    @property
    def code(self) -> str:
        """Return the place as addresses write it."""
        return "-".join(map(str, self.place))

    @property
    def name(self) -> str:
        """Return the place in words."""
        return weeks.place_name(self.place)


@dataclass(slots=True)
class Line:
    """One period of a session over the days of the week."""

    half: int
    period: int
    starts: time | None
    cells: list[Cell]
    is_first: bool = False
    count: int = 0

    @property
    def session(self) -> str:
        """Return the name of the half day."""
        return _(weeks.HALVES[self.half]).capitalize()


@dataclass(frozen=True)
class Option:
    """What moving the chosen lesson to a slot would change: hard units, soft cost, who swaps with it."""

    place: Place
    hard: int
    cost: float
    swaps: tuple[str, ...]
    is_here: bool = False

    @property
    def tone(self) -> str:
        """Return how good it is: bad, good, warn or none."""
        return "bad" if self.hard > 0 else "good" if self.hard < 0 or self.cost < 0 else "warn" if self.cost > 0 else ""

    @property
    def words(self) -> str:
        """Return the change in words."""
        if self.is_here:
            return _("Đang ở đây")
        parts = []
        if self.hard:
            parts.append(_("%(n)+d lỗi") % {"n": self.hard})
        if round(self.cost, 2):
            parts.append(_("%(n)s điểm") % {"n": f"{self.cost:+.1f}".replace(".", ",")})
        if not parts:
            parts.append(_("Không lỗi"))
        if self.swaps:
            parts.append(_("đổi với %(who)s") % {"who": ", ".join(self.swaps)})
        return ", ".join(parts)


@dataclass(frozen=True)
class Board:
    """One week of one class, teacher or room, or the choice of them."""

    by: str
    who: str
    name: str
    days: Sequence[str]
    lines: Sequence[Line]
    people: Sequence[tuple[str, str]]
    unplaced: Sequence[Shown]
    load: int


def shown(one: Lesson) -> Shown:
    """Return a lesson as a cell shows it."""
    return Shown(
        one.key, subject_title(one.subject_code), one.class_group.name,
        (one.post.short_name or one.post.person.name) if one.post else "", one.room.name if one.room else "", one.duration,
        one.is_pinned, one.subject_code in problems.FIXED, one.weeks, one.part,
    )  # fmt: skip


def people_of(lessons: Iterable[Lesson], by: str) -> list[tuple[str, str]]:
    """Return (uid, name) of whoever has lessons: classes, teachers or rooms, in their order."""
    found: dict[str, tuple[Any, str]] = {}
    for one in lessons:
        thing = {"class": one.class_group, "teacher": one.post, "room": one.room}[by]
        if thing is None or str(thing.uid) in found:
            continue
        if by == "class":
            found[str(thing.uid)] = ((one.class_group.grade, one.class_group.name), one.class_group.name)
        elif by == "teacher":
            found[str(thing.uid)] = (one.post.person.sort_key, one.post.short_name or one.post.person.name)  # type: ignore[union-attr]
        else:
            found[str(thing.uid)] = (one.room.name, one.room.name)  # type: ignore[union-attr]
    return [(uid, name) for uid, (_sort, name) in sorted(found.items(), key=lambda item: item[1][0])]


def is_of(one: Lesson, by: str, who: str) -> bool:
    """Return whether a lesson is of a class, teacher or room."""
    thing = {"class": one.class_group, "teacher": one.post, "room": one.room}[by]
    return thing is not None and str(thing.uid) == who


def board(held: Timetable, lessons: Sequence[Lesson], *, by: str, who: str) -> Board:
    """Return the week of one of them (the first where nobody is named); no statement."""
    people = people_of(lessons, by)
    names = dict(people)
    if who not in names:
        who = people[0][0] if people else ""
    own = [one for one in lessons if is_of(one, by, who)]
    grid = weeks.grid_of(held.pattern)
    days, lines = table(held.pattern, grid, own)
    seen: set[str] = set()
    unplaced = [shown(one) for one in own if one.day is None and not (one.key in seen or seen.add(one.key))]  # type: ignore[func-returns-value]
    return Board(by, who, names.get(who, ""), days, lines, people, unplaced, sum({one.key: one.duration for one in own}.values()))


def table(held: WeekPattern, grid: Grid, lessons: Iterable[Lesson]) -> tuple[list[str], list[Line]]:
    """Return the names of the days and the lines of a week."""
    days = sorted({day for day, _half in grid.sessions})
    at: dict[Place, list[Shown]] = defaultdict(list)
    for one in lessons:
        if one.day is not None:
            for n in range(one.duration):
                at[one.day, one.half or 0, (one.period or 0) + n].append(shown(one))
    lines = []
    for half in (0, 1):
        height = max((count for (_day, h), count in zip(grid.sessions, grid.counts, strict=True) if h == half), default=0)
        for period in range(height):
            cells = [Cell((day, half, period), together(at[day, half, period]), None, grid.slot((day, half, period)) is not None) for day in days]
            lines.append(Line(half, period, weeks.starts_at(held, half, period), cells, period == 0, height))
    return [_(weeks.WEEKDAYS[day]) for day in days], lines


def together(found: list[Shown]) -> list[Shown]:
    """Show a lesson of several classes or teachers once."""
    kept: dict[str, Shown] = {}
    for one in found:
        kept.setdefault(one.key, one)
    return list(kept.values())


def options(actor: Actor, held: Timetable, key: str, *, at: datetime) -> tuple[Built, dict[Place, Option]]:
    """Return for every slot of the week what moving a lesson there would change; three statements."""
    permissions.demand(actor, "timetable.plan", on=held, at=at)
    built = places.load(held)
    rows = built.rows.get(key)
    if rows is None:
        raise NotFound()
    now, solution = problems.place_of(rows[0]), built.solution()
    found: dict[Place, Option] = {}
    for slot in built.grid.every():
        place = built.grid.place(slot)
        if built.grid.slot((*place[:2], place[2] + rows[0].duration - 1)) is None:
            continue
        spots = landing(built, key, place, rows[0].room_id)
        swaps = tuple(built.names[other] for other in spots if other != key)
        _missing, hard, cost = difference(built, solution, spots) if place != now else (0, 0, 0.0)
        found[place] = Option(place, hard, cost, swaps, place == now)
    return built, found


@dataclass(frozen=True)
class Broken:
    """What a version breaks: sentences of hard demands, of wishes with their cost, the sum."""

    hard: Sequence[str]
    soft: Sequence[tuple[str, float]]
    cost: float


def broken(actor: Actor, held: Timetable, *, at: datetime) -> Broken:
    """Return what a version breaks, in words; three statements."""
    permissions.demand(actor, "timetable.plan", on=held, at=at)
    built = places.load(held)
    report = checking.check(built.problem, built.solution())
    hard = [problems.words(one, built) for one in report.violations if one.is_hard]
    soft = sorted(
        ((problems.words(one, built), one.weight / 100 * one.units) for one in report.violations if not one.is_hard),
        key=lambda pair: -pair[1],
    )
    return Broken(hard, soft[:100], report.cost)


@dataclass(frozen=True)
class Change:
    """One lesson that stands elsewhere in another version."""

    name: str
    teacher: str
    before: str
    after: str


def compare(actor: Actor, one: Timetable, other: Timetable, *, at: datetime) -> list[Change]:
    """Return what changes from one version to another of the same school, class by class; two statements."""
    if one.school_id != other.school_id:
        raise NotFound()
    sides = [
        {(row.key, row.class_group_id, row.subject_code): row for row in lessons_of(actor, side, at=at)} for side in (one, other)
    ]
    found = []
    for key in dict.fromkeys([*sides[0], *sides[1]]):
        before, after = (side.get(key) for side in sides)
        told = [_where(row) for row in (before, after)]
        if told[0] != told[1]:
            row = shown(after or before)  # type: ignore[arg-type]
            found.append(Change(row.name, row.teacher, told[0], told[1]))
    return found


def _where(row: Lesson | None) -> str:
    if row is None:
        return _("không có")
    place = problems.place_of(row)
    parts = [weeks.place_name(place) if place else _("chưa xếp"), row.room.name if row.room else "", shown(row).teacher]
    return ", ".join(filter(None, parts))


def chains(actor: Actor, held: Timetable, post: str, session: tuple[int, int], *, at: datetime) -> list[Chain] | None:
    """Return chains of swaps that free a teacher (uid) for a session (weekday, half); three statements."""
    permissions.demand(actor, "timetable.plan", on=held, at=at)
    built = places.load(held)
    ids = {row.post_id for rows in built.rows.values() for row in rows if row.post is not None and str(row.post.uid) == post}
    if not ids:
        raise NotFound()
    day, half = session
    return propose(built, ids.pop(), [place for place in map(built.grid.place, built.grid.every()) if place[:2] == (day, half)])  # type: ignore[arg-type]


# --- absences -----------------------------------------------------------------------------------------------------


def absences(actor: Actor, *, on: date, at: datetime) -> QuerySet[TeacherAbsence]:
    """Return the absences of the actor's school that are not over, the next first."""
    permissions.demand(actor, "timetable.cover", on=actor.unit_id, at=at)
    return (
        TeacherAbsence.objects.filter(school_id=actor.unit_id, withdrawn_at=None).filter(Q(valid__endswith__gt=on))
        .select_related("post__person").annotate(decided=Count("covers")).order_by("valid", "pk")
    )  # fmt: skip


def absence(actor: Actor, uid: Any, *, at: datetime) -> TeacherAbsence:
    """Return one absence; raises NotFound outside the actor's place."""
    found = TeacherAbsence.objects.select_related("post__person", "school").filter(uid=uid).first()
    if found is None:
        raise NotFound()
    permissions.demand(actor, "timetable.cover", on=found, at=at)
    return found


def open_lessons(actor: Actor, held: TeacherAbsence, *, at: datetime) -> list[covering.Open]:
    """Return every lesson of an absence day by day with who could take it; three statements a version."""
    permissions.demand(actor, "timetable.cover", on=held, at=at)
    days = [held.valid.lower + timedelta(n) for n in range((held.valid.upper - held.valid.lower).days)]
    lessons = list(
        Lesson.objects.filter(timetable__school_id=held.school_id, timetable__valid__overlap=held.valid)
        .select_related("timetable", "class_group", "post__person", "room").order_by("pk")
    )  # fmt: skip
    covers = list(
        Cover.objects.filter(school_id=held.school_id, absence__withdrawn_at=None, on__gte=date(school_year_of(held.valid.lower), 8, 1))
        .select_related("lesson", "post__person")
    )  # fmt: skip
    absent: dict[int, list[tuple[date, date | None]]] = defaultdict(list)
    for one in TeacherAbsence.objects.filter(school_id=held.school_id, withdrawn_at=None, valid__overlap=held.valid):
        absent[one.post_id].append((one.valid.lower, one.valid.upper))
    decided = {(cover.lesson_id, cover.on): cover for cover in covers}
    by_version: dict[Any, list[Lesson]] = defaultdict(list)
    for row in lessons:
        by_version[row.timetable].append(row)
    found = []
    for day in days:
        for held_version, rows in by_version.items():
            if day not in held_version.valid:
                continue
            own = covering.lessons_on([row for row in rows if row.post_id == held.post_id], day, held_version.valid.lower)
            found += [
                covering.Open(day, row, decided.get((row.pk, day)), covering.proposals(row, day, held_version, rows, covers, absent)[: covering.SHOWN])
                for row in own
            ]
    return found


def teachers(actor: Actor, *, on: date, at: datetime) -> list[Post]:
    """Return the posts of the actor's school that teach, by name."""
    permissions.demand(actor, "timetable.cover", on=actor.unit_id, at=at)
    return list(
        Post.objects.select_related("person").filter(school_id=actor.unit_id, valid__contains=on, position__in=["teacher", "vice_principal", "principal"])
        .order_by("person__sort_key", "pk")
    )  # fmt: skip


# --- days of people -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Item:
    """One lesson of somebody's day. tone: "" as usual, "warn" a cover, "off" it falls away."""

    half: int
    period: int
    starts: str
    subject: str
    detail: str
    room: str
    note: str = ""
    tone: str = ""
    duration: int = 1

    @property
    def when(self) -> str:
        """Return the half day and the period in words."""
        number = f"{self.period + 1}–{self.period + self.duration}" if self.duration > 1 else str(self.period + 1)
        return _("%(half)s, tiết %(number)s") % {"half": _(weeks.HALVES[self.half]).capitalize(), "number": number}


@dataclass(frozen=True)
class News:
    """What a version changes for somebody from a day on. title: whose week; first: no version held before."""

    title: str
    on: date
    is_first: bool
    lines: Sequence[str]


NEWS_BEFORE, NEWS_AFTER = timedelta(days=60), timedelta(days=14)
"""A change is told from so long before the day it comes until so long after."""


def _told_news(title: str, on: date, news: dict[str, Any], *, with_group: bool) -> News:
    return News(title, on, bool(news.get("first")), [telling.words(line, with_group=with_group) for line in news.get("lines", ())])


def _is_news(sheet: ClassSheet, on: date) -> bool:
    return bool(sheet.news) and not sheet.valid.isempty and on - NEWS_AFTER <= sheet.valid.lower <= on + NEWS_BEFORE


@dataclass(frozen=True)
class MyDay:
    """One person's day: herself or a child."""

    name: str
    detail: str
    items: Sequence[Item]
    news: Sequence[News] = ()


def my_day(actor: Actor, *, on: date, at: datetime) -> list[MyDay]:
    """Return the day of the actor: her own lessons and covers, or the classes of her children; two statements."""
    permissions.demand(actor, "timetable.my_day", on=permissions.ANYWHERE, at=at)
    if actor.role in ("guardian", "learner"):
        return _children(actor, on)
    return [_teacher(actor, on)]


def _children(actor: Actor, on: date) -> list[MyDay]:
    places_ = list(
        Placement.objects.main().on(on).filter(learner_id__in=actor.people).select_related("learner", "class_group", "school").order_by("learner__sort_key")
    )
    sheets: dict[int, list[ClassSheet]] = defaultdict(list)
    near = span(on, on + NEWS_BEFORE)
    for sheet in ClassSheet.objects.filter(class_group_id__in=[one.class_group_id for one in places_], valid__overlap=near).order_by("valid"):
        sheets[sheet.class_group_id].append(sheet)
    found = []
    for one in places_:
        those = sheets[one.class_group_id]
        current = next((sheet for sheet in those if on in sheet.valid), None)
        news = [_told_news(one.class_group.name, sheet.valid.lower, sheet.news, with_group=False) for sheet in those if _is_news(sheet, on)]
        found.append(MyDay(one.learner.name, f"{one.class_group.name}, {one.school.name}", _sheet_items(current, on), news))
    return found


def _sheet_items(sheet: ClassSheet | None, on: date) -> list[Item]:
    if sheet is None:
        return []
    bit = covering.week_bit(on, sheet.valid.lower)
    changes = {one["lesson"]: one for one in sheet.changes.get(on.isoformat(), ())}
    found = []
    for cell in sheet.cells:
        if cell["day"] != on.weekday() or not cell["weeks"] & bit:
            continue
        change = changes.get(cell["lesson"])
        note, tone = "", ""
        if change is not None:
            tone = "off" if change["kind"] == "free" else "warn"
            note = _("Nghỉ tiết này") if change["kind"] == "free" else _("%(teacher)s dạy thay") % {"teacher": change["teacher"]}
        found.append(Item(
            cell["half"], cell["period"], cell["start"], cell["subject"], cell["teacher"], cell["room"], note, tone, cell["duration"],
        ))  # fmt: skip
    return sorted(found, key=lambda one: (one.half, one.period))


def _teacher(actor: Actor, on: date) -> MyDay:
    own = Q(post__person_id=actor.person_id or 0)
    covers = list(
        Cover.objects.filter(on=on, absence__withdrawn_at=None).filter(own | Q(lesson__post__person_id=actor.person_id or 0))
        .select_related("lesson__class_group", "lesson__room", "lesson__timetable__pattern", "post__person", "lesson__post")
    )  # fmt: skip
    mine = (
        Lesson.objects.filter(own, timetable__valid__contains=on, day=on.weekday())
        .select_related("class_group", "room", "timetable__pattern").order_by("half", "period")
    )  # fmt: skip
    gone = {cover.lesson_id: cover for cover in covers if cover.lesson.post is not None and cover.lesson.post.person_id == actor.person_id}
    found: dict[str, Item] = {}
    for one in mine:
        if not one.weeks & covering.week_bit(on, one.timetable.valid.lower):
            continue
        cover = gone.get(one.pk)
        note = "" if cover is None else _("Lớp nghỉ tiết này") if cover.post is None else _("%(teacher)s dạy thay") % {"teacher": cover.post.person.name}
        found[one.key if one.key not in found else str(one.pk)] = _item(one, note, "off" if cover else "")
    for cover in covers:
        if cover.post is not None and cover.post.person_id == actor.person_id:
            found[f"cover{cover.pk}"] = _item(cover.lesson, str(cover.get_kind_display()), "warn")
    return MyDay(actor.name, "", sorted(found.values(), key=lambda item: (item.half, item.period)), _teachers_news(actor, on))


def _teachers_news(actor: Actor, on: date) -> list[News]:
    """Return what changes in her own week and in those of the classes she is homeroom teacher of; two statements."""
    own = WeekChange.objects.filter(
        post__person_id=actor.person_id or 0, on__range=(on - NEWS_AFTER, on + NEWS_BEFORE), timetable__valid__overlap=span(on)
    ).order_by("on", "pk")  # fmt: skip
    sheets = ClassSheet.objects.filter(
        class_group__homeroom__person_id=actor.person_id or 0, valid__overlap=span(on, on + NEWS_BEFORE)
    ).select_related("class_group").order_by("valid", "pk")  # fmt: skip
    return [
        *(_told_news(_("Tuần dạy của tôi"), one.on, one.news, with_group=True) for one in own),
        *(_told_news(_("Lớp chủ nhiệm %(group)s") % {"group": sheet.class_group.name}, sheet.valid.lower, sheet.news, with_group=False)
          for sheet in sheets if _is_news(sheet, on)),
    ]  # fmt: skip


def _item(one: Lesson, note: str, tone: str) -> Item:
    start = weeks.starts_at(one.timetable.pattern, one.half or 0, one.period or 0)
    return Item(
        one.half or 0, one.period or 0, f"{start:%H:%M}" if start else "", subject_title(one.subject_code), one.class_group.name,
        one.room.name if one.room else "", note, tone, one.duration,
    )  # fmt: skip


def my_posts(actor: Actor, *, on: date, at: datetime) -> list[Post]:
    """Return the actor's own posts of a day, for the addresses of her calendar."""
    permissions.demand(actor, "timetable.view", on=permissions.ANYWHERE, at=at)
    return list(Post.objects.filter(person_id=actor.person_id or 0, valid__contains=on).select_related("school", "person"))


def links(actor: Actor, *, at: datetime) -> list[CalendarLink]:
    """Return the open calendar addresses of the actor's own posts, or of her school where she plans."""
    permissions.demand(actor, "timetable.view", on=permissions.ANYWHERE, at=at)
    found = CalendarLink.objects.filter(closed_at=None).select_related("post__person", "class_group", "room")
    if permissions.holds(actor, "timetable.plan"):
        found = found.filter(school_id=actor.unit_id)
    else:
        found = found.filter(post__person_id=actor.person_id or 0)
    return list(found.order_by("pk"))


def link_choices(actor: Actor, *, on: date, at: datetime) -> list[tuple[str, str]]:
    """Return (value, label) of whatever the actor may open a calendar address for; one statement."""
    permissions.demand(actor, "timetable.view", on=permissions.ANYWHERE, at=at)
    if not permissions.holds(actor, "timetable.plan"):
        return [(f"post:{post.uid}", _("Lịch dạy của tôi")) for post in my_posts(actor, on=on, at=at)]
    lessons = list(
        Lesson.objects.filter(school_id=actor.unit_id, is_published=True, timetable__valid__contains=on)
        .select_related("class_group", "post__person", "room").order_by("pk")
    )  # fmt: skip
    return [
        (f"{kind}:{uid}", f"{title} {name}")
        for kind, by, title in (("class_group", "class", _("Lớp")), ("post", "teacher", _("Giáo viên")), ("room", "room", _("Phòng")))
        for uid, name in people_of(lessons, by)
    ]


def link_target(actor: Actor, value: str, *, on: date, at: datetime) -> tuple[str, Any]:
    """Return the column and the row a choice means; raises NotFound."""
    permissions.demand(actor, "timetable.view", on=permissions.ANYWHERE, at=at)
    kind, _sep, uid = value.partition(":")
    model = {"post": Post, "class_group": ClassGroup, "room": Room}.get(kind)
    if model is None:
        raise NotFound()
    try:
        found = model._default_manager.filter(uid=UUID(uid)).first()
    except ValueError:
        raise NotFound() from None
    if found is None or not actor.covers_school(found.school_id):
        raise NotFound()
    return kind, found
