"""The present school year of the demo: classes one grade up, registers open and half filled."""

from __future__ import annotations

from django.utils import timezone

from khue.gateway.exchange.services import import_file
from khue.kernel.accounts.models import Account
from khue.kernel.database import scope
from khue.register.people.models import Person
from khue.register.schooling.models import ClassGroup, Placement
from khue.web.demo import generate, path
from khue.web.demo.path import SchoolWorld, World

KEPT = {"primary": 5, "lower_secondary": 9, "upper_secondary": 12}


def begin(world: World) -> None:
    """Move every learner one grade up through the sheets schools use, and begin the marks of the first term."""
    for school in world.schools:
        _end_last_year(world, school)
        _import(world, school)
        groups = path.open_year(world, school, world.year + 1, timezone.now())
        count = path.enter_marks(world, school, 1, until=2, year=world.year + 1)
        world.say(f"{school.plan.name}: năm học {world.year + 1}: {len(groups)} lớp, {count} ô điểm")


def _end_last_year(world: World, school: SchoolWorld) -> None:
    """End last year's placements on the last day of the year; they were open until then."""
    with scope.everything():
        for place in Placement.objects.filter(school=school.unit, school_year=world.year, closed=""):
            place.closed = "year_end"
            place.save(update_fields=["closed"])


def _import(world: World, school: SchoolWorld) -> None:
    year, now = world.year + 1, timezone.now()
    at = min(now, world.moment(8, 20).replace(year=year))
    folder = world.folder / "input" / f"{school.plan.slug}-{year}"
    up = {name: _next_name(name, grade) for name, grade in school.plan.classes if grade + 1 <= KEPT[school.plan.level]}
    plan = generate.SchoolPlan(
        school.plan.code, school.plan.name, school.plan.level, school.plan.commune,
        tuple((up[name], grade + 1) for name, grade in school.plan.classes if name in up), school.plan.size, school.plan.slug,
    )  # fmt: skip
    with scope.everything():
        before = {g.name: g for g in ClassGroup.objects.filter(school=school.unit, school_year=world.year).select_related("homeroom__person")}
        homerooms = {up[name]: g.homeroom.person.name for name, g in before.items() if name in up and g.homeroom}
        placed = Person.objects.filter(placements__school=school.unit, placements__school_year=world.year)
        codes = {(name.lower(), born_on): code for name, born_on, code in placed.values_list("name", "born_on", "code")}
    people = [who for who in school.learners if who.group in up]
    for who in people:
        who.group = up[who.group]
        who.code = codes.get((who.name.lower(), who.born_on), "")
    clerk = path.actor(school.clerk, "clerk", at)  # type: ignore[arg-type]
    lines = [
        (t.name, subject, name, periods)
        for t, subject, name, periods in _assignment(world, school, up)
    ]
    for kind, sheet in (
        ("classes", generate.write_classes(folder / "lop.xlsx", plan, homerooms, year)),
        ("learners", generate.write_learners(folder / "hoc-sinh.xlsx", plan, people, year, dirty=False)),
        ("assignments", generate.write_assignment(folder / "phan-cong.xlsx", plan, lines, year)),
    ):
        import_file(clerk, school.unit, kind, sheet, now=at, school_year=year)


def _assignment(world: World, school: SchoolWorld, up: dict[str, str]):  # noqa: ANN202
    """Yield last year's assignment, a grade up: (person, subject's name, class, periods)."""
    from khue.school.teaching.models import Assignment
    from regulations import curriculum

    with scope.everything():
        found = list(
            Assignment.objects.filter(school_id=school.unit.pk, school_year=world.year)
            .select_related("post__person", "class_group").order_by("pk")
        )  # fmt: skip
    for one in found:
        if one.class_group.name in up:
            yield one.post.person, curriculum.subject(one.subject_code).name_vi, up[one.class_group.name], one.periods


def _next_name(name: str, grade: int) -> str:
    return name.replace(str(grade), str(grade + 1), 1)


def homeroom_sign_ins(world: World) -> dict[str, str]:
    """Return the accounts of a lower-secondary homeroom teacher and a primary one, with the names they get."""
    found = {}
    for level, shown in (("lower_secondary", "chunhiem.thcs"), ("primary", "chunhiem.tieuhoc")):
        school = next(s for s in world.schools if s.plan.level == level)
        group = ClassGroup.objects.filter(school=school.unit, school_year=world.year + 1, homeroom__isnull=False).order_by("grade", "name").first()
        if group is not None and group.homeroom is not None:
            account = Account.objects.filter(person_id=group.homeroom.person_id).order_by("pk").first()
            if account is not None:
                found[account.username] = shown
    return found


