"""What people themselves say to a merge: numbers and family ties."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from khue.register.people.doubles.moving import CONFLICTS, STAYING, Conflict
from khue.register.people.models import Kinship, Person


def conflicts(absorbed: Person, survivor: Person, standing: str) -> list[Conflict]:
    """Say why two people cannot be one: two personal numbers, or one is the other's guardian."""
    found = []
    if absorbed.personal_index and survivor.personal_index and absorbed.personal_index != survivor.personal_index:
        found.append(Conflict(_("hai hồ sơ có hai số định danh cá nhân khác nhau; hãy sửa số sai trước.")))
    pair = [absorbed.pk, survivor.pk]
    if Kinship.objects.filter(guardian_id__in=pair, learner_id__in=pair).exists():
        found.append(Conflict(_("một người đang là phụ huynh của người kia.")))
    return found


CONFLICTS.add("people", conflicts)
for mine, other in (("learner_id", "guardian_id"), ("guardian_id", "learner_id")):
    STAYING.add(
        f"people_kinship.{mine}",
        f"select a.id from people_kinship a join people_kinship b on b.{other} = a.{other} and b.valid && a.valid"
        f" where a.{mine} = %(absorbed)s and b.{mine} = %(survivor)s",
    )
