"""Acts that are killed and cut off in more than one way: a sheet brought in, two schools made one."""

from __future__ import annotations

from khue.gateway.exchange import services as imports
from khue.gateway.exchange import work
from khue.gateway.exchange.models import ImportBatch, ImportRow
from khue.kernel import jobs
from khue.kernel.audit.models import Act
from khue.kernel.database import scope
from khue.kernel.errors import DomainError
from khue.register.orgs.models import Succession, Unit
from khue.register.people.models import Person
from khue.register.schooling import reorganising
from khue.register.schooling.models import ClassGroup, Placement
from khue.school.teaching.models import Assignment
from tests import factories
from tests.gateway.exchange import books
from tests.harness import crash

NOW, DAY = factories.NOW, factories.NOW.date()
ROWS, UNIT = 12, 5


class Sheet:
    """Each round brings a sheet of learners into a class of its own, in units of five rows."""

    name = "import of a sheet"

    def __init__(self, folder) -> None:
        self.folder = folder
        self.jobs: dict[int, int] = {}
        self.held: dict[int, tuple[ClassGroup, ImportBatch]] = {}

    def prepare(self, round: int) -> None:
        with scope.everything():
            here = factories.school(f"Trường THCS {round}")
            group = factories.class_group(here, name="7A1")
            clerk = factories.actor_of(factories.account("clerk", here))
        path = self.folder / f"hs{round}.xlsx"
        path.write_bytes(books.xlsx(books.learners(ROWS, start=100 * round)))
        batch = imports.import_file(clerk, here, "learners", path, now=NOW, school_year=factories.YEAR, apply=False).batch
        with scope.everything():
            self.jobs[round] = imports.start_apply(actor=clerk, uid=batch.uid, now=NOW).pk
        self.held[round] = (group, batch)

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        work.UNIT = UNIT
        jobs.run(self.jobs[round], clock=lambda: NOW)
        acknowledge("done")

    def count(self, round: int) -> tuple[int, int, int]:
        group, batch = self.held[round]
        with scope.everything():
            places = Placement.objects.filter(class_group=group, valid__isempty=False)
            people = Person.objects.filter(placements__in=places).distinct().count()
            return places.count(), people, ImportRow.objects.filter(batch=batch, is_applied=True).count()

    def check(self, round: int, acknowledged: list[str]) -> list[str]:
        found = self.count(round)
        wrong = [f"places, people, rows: {found}"] if len(set(found)) != 1 or found[0] not in (0, UNIT, 2 * UNIT, ROWS) else []
        return wrong + (["acknowledged and not there"] if "done" in acknowledged and found[0] != ROWS else [])

    def check_whole(self, round: int) -> list[str]:
        batch = self.held[round][1]
        with scope.everything():
            state = ImportBatch.objects.get(pk=batch.pk).state
        return [] if self.count(round) == (ROWS,) * 3 and state == "applied" else [f"there are {self.count(round)}, {state}"]


class Schools:
    """Each round lets one school take another over, with its learners, staff and assignments."""

    name = "merging schools"

    def __init__(self) -> None:
        with scope.everything():
            self.officer = factories.actor_of(factories.account("province_officer", factories.province()))
        self.held: dict[int, tuple[Unit, Unit, list[int]]] = {}

    def prepare(self, round: int) -> None:
        with scope.everything():
            one, other = (factories.school(f"Trường THCS {round} {word}") for word in ("Một", "Hai"))
            group = factories.class_group(one, name="7A1")
            learners = factories.learners(group, 4)
            teacher = factories.post(one, "Lê Thị Thu Hà")
            Assignment.objects.create(
                post=teacher, class_group=group, school_id=one.pk, school_year=2025, subject_code="toan", periods=4, valid=factories.SCHOOL_YEAR
            )
        self.held[round] = (one, other, [person.pk for person in learners])

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        one, other, _learners = self.held[round]
        with scope.everything():
            ended = Unit.objects.get(pk=one.pk).valid.upper is not None
        try:
            if not ended:
                reorganising.merge_schools(actor=self.officer, source_ids=[one.pk], target_id=other.pk, on=DAY, reason="Quyết định 12/QĐ-UBND", now=NOW)
        except DomainError as refusal:
            if refusal.code != "orgs.not-that-day":  # somebody else was first
                raise
        acknowledge("done")

    def check(self, round: int, acknowledged: list[str]) -> list[str]:
        one, other, learners = self.held[round]
        with scope.everything():
            ended = Unit.objects.get(pk=one.pk).valid.upper == DAY
            where = set(Placement.objects.main().on(DAY).filter(learner__in=learners).values_list("school_id", flat=True))
            count = Placement.objects.main().on(DAY).filter(learner__in=learners).count()
            told = (
                Succession.objects.filter(source=one).count(), ClassGroup.objects.filter(school=other).count(),
                Assignment.objects.filter(school_id=other.pk, valid__contains=DAY).count(), Assignment.objects.filter(school_id=one.pk, valid__contains=DAY).count(),
                Act.objects.filter(act="schooling.school.merge", facts__sources=[one.code]).count(),
            )  # fmt: skip
        whole = ({other.pk}, 4, (1, 1, 1, 0, 1)) if ended else ({one.pk}, 4, (0, 0, 0, 1, 0))
        wrong = [] if (where, count, told) == whole else [f"ended: {ended}, but {where} {count} {told}"]
        return wrong + (["acknowledged and not done"] if "done" in acknowledged and not ended else [])

    def check_whole(self, round: int) -> list[str]:
        with scope.everything():
            return [] if Unit.objects.get(pk=self.held[round][0].pk).valid.upper == DAY else ["never done"]


class MergesByParts(Schools):
    """Broken: learners are moved and committed before the unit ends."""

    name = "merging schools by parts"

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        from khue.register.schooling.reorganising import moving

        move = moving._move

        def committed(*given):
            made = move(*given)
            from django.db import connection

            with connection.cursor() as cursor:
                cursor.execute("commit; begin; select set_config('khue.all', 'on', true)")
            return made

        moving._move = committed
        super().act(round, acknowledge)


