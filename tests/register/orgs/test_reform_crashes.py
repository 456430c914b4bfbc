"""A reform killed anywhere is not there at all, and carried out again it is there whole: every old unit has a successor."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import transaction
from django.utils import timezone

from khue.kernel.database import scope
from khue.kernel.ledger.models import Entry
from khue.kernel.permissions import system_actor
from khue.register.orgs import reform, services
from khue.register.orgs.models import Reform, Relation, Succession, Unit, UnitTie
from khue.register.orgs.reform import conversion
from khue.register.orgs.services import UnitDraft
from tests.harness import crash
from tests.register.orgs.test_tree import assert_reach_is_the_closure

SYSTEM = system_actor("test")
DAY = date(2025, 7, 1)


def table(round: int) -> conversion.Table:
    """Two provinces of two communes each become one of two; the last commune is divided."""
    old, new = (f"{round:02d}A", f"{round:02d}B"), f"{round:02d}C"

    def part(number: int, into: int, *, is_whole: bool = True, is_default: bool = True) -> conversion.Part:
        province = old[number // 2]
        return conversion.Part(
            f"{round:02d}{number}o", f"Xã Cũ {round}.{number}", f"{province}H", f"Huyện {province}", province, f"Tỉnh {province}",
            f"{round:02d}{into}n", f"Xã Mới {round}.{into}", new, f"Tỉnh {new}", is_whole=is_whole, is_default=is_default,
        )  # fmt: skip

    return conversion.Table((part(0, 0), part(1, 0), part(2, 1), part(3, 1, is_whole=False), part(3, 0, is_whole=False, is_default=False)))


class Carry:
    """Each round carries out the reform of its own two provinces."""

    name = "reform"

    def __init__(self, first: int = 0) -> None:
        self.first = first

    def codes(self, round: int) -> set[str]:
        return {part.old_code for part in table(round).parts} | {f"{round:02d}{letter}" for letter in "AB"} | {f"{round:02d}{letter}H" for letter in "AB"}

    def prepare(self, round: int) -> None:
        round += self.first
        with scope.everything(), transaction.atomic():
            now = timezone.now()
            reform.load_old_tree(actor=SYSTEM, now=now, table=table(round))
            ties = UnitTie.objects.filter(child__kind="commune", child__code__startswith=f"{round:02d}", relation=Relation.ADMINISTERS).select_related("parent", "child")
            services.create_units(actor=SYSTEM, drafts=[UnitDraft("school", f"TH {t.child.name}", None, t.parent, t.child, ("primary",)) for t in ties], on=date(2000, 9, 5), now=now)

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        round += self.first
        with scope.everything():
            reform.apply(actor=SYSTEM, code=f"vong-{round}", provinces=[f"{round:02d}C"], table=table(round), now=timezone.now())
        acknowledge("done")

    def check(self, round: int, acknowledged: list[str]) -> list[str]:
        round += self.first
        with scope.everything():
            done = Reform.objects.filter(code=f"vong-{round}", state="applied").exists()
            followed = set(Succession.objects.filter(source__code__in=self.codes(round)).values_list("source__code", flat=True))
            ended = Unit.objects.filter(code__in=self.codes(round)).exclude(valid__contains=DAY).count()
            new = Unit.objects.filter(code__in={part.new_code for part in table(round).parts}).count()
            entries = sum(f'"vong-{round}"' in str(bytes(body) if isinstance(body, memoryview) else body) for body in Entry.objects.filter(act="orgs.reform.apply").values_list("body", flat=True))
        wrong = []
        if not done and (followed or ended or new or entries):
            wrong.append(f"not carried out, and {len(followed)} followed, {ended} ended, {new} new, {entries} entries")
        if "done" in acknowledged and not done:
            wrong.append("acknowledged and not there")
        return wrong

    def check_whole(self, round: int) -> list[str]:
        round += self.first
        with scope.everything():
            followed = Succession.objects.filter(source__code__in=self.codes(round))
            lost = self.codes(round) - set(followed.values_list("source__code", flat=True))
            homeless = Unit.objects.schools().filter(name__startswith=f"TH Xã Cũ {round}.").exclude(
                pk__in=UnitTie.objects.filter(relation=Relation.ADMINISTERS, valid__contains=DAY, parent__code__endswith="n").values("child_id")
            ).count()  # fmt: skip
            twice = followed.count() - len(set(followed.values_list("source_id", "target_id")))
            assert_reach_is_the_closure()
        return [said for said in (f"without a successor: {sorted(lost)}" if lost else "", f"{homeless} schools under no commune" if homeless else "", f"{twice} twice" if twice else "") if said]


class InTwoHalves(Carry):
    """Broken: the new units are committed before the old ones are tied to them."""

    name = "reform in two halves"

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        made = reform.services._make_new

        def committed(plan, actor, now):
            units = made(plan, actor, now)
            from django.db import connection

            with connection.cursor() as cursor:
                cursor.execute("commit; begin; select set_config('khue.all', 'on', true)")
            return units

        reform.services._make_new = committed
        super().act(round, acknowledge)


@pytest.mark.alone
def test_a_reform_survives_every_kill_and_the_harness_sees_one_in_two_halves(fresh_database):
    report = crash.survives(Carry(), chances=1)
    assert report.faults == []
    assert report.points >= {"orgs.reform.after_new_units", "orgs.reform.after_ties", "orgs.reform.before_reach"}
    report = crash.survives(InTwoHalves(20), chances=0, only={"orgs.reform.after_ties"})
    assert any("not carried out, and" in fault for fault in report.faults), report.faults
