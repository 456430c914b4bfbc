"""Freezing a period, and the nightly turn with one record in a hundred changed.

    python -m benchmarks periods
    python -m benchmarks.periods --schools 40 --learners 300       # another size

Freezing. Floor: the rows a snapshot is made of leave the server as JSON by COPY, are hashed, deflated and copied into the
table of contents, school by school; no symbols of the decision, no lists, no checks, no encryption, no ledger, no guards.
The second line says what the promise asks: 1,500 schools of 333 learners within five minutes, from the rate measured.

The turn. Floor: the ids and hashes of all records are copied into a staging table and compared with what the receiver
holds. Ours: the same with queueing what changed, encrypted. Making the records is on neither side (it is the same work
as for the floor) and is told as a rate. The last line counts the bytes of log a turn without change writes
more for every record it looks at.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime

from benchmarks.ratios import Ratio, database, measure

SCHOOLS = int(os.environ.get("KHUE_BENCH_SCHOOLS", "12"))
LEARNERS = int(os.environ.get("KHUE_BENCH_SCHOOL_LEARNERS", "333"))
CLASS_SIZE = 37
DAY = date(2025, 9, 30)
NOW = datetime(2025, 10, 1, 2, 0, tzinfo=UTC)
PROMISE = (1500, 300.0)
"""Schools, seconds."""
OBJECTS = ["class", "learner", "school", "staff"]

FILL = """
insert into people_person (uid, version, changed_at, code, name, sort_key, born_on, born_precision, sex, ethnic_group, nationality, birth_place,
       commune_code, address, phone, email, facts, school_id, personal_number)
select gen_random_uuid(), 1, now(), '77' || lpad(n::text, 8, '0'), 'Nguyễn Văn ' || n, lpad(n::text, 8, '0'), date '2013-01-01' + n % 360, 'day', '1', '01', 'VN',
       'Vĩnh Long', '', 'Ấp 3', '', '', '{"MA_KHU_VUC": "1"}', s.id, (%(numbers)s::bytea[])[1 + n %% array_length(%(numbers)s::bytea[], 1)]
  from generate_series(1, %(all)s) n join (select id, row_number() over (order by id) - 1 as place from orgs_unit where kind = 'school') s
    on s.place = (n - 1) / %(learners)s;
insert into schooling_placement (uid, version, changed_at, learner_id, school_id, class_group_id, school_year, is_main, valid, opened, closed, roll_number)
select gen_random_uuid(), 1, now(), p.id, p.school_id, g.id, 2025, true, '[2025-09-05,2026-06-01)', 'entry', '', 1 + (p.place %% %(size)s)
  from (select id, school_id, row_number() over (partition by school_id order by id) - 1 as place from people_person where code like '77%%') p
  join (select id, school_id, row_number() over (partition by school_id order by id) - 1 as place from schooling_classgroup) g
    on g.school_id = p.school_id and g.place = p.place / %(size)s;
"""
OUT = """copy (select to_jsonb(p) - 'name_fold' - 'personal_number', to_jsonb(l), to_jsonb(g) from schooling_placement l join people_person p on p.id = l.learner_id
  join schooling_classgroup g on g.id = l.class_group_id where l.school_id = {school} and l.school_year = 2025) to stdout"""


class Ground:
    """Schools with classes and learners, a channel, and connections that stand outside the guards."""

    def __init__(self, schools: int, learners: int, owner_url: str, superuser_url: str) -> None:
        import psycopg
        from tests import factories

        from khue.gateway.sync.models import SyncChannel
        from khue.kernel.database import scope
        from khue.kernel.permissions import system_actor
        from khue.register.people import numbers
        from khue.register.schooling.models import ClassGroup

        self.schools, self.learners, self.actor, self.turn = schools, learners, system_actor("benchmarks"), 0
        with scope.opened(everything=True):
            commune = factories.unit("commune", "Phường An Hội", code="29512", parent=factories.province())
            made = [factories.school(f"Trường THCS số {n}", commune=commune) for n in range(schools)]
            self.ids = [one.pk for one in made]
            for one in made:
                factories.post(one, "Ngô Thị Hạnh", "principal")
                teachers = [factories.post(one, f"Trần Văn {n}") for n in range(learners // 20)]
                ClassGroup.objects.bulk_create([
                    ClassGroup(school=one, school_year=2025, grade=7, name=f"7/{n}", homeroom=teachers[n]) for n in range(-(-learners // CLASS_SIZE))
                ])  # fmt: skip
            self.channel = SyncChannel.objects.create(
                code="do", name="Kênh đo", adapter="ndc", levels=["lower_secondary"], objects_sent=OBJECTS, base_url="https://vi-du.vn"
            )
        self.superuser = psycopg.connect(superuser_url, autocommit=True)
        self.superuser.execute("set session_replication_role = replica")
        secret = [numbers.encrypt(f"0862130{n:05d}") for n in range(200)]
        for statement in FILL.strip().split(";\n"):
            text = statement.replace("n % 360", "n %% 360")
            self.superuser.execute(text, {"all": schools * learners, "learners": learners, "size": CLASS_SIZE, "numbers": secret})
        for table in ("people_person", "schooling_placement", "schooling_classgroup"):
            self.superuser.execute(f"vacuum analyze {table}")
        self.owner = psycopg.connect(owner_url)

    # -- freezing --

    def freeze(self) -> None:
        """Freeze a new period as its job does, ten schools a transaction."""
        from khue.kernel.database import scope
        from khue.province.periods import freezing
        from khue.province.periods.models import ReportPeriod

        self.turn += 1
        with scope.opened(everything=True):
            period = ReportPeriod.objects.create(
                kind="ad_hoc", name=f"Kỳ {self.turn}", school_year=2025, reference_on=DAY, freezes_at=NOW, dues={"school": "2025-10-05"},
                levels=["lower_secondary"], objects_taken=OBJECTS, state="freezing",
            )  # fmt: skip
        taken = 0
        for at in range(0, len(self.ids), freezing.SCHOOLS_A_STEP):
            with scope.opened(everything=True):
                taken += freezing.take(period, self.ids[at : at + freezing.SCHOOLS_A_STEP], actor=self.actor, now=NOW)
        with scope.opened(everything=True):
            freezing._finish(period, self.actor, NOW)
        assert taken == self.schools

    def floor_freeze(self) -> None:
        """Copy the rows out, hash, deflate, copy in."""
        with self.owner.cursor() as cursor:
            for school in self.ids:
                with cursor.copy(OUT.format(school=school)) as out:
                    content = b"".join(bytes(part) for part in out)
                digest = hashlib.sha256(content + str(time.perf_counter_ns()).encode()).hexdigest()
                with cursor.copy("copy periods_snapshotcontent (sha256, school_id, size, body) from stdin with (format binary)") as sink:
                    sink.set_types(["varchar", "int8", "int8", "bytea"])
                    sink.write_row((digest, school, len(content), zlib.compress(content, 3)))
        self.owner.commit()

    # -- the turn --

    def records(self) -> float:
        """Make every record once, keep them, and return the seconds it took."""
        from khue.gateway.sync import planning, records
        from khue.kernel.database import scope

        start = time.perf_counter()
        self.rows: list[planning.Staged] = []
        with scope.opened(everything=True):
            for at in range(0, len(self.ids), 20):
                for found in records.read(self.ids[at : at + 20], 2025, DAY, ["lower_secondary"], OBJECTS):
                    self.rows += planning.staged(found)
        return time.perf_counter() - start

    def deliver(self) -> None:
        """Let the receiver hold everything as it is."""
        from khue.gateway.sync import planning
        from khue.kernel.database import scope

        with scope.opened(everything=True):
            planning.compare(self.channel, self.rows, self.ids, now=NOW)
        self.superuser.execute(
            "insert into sync_deliveredrecord (channel_id, record_id, school_id, object, sha256, version, is_cancelled, code, answered_at)"
            " select channel_id, record_id, school_id, object, sha256, sent_version, false, '00', now() from sync_queuedrecord"
        )
        self.clear()
        self.superuser.execute("vacuum analyze sync_deliveredrecord")

    def clear(self) -> None:
        """Empty the queue, and change one record in a hundred anew."""
        self.superuser.execute("delete from sync_queuedrecord")
        self.superuser.execute("vacuum analyze sync_queuedrecord")
        self.turn += 1
        self.changed = [
            row._replace(sha256=hashlib.sha256(f"{self.turn}{n}".encode()).digest()) if n % 100 == 0 else row for n, row in enumerate(self.rows)
        ]

    def plan(self) -> None:
        """Stage, compare and queue what changed."""
        from khue.gateway.sync import planning
        from khue.kernel.database import scope

        with scope.opened(everything=True):
            counts = planning.compare(self.channel, self.changed, self.ids, now=NOW)
        assert counts["UPDATE"] == -(-len(self.rows) // 100), counts

    def floor_plan(self) -> None:
        """Stage and compare."""
        with self.owner.cursor() as cursor:
            cursor.execute('create temporary table bench_staged (n int, record_id text collate "C", school_id bigint, sha256 bytea) on commit drop')
            with cursor.copy("copy bench_staged (n, record_id, school_id, sha256) from stdin with (format binary)") as sink:
                sink.set_types(["int4", "text", "int8", "bytea"])
                for n, row in enumerate(self.changed):
                    sink.write_row((n, row.record_id, row.school_id, row.sha256))
            cursor.execute("analyze bench_staged")
            cursor.execute(
                "select count(*) from bench_staged s left join sync_deliveredrecord d on d.channel_id = %s and d.record_id = s.record_id"
                " where d.sha256 is distinct from s.sha256", [self.channel.pk],
            )  # fmt: skip
            assert cursor.fetchone()[0] == -(-len(self.rows) // 100)
        self.owner.commit()

    def unchanged_log(self, schools: int) -> int:
        """Return the bytes of write-ahead log of a look over so many schools in which nothing changed."""
        from khue.gateway.sync import planning
        from khue.kernel.database import scope

        self.superuser.execute("delete from sync_queuedrecord")
        self.superuser.execute("checkpoint")
        before = self.superuser.execute("select pg_current_wal_insert_lsn()").fetchone()[0]
        with scope.opened(everything=True):
            planning.compare(self.channel, [row for row in self.rows if row.school_id in self.ids[:schools]], self.ids[:schools], now=NOW)
        return int(self.superuser.execute("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), %s)", [before]).fetchone()[0])


def run(schools: int = SCHOOLS, learners: int = LEARNERS, rounds: int = 3) -> Iterator[Ratio]:
    """Yield the ratios of freezing and of the turn."""
    with database("khue_bench_periods") as (_app, owner, superuser):
        ground = Ground(schools, learners, owner, superuser)
        times: list[float] = []
        processor: list[float] = []

        def freeze() -> None:
            start, used = time.perf_counter(), time.process_time()
            ground.freeze()
            times.append(time.perf_counter() - start)
            processor.append(time.process_time() - used)

        yield measure(
            f"freezing {schools} schools of {learners} learners", ours=freeze, floor=ground.floor_freeze, target=20.0, rounds=rounds,
            note="floor: COPY out + hash + deflate + COPY in",
        )  # fmt: skip
        whole = [seconds / schools * PROMISE[0] / PROMISE[1] for seconds in times]
        yield Ratio(
            "freezing 1,500 schools ÷ five minutes, by this rate", statistics.median(whole), min(whole), max(whole), PROMISE[1], 1.0, len(whole),
            f"{statistics.median(times) / schools * 1000:.0f} ms a school, of which {statistics.median(processor) / schools * 1000:.0f} ms are our own processor",
        )
        made = ground.records()
        ground.deliver()
        yield measure(
            f"nightly turn, {len(ground.rows):,} records, 1 % changed", ours=ground.plan, floor=ground.floor_plan, before=ground.clear, target=2.0,
            rounds=max(rounds, 5), note=f"floor: staging COPY + hash comparison; records made at {len(ground.rows) / made:,.0f}/s",
        )  # fmt: skip
        ground.clear()
        one, every = ground.unchanged_log(1), ground.unchanged_log(schools)
        grown = max(0, every - one) / (len(ground.rows) * (schools - 1) / schools)
        yield Ratio(
            "log of a turn without change, bytes a record more", grown, grown, grown, 0.0, 1.0, 1,
            f"{one:,} bytes for one school, {every:,} for {schools}: the staging table's own entries in the catalogue",
        )  # fmt: skip
        ground.owner.close()
        ground.superuser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--schools", type=int, default=SCHOOLS)
    parser.add_argument("--learners", type=int, default=LEARNERS)
    told = parser.parse_args()
    for ratio in run(told.schools, told.learners):
        print(ratio, flush=True)
