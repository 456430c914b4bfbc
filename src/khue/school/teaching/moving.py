"""Assignments that follow their class and teacher to another school when schools are merged or split.

An assignment is never rewritten: it ends here on the day, and one of the same teacher, subject and periods begins there.
"""

from __future__ import annotations

from django.db.models import Q

from khue.kernel import audit, events
from khue.kernel.database.fields import period
from khue.register.schooling.reorganising.moving import FOLLOWING, Shift
from khue.school.teaching.events import AssignmentChanged
from khue.school.teaching.models import Assignment


def follow(shift: Shift) -> tuple[int, int]:
    """End what lasts beyond the day before the move and open it there; returns how many went, and how many only ended.

    What only ends: its class went and its teacher stays, or its teacher went and its class stays. Lock: the assignments,
    after classes and posts, which the move holds.
    """
    lasting = Q(valid__endswith__gt=shift.on) | Q(valid__upper_inf=True)
    held = list(
        Assignment.objects.select_for_update(of=("self",)).filter(school_id=shift.source.pk, valid__isempty=False).filter(lasting)
        .filter(Q(class_group_id__in=shift.classes) | Q(post_id__in=shift.posts)).order_by("pk")
    )  # fmt: skip
    made = []
    for one in held:
        group, post = shift.classes.get(one.class_group_id), shift.posts.get(one.post_id)
        begun = one.valid.lower < shift.on
        if group is not None and post is not None:
            made.append(Assignment(
                post=post, class_group=group, school_id=shift.target.pk, school_year=one.school_year, subject_code=one.subject_code,
                periods=one.periods, valid=period(shift.on if begun else one.valid.lower, one.valid.upper),
            ))  # fmt: skip
        one.valid = period(one.valid.lower, shift.on if begun else one.valid.lower)
    Assignment.objects.bulk_update(held, ["valid"], batch_size=500)
    Assignment.objects.bulk_create(made, batch_size=500)
    on = shift.on.isoformat()
    facts = (AssignmentChanged(class_group_id=one.class_group_id, subject_code=one.subject_code, post_id=one.post_id, on=on) for one in (*held, *made))
    events.publish_many(facts, at=shift.now)
    if held:
        audit.record(
            shift.actor, "teaching.assignment.follow", on=shift.target, at=shift.now, source=shift.source.code, on_day=shift.on.isoformat(),
            went=len(made), ended=len(held) - len(made),
        )  # fmt: skip
    return len(made), len(held) - len(made)


FOLLOWING.add("teaching", follow)
