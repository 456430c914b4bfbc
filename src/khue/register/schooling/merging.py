"""What placements and transfers say when two files of one learner are merged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from khue.register.people.doubles.moving import CONFLICTS, CUTS, Conflict, note_cut
from khue.register.people.models import Merge, Person
from khue.register.schooling.models import Closed, Placement, Transfer


@dataclass(frozen=True, slots=True)
class _Overlap:
    """A placement of each file on the same days."""

    absorbed: Placement
    survivor: Placement

    @property
    def is_one_class(self) -> bool:
        return self.absorbed.class_group_id == self.survivor.class_group_id

    def standing(self, standing: str, side: bool | None) -> Placement | None:
        """Return the placement that stands: in one class the one that began first, else the one of the side named."""
        if self.is_one_class:
            return self.absorbed if self.absorbed.valid.lower < self.survivor.valid.lower else self.survivor
        if side is None:
            return None
        return self.absorbed if side else self.survivor


def _overlaps(absorbed_id: int, survivor_id: int, *, locks: bool = False) -> list[_Overlap]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select a.id, b.id from schooling_placement a join schooling_placement b on b.valid && a.valid"
            " where a.learner_id = %s and b.learner_id = %s and a.is_main and b.is_main order by a.id, b.id",
            [absorbed_id, survivor_id],
        )
        pairs = cursor.fetchall()
    held = Placement.objects.select_related("class_group", "school").filter(pk__in={pk for pair in pairs for pk in pair}).order_by("pk")
    rows = {p.pk: p for p in (held.select_for_update(of=("self",)) if locks else held)}
    return [_Overlap(rows[one], rows[other]) for one, other in pairs]


def _side(found: list[_Overlap], standing: str) -> bool | None:
    """Return whether the absorbed file's places stand, by the placement the decision names; None without one."""
    for one in found:
        if standing == str(one.absorbed.uid):
            return True
        if standing == str(one.survivor.uid):
            return False
    return None


def conflicts(absorbed: Person, survivor: Person, standing: str) -> list[Conflict]:
    """Say where both are placed on the same days and nobody said which place stands, and where both are being transferred."""
    result = []
    found = _overlaps(absorbed.pk, survivor.pk)
    side = _side(found, standing)
    for one in found:
        if one.standing(standing, side) is None:
            places = (one.absorbed, one.survivor)
            names = [f"{p.class_group.name}, {p.school.name}" for p in places]
            sentence = _("cùng ngày, một hồ sơ ở lớp %(one)s và hồ sơ kia ở lớp %(other)s; hãy chọn chỗ học nào được giữ.")
            choices = {str(p.uid): name for p, name in zip(places, names, strict=True)}
            result.append(Conflict(str(sentence) % {"one": names[0], "other": names[1]}, choices))
    waiting = Transfer.objects.filter(learner_id__in=[absorbed.pk, survivor.pk], state__in=["asked", "released", "accepted"])
    if waiting.count() == 2:
        result.append(Conflict(_("cả hai đang có đề nghị chuyển trường; hãy trả lời một đề nghị trước.")))
    return result


def cut(merge: Merge, standing: str) -> None:
    """End or void the placements that do not stand, and note what they were."""
    found = _overlaps(merge.absorbed_id, merge.survivor_id, locks=True)
    side = _side(found, standing)
    before: dict[int, dict[str, Any]] = {}
    after: dict[int, dict[str, Any]] = {}
    for one in found:
        stands = one.standing(standing, side)
        falls = one.survivor if stands is one.absorbed else one.absorbed
        if stands is None or falls.valid.isempty or not _meet(falls, stands):  # cut already by an earlier one that stands
            continue
        before.setdefault(falls.pk, {"valid": _text(falls.valid), "closed": falls.closed})
        start, end, closed = _rest(falls, stands)
        with connection.cursor() as cursor:
            cursor.execute(
                "update schooling_placement set valid = daterange(%s, %s), closed = %s where id = %s returning valid::text, closed",
                [start, end, closed, falls.pk],
            )
            valid, kept = cursor.fetchone()
        after[falls.pk] = {"valid": valid, "closed": kept}
        falls.refresh_from_db()
    for pk, values in before.items():  # one note a row, however often it was cut
        note_cut(merge, "schooling_placement", "valid", pk, values, after[pk])


def _meet(one: Placement, other: Placement) -> bool:
    """Return whether two placements, neither empty, still share a day."""
    ends = [p.valid.upper for p in (one, other) if p.valid.upper is not None]
    return not ends or max(one.valid.lower, other.valid.lower) < min(ends)


def _rest(falls: Placement, stands: Placement) -> tuple[date, date | None, str]:
    """Return the days left to the placement that falls, as [from, to), and why it ended."""
    left = Closed.MOVE if falls.school_id == stands.school_id else Closed.TRANSFER
    if falls.valid.lower < stands.valid.lower:
        return falls.valid.lower, stands.valid.lower, left
    if stands.valid.upper is not None and (falls.valid.upper is None or falls.valid.upper > stands.valid.upper):
        return stands.valid.upper, falls.valid.upper, falls.closed
    return falls.valid.lower, falls.valid.lower, Closed.UNDONE


def _text(valid: Any) -> str:
    return f"[{valid.lower.isoformat()},{valid.upper.isoformat() if valid.upper else ''})"


CONFLICTS.add("schooling", conflicts)
CUTS.add("schooling", cut)
