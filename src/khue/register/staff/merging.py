"""What posts say when two files of one person are merged."""

from __future__ import annotations

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from khue.register.people.doubles.moving import CONFLICTS, Conflict
from khue.register.people.models import Person
from khue.register.staff.models import Post


def conflicts(absorbed: Person, survivor: Person, standing: str) -> list[Conflict]:
    """Say where both hold a post of one school on the same days."""
    same = Post.objects.filter(person=survivor, school_id=OuterRef("school_id"), valid__overlap=OuterRef("valid"))
    sentence = _("cả hai cùng có vị trí công tác ở %(school)s trong cùng thời gian; hãy kết thúc một vị trí trước.")
    both = Post.objects.filter(Exists(same), person=absorbed).select_related("school").order_by("pk")
    return [Conflict(str(sentence) % {"school": post.school.name}) for post in both]


CONFLICTS.add("staff", conflicts)
