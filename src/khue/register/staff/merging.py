"""What posts say when two files of one person are merged."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from khue.register.people.doubles.moving import CONFLICTS, Conflict
from khue.register.people.models import Person
from khue.register.staff.models import Post


def conflicts(absorbed: Person, survivor: Person, standing: str) -> list[Conflict]:
    """Say where both hold a post of one school on the same days."""
    mine = list(Post.objects.filter(person=survivor))
    found = []
    for post in Post.objects.filter(person=absorbed).select_related("school").order_by("pk"):
        if any(other.school_id == post.school_id and _overlap(other.valid, post.valid) for other in mine):
            sentence = _("cả hai cùng có vị trí công tác ở %(school)s trong cùng thời gian; hãy kết thúc một vị trí trước.")
            found.append(Conflict(str(sentence) % {"school": post.school.name}))
    return found


def _overlap(one, other) -> bool:  # noqa: ANN001 - ranges of days
    if one.isempty or other.isempty:
        return False
    starts, ends = max(one.lower, other.lower), [r.upper for r in (one, other) if r.upper is not None]
    return not ends or starts < min(ends)


CONFLICTS.add("staff", conflicts)
