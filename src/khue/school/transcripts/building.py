"""From closed results to the content of transcripts: a class at a time, in a fixed number of statements.

Reads only; decides nothing. Marks and levels come from the frozen result of the year alone, so a transcript
can be made again from what was closed. What the law leaves to the form (which header, which words) stands here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q

from khue.kernel.codes import queries as codes
from khue.kernel.permissions.loading import local_day
from khue.register.orgs.models import Unit, UnitKind, UnitReach, level_of_grade
from khue.register.people.models import Kinship, Person, Sex
from khue.register.schooling.models import ClassGroup, Placement
from khue.register.staff.models import Position, Post
from khue.school.gradebook.models import Result, Term
from khue.school.teaching.models import Assignment
from regulations import assessment, curriculum

SHOWN = {"dat": "Đ", "chua_dat": "CĐ"}
NOTHING = {"code": "", "text": ""}
NO_AWARD = "khong"
LAST_PRIMARY_GRADE = 5


@dataclass(frozen=True, slots=True)
class Signatories:
    """Who signs for a class: the names that the document prints."""

    homeroom: str
    principal: str
    principal_title: str


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """What all transcripts of one class share."""

    group: ClassGroup
    school: Unit
    commune: str
    province: str
    signatories: Signatories
    day: date


def class_facts(group: ClassGroup, *, now: datetime) -> ClassFacts:
    """Return school, place and signatories of a class as they are on the day of `now`."""
    day = local_day(now)
    school = group.school
    above = {
        reach.ancestor.kind: reach.ancestor.name
        for reach in UnitReach.objects.filter(descendant=school, depth__gt=0, valid__contains=day)
        .select_related("ancestor")
        .order_by("-depth")
    }
    return ClassFacts(
        group=group,
        school=school,
        commune=above.get(UnitKind.COMMUNE, ""),
        province=above.get(UnitKind.PROVINCE, ""),
        signatories=_signatories(group, day),
        day=day,
    )


def _signatories(group: ClassGroup, day: date) -> Signatories:
    leaders = Post.objects.filter(
        school_id=group.school_id,
        valid__contains=day,
        position__in=(Position.PRINCIPAL, Position.VICE_PRINCIPAL),
    ).select_related("person")
    # "principal" sorts before "vice_principal": a vice-principal signs only where there is no principal.
    leader = min(leaders, key=lambda post: (post.position, post.pk), default=None)
    title = str(Position(leader.position).label) if leader else ""
    homeroom = group.homeroom.person.name if group.homeroom else ""
    return Signatories(homeroom, leader.person.name if leader else "", title)


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything the contents of a class are made of, by learner."""

    people: Mapping[int, Person]
    results: Mapping[int, Mapping[int, Result]]
    history: Mapping[int, list[Placement]]
    family: Mapping[int, list[Kinship]]
    teachers: Mapping[str, str]
    ethnic_groups: Mapping[str, str]
    nationalities: Mapping[str, str]


def sources(facts: ClassFacts, learner_ids: Iterable[int]) -> Sources:
    """Read what the contents of these learners need: six statements, however many they are.

    A term's result may come from a former class of the year, in another school perhaps; the class's own counts first.
    """
    group, ids = facts.group, list(learner_ids)
    people = {person.pk: person for person in Person.objects.filter(pk__in=ids)}
    results: dict[int, dict[int, Result]] = defaultdict(dict)
    found = Result.objects.filter(
        ~Q(term=Term.YEAR) | Q(class_group=group), learner_id__in=ids, school_year=group.school_year, is_current=True
    )
    for result in sorted(found, key=lambda one: (one.class_group_id == group.pk, one.pk)):
        results[result.learner_id][result.term] = result
    history: dict[int, list[Placement]] = defaultdict(list)
    placements = Placement.objects.filter(
        learner_id__in=ids, is_main=True, school_year__lte=group.school_year
    ).select_related("class_group", "school")
    for placement in placements.order_by("school_year", "valid", "pk"):
        history[placement.learner_id].append(placement)
    family: dict[int, list[Kinship]] = defaultdict(list)
    ties = Kinship.objects.filter(learner_id__in=ids, valid__contains=facts.day).select_related("guardian")
    for tie in ties.order_by("relation", "pk"):
        family[tie.learner_id].append(tie)
    tables = codes.tables(("ethnic_groups", "nationalities"), on=facts.day)
    return Sources(
        people, results, history, family, _teachers(group),
        tables["ethnic_groups"], tables["nationalities"],
    )  # fmt: skip


def _teachers(group: ClassGroup) -> dict[str, str]:
    """Return who taught each subject last in the year."""
    found = (
        Assignment.objects.filter(class_group=group).select_related("post__person").order_by("valid", "pk")
    )
    return {item.subject_code: item.post.person.name for item in found}


def content_of(
    learner_id: int,
    *,
    facts: ClassFacts,
    read: Sources,
    uid: str,
    number: int,
    supersedes: dict[str, Any] | None,
) -> dict[str, Any]:
    """Return the content of one learner's transcript; see `documents.content`.

    The learner has a result of the year among `read.results`.
    """
    group, school = facts.group, facts.school
    person, results = read.people[learner_id], read.results[learner_id]
    year = results[Term.YEAR]
    level = level_of_grade(group.grade)
    rules = assessment.rules_for(grade=group.grade, year=group.school_year)
    primary = level == "primary"
    return {
        "uid": uid,
        "version": number,
        "supersedes": supersedes,
        "instrument": rules.instrument,
        "rule_set": year.rule_set,
        "rule_version": year.rule_version,
        "level": level,
        "school_year": group.school_year,
        "authority": _authority(facts, level),
        "school": {
            "code": school.code,
            "name": school.name,
            "commune": facts.commune,
            "province": facts.province,
        },
        "class_group": {"name": group.name, "grade": group.grade},
        "learner": _learner(person, read),
        "history": [_step(placement) for placement in _steps(read.history[learner_id])],
        "subjects": _subjects(facts, read, year, primary=primary),
        "qualities": _qualities(facts, year) if primary else [],
        "learning": _by_term(results, "learning"),
        "conduct": _nothing_by_term() if primary else _by_term(results, "conduct"),
        "absences": {"excused": year.absences_excused, "unexcused": year.absences_unexcused},
        "award": NOTHING if year.award == NO_AWARD else _coded(year.award),
        "promotion": _coded(year.promotion),
        "completion": _completion(group.grade, year),
        "certificates": "",
        "special_comment": "",
        "homeroom_comment": year.comment,
        "approval": "",
        "signers": {"homeroom": facts.signatories.homeroom, "principal": facts.signatories.principal},
        "principal_title": facts.signatories.principal_title,
        "place": _bare(facts.commune) or _bare(facts.province) or school.name,
        "drawn_on": facts.day.isoformat(),
    }


def _authority(facts: ClassFacts, level: str) -> str:
    # Our reading: since July 2025 the commune administers preschools to lower secondary schools
    # (two-tier government), the province's department the upper secondary ones.
    if level != "upper_secondary" and facts.commune:
        return f"Ủy ban nhân dân {_lower(facts.commune)}"
    return f"Sở Giáo dục và Đào tạo {_lower(facts.province)}".strip()


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _bare(name: str) -> str:
    """Return a place's name without its kind: "Xã Tân Long Hội" is "Tân Long Hội"."""
    for kind in ("Xã ", "Phường ", "Đặc khu ", "Thị trấn ", "Tỉnh ", "Thành phố "):
        if name.startswith(kind):
            return name.removeprefix(kind)
    return name


def _learner(person: Person, read: Sources) -> dict[str, Any]:
    return {
        "code": person.code,
        "name": person.name,
        "sex": "" if person.sex == Sex.UNKNOWN else str(Sex(person.sex).label),
        "born_on": person.born_on.isoformat() if person.born_on else "",
        "birth_place": person.birth_place,
        "ethnic_group": read.ethnic_groups.get(person.ethnic_group, ""),
        "nationality": read.nationalities.get(person.nationality, ""),
        "policy": str(person.facts.get("policy", "")),
        "address": person.address,
        "family": [
            {
                "relation": str(Kinship.Relation(tie.relation).label),
                "name": tie.guardian.name,
                "occupation": str(tie.guardian.facts.get("occupation", "")),
            }
            for tie in read.family[person.pk]
        ],
    }


def _steps(placements: Iterable[Placement]) -> list[Placement]:
    """Return the last placement of each school year and school, in order of time."""
    last = {(placement.school_year, placement.school_id): placement for placement in placements}
    return sorted(last.values(), key=lambda placement: (placement.school_year, placement.valid.lower))


def _step(placement: Placement) -> dict[str, Any]:
    address = placement.school.address
    return {
        "school_year": placement.school_year,
        "class_group": placement.class_group.name,
        "school": f"{placement.school.name}, {address}" if address else placement.school.name,
    }


def _coded(code: str) -> dict[str, str]:
    return {"code": code, "text": assessment.label(code)} if code else dict(NOTHING)


def _nothing_by_term() -> dict[str, dict[str, str]]:
    return {name: dict(NOTHING) for name in ("term1", "term2", "year", "retest")}


def _by_term(results: Mapping[int, Result], part: str) -> dict[str, dict[str, str]]:
    found = _nothing_by_term()
    for name, term in (("term1", Term.FIRST), ("term2", Term.SECOND), ("year", Term.YEAR)):
        if term in results:
            found[name] = _coded(getattr(results[term], part))
    return found


def _completion(grade: int, year: Result) -> str:
    done = grade == LAST_PRIMARY_GRADE and year.promotion == "len_lop"
    return "Hoàn thành chương trình tiểu học" if done else ""


def _subjects(facts: ClassFacts, read: Sources, year: Result, *, primary: bool) -> list[dict[str, str]]:
    """Return the rows of the subjects in the year's result, in the order of the curriculum."""
    group = facts.group
    order = [item.code for item in curriculum.subjects_for(group.grade, group.school_year)]
    ordered = [code for code in order if code in year.subjects] + sorted(set(year.subjects) - set(order))
    rows = []
    for code in ordered:
        found = year.subjects[code]
        known = curriculum.find_subject(code, grade=group.grade)
        row = {
            "code": code,
            "name": known.name_vi if known else code,
            "kind": found["kind"],
            "term1": "", "term2": "", "year": "", "retest": "", "level": "", "mark": "",
            "comment": found.get("comment") or "",
            "teacher": read.teachers.get(code, ""),
        }  # fmt: skip
        rows.append(row | (_primary_values(found) if primary else _secondary_values(found)))
    return rows


EXEMPT = "M"


def _primary_values(found: Mapping[str, Any]) -> dict[str, str]:
    """Return level and test mark of the year's end (TT 27/2020 Art. 7)."""
    if found.get("exempt"):
        return {"level": EXEMPT}
    test = found.get("test")
    return {"level": _mark(found.get("year")), "mark": "" if test is None else str(test // 10)}


def _secondary_values(found: Mapping[str, Any]) -> dict[str, str]:
    if found.get("exempt"):
        return {"term1": EXEMPT, "term2": EXEMPT, "year": EXEMPT}
    return {name: _mark(found.get(name)) for name in ("term1", "term2", "year", "retest")}


def _mark(value: Any) -> str:
    """Return a mark or level as the form prints it: 83 is "8.3", "dat" is "Đ", nothing is ""."""
    if value is None or value == "":
        return ""
    if isinstance(value, int):
        return f"{value // 10}.{value % 10}"
    return SHOWN.get(value, str(value))


def _qualities(facts: ClassFacts, year: Result) -> list[dict[str, str]]:
    """Return qualities and competences with their levels at the end of the year."""
    group = facts.group
    named = [
        *curriculum.qualities(group.school_year),
        *curriculum.competences(group.grade, group.school_year),
    ]
    return [
        {
            "code": item.code,
            "name": item.name_vi,
            "kind": item.kind,
            "level": year.qualities.get(item.code, ""),
            "comment": "",
        }
        for item in named
    ]
