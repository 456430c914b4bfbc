"""Commands of the law: explain one learner, compare two rule sets, recompute a closed year, look on the shelf."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click


@click.group()
def group() -> None:
    """The law: why a result is what it is, and what another rule set would say. Writes no result."""


def _school(code: str | None) -> int | None:
    from khue.register.orgs.models import Unit

    if code is None:
        return None
    school = Unit.objects.schools().filter(code=code).values_list("pk", flat=True).first()
    if school is None:
        raise click.ClickException(f"không có trường nào mang mã {code}")
    return int(school)


YEARS = click.IntRange(1990, 2100)
"""School years a command takes: others are slips of the hand."""


def _nothing_closed(count: int, year: int) -> None:
    if not count:
        click.echo(f"Không có lớp nào đã khoá năm học {year}–{year + 1}.", err=True)


def _print(data: Any) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, indent=1, default=str))


@group.command()
@click.argument("learner")
@click.option("--year", type=YEARS, required=True, help="the year the school year begins in")
@click.option("--json", "as_json", is_flag=True, help="for machines")
def explain(learner: str, year: int, as_json: bool) -> None:
    """Tell why LEARNER (uid or code) has the results she has, from marks to decision."""
    from khue.cli import prepare

    prepare()
    from django.utils import timezone

    from khue.kernel import audit
    from khue.kernel.database import scope
    from khue.kernel.errors import NotFound
    from khue.kernel.permissions import system_actor
    from khue.school.gradebook.queries.explaining import explanation

    actor = system_actor("khue law explain")
    now = timezone.now()
    with scope.everything():
        try:
            found = explanation(actor, learner, now=now, school_year=year)
        except NotFound as error:
            raise click.ClickException(f"không tìm thấy học sinh {learner}") from error
        audit.record(actor, "law.explain", on=None, at=now, person_id=found.learner_id, school_id=found.school_id, year=year)
    if as_json:
        _print(explained(found))
    else:
        click.echo("\n".join(lines_of(found)))
    if not found.chain.steps:
        click.echo(f"Năm học {year}–{year + 1} chưa có điểm hay kết quả nào của học sinh này để giải thích.", err=True)


def explained(found: Any) -> dict[str, Any]:
    """Return an explanation for machines: places as `22/2021/TT-BGDĐT#9.1.b`."""

    def place(one: Any) -> dict[str, str] | None:
        return {"text": one.text, "code": one.code} if one else None

    return {
        "learner": found.uid, "name": found.name, "code": found.code, "school_year": found.school_year, "class": found.class_name,
        "school": found.school_name, "grade": found.grade, "rule_set": found.rule_set, "rule_title": found.rule_title,
        "revision": found.revision, "reason": found.reason, "frozen_at": found.frozen_at or None,
        "decided": [{"about": about, "result": result} for about, result in found.decided],
        "steps": [
            {
                "code": step.code, "title": step.title, "level": step.level, "result": step.result, "sealed": step.is_sealed,
                "missing": list(step.waits_for),
                "subjects": [{"code": row.code, "name": row.name, "given": dict(row.pairs), "how": row.how, "result": row.result} for row in step.rows],
                "because": [{"sentence": one.sentence, "place": place(one.place)} for one in step.said],
            }
            for step in found.chain.steps
        ],
        "differences": [asdict(one) for one in found.chain.differences],
    }  # fmt: skip


def lines_of(found: Any) -> list[str]:
    """Return an explanation as lines a person reads."""
    lines = [f"{found.name} ({found.code}) · {found.school_year}–{found.school_year + 1} · {found.class_name} · {found.school_name}"]
    if found.instrument:
        lines.append(f"{found.rule_title} ({found.instrument.text})")
    for number, step in enumerate(found.chain.steps, start=1):
        lines += ["", f"{number}. {step.title}{': ' + step.result if step.result else ''}"]
        for row in step.rows:
            given = "; ".join(f"{name} {value}" for name, value in row.pairs)
            lines.append(f"   {row.name}: {given}{'; ' + row.how if row.how else ''} → {row.result}")
        for one in step.said:
            lines.append(f"   - {one.sentence}{' (' + one.place.text + ')' if one.place else ''}")
        lines += [f"   ! {line}" for line in step.waits_for]
    for one in found.chain.differences:
        lines.append(f"! {one.about}: {one.sealed_name} ≠ {one.again_name}")
    return lines


def side(text: str) -> tuple[Any, Mapping[str, Any] | None]:
    """Return the side an option names, an id or a draft's file, and the draft's data where it is one."""
    from khue.kernel.errors import DomainError
    from khue.province.law import comparing, forms

    try:
        if not text.endswith(".json"):
            return comparing.side_of(text), None
        if Path(text).stat().st_size > forms.MOST_BYTES:
            raise click.ClickException(f"{text}: lớn hơn 64 kB nên không phải tệp dự thảo")
        data = json.loads(Path(text).read_text("utf-8-sig"))
        return comparing.draft_side(data), data
    except comparing.NotComparable as refusal:
        known = ", ".join(one for one, _name in forms.rule_set_choices())
        raise click.ClickException(f"{refusal.sentence}\nCác bộ quy định có: {known}") from refusal
    except DomainError as refusal:
        raise click.ClickException(refusal.sentence) from refusal
    except (OSError, ValueError, RecursionError) as error:
        raise click.ClickException(f"{text}: {error}") from error


@group.command()
@click.option("--from", "before", required=True, metavar="RULESET", help="id of a rule set, or a draft's file (.json)")
@click.option("--to", "after", required=True, metavar="RULESET", help="likewise")
@click.option("--year", type=YEARS, required=True, help="the year the closed school year begins in")
@click.option("--school", help="code of one school; all without it")
@click.option("--json", "as_json", is_flag=True, help="for machines, with everyone who differs and why")
def compare(before: str, after: str, year: int, school: str | None, as_json: bool) -> None:
    """Tell who would be decided differently, why, and totals by level and grade. Writes nothing."""
    from khue.cli import prepare

    prepare()
    from khue.kernel.database import scope
    from khue.kernel.errors import DomainError
    from khue.province.law import comparing

    sides = side(before)[0], side(after)[0]
    try:
        grades = comparing.grades_of(*sides)
    except DomainError as refusal:
        raise click.ClickException(refusal.sentence) from refusal
    with scope.everything():
        reach = comparing.reach(grades, year, _school(school))
        _nothing_closed(len(reach.class_ids), year)
        totals, differing = comparing.Totals(), []
        for _place, counted, found, rows in comparing.compare(*sides, year, reach.class_ids):
            totals.merge(counted)
            by_learner = {row.learner_id: row for row in rows}
            differing += _told(sides, found, by_learner, as_json)
    if as_json:
        head = {"from": sides[0].id, "to": sides[1].id, "school_year": year, "open_classes": reach.open_classes}
        _print({**head, **totals.as_data(), "differing": differing})
        return
    for one in differing:
        changes = "; ".join(f"{about} {old} → {new}" for about, old, new in one["changes"])
        click.echo(f"{one['code']} {one['name']} ({one['class']}, {one['school']}): {changes}")
        for sentence in one["why"]:
            click.echo(f"    {sentence}")
    _print_totals(totals, reach.open_classes)


def _told(sides: Any, found: list[Any], rows: Mapping[int, Any], as_json: bool) -> list[dict[str, Any]]:
    from khue.province.law import comparing, explaining
    from khue.school.gradebook.explain import label

    people = _people([one.learner_id for one in found], [one.class_id for one in found])
    told = []
    for one in found:
        reasons = comparing.why(*sides, rows[one.learner_id], one.abouts)
        who = people.get((one.learner_id, one.class_id), {})
        if as_json:
            why: list[Any] = [
                {"side": side, "about": about, "code": reason.code, "place": str(reason.citation or ""), "facts": dict(reason.facts)}
                for side, about, reason in reasons
            ]
            told.append({**who, "grade": one.grade, "before": dict(one.before), "after": dict(one.after), "differs": list(one.abouts), "why": why})
            continue
        sentences = [
            f"{sides[one.side == 'after'].id}: {one.sentence}{' (' + one.place.text + ')' if one.place else ''}"
            for one in explaining.told(reasons, one.grade)
        ]
        changes = [(about, label(one.before[about]), label(one.after[about])) for about in one.abouts]
        told.append({**who, "changes": changes, "why": sentences})
    return told


def _people(learners: list[int], classes: list[int]) -> dict[tuple[int, int], dict[str, str]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "select k.learner, k.class, n.uid::text, n.code, n.name, g.name, u.name from unnest(%s::bigint[], %s::bigint[]) as k(learner, class)"
            " join people_person n on n.id = k.learner join schooling_classgroup g on g.id = k.class join orgs_unit u on u.id = g.school_id",
            [learners, classes],
        )
        names = ("learner", "code", "name", "class", "school")
        return {(row[0], row[1]): dict(zip(names, row[2:], strict=True)) for row in cursor.fetchall()}


def _print_totals(totals: Any, open_classes: int) -> None:
    for about, counted in totals.shift.items():
        for moved, count in sorted(counted.items()):
            old, new = moved.split(">")
            click.echo(f"{about}\t{old or '-'}\t{new or '-'}\t{count}")
    for number, grade in sorted(totals.grades.items()):
        click.echo(f"grade {number}: {grade['different']} of {grade['learners']} differ")
    for name, some in totals.errors.items():
        for code, count in some.items():
            click.echo(f"{name}: {count} refused, {code}")
    click.echo(f"{totals.learners} learners, {totals.different} differ, {open_classes} classes not closed")


@group.command()
@click.option("--year", type=YEARS, required=True, help="the year the closed school year begins in")
@click.option("--school", help="code of one school; all without it")
@click.option("--json", "as_json", is_flag=True, help="for machines")
def recompute(year: int, school: str | None, as_json: bool) -> None:
    """Reckon a closed year again by the rules then in force and list what differs from what was sealed; exit 1 if anything does."""
    from khue.cli import prepare

    prepare()
    from khue.kernel.database import scope
    from khue.province.law import recomputing

    learners, differences = 0, []
    with scope.everything():
        classes = recomputing.closed_classes(year, _school(school))
        _nothing_closed(len(classes), year)
        for _place, count, found in recomputing.recompute(year, classes):
            learners += count
            people = _people([one.learner_id for one in found], [one.class_id for one in found])
            for one in found:
                who = people.get((one.learner_id, one.class_id), {})
                differences.append({**who, "term": one.term, "about": one.about, "subject": one.subject, "sealed": one.sealed, "again": one.again})
                if not as_json:
                    click.echo(
                        f"{who.get('code', one.learner_id)} {one.learner} ({one.class_name}), term {one.term}: {one.about}"
                        f"{' ' + one.subject if one.subject else ''}: sealed {one.sealed or '-'}, again {one.again or '-'}"
                    )
    if as_json:
        _print({"school_year": year, "classes": len(classes), "learners": learners, "differences": differences})
    else:
        click.echo(f"{len(classes)} classes, {learners} learners, {len(differences)} differences")
        if differences:
            click.echo("Kết quả đã khoá chỉ đổi bằng đề nghị sửa có lý do, giáo viên chủ nhiệm kiểm tra và hiệu trưởng duyệt (mục Sửa điểm).")
    sys.exit(1 if differences else 0)


@group.command()
@click.argument("words", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="for machines")
def shelf(words: tuple[str, ...], as_json: bool) -> None:
    """List the instruments that hold all WORDS (accents not needed), with their standing today."""
    from khue.cli import prepare

    prepare(start=False)
    from django.utils import timezone

    from khue.province.law import shelf as pages

    found = pages.lines(" ".join(words), state="", kind="", day=timezone.localdate())
    if not found:
        click.echo("Không có văn bản nào chứa đủ các từ này.", err=True)
    if as_json:
        _print([pages.as_data(line) for line in found])
        return
    for line in found:
        instead = f" → {line.instead.number}" if line.instead else ""
        click.echo(f"{line.instrument.number}\t{line.state_name}{instead}\t{line.instrument.title}")
