"""A whole province at hand: 1,500 schools, 500,000 learners. Search, pages, row-level security, other days, freezing, the turn, data quality.

    KHUE_HOME=DIR khue demo --scale province                     # once, 7 minutes on a free machine, 2.7 GB
    KHUE_BENCH_HOME=DIR python -m benchmarks province            # nothing is measured where it is not set
    KHUE_BENCH_PARTS=search,freeze KHUE_BENCH_HOME=DIR python -m benchmarks province

Floors. Search, security: the very statement sent by us, sent by the superuser, whom no policy holds; so what is measured is what
policies, the ORM and the pool cost. Other days: the same question for today. The page of a school: one statement that reads its
row. Freezing and quality: the promise in seconds. The turn: ids and hashes of all records copied into a staging table and compared.

What was reached stands in benchmarks/README.md.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.ratios import Ratio, measure

HOME = os.environ.get("KHUE_BENCH_HOME", "")
PARTS = os.environ.get("KHUE_BENCH_PARTS", "search,security,days,page,quality,freeze,turn").split(",")
ROUNDS = 5
DAY, EARLIER = date(2025, 11, 10), date(2025, 9, 20)
FREEZING, CHECKING = 300.0, 1800.0
"""Seconds promised for freezing, and given to a nightly check of data quality, for the whole province."""


def run() -> Iterator[Ratio]:
    """Yield the ratios over the province under KHUE_BENCH_HOME."""
    if not HOME:
        print("KHUE_BENCH_HOME is not set: no province, nothing measured")
        return
    superuser = _connect()
    ground = Ground(superuser)
    for part in PARTS:
        yield from getattr(ground, part)()


def _connect() -> Any:
    """Point Django at the province as the application's role; return a connection of the superuser."""
    import psycopg

    from khue.kernel.database.launcher import Server

    server = Server(Path(HOME))
    server.start()
    os.environ.update(
        KHUE_HOME=str(Path(HOME) / "demo-home"), DATABASE_URL=server.url("khue_app", "khue_demo"),
        DATABASE_OWNER_URL=server.url("khue_owner", "khue_demo"), DJANGO_SETTINGS_MODULE="khue.settings.test",
    )  # fmt: skip
    import django

    django.setup()
    return psycopg.connect(server.url("khue", "khue_demo"), autocommit=True, prepare_threshold=None)


class Ground:
    """The province, the statements sent to it, and who sends them."""

    def __init__(self, superuser: Any) -> None:
        from khue.kernel.permissions import system_actor

        self.superuser, self.actor = superuser, system_actor("benchmarks")
        self.schools = [pk for (pk,) in superuser.execute("select id from orgs_unit where kind = 'school' order by id").fetchall()]

    def uid(self, school: int) -> Any:
        """Return a school's outside identifier."""
        return self.superuser.execute("select uid from orgs_unit where id = %s", [school]).fetchone()[0]

    def sent(self, ask: Callable[[], object]) -> list[tuple[str, Any]]:
        """Return the statements `ask` sends."""
        from django.db import connection

        kept: list[tuple[str, Any]] = []

        def wrapper(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
            if sql.lstrip()[:6].lower() in ("select", "with "):
                kept.append((sql, params))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(wrapper):
            ask()
        return [one for one in kept if "set_config" not in one[0] and "current_setting" not in one[0]]

    def bare(self, statements: list[tuple[str, Any]]) -> Callable[[], None]:
        """Return a function that sends statements as the superuser, whom no policy holds, within a transaction and the same scope."""

        def go() -> None:
            with self.superuser.transaction():
                self.superuser.execute("select set_config('khue.all', 'on', true)")
                for sql, params in statements:
                    self.superuser.execute(sql, params).fetchall()

        return go

    # -- search ------------------------------------------------------------------------------------

    def search(self) -> Iterator[Ratio]:
        """Find people by two words of their names without accents: p95 beside the same SQL without policies."""
        from khue.kernel.database import scope
        from khue.register.schooling.finding import find_learners

        rows = self.superuser.execute("select name_fold from people_person where id % 1009 = 0 order by id").fetchall()
        names = [name for (name,) in rows]
        random.Random(7).shuffle(names)
        ours: list[float] = []
        floor: list[float] = []
        for turn, name in enumerate(names[:420]):
            parts = name.split()
            words = f"{parts[0]} {parts[-1]}" if turn % 3 else parts[-1]

            def ask(words: str = words) -> None:
                with scope.opened(everything=True):
                    list(find_learners(self.actor, words, 20, DAY).values_list("uid", "name", "code"))

            bare = self.bare(self.sent(ask))
            times: dict[Callable[[], None], list[float]] = {bare: [], ask: []}
            for _ in range(3):  # a shared machine halts now one, now the other: the middle one of three counts
                for go, took in times.items():
                    start = time.perf_counter()
                    go()
                    took.append(time.perf_counter() - start)
            floor.append(statistics.median(times[bare]))
            ours.append(statistics.median(times[ask]))
        mine, theirs = (statistics.quantiles(times[20:], n=20)[18] for times in (ours, floor))
        pairs = sorted(a / b for a, b in zip(ours[20:], floor[20:], strict=True))
        yield Ratio(
            "person search without accents, p95 ÷ p95 of its SQL", mine / theirs, pairs[len(pairs) // 20], pairs[-len(pairs) // 20], theirs, 1.5, len(pairs),
            "floor: the same statement by the superuser",
        )  # fmt: skip
        yield Ratio("person search, p95 in ms", mine * 1000, min(ours) * 1000, max(ours[20:]) * 1000, theirs, 30.0, len(pairs))

    # -- row-level security --------------------------------------------------------------------------

    def security(self) -> Iterator[Ratio]:
        """Open pages of one school as its clerk, by the application's role and by the superuser, whom no policy holds."""
        from django.db import connections
        from tests import factories

        from khue.kernel.accounts.models import Account
        from khue.kernel.database import scope
        from khue.register.orgs.models import Unit
        from khue.register.people.models import Person
        from khue.register.schooling.models import ClassGroup

        here = self.schools[700]
        with scope.everything():
            account = Account.objects.filter(username="do-toc-do").first() or factories.account("clerk", Unit.objects.get(pk=here), username="do-toc-do")
            group = ClassGroup.objects.filter(school_id=here).order_by("pk").first()
            person = Person.objects.filter(school_id=here).order_by("pk").first()
            client = factories.client_of(account)
        guarded, bare = connections["default"], connections["default"].copy()
        who = self.superuser.info
        bare.settings_dict = {**guarded.settings_dict, "USER": who.user, "PASSWORD": who.password, "HOST": who.host, "PORT": who.port}
        pages = {
            "a class of 38": f"/lop/{group.uid}/", "a learner": f"/hoc-sinh/{person.uid}/", "a name looked for": "/tim/?q=nguyen+an",
            "everything about a school": f"/don-vi/{self.uid(here)}/toan-canh/",
        }  # fmt: skip
        for name, address in pages.items():

            def opened(by: Any, address: str = address) -> Callable[[], None]:
                def go() -> None:
                    connections["default"] = by
                    try:
                        for _ in range(10):
                            assert client.get(address).status_code == 200, address
                    finally:
                        connections["default"] = guarded

                return go

            opened(bare)(), opened(guarded)()
            yield measure(f"row-level security, page: {name}", ours=opened(guarded), floor=opened(bare), target=1.1, rounds=9, note="floor: the same page by the superuser")
        bare.close()

    # -- other days ----------------------------------------------------------------------------------

    def days(self) -> Iterator[Ratio]:
        """Ask of an earlier day what is asked of today."""
        from django.utils import timezone

        from khue.kernel.database import scope
        from khue.register.orgs import known
        from khue.register.orgs import queries as orgs
        from khue.register.orgs.models import Unit
        from khue.register.schooling import queries
        from khue.register.schooling.models import ClassGroup

        with scope.everything():
            province = Unit.objects.filter(kind="province", code="86").get()
            group = ClassGroup.objects.filter(school_id=self.schools[3]).order_by("pk").first()
            old = Unit.objects.filter(kind="province", code="83").order_by("pk").first()
        asks: dict[str, tuple[Callable[[date], object], date]] = {
            "the tree's branch with its counts": (lambda day: orgs.children(self.actor, province.uid if day >= date(2025, 7, 1) else old.uid, day=day), EARLIER),
            "the branch before the reform": (lambda day: orgs.children(self.actor, province.uid if day >= date(2025, 7, 1) else old.uid, day=day), date(2025, 6, 1)),
            "counts by commune on another map": (lambda day: orgs.counts_by_map(self.actor, day=DAY, map_day=day, kind="commune" if day >= date(2025, 7, 1) else "district"), date(2025, 6, 1)),
            "the learners of a class": (lambda day: [queries.members(group, on=day) for _ in range(20)], EARLIER),
        }  # fmt: skip
        for name, (ask, day) in asks.items():

            def at(when: date, ask: Callable[[date], object] = ask) -> Callable[[], None]:
                def go() -> None:
                    with scope.everything():
                        ask(when)

                return go

            yield measure(f"as of another day: {name}", ours=at(day), floor=at(DAY), target=2.0, rounds=ROUNDS, note=f"{day} beside {DAY}")

        def by_commune(then: date | None) -> Callable[[], None]:
            def go() -> None:
                with scope.everything():
                    if then:
                        known.counts_by_map(self.actor, day=DAY, map_day=DAY, kind="commune", known_on=then)
                    else:
                        orgs.counts_by_map(self.actor, day=DAY, map_day=DAY, kind="commune")

            return go

        last = timezone.localdate(self.superuser.execute("select max(changed_at) from schooling_placement").fetchone()[0])
        yield measure(
            "as known on another day: counts by commune", ours=by_commune(last), floor=by_commune(None), target=2.0, rounds=ROUNDS,
            note="known on the last day a place was written, beside now",
        )  # fmt: skip

    # -- a school on one page ------------------------------------------------------------------------

    def page(self) -> Iterator[Ratio]:
        """Count the statements of the page of everything about a school, and time it beside one statement."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext
        from django.utils import timezone

        from khue.kernel.database import scope
        from khue.register.fields import queries, whole

        uid = self.uid(self.schools[42])

        def ours() -> None:
            now = timezone.now()
            with scope.everything():
                about = queries.school(self.actor, uid, at=now)
                queries.file(self.actor, about, at=now)
                for room in whole.ROOMS.values():
                    room(self.actor, about, now)

        def floor() -> None:
            with scope.everything(), connection.cursor() as cursor:
                cursor.execute("select * from orgs_unit where uid = %s", [uid])
                cursor.fetchall()

        ours()
        with CaptureQueriesContext(connection) as caught:
            ours()
        count = len([one for one in caught if "set_config" not in one["sql"] and one["sql"].split(" ")[0] not in ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")])
        yield Ratio("everything about a school: statements (two more before the view)", count + 2, count + 2, count + 2, 0.0, 8.0, 1)
        yield measure("everything about a school, read", ours=ours, floor=floor, target=30.0, rounds=ROUNDS, note="floor: its row by one statement")

    # -- data quality --------------------------------------------------------------------------------

    def quality(self) -> Iterator[Ratio]:
        """Ask all rules of a hundred schools, first and again; say what the province takes at this rate."""
        from khue.kernel.database import scope
        from khue.province.quality import sweeping

        for turn in ("first", "again, nothing changed"):
            start = time.perf_counter()
            for at in range(200, 300, sweeping.SCHOOLS_A_STEP):
                with scope.everything():
                    sweeping.sweep(self.schools[at : at + sweeping.SCHOOLS_A_STEP], on=DAY)
            taken = (time.perf_counter() - start) / 100 * len(self.schools)
            yield Ratio(f"rules of data quality over the province, {turn}", taken / CHECKING, taken / CHECKING, taken / CHECKING, CHECKING, 1.0, 1, f"{taken:.0f} s by the rate of 100 schools")

    # -- freezing ------------------------------------------------------------------------------------

    def freeze(self) -> Iterator[Ratio]:
        """Freeze a period for every school, once."""
        from khue.kernel import jobs
        from khue.kernel.database import scope
        from khue.province.periods import freezing, services
        from khue.province.periods.models import ReportPeriod

        now = _now()
        plan = services.Plan(
            kind="ad_hoc", name=f"Đo {now:%d/%m %H:%M:%S}", school_year=2025, levels=["primary", "lower_secondary", "upper_secondary"],
            objects=["school", "class", "staff", "learner"], reference_on=EARLIER, freezes_at=now, dues={"school": now.date(), "commune": now.date(), "province": now.date()},
        )  # fmt: skip
        with scope.everything():
            period = services.open_period(actor=self.actor, plan=plan, now=now)
            job = freezing.queue(period, actor=self.actor, now=now)
        start, used = time.perf_counter(), time.process_time()
        jobs.run(job.pk, clock=_now)
        taken, own = time.perf_counter() - start, time.process_time() - used
        with scope.everything():
            held = ReportPeriod.objects.get(pk=period.pk)
        assert held.state == "frozen" and held.counts["schools"] == len(self.schools), held.counts
        ratio = taken / FREEZING
        yield Ratio(f"freezing {len(self.schools):,} schools ÷ five minutes", ratio, ratio, ratio, FREEZING, 1.0, 1, f"{taken:.0f} s, of which our own processor {own:.0f} s; {sum(n for name, n in held.counts.items() if name != 'schools'):,} records")

    # -- the turn ------------------------------------------------------------------------------------

    def turn(self) -> Iterator[Ratio]:
        """Look over every record with one in a hundred changed, a step of schools at a time, as the job does."""
        import hashlib

        from khue.gateway.sync import planning, records, work
        from khue.gateway.sync.models import SyncChannel
        from khue.kernel.database import scope

        levels, objects = ["primary", "lower_secondary", "upper_secondary"], ["class", "learner", "school"]
        self.superuser.execute("delete from sync_queuedrecord; delete from sync_deliveredrecord")
        with scope.everything():
            channel, _made = SyncChannel.objects.get_or_create(
                code="do", defaults={"name": "Kênh đo", "adapter": "ndc", "levels": levels, "objects_sent": objects, "base_url": "https://vi-du.vn"}
            )
        steps = [self.schools[at : at + work.SCHOOLS_A_STEP] for at in range(0, len(self.schools), work.SCHOOLS_A_STEP)]
        rows: list[list[planning.Staged]] = []
        start = time.perf_counter()
        for step in steps:
            with scope.everything():
                rows.append([row._replace(body=row.body[:1]) for found in records.read(step, 2025, DAY, levels, objects) for row in planning.staged(found)])
        making = time.perf_counter() - start
        self.superuser.execute("set session_replication_role = replica")
        with self.superuser.cursor().copy(
            "copy sync_deliveredrecord (channel_id, record_id, school_id, object, sha256, version, is_cancelled, code, answered_at) from stdin"
        ) as sink:
            for row in (row for step in rows for row in step):
                sink.write_row((channel.pk, row.record_id, row.school_id, row.object, row.sha256, 1, False, "00", "2025-11-09 01:00+07"))
        self.superuser.execute("vacuum analyze sync_deliveredrecord")
        total, changed = sum(map(len, rows)), 0
        for step in rows:
            for n in range(0, len(step), 100):
                step[n], changed = step[n]._replace(sha256=hashlib.sha256(f"{step[n].record_id} later".encode()).digest()), changed + 1

        def clear() -> None:
            self.superuser.execute("delete from sync_queuedrecord")
            self.superuser.execute("vacuum analyze sync_queuedrecord")

        def ours() -> None:
            found = 0
            for step, ids in zip(rows, steps, strict=True):
                with scope.everything():
                    found += planning.compare(channel, step, ids, now=_now())["UPDATE"]
            assert found == changed, (found, changed)

        def floor() -> None:
            found = 0
            for step in rows:
                with self.superuser.transaction(), self.superuser.cursor() as cursor:
                    cursor.execute('create temporary table bench_staged (n int, record_id text collate "C", school_id bigint, sha256 bytea) on commit drop')
                    with cursor.copy("copy bench_staged (n, record_id, school_id, sha256) from stdin with (format binary)") as sink:
                        sink.set_types(["int4", "text", "int8", "bytea"])
                        for n, row in enumerate(step):
                            sink.write_row((n, row.record_id, row.school_id, row.sha256))
                    cursor.execute("analyze bench_staged")
                    cursor.execute(
                        "select count(*) from bench_staged s left join sync_deliveredrecord d on d.channel_id = %s and d.record_id = s.record_id"
                        " where d.sha256 is distinct from s.sha256", [channel.pk],
                    )  # fmt: skip
                    found += cursor.fetchone()[0]
            assert found == changed, (found, changed)

        yield measure(
            f"nightly turn, {total:,} records, 1 % changed", ours=ours, floor=floor, before=clear, target=2.0, rounds=3,
            note=f"floor: staging COPY + hash comparison; making the records, on neither side, {making:.0f} s ({total / making:,.0f}/s)",
        )  # fmt: skip
        self.superuser.execute("set session_replication_role = origin")


def _now() -> Any:
    from django.utils import timezone

    return timezone.now()
