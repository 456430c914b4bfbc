"""Runs of the path: `run` for `khue demo` (everything, checked, into a folder), `load` for a browser to walk in."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.utils import timezone

from khue.gateway.exchange.ministry import write_ministry_files
from khue.kernel.accounts.models import Account
from khue.kernel.database import scope
from khue.kernel.ledger import checking
from khue.kernel.ledger.models import Checkpoint, Entry
from khue.kernel.ledger.signing import checkpoint
from khue.register.orgs.models import Unit
from khue.register.schooling.models import ClassGroup, Placement
from khue.register.schooling.queries import school_year_of
from khue.school.gradebook.models import Line, Result
from khue.school.transcripts.models import State, Transcript
from khue.web.demo import next_year, path, sheets_of_others
from khue.web.demo.hands import Hands
from khue.web.demo.path import PASSWORD, World

Say = Callable[[str], None]
SIGN_INS = (
    ("so", "Chuyên viên Sở Giáo dục và Đào tạo"),
    ("vanthu.thcs", "Văn thư, giáo vụ trường THCS"),
    ("hieutruong.thcs", "Hiệu trưởng trường THCS"),
    ("chunhiem.thcs", "Giáo viên chủ nhiệm và bộ môn (THCS)"),
    ("chunhiem.tieuhoc", "Giáo viên chủ nhiệm (tiểu học)"),
    ("phuhuynh", "Phụ huynh có hai con"),
)


def _world(target: Path, say: Say) -> World:
    started = time.monotonic()
    year = school_year_of(timezone.localdate()) - 1
    return World(
        year, target, lambda text: say(f"[{time.monotonic() - started:5.0f} s] {text}"), sheets_of_others.folder()
    )


def _walk(world: World, hands: Hands, *, classes_to_sign: int | None) -> None:
    """Walk from the empty database to signed transcripts of the walked year; `hands` sign while the path goes on."""
    path.build_tree(world)
    path.make_office_accounts(world)
    for school in world.schools:
        path.import_school(world, school)
        path.make_staff_accounts(world, school)
        groups = path.open_year(world, school, world.year, world.moment(9, 6))
        path.complete_assignment(world, school, groups)
        path.make_staff_accounts(world, school)
        for term in (1, 2):
            count = path.enter_marks(world, school, term)
            path.rate_conduct(world, school, groups, term)
            path.close_terms(world, school, groups, term)
            world.counts["cells"] = world.counts.get("cells", 0) + count
            world.say(f"{school.plan.name}: học kỳ {term}: {count} ô điểm, đã khoá {len(groups)} lớp")
        path.close_year(world, school)
        world.say(f"{school.plan.name}: đã khoá năm học")
        assert school.clerk is not None and school.principal is not None
        hands.sign([group.pk for group in groups[:classes_to_sign]], clerk=school.clerk.username, principal=school.principal.username)
    world.say(f"{hands.signed()} học bạ đã ký")


def load(target: Path, *, say: Say) -> None:
    """Load the demo province: last year closed with some signed transcripts, this year under way."""
    world = _world(target, say)
    checkpoint(timezone.now())
    with Hands() as hands:
        _walk(world, hands, classes_to_sign=1)
    next_year.begin(world)
    _name_sign_ins(world)
    checkpoint(timezone.now())


def _name_sign_ins(world: World) -> None:
    """Give the demo's people their passwords, under names that say who they are."""
    mother = path.invite_a_mother(world)
    with scope.everything():
        named = {"so": "so", "vanthu.thcs": "vanthu.thcs", "hieutruong.thcs": "hieutruong.thcs", mother: "phuhuynh"}
        named |= next_year.homeroom_sign_ins(world)
        for username, shown in named.items():
            account = Account.objects.get(username=username)
            if shown != username:
                account = _alias(account, shown)
            account.set_password(PASSWORD)
            account.save(update_fields=["password"])


def _alias(account: Account, shown: str) -> Account:
    """Return an account with an easier name for the same person and roles; names once given stay."""
    made = Account.objects.create_user(shown, name=account.name, person_id=account.person_id)
    for grant in account.grants.select_related("role"):
        made.grants.create(role=grant.role, unit_id=grant.unit_id, unit_name=grant.unit_name, valid=grant.valid)
    return made


def print_sign_ins(say: Say) -> None:
    """Print who may sign in to the demo."""
    say(f"\nTài khoản mẫu (mật khẩu chung: {PASSWORD})")
    for username, who in SIGN_INS:
        say(f"  {username:18} {who}")


def run(target: Path, *, say: Say) -> dict[str, Any]:
    """Walk everything, leave files in `target`, and return the summary; `wrong` lists what does not add up."""
    target.mkdir(parents=True, exist_ok=True)
    world = _world(target, say)
    checkpoint(timezone.now())
    with Hands() as hands:
        _walk(world, hands, classes_to_sign=None)
        summary = _summarise(world)
        summary["transcripts"] = _transcripts(world, hands)
    world.say(f"{summary['transcripts']['signatures_verified']} chữ ký đã kiểm tra")
    summary["ministry"] = _ministry(world)
    checkpoint(timezone.now())
    report = checking.verify()
    summary["ledger"] = {"checkpoints": Checkpoint.objects.count(), "entries": _count(Entry), "faults": [str(f) for f in report.faults]}
    summary["seconds"] = round(time.monotonic() - world.started)
    summary["wrong"] = _wrong(world, summary)
    return summary


def _count(model: Any, **where: Any) -> int:
    with scope.everything():
        return model.objects.filter(**where).count()


def _summarise(world: World) -> dict[str, Any]:
    levels: dict[str, dict[str, int]] = {}
    with scope.everything():
        for school in world.schools:
            found = levels.setdefault(school.plan.slug, {})
            for learning in Result.objects.filter(school_id=school.unit.pk, term=0, is_current=True).values_list("learning", flat=True):
                found[learning] = found.get(learning, 0) + 1
    return {
        "school_year": world.year,
        "tree": {"communes": world.counts["communes"], "reform": world.counts["reform"]},
        "imports": {school.plan.slug: school.reports for school in world.schools},
        "learners": _count(Placement, school_year=world.year, is_main=True),
        "classes": _count(ClassGroup, school_year=world.year),
        "cells_entered": world.counts["cells"],
        "lines": _count(Line, school_year=world.year),
        "results_by_level": levels,
    }


def _transcripts(world: World, hands: Hands) -> dict[str, Any]:
    """Write the sealed transcripts out, verify every signature, and count."""
    folder = world.folder / "transcripts"
    folder.mkdir(parents=True, exist_ok=True)
    with scope.everything():
        sealed = list(Transcript.objects.filter(state=State.SEALED).order_by("pk").values_list("pk", flat=True))
    found = hands.verify(sealed, folder)
    return {"documents": found.documents, "signatures_verified": found.signatures, "problems": list(found.problems)}


def _ministry(world: World) -> dict[str, Any]:
    who = path.actor(Account.objects.get(username="so"), "province_officer", timezone.now())
    with path.as_actor(who):
        report = write_ministry_files(
            actor=who, school_year=world.year, folder=world.folder / "ministry", now=timezone.now()
        )
    return report


def _wrong(world: World, summary: dict[str, Any]) -> list[str]:
    """Return every sentence about what does not add up."""
    wrong = []
    learners = summary["learners"]
    results = sum(sum(found.values()) for found in summary["results_by_level"].values())
    generated = sum(len(school.learners) for school in world.schools)
    if learners != generated:
        wrong.append(f"{generated} learners were written to the sheets, {learners} are placed")
    if results != learners:
        wrong.append(f"{learners} learners, but {results} year results")
    documents = summary["transcripts"]["documents"]
    if documents != results:
        wrong.append(f"{results} results, but {documents} transcripts")
    if summary["transcripts"]["signatures_verified"] != 3 * documents:
        wrong.append(f"{documents} transcripts should bear 3 signatures each, {summary['transcripts']['signatures_verified']} hold")
    wrong += summary["transcripts"]["problems"][:20]
    if summary["tree"]["communes"] != 124:
        wrong.append(f"the province has 124 communes since 1 July 2025, the tree has {summary['tree']['communes']}")
    for slug, reports in summary["imports"].items():
        for kind, report in reports.items():
            again = report.get("again")
            if again and (again.get("new") or again.get("changed")):
                wrong.append(f"{slug}: importing {kind} again would change something: {again}")
    wrong += [f"ledger: {fault}" for fault in summary["ledger"]["faults"]]
    if not Unit.objects.exists():
        wrong.append("no unit is there")
    return wrong
