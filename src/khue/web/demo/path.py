"""The whole path of a province, without a browser: the tree and its reform, four spreadsheets a school, a year of
marks, closing, signed transcripts, the ministry's file. Every step goes through the services people use.

The year walked is the school year before today's, so that it may be closed; the present year is opened beside it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.utils import timezone

from khue.gateway.exchange.services import import_file
from khue.kernel import jobs
from khue.kernel.accounts import services as accounts
from khue.kernel.accounts.models import Account
from khue.kernel.calendar.models import SchoolYear
from khue.kernel.codes.services import load_shipped
from khue.kernel.database import scope
from khue.kernel.database.fields import period
from khue.kernel.jobs.models import Job
from khue.kernel.ledger.signing import checkpoint
from khue.kernel.permissions import Actor, loading, system_actor
from khue.register.orgs.models import Unit, UnitKind
from khue.register.orgs.reform import services as reform
from khue.register.orgs.services import UnitDraft, create_units
from khue.register.people import invitations
from khue.register.people.models import Person
from khue.register.schooling.models import ClassGroup, Placement
from khue.register.staff.models import Post
from khue.school.gradebook import cells
from khue.school.gradebook.models import Register
from khue.school.gradebook.services import closing, conduct
from khue.school.gradebook.services.marks import CellChange, save_cells
from khue.school.gradebook.services.registers import open_registers_of_classes
from khue.school.teaching.models import Assignment
from khue.school.transcripts import services as transcripts
from khue.school.transcripts.models import Signing
from khue.web.demo import generate, sheets_of_others
from khue.web.demo.generate import SchoolPlan
from regulations import curriculum

PASSWORD = "khue-tinh-mau-2025"  # noqa: S105 - public by design
"""The demo's one password; settings without KHUE_DEMO refuse to load the demo at all."""
OLD_PROVINCES = ("83", "84", "86")
PROVINCE = "86"
SYSTEM = system_actor("demo")


@dataclass
class SchoolWorld:
    """One school of the demo while it is walked."""

    plan: SchoolPlan
    unit: Unit
    learners: list[generate.Learner]
    staff: list[generate.Teacher]
    principal: Account | None = None
    clerk: Account | None = None
    reports: dict[str, Any] = field(default_factory=dict)


@dataclass
class World:
    """What the path made so far; `say` tells progress."""

    year: int
    folder: Path
    say: Callable[[str], None]
    others: Path | None
    schools: list[SchoolWorld] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    def moment(self, month: int, day: int) -> datetime:
        """Return 09:00 in Vietnam on a day of the walked school year."""
        return datetime(self.year + (month < 8), month, day, 2, 0, tzinfo=UTC)


def actor(account: Account, role: str, at: datetime) -> Actor:
    """Return the account acting in one of its roles, with a second factor."""
    with scope.everything():
        grant = account.grants.get(role__code=role)
        found, _ = loading.load(account.pk, grant.pk, at=at, is_strong=True)
    assert found is not None, (account.username, role)
    return found


def as_actor(who: Actor) -> Any:
    """Open the row-level scope of an actor."""
    return scope.opened(everything=who.schools is None, schools=who.schools or (), people=who.people)


def finish(job: Job, at: datetime | None = None) -> Job:
    """Run a queued job here and return it as it ended; raises RuntimeError when it failed."""
    jobs.run(job.pk, clock=(lambda: at) if at else timezone.now)
    with scope.everything():
        job = Job.objects.get(pk=job.pk)
    if job.state != Job.State.DONE:
        raise RuntimeError(f"{job.kind}: {job.state}: {job.message}")
    return job


# -- the tree ------------------------------------------------------------------------------------------------


def build_tree(world: World) -> None:
    """Build the tree of before 1 July 2025, put the schools in it, and carry the reform out."""
    now = timezone.now()
    with scope.everything():
        load_shipped(now=now)
        made = reform.load_old_tree(actor=SYSTEM, now=now, provinces=OLD_PROVINCES)
        world.say(f"cây đơn vị cũ: {made}")
        place_schools(world, now)
        done = reform.apply(
            actor=SYSTEM, code="2025-07-01-86", name="Sắp xếp đơn vị hành chính tỉnh Vĩnh Long",
            instrument="1687/NQ-UBTVQH15", provinces=(PROVINCE,), now=now,
        )  # fmt: skip
        world.counts["reform"] = done.summary
        world.counts["communes"] = Unit.objects.filter(kind=UnitKind.COMMUNE).on(timezone.localdate()).count()
        for year in (world.year, world.year + 1):
            SchoolYear.objects.get_or_create(
                year=year,
                defaults={
                    "valid": period(date(year, 9, 5), date(year + 1, 6, 1)),
                    "second_term_on": date(year + 1, 1, 13),
                    "instrument": "Kế hoạch thời gian năm học của tỉnh mẫu",
                },
            )


def place_schools(world: World, now: datetime) -> None:
    """Put each school under the district of its old commune, as it was in 2024."""
    for plan in generate.plans(sheets_of_others.class_names(world.others) or generate.UPPER_CLASSES):
        commune = Unit.objects.filter(kind=UnitKind.COMMUNE, code=plan.commune).first()
        if commune is None:
            commune = Unit.objects.filter(kind=UnitKind.COMMUNE).order_by("code").first()
        assert commune is not None
        above = commune.parent_ties.select_related("parent").order_by("valid").first()
        assert above is not None
        province = above.parent.parent_ties.select_related("parent").order_by("valid").first()
        parent = province.parent if plan.level == "upper_secondary" and province else above.parent
        [unit] = create_units(
            actor=SYSTEM, now=now, on=date(2005, 9, 1),
            drafts=[
                UnitDraft(
                    UnitKind.SCHOOL, plan.name, plan.code, parent, located_in=commune, levels=(plan.level,),
                    commune_code=commune.code, address="Số 1 đường Trường học",
                    facts={"MA_LOAI_HINH_TRUONG": "01", "SO_DIEM_TRUONG": 1},
                )
            ],
        )  # fmt: skip
        people = generate.learners(plan, world.year)
        taught = sheets_of_others.teachers(world.others) if plan.level == "upper_secondary" else None
        world.schools.append(SchoolWorld(plan, unit, people, generate.staff(plan, world.year, taught=taught)))


# -- accounts ------------------------------------------------------------------------------------------------


def make_account(username: str, name: str, role: str, unit: Unit | None, *, person_id: int | None, at: datetime) -> Account:
    """Return the account of that name, made with the demo's password when it is new."""
    known = Account.objects.filter(username=username).first()
    if known is None:
        known = accounts.create_account(
            actor=SYSTEM, username=username, name=name, role=role, unit_id=unit.pk if unit else None,
            unit_name=unit.name if unit else "", person_id=person_id, now=at,
        )  # fmt: skip
    else:
        accounts.grant_role(
            actor=SYSTEM, account=known, role=role, unit_id=unit.pk if unit else None, unit_name=unit.name if unit else "",
            now=at,
        )  # fmt: skip
    return known


def make_office_accounts(world: World) -> None:
    """Make the province officer's account, and a principal and a clerk for each school to begin with."""
    at = world.moment(8, 1)
    with scope.everything():
        province = Unit.objects.get(kind=UnitKind.PROVINCE, code=PROVINCE)
        make_account("so", "Lê Minh Quân", "province_officer", province, person_id=None, at=at)
        for school in world.schools:
            school.clerk = make_account(f"vanthu.{school.plan.slug}", "Văn thư", "clerk", school.unit, person_id=None, at=at)


def make_staff_accounts(world: World, school: SchoolWorld) -> None:
    """Make an account for each post of a school, with the roles its work gives."""
    at = world.moment(8, 15)
    with scope.everything():
        homerooms = set(
            ClassGroup.objects.filter(school=school.unit, homeroom__isnull=False).values_list("homeroom_id", flat=True)
        )
        for number, post in enumerate(Post.objects.filter(school=school.unit).select_related("person").order_by("pk"), 1):
            slug = school.plan.slug
            if post.position == "principal":
                school.principal = make_account(
                    f"hieutruong.{slug}", post.person.name, "principal", school.unit, person_id=post.person_id, at=at
                )
            elif post.position == "vice_principal":
                make_account(f"phohieutruong.{slug}", post.person.name, "vice_principal", school.unit, person_id=post.person_id, at=at)
            elif post.position == "clerk":
                clerk = Account.objects.get(username=f"vanthu.{slug}")
                Account.objects.filter(pk=clerk.pk).update(person_id=post.person_id, name=post.person.name)
            else:
                made = make_account(
                    f"gv{number:03d}.{slug}", post.person.name, "subject_teacher", school.unit, person_id=post.person_id, at=at
                )
                if post.pk in homerooms:
                    make_account(made.username, made.name, "homeroom_teacher", school.unit, person_id=post.person_id, at=at)


# -- spreadsheets --------------------------------------------------------------------------------------------


def import_school(world: World, school: SchoolWorld) -> None:
    """Bring a school's staff, classes, learners and teaching assignment in from their sheets."""
    folder, year, now = world.folder / "input" / school.plan.slug, world.year, world.moment(8, 20)
    clerk = actor(school.clerk, "clerk", now)  # type: ignore[arg-type]
    given = sheets_of_others.path(world.others) if school.plan.level == "upper_secondary" else None
    lines = sheets_of_others.lines(given) if given else list(generate.assignment(school.plan, year, school.staff))
    teachers = [t.name for t in school.staff if t.position == "Giáo viên"]
    mains = [t.name for t in school.staff if t.subject == "Tiếng Việt"] or teachers
    homerooms = {name: mains[n % len(mains)] for n, (name, _grade) in enumerate(school.plan.classes)}
    files = (
        ("staff", generate.write_staff(folder / "doi-ngu.xlsx", school.plan, school.staff)),
        ("classes", generate.write_classes(folder / "lop.xlsx", school.plan, homerooms, year)),
        ("learners", generate.write_learners(folder / "hoc-sinh.xlsx", school.plan, school.learners, year)),
        ("assignments", given or generate.write_assignment(folder / "phan-cong.xlsx", school.plan, lines, year)),
    )
    for kind, path in files:
        report = import_file(clerk, school.unit, kind, path, now=now, school_year=year)
        again = import_file(clerk, school.unit, kind, path, now=now, school_year=year)
        school.reports[kind] = {"file": path.name, "checked": report.checked, "applied": report.applied, "again": again.checked,
                                "problems": [list(item) for item in report.problems[:50]]}  # fmt: skip
        world.say(f"{school.plan.name}: {kind}: {report.applied or report.checked}")


def complete_assignment(world: World, school: SchoolWorld, classes: list[ClassGroup]) -> None:
    """Bring in a second sheet for the subjects nobody was assigned to yet, with teachers of their own."""
    year, now = world.year, world.moment(8, 25)
    folder = world.folder / "input" / school.plan.slug
    with scope.everything():
        assigned = set(Assignment.objects.filter(school_id=school.unit.pk).values_list("class_group_id", "subject_code"))
        wanted: dict[str, list[ClassGroup]] = {}
        for register in Register.objects.filter(school_id=school.unit.pk, term=1).select_related("class_group").order_by("pk"):
            if (register.class_group_id, register.subject_code) not in assigned:
                wanted.setdefault(register.subject_code, []).append(register.class_group)
    if not wanted:
        return
    rng = random.Random(f"{generate.SEED}/{school.plan.code}/more")
    extra, lines = [], []
    for code, groups in wanted.items():
        subject = curriculum.subject(code).name_vi
        name = generate.full_name(rng, "2")
        born = date(year - 40, 3, 1 + len(extra) % 28)
        extra.append(generate.Teacher(name, born, "2", generate.personal_number(rng, born, "2"), "Giáo viên", subject))
        lines += [(name, subject, group.name, 2) for group in groups]
    clerk = actor(school.clerk, "clerk", now)  # type: ignore[arg-type]
    for kind, path in (
        ("staff", generate.write_staff(folder / "doi-ngu-bo-sung.xlsx", school.plan, extra)),
        ("assignments", generate.write_assignment(folder / "phan-cong-bo-sung.xlsx", school.plan, lines, year)),
    ):
        report = import_file(clerk, school.unit, kind, path, now=now, school_year=year)
        school.reports[f"{kind}-more"] = {"file": path.name, "checked": report.checked, "applied": report.applied,
                                          "problems": [list(item) for item in report.problems[:50]]}  # fmt: skip


# -- a year of marks -----------------------------------------------------------------------------------------


def open_year(world: World, school: SchoolWorld, year: int, at: datetime) -> list[ClassGroup]:
    """Open the registers of all classes of a school's year; returns the classes."""
    principal = actor(school.principal, "principal", at)  # type: ignore[arg-type]
    with as_actor(principal):
        classes = list(ClassGroup.objects.filter(school=school.unit, school_year=year).select_related("school").order_by("grade", "name"))
        open_registers_of_classes(actor=principal, classes=classes, now=at)
    return classes


def enter_marks(world: World, school: SchoolWorld, term: int, *, until: int | None = None, year: int | None = None) -> int:
    """Let each teacher enter the marks of her registers; returns the number of cells entered.

    until  enter only so many cells of each line: a register half filled, as in the middle of a term
    """
    at = world.moment(12, 20) if term == 1 else world.moment(5, 15)
    if until is not None:
        at = timezone.now()
    entered = 0
    rng = random.Random(f"{generate.SEED}/{school.plan.code}/{term}/{year}")
    with scope.everything():
        abilities = {}
        for who in school.learners:
            abilities[who.name] = who.ability
        teachers = _teachers(school, year or world.year)
        registers = list(
            Register.objects.filter(school_id=school.unit.pk, school_year=year or world.year, term=term)
            .select_related("class_group").order_by("pk")
        )  # fmt: skip
    actors: dict[int, Actor] = {}
    for register in registers:
        account = teachers.get((register.class_group_id, register.subject_code))
        if account is None:
            continue
        if account.pk not in actors:
            actors[account.pk] = actor(account, "subject_teacher", at)
        who = actors[account.pk]
        with as_actor(who):
            changes = list(_changes(register, rng, abilities, until))
            saved = save_cells(actor=who, register=register.uid, changes=changes, now=at)
        if saved.refused or saved.conflicts:
            raise RuntimeError(f"{register.subject_code} {register.class_group.name}: {saved.refused[:3]} {saved.conflicts[:3]}")
        entered += saved.changed
    return entered


def _teachers(school: SchoolWorld, year: int) -> dict[tuple[int, str], Account]:
    by_person = {a.person_id: a for a in Account.objects.filter(person_id__isnull=False, grants__role__code="subject_teacher")}
    found = Assignment.objects.filter(school_id=school.unit.pk, school_year=year).select_related("post")
    return {(a.class_group_id, a.subject_code): by_person[a.post.person_id] for a in found if a.post.person_id in by_person}


def _changes(register: Register, rng: random.Random, abilities: dict[str, int], until: int | None) -> Iterator[CellChange]:
    group = register.class_group
    sheet = cells.sheet(
        kind=register.kind, regular_count=register.regular_count, rule_set=register.rule_set,
        subject=register.subject_code, grade=group.grade, term=register.term,
    )  # fmt: skip
    required = sheet.required if until is None else sheet.required[:until]
    for uid, name in register.lines.order_by("learner__sort_key").values_list("learner__uid", "learner__name"):
        ability = abilities.get(name, abilities.get(name.title(), 72))
        for slot in required:
            yield CellChange(str(uid), slot, _value(register.kind, slot, ability, rng))
        if until is None and "comment" in sheet.slots and rng.random() < 0.5:
            yield CellChange(str(uid), "comment", "Nắm vững kiến thức, cần mạnh dạn hơn." if ability > 70 else "Có cố gắng, cần luyện tập thêm.")


def _value(kind: str, slot: str, ability: int, rng: random.Random) -> str:
    drawn = min(100, max(10, round(rng.gauss(ability, 7))))
    if cells.holds_mark(kind, slot):
        if slot in cells.TESTS:
            return str(min(10, max(3, round(drawn / 10) + 1)))
        return f"{drawn // 10},{drawn % 10}"
    if kind == "comment":
        return "Đ" if drawn > 33 else "CĐ"
    return "T" if drawn > 72 else "H" if drawn > 38 else "C"


def rate_conduct(world: World, school: SchoolWorld, classes: list[ClassGroup], term: int) -> None:
    """Let each homeroom teacher rate her class for a term."""
    at = world.moment(1, 8) if term == 1 else world.moment(5, 20)
    for group in classes:
        who = _homeroom(group, at)
        rng = random.Random(f"{generate.SEED}/{group.name}/{term}")
        with as_actor(who):
            changes = []
            for uid in Placement.objects.filter(class_group=group, is_main=True).values_list("learner__uid", flat=True):
                if group.grade <= 5:
                    letters = {
                        one: rng.choices("TĐC", (70, 29, 1))[0]
                        for one in (*curriculum.qualities(group.school_year), *curriculum.competences(group.grade, group.school_year))
                    }
                    letters = {getattr(key, "code", key): value for key, value in letters.items()}
                    changes.append(conduct.ConductChange(str(uid), qualities=letters, qualities_mid=letters))
                else:
                    level = rng.choices(("tot", "kha", "dat", "chua_dat"), (80, 15, 4, 1))[0]
                    changes.append(conduct.ConductChange(str(uid), level=level))
            conduct.save_conduct(actor=who, class_group=group.uid, term=term, changes=changes, now=at)


def _homeroom(group: ClassGroup, at: datetime) -> Actor:
    with scope.everything():
        person_id = ClassGroup.objects.values_list("homeroom__person_id", flat=True).get(pk=group.pk)
        account = Account.objects.get(person_id=person_id, grants__role__code="homeroom_teacher")
    return actor(account, "homeroom_teacher", at)


def close_terms(world: World, school: SchoolWorld, classes: list[ClassGroup], term: int) -> None:
    """Let each homeroom teacher close the term of her class."""
    at = world.moment(1, 10) if term == 1 else world.moment(5, 22)
    for group in classes:
        who = _homeroom(group, at)
        with as_actor(who):
            job = closing.start_close_term(actor=who, classes=[group.uid], term=term, now=at)
        finish(job, at)


def close_year(world: World, school: SchoolWorld) -> None:
    """Let the principal close the year."""
    at = world.moment(5, 28)
    who = actor(school.principal, "principal", at)  # type: ignore[arg-type]
    with as_actor(who):
        job = closing.start_close_year(actor=who, school=school.unit, school_year=world.year, now=at)
    finish(job, at)


# -- transcripts ---------------------------------------------------------------------------------------------


def sign_class(group_id: int, *, clerk: str, principal: str) -> int:
    """Prepare a class's transcripts and sign them: homeroom teacher, principal, school seal. Returns how many.

    group_id  the class's primary key
    clerk, principal  sign-in names of those who seal and sign
    """
    now = timezone.now()
    with scope.everything():
        group = ClassGroup.objects.select_related("school").get(pk=group_id)
        accounts_by_name = {one.username: one for one in Account.objects.filter(username__in=(clerk, principal))}
    homeroom = _homeroom(group, now)
    head = actor(accounts_by_name[principal], "principal", now)
    sealer = actor(accounts_by_name[clerk], "clerk", now)
    with as_actor(homeroom):
        prepared = transcripts.prepare_class(actor=homeroom, group=group, now=now)
    for step, who in ((Signing.HOMEROOM, homeroom), (Signing.PRINCIPAL, head), (Signing.SEAL, sealer)):
        checkpoint(timezone.now())
        with as_actor(who):
            batch = transcripts.approve(actor=who, group=group, step=step, now=timezone.now())
        finish(batch.job)  # type: ignore[arg-type]
    return prepared.created + prepared.renewed


# -- families ------------------------------------------------------------------------------------------------


def invite_a_mother(world: World) -> str:
    """Give the first two learners of the lower secondary school one mother; return her sign-in name."""
    school = next(s for s in world.schools if s.plan.level == "lower_secondary")
    now = timezone.now()
    clerk = actor(school.clerk, "clerk", now)  # type: ignore[arg-type]
    with scope.everything():
        first, second = Person.objects.filter(
            school_id=school.unit.pk, placements__school_year=world.year + 1, placements__is_main=True
        ).order_by("pk").distinct()[:2]  # fmt: skip
    with as_actor(clerk):
        slip = invitations.invite(actor=clerk, learner=first, name="Nguyễn Thị Mai", relation="mother", now=now)
    from khue.register.people.models import Kinship

    with scope.everything():
        guardian = Person.objects.get(pk=Account.objects.get(username=slip.username).person_id)
        Kinship.objects.create(
            guardian=guardian, learner=second, relation="mother", school_id=second.school_id, valid=period(timezone.localdate())
        )
    return slip.username
