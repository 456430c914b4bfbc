"""Two schools made one, and one made two, from a day: no learner, no post and no class is lost on the way.

Codes stay as they are; nothing is copied: a place ends here and opens there the same day, like a transfer, and the
register of successions says what became of the school. Learners with a place on that day are counted before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit, events, faults, permissions
from khue.kernel.database import scope
from khue.kernel.database.fields import period
from khue.kernel.errors import DomainError, Invalid, NotFound
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.kernel.permissions.models import Grant, Role
from khue.kernel.registries import Registry
from khue.register.orgs import reach
from khue.register.orgs import services as orgs
from khue.register.orgs.models import Succession, Unit
from khue.register.people.models import Kinship, Person
from khue.register.schooling.events import LearnerPlaced, LearnerTransferred
from khue.register.schooling.mine import school_year_of
from khue.register.schooling.models import ClassGroup, Closed, Opened, Placement, SchoolPlan, Transfer
from khue.register.staff.models import Position, Post

OPEN = ("asked", "released", "accepted")


class NotConserved(DomainError):
    """Somebody would be lost on the way; nothing was changed. Facts: before, after."""

    code, status = "schooling.not-conserved", 409
    title = _("Số học sinh trước (%(before)s) và sau (%(after)s) không khớp; chưa thay đổi gì.")


class TransfersWait(DomainError):
    """Transfers of learners of the school are under way."""

    code, status = "schooling.transfers-wait", 409
    title = _("Còn %(count)s đề nghị chuyển trường chưa trả lời.")
    advice = _("Hãy trả lời các đề nghị này trước khi sắp xếp trường.")


@dataclass(frozen=True, slots=True)
class Moved:
    """What went along; `left` counts assignments that could not, because teacher or class stayed behind."""

    target: Unit
    classes: int
    learners: int
    posts: int
    assignments: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class Shift:
    """What moves from a school to another from a day: classes and posts by their id here and there."""

    actor: Actor
    source: Unit
    target: Unit
    on: date
    now: datetime
    classes: Mapping[int, ClassGroup]
    posts: Mapping[int, Post]


FOLLOWING: Registry[Callable[[Shift], tuple[int, int]]] = Registry("what goes along when classes and posts move to another school")
"""name → function of a Shift that moves what its app keeps, in the same transaction; returns how many went and how many could not."""


def _not_later(on: date, now: datetime) -> None:
    if on > local_day(now):
        raise Invalid(fields={"on": [str(_("Chỉ thực hiện từ hôm nay hoặc ngày đã qua; việc của ngày mai làm vào ngày mai."))]})


@transaction.atomic
def merge_schools(*, actor: Actor, source_ids: Sequence[int], target_id: int, on: date, reason: str, now: datetime) -> Moved:
    """Let one school take over others whole from `on`, today or before: classes, learners, staff and roles go along.

    Raises Invalid for a day to come or a level the target lacks, TransfersWait, NotConserved, and as `orgs.merge_units`.
    """
    permissions.demand(actor, "orgs.change_tree", at=now)
    _not_later(on, now)
    with scope.opened(everything=True):
        reach.lock_tree()  # asked twice at once, the second finds the first done
        target = Unit.objects.schools().filter(pk=target_id).first()
        sources = list(Unit.objects.schools().filter(pk__in=source_ids).exclude(pk=target_id).order_by("pk"))
        if target is None or not sources:
            raise NotFound()
        for unit in (target, *sources):
            _there(unit, on)
        lacking = sorted({level for source in sources for level in source.levels} - set(target.levels))
        if lacking:
            orgs.change_unit(actor=actor, unit_id=target.pk, levels=[*target.levels, *lacking], address=target.address, reason=reason, now=now)
            target.refresh_from_db()
        before = _present([target.pk, *(s.pk for s in sources)], on)
        classes = learners = posts = assignments = left = 0
        for source in sources:
            groups = list(_running(source, on))
            made, came = _move(source, target, groups, on, now)
            classes, learners = classes + len(made), learners + came
            faults.hit("schooling.merge.after_learners")
            went = _move_posts(source, target, on, None)
            posts += len(went)
            _lead(made, groups, target)
            followed, behind = _follow(Shift(actor, source, target, on, now, made, went))
            assignments, left = assignments + followed, left + behind
            faults.hit("schooling.merge.after_posts")
        orgs.merge_units(actor=actor, source_ids=[s.pk for s in sources], target_id=target.pk, on=on, reason=reason, now=now)
        faults.hit("schooling.merge.after_units")
        _conserved(before, _present([target.pk], on))
        for plan in SchoolPlan.objects.select_for_update(of=("self",)).filter(source__in=sources, state=SchoolPlan.State.PLANNED).order_by("pk"):
            plan.state = SchoolPlan.State.DONE if plan.target_id == target.pk else SchoolPlan.State.WITHDRAWN  # what was planned is settled by this
            plan.performed_at, plan.problem = now if plan.state == SchoolPlan.State.DONE else None, ""
            plan.save(update_fields=["state", "performed_at", "problem"])
        audit.record(
            actor, "schooling.school.merge", on=target, at=now, reason=reason, sources=[s.code for s in sources], on_day=on.isoformat(),
            classes=classes, learners=learners, posts=posts, assignments=assignments, left=left,
        )  # fmt: skip
    return Moved(target, classes, learners, posts, assignments, left)


@transaction.atomic
def split_school(
    *, actor: Actor, source_id: int, name: str, class_uids: Sequence[Any], levels: Sequence[str], on: date, reason: str, now: datetime,
    address: str = "",
) -> Moved:  # fmt: skip
    """Make a new school of some classes of another from `on`, today or before; their homeroom teachers go along.

    Raises Invalid for a day to come, no class, or a class of a level the new school does not get; TransfersWait, NotConserved.
    """
    permissions.demand(actor, "orgs.change_tree", at=now)
    _not_later(on, now)
    with scope.opened(everything=True):
        reach.lock_tree()
        source = Unit.objects.schools().filter(pk=source_id).first()
        if source is None:
            raise NotFound()
        _there(source, on)
        groups = list(_running(source, on).filter(uid__in=list(class_uids)))
        if not groups or len(groups) != len(set(map(str, class_uids))):
            raise Invalid(fields={"classes": [str(_("Hãy chọn ít nhất một lớp đang học của trường."))]})
        parent = source.parent_ties.filter(relation="administers", valid__contains=on).select_related("parent").first()
        draft = orgs.UnitDraft(
            kind=source.kind, name=name, parent=parent.parent if parent else None, levels=tuple(levels) or tuple(source.levels), address=address,
            commune_code=source.commune_code,
        )  # fmt: skip
        target = orgs.create_unit(actor=actor, draft=draft, on=on, now=now, reason=reason)
        before = _present([source.pk], on)
        made, learners = _move(source, target, groups, on, now)
        faults.hit("schooling.split.after_learners")
        went = _move_posts(source, target, on, {g.homeroom_id for g in groups if g.homeroom_id})
        _lead(made, groups, target)
        assignments, left = _follow(Shift(actor, source, target, on, now, made, went))
        classes, posts = len(made), len(went)
        Succession.objects.create(source=source, target=target, kind=Succession.Kind.SPLIT, is_whole=False, on=on, note=reason[:300])
        _conserved(before, _present([source.pk, target.pk], on))
        audit.record(
            actor, "schooling.school.split", on=source, at=now, reason=reason, target=target.code, on_day=on.isoformat(), classes=classes,
            learners=learners, posts=posts, assignments=assignments, left=left,
        )  # fmt: skip
    return Moved(target, classes, learners, posts, assignments, left)


def _follow(shift: Shift) -> tuple[int, int]:
    """Let every app move what it keeps of classes and posts; returns how many rows went and how many could not."""
    told = [follow(shift) for follow in FOLLOWING.values()]
    return sum(went for went, _left in told), sum(left for _went, left in told)


def _there(unit: Unit, on: date) -> None:
    if unit.valid.lower > on or (unit.valid.upper is not None and unit.valid.upper <= on):
        raise orgs.NotThatDay(day=on.strftime("%d/%m/%Y"))


def _running(school: Unit, on: date) -> Any:
    """Return the classes that have learners on that day or later, or belong to its school year."""
    return ClassGroup.objects.select_related("homeroom").filter(school=school, school_year__gte=school_year_of(on)).exclude(facts__has_key="withdrawn").order_by("pk")


def _present(schools: Sequence[int], on: date) -> set[int]:
    return set(Placement.objects.main().on(on).filter(school_id__in=schools).values_list("learner_id", flat=True))


def _conserved(before: set[int], after: set[int]) -> None:
    if before != after:
        raise NotConserved(before=len(before), after=len(after))


def _move(source: Unit, target: Unit, groups: Sequence[ClassGroup], on: date, now: datetime) -> tuple[dict[int, ClassGroup], int]:
    """Move classes with every place that lasts beyond the day before `on`; returns the new class of each, and how many learners."""
    held = list(
        Placement.objects.select_for_update(of=("self",)).filter(class_group__in=groups).filter(Q(valid__endswith__gt=on) | Q(valid__upper_inf=True))
        .order_by("pk")
    )  # fmt: skip
    learners = {p.learner_id for p in held}
    waiting = Transfer.objects.filter(learner_id__in=learners, state__in=OPEN).count()
    if waiting:
        raise TransfersWait(count=waiting)
    taken = set(ClassGroup.objects.filter(school=target).values_list("school_year", "name"))
    made: dict[int, ClassGroup] = {}
    for group in groups:
        names = (group.name, *(f"{group.name}-{source.code[-length:]}" for length in range(4, len(source.code) + 1)))
        name = next((one[:60] for one in names if (group.school_year, one[:60]) not in taken), f"{group.name[:40]}-{group.pk}")
        taken.add((group.school_year, name))
        made[group.pk] = ClassGroup(school=target, school_year=group.school_year, grade=group.grade, name=name, facts=group.facts)
    ClassGroup.objects.bulk_create(made.values())
    opened = []
    for p in held:
        lasts = p.valid.lower < on
        opened.append(Placement(
            learner_id=p.learner_id, school=target, class_group=made[p.class_group_id], school_year=p.school_year, is_main=p.is_main,
            valid=period(on if lasts else p.valid.lower, p.valid.upper), opened=Opened.TRANSFER, closed=p.closed, roll_number=p.roll_number,
        ))  # fmt: skip
        p.valid, p.closed = period(p.valid.lower, on if lasts else p.valid.lower), Closed.TRANSFER if lasts else Closed.UNDONE
    Placement.objects.bulk_update(held, ["valid", "closed"], batch_size=500)
    Placement.objects.bulk_create(opened, batch_size=500)
    _hand_over(learners, source, target)
    for p in opened:
        if p.is_main:
            day = p.valid.lower.isoformat()
            events.publish(LearnerPlaced(learner_id=p.learner_id, school_id=target.pk, class_group_id=p.class_group_id, on=day), at=now)
            events.publish(LearnerTransferred(learner_id=p.learner_id, from_school_id=source.pk, to_school_id=target.pk, on=day), at=now)
    return made, len(learners)


def _hand_over(learners: set[int], source: Unit, target: Unit) -> None:
    """Let the new school hold the files of learners, their families' too unless the former school still needs them."""
    Person.objects.filter(pk__in=learners, school_id=source.pk).update(school_id=target.pk)
    Kinship.objects.filter(learner_id__in=learners).update(school_id=target.pk)
    needed = Person.objects.filter(Q(wards__learner__school_id=source.pk) | Q(posts__school_id=source.pk)).values("pk")
    Person.objects.filter(wards__learner_id__in=learners, school_id=source.pk).exclude(pk__in=needed).update(school_id=target.pk)


def _move_posts(source: Unit, target: Unit, on: date, only: set[int] | None) -> dict[int, Post]:
    """End posts here, open them there from `on`, with the roles that go with them; heads become deputies.

    Returns the post there by the id of the one here; who has one there already keeps it.
    """
    held = Post.objects.select_for_update(of=("self",)).filter(school=source).filter(Q(valid__endswith__gt=on) | Q(valid__upper_inf=True))
    posts = list((held if only is None else held.filter(pk__in=only)).order_by("pk"))
    there = {post.person_id: post for post in Post.objects.filter(school=target, valid__overlap=period(on)).order_by("-valid")}
    made = []
    for post in posts:
        lasts = post.valid.lower < on
        if post.person_id not in there:
            position = Position.VICE_PRINCIPAL if post.position == Position.PRINCIPAL else post.position
            made.append(Post(
                person_id=post.person_id, school=target, position=position, contract_kind=post.contract_kind, load_percent=post.load_percent,
                subject_code=post.subject_code, short_name=post.short_name, facts=post.facts, valid=period(on if lasts else post.valid.lower, post.valid.upper),
            ))  # fmt: skip
        post.valid = period(post.valid.lower, on if lasts else post.valid.lower)
    Post.objects.bulk_update(posts, ["valid"], batch_size=500)
    Post.objects.bulk_create(made, batch_size=500)
    people = {post.person_id for post in posts}
    Person.objects.filter(pk__in=people, school_id=source.pk).update(school_id=target.pk)
    _move_roles(source, target, people, on)
    there |= {post.person_id: post for post in made}
    return {post.pk: there[post.person_id] for post in posts}


def _lead(made: dict[int, ClassGroup], groups: Sequence[ClassGroup], target: Unit) -> None:
    """Give the moved classes the homeroom teachers they had, where these came along."""
    posts = dict(Post.objects.filter(school=target).order_by("valid").values_list("person_id", "pk"))
    for group in groups:
        post = posts.get(group.homeroom.person_id) if group.homeroom else None
        if post is not None:
            ClassGroup.objects.filter(pk=made[group.pk].pk).update(homeroom_id=post)


def _move_roles(source: Unit, target: Unit, people: set[int], on: date) -> None:
    deputy = Role.objects.filter(code="vice_principal").first()
    for grant in Grant.objects.select_for_update(of=("self",)).select_related("role").filter(unit_id=source.pk, account__person_id__in=people, valid__contains=on).order_by("pk"):
        role = deputy if grant.role.code == "principal" and deputy else grant.role
        upper = grant.valid.upper
        grant.valid = period(grant.valid.lower, max(on, grant.valid.lower))
        grant.save(update_fields=["valid"])
        if not Grant.objects.filter(account_id=grant.account_id, role=role, unit_id=target.pk, valid__overlap=period(on)).exists():
            Grant.objects.create(account_id=grant.account_id, role=role, unit_id=target.pk, unit_name=target.name, valid=period(on, upper), reason="schooling.school.move")
