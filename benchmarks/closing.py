"""Closing a term of many learners against COPY out, the arithmetic, COPY in.

    python -m benchmarks closing
    python -m benchmarks.closing --learners 4000         # one size
    python -m benchmarks.closing --full                  # 10,000 and 100,000 learners, and the growth between

Floor: one COPY of the lines of the term out of the database, averages and levels in plain Python without reasons,
checks or refusals, one COPY of as many results, with what each was made of, into the very table the closing fills,
as the owner of the tables with keys and indexes. Nothing is locked, hashed, proved, frozen, announced or logged.

Ours is the job's own work: sets of classes, judgements with reasons and places of law, hashes of the inputs,
ledger entries of registers and classes, freezing, audit and events, under row-level security. As in production a
set is its own transaction.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.ratios import Ratio, database, measure

LEARNERS = int(os.environ.get("KHUE_BENCH_CLOSING", "2000"))
CLASS_SIZE = 40
TARGET = 4.0
GRADE, TERM = 7, 1

FILL = """
insert into people_person (uid, version, changed_at, code, name, sort_key, born_precision, sex, ethnic_group, nationality, birth_place,
       commune_code, address, phone, email, facts, school_id)
select gen_random_uuid(), 1, now(), '77' || lpad(n::text, 8, '0'), 'Nguyễn Văn ' || n, lpad(n::text, 8, '0'), 'day', '1', '', '', '', '', '', '', '', '{}', %(school)s
  from generate_series(1, %(learners)s) n;
insert into schooling_placement (uid, version, changed_at, learner_id, school_id, class_group_id, school_year, is_main, valid, opened, closed)
select gen_random_uuid(), 1, now(), p.id, %(school)s, g.id, 2025, true, '[2025-09-05,2026-06-01)', 'entry', ''
  from (select id, row_number() over (order by id) - 1 as place from people_person where code like '77%%') p
  join (select id, row_number() over (order by id) - 1 as place from schooling_classgroup) g on g.place = p.place / %(size)s;
insert into gradebook_line (uid, version, changed_at, register_id, learner_id, school_id, school_year, regular, midterm, final, levels, comment,
       states, stamps, average, level, is_exempt)
select gen_random_uuid(), 1, now(), r.id, s.learner_id, r.school_id, 2025,
       case when r.kind = 'score' then array(select case when i <= r.regular_count then ((s.learner_id * 31 + r.id * 7 + i * 13) %% 61 + 40)::int2 end
            from generate_series(1, 8) i) else '{}' end,
       case when r.kind = 'score' then (s.learner_id * 17 + r.id * 5) %% 61 + 40 end, case when r.kind = 'score' then (s.learner_id * 11 + r.id * 3) %% 61 + 40 end,
       case when r.kind = 'score' then '{}' else array(select case when i > r.regular_count and i <= 8 then '' when (s.learner_id + r.id + i) %% 97 = 0
            then 'CD' else 'D' end from generate_series(1, 10) i) end,
       '', '{}', '{}', null, '', false
  from gradebook_register r join schooling_placement s on s.class_group_id = r.class_group_id;
insert into gradebook_conduct (uid, version, changed_at, class_group_id, learner_id, school_id, school_year, term, level, qualities, qualities_mid, decisions, comment)
select gen_random_uuid(), 1, now(), class_group_id, learner_id, school_id, 2025, %(term)s, (array['tot','kha','dat'])[1 + learner_id %% 3], '{}', '{}', '{}', ''
  from schooling_placement;
"""
EMPTY = """
delete from gradebook_result; delete from ledger_entry; delete from audit_act; delete from events_event;
update gradebook_register set locked_at = null, ledger_seq = 0, ledger_head = decode(repeat('00', 32), 'hex');
update gradebook_closing set closed_at = null, closed_by = '', ledger_seq = 0, ledger_head = decode(repeat('00', 32), 'hex');
"""
TABLES = ("gradebook_result", "ledger_entry", "audit_act", "events_event", "gradebook_register", "gradebook_closing")
OUT = """copy (select l.learner_id, r.class_group_id, r.subject_code, r.kind, l.regular, l.midterm, l.final, l.levels
  from gradebook_line l join gradebook_register r on r.id = l.register_id where r.term = 1) to stdout"""
INTO = (
    "uid, version, learner_id, class_group_id, school_id, school_year, term, revision, is_current, learning, conduct, award, promotion, subjects,"
    " qualities, because, absences_excused, absences_unexcused, comment, rule_set, rule_version, snapshot, input_hash, reason, frozen_at"
)
LEVELS = (("tot", 65, 80, 0), ("kha", 50, 65, 0), ("dat", 35, 50, 1))


class Ground:
    """A database with the registers of one term of `learners` learners, full and open."""

    def __init__(self, learners: int, owner_url: str, superuser_url: str) -> None:
        import psycopg
        from tests import factories

        from khue.kernel.database import scope
        from khue.kernel.permissions import system_actor
        from khue.register.schooling.models import ClassGroup
        from khue.school.gradebook.services.registers import add_registers

        self.learners, self.actor, self.now = learners, system_actor("benchmarks"), factories.NOW
        with scope.opened(everything=True):
            here = factories.school("Trường đo tốc độ")
            self.school = here.pk
            groups = [ClassGroup(school=here, school_year=2025, grade=GRADE, name=f"{GRADE}/{n}") for n in range(learners // CLASS_SIZE)]
            self.classes = [one.pk for one in ClassGroup.objects.bulk_create(groups)]
            for place in range(0, len(groups), 100):
                add_registers(self.actor, groups[place : place + 100], terms=(TERM,), now=self.now)
        self.superuser = psycopg.connect(superuser_url, autocommit=True)
        self.superuser.execute("set session_replication_role = replica")  # the ground is laid without triggers
        values = {"school": self.school, "learners": learners, "size": CLASS_SIZE, "term": TERM}
        for statement in FILL.strip().split(";\n"):
            self.superuser.execute(statement, values)
        for table in ("people_person", "schooling_placement", "gradebook_line", "gradebook_conduct"):
            self.superuser.execute(f"vacuum analyze {table}")
        self.owner = psycopg.connect(owner_url)

    def empty(self) -> None:
        """Open the term again, as if it had never been closed."""
        self.superuser.execute(EMPTY)
        for table in TABLES:
            self.superuser.execute(f"vacuum analyze {table}")

    def close(self) -> None:
        """Close the term as the job does, set after set."""
        from khue.kernel.database import scope
        from khue.school.gradebook.services import closing

        with scope.opened(everything=True):
            sets = [chosen for _place, chosen in closing.sets_of(self.classes, 0)]
        results = 0
        for chosen in sets:
            with scope.opened(everything=True):
                results += closing.close_set(actor=self.actor, class_ids=chosen, term=TERM, now=self.now).results
        assert results == self.learners, results

    def floor(self) -> None:
        """Copy the lines out, compute, copy the results in."""
        given: dict[tuple[int, int], list[list[str]]] = defaultdict(list)
        with self.owner.cursor() as cursor:
            with cursor.copy(OUT) as out:
                for learner, group, *line in out.rows():
                    given[int(learner), int(group)].append(line)  # type: ignore[arg-type]
            frozen_at = self.now.isoformat()
            with cursor.copy(f"copy gradebook_result ({INTO}) from stdin") as sink:
                for number, ((learner, group), lines) in enumerate(given.items(), start=1):
                    learning, subjects, inputs = judged(lines)
                    sink.write_row((
                        f"00000000-0000-7000-8000-{number:012d}", 1, learner, group, self.school, 2025, TERM, 1, True, learning, "tot", "", "",
                        json.dumps(subjects), "{}", "[]", 0, 0, "", "secondary.tt22-2021", 1, json.dumps(inputs), "", "", frozen_at,
                    ))  # fmt: skip
        self.owner.commit()
        assert len(given) == self.learners


def judged(lines: Sequence[Sequence[Any]]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return the learning level, the subjects' results and their inputs: the bare arithmetic of one learner."""
    subjects, inputs = {}, {}
    marks, failed = [], 0
    for code, kind, regular, midterm, final, levels in lines:
        if kind == "score":
            given = [int(mark) for mark in regular[1:-1].split(",") if mark != "NULL"]
            middle, last = int(midterm), int(final)
            weight = len(given) + 5
            average = (2 * (sum(given) + 2 * middle + 3 * last) + weight) // (2 * weight)
            marks.append(average)
            subjects[code], inputs[code] = {"kind": kind, "result": average}, [kind, given, middle, last]
        else:
            given = levels[1:-1].replace('""', "").split(",")
            passed = "CD" not in given
            failed += not passed
            subjects[code] = {"kind": kind, "result": "dat" if passed else "chua_dat"}
            inputs[code] = [kind, [one for one in given[:8] if one], given[8], given[9]]
    lowest = min(marks)
    for level, minimum, high, most in LEVELS:
        if lowest >= minimum and failed <= most and sum(mark >= high for mark in marks) >= 6:
            return level, subjects, inputs
    return "chua_dat", subjects, inputs


def ratio_of(learners: int, rounds: int) -> tuple[Ratio, float]:
    """Return the ratio of closing so many learners, and the seconds of the fastest of `rounds` closings."""
    with database() as (_app, owner, superuser):
        ground = Ground(learners, owner, superuser)
        times: list[float] = []

        def ours() -> None:
            start = time.perf_counter()
            ground.close()
            times.append(time.perf_counter() - start)

        found = measure(
            f"closing a term of {learners:,} learners", ours=ours, floor=ground.floor, before=ground.empty, target=TARGET, rounds=rounds,
            note="floor: COPY out + arithmetic + COPY in",
        )  # fmt: skip
        ground.owner.close()
        ground.superuser.close()
    return found, min(times)


def growth(small: tuple[int, float], large: tuple[int, float]) -> float:
    """Return the exponent e of time ~ learners^e between two (learners, seconds)."""
    return math.log(large[1] / small[1]) / math.log(large[0] / small[0])


def run(sizes: Sequence[int] = (LEARNERS, 4 * LEARNERS), rounds: int = 3) -> Iterator[Ratio]:
    """Yield the ratio at each size, and the exponent of growth between the first and the last."""
    seconds = []
    for learners in sizes:
        found, fastest = ratio_of(learners, rounds)
        seconds.append((learners, fastest))
        yield found
    if len(sizes) > 1:
        exponent = growth(seconds[0], seconds[-1])
        yield Ratio(
            f"closing, growth {sizes[0]:,} to {sizes[-1]:,} (exponent)", exponent, exponent, exponent, seconds[-1][1], 1.05, rounds,
            "floor: seconds of the larger; 1 is in proportion",
        )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learners", type=int, nargs="*", default=[LEARNERS, 4 * LEARNERS])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--full", action="store_true", help="10,000 and 100,000 learners")
    chosen = parser.parse_args()
    for figure in run([10_000, 100_000] if chosen.full else chosen.learners, chosen.rounds):
        print(figure, flush=True)
