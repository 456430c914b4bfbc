"""What registers withstand: many writers at once, kills, a plain model beside them, and how much they write."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from khue.kernel import jobs, ledger
from khue.kernel.database import scope
from khue.kernel.jobs.models import Job
from khue.school.gradebook import cells, queries, services
from khue.school.gradebook.models import Closing, Line, Register, Result
from khue.school.gradebook.services import CellChange
from tests import factories
from tests.harness import crash
from tests.school.gradebook import books
from tests.school.gradebook.test_closing import ready


def as_teacher(actor, act: Callable):
    """Run `act` in the scope of the actor's schools, as a request does."""
    with scope.opened(schools=actor.schools):
        return act()


def in_threads(works: list[Callable[[], None]]) -> list[BaseException]:
    """Run all works at once, each with its own connection; return what went wrong."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        try:
            barrier.wait(timeout=30)
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return errors


def test_two_writers_of_one_cell_at_the_same_moment(fresh_database):
    with scope.everything():
        made = books.book()
    actor, register = made_actor(made), made_register(made)
    answers = []

    def write(value: str) -> Callable[[], None]:
        change = [CellChange(made.uids[0], "r1", value, 0)]
        return lambda: answers.append(
            as_teacher(actor, lambda: services.save_cells(actor=actor, register=register.uid, changes=change, now=books.NOW))
        )

    assert in_threads([write("8"), write("9")]) == []
    assert sorted(len(answer.conflicts) for answer in answers) == [0, 1]
    [lost] = [answer for answer in answers if answer.conflicts]
    with scope.everything():
        [kept] = Line.objects.get(register=register, learner=made.learners[0]).regular[:1]
    assert cells.show(lost.conflicts[0].value) == str(kept // 10)
    assert {lost.conflicts[0].value, lost.conflicts[0].mine} == {"8", "9"}


def made_actor(made):
    with scope.everything():
        return made.actor()


def made_register(made):
    with scope.everything():
        return made.register()


def test_thirty_two_writers_on_three_registers_lose_nothing(fresh_database):
    with scope.everything():
        made = [books.book(count=5) for _register in range(3)]
        actors = [one.actor() for one in made]
        registers = [one.register() for one in made]
    acknowledged: list[tuple[int, str, str, int]] = []
    lock = threading.Lock()

    def writer(number: int) -> Callable[[], None]:
        place, chance = number % 3, random.Random(number)

        def work() -> None:
            seen = 0
            for _save in range(6):
                changes = [
                    CellChange(made[place].uids[chance.randrange(5)], chance.choice(["r1", "r2", "r3", "mid", "fin"]), f"{chance.randrange(10)},{chance.randrange(10)}", seen)
                    for _cell in range(4)
                ]
                answer = as_teacher(
                    actors[place],
                    lambda sent=changes: services.save_cells(actor=actors[place], register=registers[place].uid, changes=sent, now=books.NOW),
                )
                seen = answer.sequence
                with lock:
                    acknowledged.extend((place, cell.learner, cell.slot, cell.stamp) for cell in answer.saved)

        return work

    assert in_threads([writer(number) for number in range(32)]) == []
    with scope.everything():
        for place, register in enumerate(registers):
            entries = ledger.history(register)
            assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
            assert Register.objects.get(pk=register.pk).ledger_seq == len(entries)
            assert queries.differences(Register.objects.select_related("class_group").get(pk=register.pk)) == []
            told = {(learner, slot, stamp) for where, learner, slot, stamp in acknowledged if where == place}
            written = {(cell["learner"], cell["slot"], entry.sequence) for entry in entries for cell in entry.document["data"]["cells"]}
            assert written <= told  # every entry was acknowledged …
            assert told <= written  # … and everything acknowledged is in an entry, once


def test_a_cell_writes_little(fresh_database):
    with scope.everything():
        made = books.book(count=45)
        actor, register = made.actor(), made.register()

    def changes(turn: int) -> list[list[CellChange]]:
        seen = turn * 4  # four saves, four entries a turn
        return [[CellChange(uid, slot, f"8,{turn}", seen) for uid in made.uids] for slot in ("r1", "r2", "r3", "mid")]

    def written(sent: list[CellChange]) -> int:
        with connection.cursor() as cursor:
            cursor.execute("select pg_current_wal_insert_lsn()")
            before = cursor.fetchone()[0]
        answer = as_teacher(actor, lambda: services.save_cells(actor=actor, register=register.uid, changes=sent, now=books.NOW))
        assert answer.changed == 45
        with connection.cursor() as cursor:
            cursor.execute("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), %s)", [before])
            return int(cursor.fetchone()[0])

    # The cluster's log is shared: other tests running beside this one only ever add to what is measured, so a
    # turn they spoiled is measured anew; a save that really writes more fails every turn.
    for turn in range(8):
        sizes = [written(sent) / 45 for sent in changes(turn)]
        if sorted(sizes)[1] <= 1200:
            return
    raise AssertionError(sizes)


# --- a plain model ----------------------------------------------------------------------------------


class RegisterMachine(RuleBasedStateMachine):
    """A register of three learners against a dict: two people with their own pages write and reload."""

    def __init__(self) -> None:
        super().__init__()
        self.book = books.book()
        self.actor, self.register = self.book.actor(), self.book.register()
        self.model: dict[tuple[int, str], str] = {}
        self.changed_at: dict[tuple[int, str], int] = {}
        self.pages: list[tuple[int, dict[tuple[int, str], str]]] = [(0, {}), (0, {})]
        self.sequence = 0

    @rule(who=st.integers(0, 1))
    def reload(self, who: int) -> None:
        self.pages[who] = (self.sequence, dict(self.model))

    @rule(
        who=st.integers(0, 1),
        typed=st.dictionaries(
            st.tuples(st.integers(0, 2), st.sampled_from(["r1", "mid", "fin"])), st.sampled_from(["", "8", "8,5", "10", "v", "85"]),
            min_size=1, max_size=5,
        ),
        is_whole_form=st.booleans(),
    )  # fmt: skip
    def save(self, who: int, typed: dict[tuple[int, str], str], is_whole_form: bool) -> None:
        seen, page = self.pages[who]
        sent = {**page, **typed} if is_whole_form else typed
        answer = services.save_cells(
            actor=self.actor, register=self.register.uid, now=books.NOW,
            changes=[CellChange(self.book.uids[place], slot, value, seen) for (place, slot), value in sent.items()],
        )  # fmt: skip
        expected = {"saved": set(), "kept": set(), "conflicts": set(), "refused": set()}
        written = {}
        for key, value in sent.items():
            now = self.model.get(key, "")
            wanted = value.replace(",", ".")
            if value == "85":
                expected["refused"].add(key)
            elif wanted == now:
                expected["saved"].add(key)
            elif self.changed_at.get(key, 0) > seen:
                untouched = page.get(key, "") == wanted
                expected["kept" if untouched else "conflicts"].add(key)
            else:
                expected["saved"].add(key)
                written[key] = wanted
        if written:
            self.sequence += 1
            self.model.update(written)
            self.changed_at.update(dict.fromkeys(written, self.sequence))
        for name, keys in expected.items():
            found = {(self.book.uids.index(one.learner), one.slot) for one in getattr(answer, name)}
            assert found == keys, (name, found, keys)
        assert answer.sequence == self.sequence

    @invariant()
    def register_is_the_model(self) -> None:
        grid = queries.register_grid(self.actor, self.register.uid, now=books.NOW)
        found = {
            (self.book.uids.index(row.learner), cell.slot): cell.value for row in grid.rows for cell in row.cells if cell.value
        }
        assert found == {key: value for key, value in self.model.items() if value}


@pytest.mark.usefixtures("everything")
def test_a_register_behaves_like_a_plain_model():
    class Machine(RegisterMachine):
        """One register an example, all in the test's transaction."""

    run_state_machine_as_test(
        Machine,
        settings=settings(max_examples=12, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck), database=None),
    )


# --- kills ------------------------------------------------------------------------------------------


class Closings:
    """Closing a term of two classes by the job, one a set: killed and started again."""

    name = "closing of a term"

    def __init__(self) -> None:
        self.rounds: dict[int, tuple[list[int], int]] = {}

    def prepare(self, round: int) -> None:
        with scope.everything():
            school = factories.school()
            made = [books.book(count=2, school=school) for _class in range(2)]
            for one in made:
                ready(one)
            principal = factories.actor_of(factories.account("principal", school))
            job = services.start_close_term(actor=principal, classes=[one.group.uid for one in made], term=1, now=books.NOW)
            self.rounds[round] = ([one.group.pk for one in made], job.pk)

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        jobs.run(self.rounds[round][1], clock=lambda: books.NOW)
        acknowledge("closed")

    def check(self, round: int, acknowledged: list[str]) -> list[str]:
        wrong = []
        with scope.everything():
            for pk in self.rounds[round][0]:
                closed = Closing.objects.get(class_group=pk, term=1)
                results = Result.objects.filter(class_group=pk).count()
                locked = Register.objects.filter(class_group=pk, locked_at__isnull=False).count()
                told = sum(entry.act == "gradebook.term.closed" for entry in ledger.history(closed))
                whole = (2, Register.objects.filter(class_group=pk).count(), 1)
                if (results, locked, told) != (whole if closed.closed_at else (0, 0, 0)):
                    wrong.append(f"class {pk} is half closed: {results} results, {locked} registers, {told} entries")
                if acknowledged and not closed.closed_at:
                    wrong.append(f"class {pk} was acknowledged and is open")
        return wrong

    def check_whole(self, round: int) -> list[str]:
        with scope.everything():
            still_open = Closing.objects.filter(class_group__in=self.rounds[round][0], term=1, closed_at=None).count()
            job = Job.objects.get(pk=self.rounds[round][1])
        return [] if (still_open, job.state) == (0, "done") else [f"{still_open} classes open, job {job.state}"]


@pytest.mark.alone
def test_closing_survives_being_killed(fresh_database, monkeypatch):
    monkeypatch.setattr("khue.school.gradebook.services.closing.UNIT", 3)
    report = crash.survives(Closings(), chances=4)
    assert report.faults == []
    assert report.points == {
        "gradebook.close.after_judging", "gradebook.close.after_results", "gradebook.close.after_ledger",
        "gradebook.close.after_registers", "gradebook.close.between_sets",
    }  # fmt: skip


@pytest.mark.alone
def test_the_harness_sees_a_closing_that_is_not_one_transaction(fresh_database, monkeypatch):
    """A control: with the results committed apart from the rest, a kill is found half-way."""
    from khue.school.gradebook.services import closing

    insert = closing.insert_results

    def apart(rows):
        other = transaction.get_connection().copy()
        try:
            with other.cursor() as cursor:
                cursor.execute("select set_config('khue.all', 'on', false)")
            monkeypatch.setattr(closing, "connection", other)
            insert(rows)
        finally:
            monkeypatch.setattr(closing, "connection", connection)
            other.close()

    monkeypatch.setattr(closing, "insert_results", apart)
    report = crash.survives(Closings(), chances=0, only={"gradebook.close.after_results"})
    assert any("half closed" in fault for fault in report.faults)
