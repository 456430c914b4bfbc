"""What a reform would do to the tree, computed and shown before anything is written."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from django.db.models import Q

from khue.kernel.database.fields import period
from khue.register.orgs.models import Level, Relation, Succession, Unit, UnitKind, UnitTie
from khue.register.orgs.reform.conversion import Part, Table

AREAS = (UnitKind.PROVINCE, UnitKind.DISTRICT, UnitKind.COMMUNE)
BY_PROVINCE = frozenset({Level.UPPER_SECONDARY, Level.CONTINUING})
"""Levels whose schools the province administers; the commune has the others (two-tier government, 2025)."""


@dataclass(frozen=True, slots=True)
class NewUnit:
    """A unit the reform makes: no unit of the old tree bears its code."""

    kind: str
    code: str
    name: str
    parent_code: str


@dataclass(frozen=True, slots=True)
class Move:
    """One row of what happens to an old unit: into `target` (kind and code), whole or in part; None where it ends."""

    source_id: int
    target: tuple[str, str] | None
    kind: str
    is_whole: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class SchoolMove:
    """A school's commune and its parent after the reform (kind, code); `commune` None where only the parent changes."""

    school_id: int
    commune: tuple[str, str] | None
    parent: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Question:
    """A school in a commune that was divided, to be decided; `proposed` holds until then."""

    school_id: int
    school_code: str
    school_name: str
    source_id: int
    source_name: str
    options: tuple[str, ...]
    proposed: tuple[str, str]


@dataclass(slots=True)
class Plan:
    """A rehearsal: everything the reform would do, the count of units before and after, and what is open."""

    on: date
    provinces: tuple[str, ...]
    before: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    made: list[NewUnit] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    renamed: dict[int, str] = field(default_factory=dict)
    reparented: dict[int, tuple[str, str]] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)
    kept: set[int] = field(default_factory=set)
    schools: list[SchoolMove] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    divided: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def conserved(self) -> bool:
        """Return whether every old unit stays, has a successor or ends by decision."""
        return not self.lost

    def summary(self) -> dict[str, Any]:
        """Return the plan in numbers and lists, as the page and the command show it."""
        return {
            "on": self.on.isoformat(),
            "provinces": list(self.provinces),
            "before": self.before,
            "after": self.after,
            "conserved": self.conserved,
            "lost": self.lost,
            "made": len(self.made),
            "ended": len(self.ended),
            "renamed": len(self.renamed),
            "successions": dict(Counter(move.kind for move in self.moves)),
            "whole": sum(move.is_whole for move in self.moves),
            "part": sum(not move.is_whole for move in self.moves),
            "schools_moved": len(self.schools),
            "open_questions": len(self.questions),
            "questions": [
                {key: value for key, value in asdict(question).items() if not key.endswith("_id")} for question in self.questions
            ],
            "divided_communes": len(self.divided),
            "remarks": self.remarks,
        }


def draw(table: Table, *, provinces: tuple[str, ...], on: date) -> Plan:
    """Return the plan for the units of `table` that exist on the eve of `on`; five queries, no write."""
    plan = Plan(on=on, provinces=provinces, remarks=list(table.remarks))
    known = _units(table)
    _areas(plan, table, known)
    _forgotten(plan)
    _schools(plan, table, known)
    return plan


def _units(table: Table) -> dict[tuple[str, str], Unit]:
    wanted = {
        UnitKind.PROVINCE: {code for part in table.parts for code in (part.province_code, part.new_province_code)},
        UnitKind.DISTRICT: {part.district_code for part in table.parts},
        UnitKind.COMMUNE: {code for part in table.parts for code in (part.old_code, part.new_code) if code},
    }
    asked = Q()
    for kind, codes in wanted.items():
        asked |= Q(kind=kind, code__in=codes)
    return {(unit.kind, unit.code): unit for unit in Unit.objects.filter(asked)}


def _existed(unit: Unit | None, on: date) -> bool:
    return unit is not None and unit.valid.lower < on and (unit.valid.upper is None or unit.valid.upper >= on)


def _areas(plan: Plan, table: Table, known: dict[tuple[str, str], Unit]) -> None:
    on = plan.on
    by_old: dict[tuple[str, str], list[Part]] = defaultdict(list)
    by_new: dict[str, list[Part]] = defaultdict(list)
    into: dict[str, set[str]] = defaultdict(set)
    for part in table.parts:
        whole = (UnitKind.COMMUNE, part.old_code) if part.old_code else (UnitKind.DISTRICT, part.district_code)
        if _existed(known.get(whole), on):
            by_old[whole].append(part)
            by_new[part.new_code].append(part)
            into[part.new_province_code].add(part.province_code)
    old = {key: known[key] for key in by_old}
    for part in table.parts:
        for above in ((UnitKind.PROVINCE, part.province_code), (UnitKind.DISTRICT, part.district_code)):
            if _existed(known.get(above), on):
                old[above] = known[above]
    plan.before = _count(old)
    new_names = {part.new_province_code: part.new_province_name for part in table.parts}
    for code, sources in sorted(into.items()):
        _province(plan, code, new_names[code], sources, known, old)
    for key, parts in by_old.items():
        _commune(plan, old[key], parts, by_new, old)
    converted = {one for one in by_old if one[0] == UnitKind.DISTRICT}
    for key, unit in old.items():
        if key[0] == UnitKind.DISTRICT and key not in converted:
            plan.ended.add(unit.pk)
            plan.moves.append(Move(unit.pk, None, Succession.Kind.END, True, "Kết thúc hoạt động cấp huyện"))
    made = {(new.kind, new.code) for new in plan.made}
    alive = {key for key, unit in old.items() if unit.pk not in plan.ended} | made
    plan.after = dict.fromkeys((kind.value for kind in AREAS), 0) | Counter(str(kind) for kind, _code in alive)
    moved = {move.source_id for move in plan.moves}
    plan.kept = {unit.pk for unit in old.values()} - moved
    plan.lost = [
        f"{unit.kind} {unit.code} {unit.name}"
        for unit in old.values()
        if unit.pk in plan.ended and unit.pk not in moved
    ] + [
        f"{move.target[0]} {move.target[1]}" for move in plan.moves if move.target is not None and move.target not in alive
    ]  # fmt: skip


def _forgotten(plan: Plan) -> None:
    """Name the areas under a unit that ends which the table says nothing of."""
    spoken_of = {move.source_id for move in plan.moves} | plan.kept | set(plan.reparented)
    left = UnitTie.objects.filter(
        parent_id__in=plan.ended, relation=Relation.ADMINISTERS, valid__overlap=period(plan.on), child__kind__in=AREAS
    ).exclude(child_id__in=spoken_of)  # fmt: skip
    plan.lost += [f"{tie.child.kind} {tie.child.code} {tie.child.name}" for tie in left.select_related("child").order_by("child__code")]


def _count(units: dict[tuple[str, str], Unit]) -> dict[str, int]:
    return dict.fromkeys((kind.value for kind in AREAS), 0) | Counter(str(kind) for kind, _code in units)


def _province(plan: Plan, code: str, name: str, sources: set[str], known: dict, old: dict) -> None:
    target = (UnitKind.PROVINCE.value, code)
    survivor = old.get((UnitKind.PROVINCE, code))
    if survivor is None:
        plan.made.append(NewUnit(UnitKind.PROVINCE, code, name, ""))
    elif survivor.name != name:
        plan.renamed[survivor.pk] = name
    merged = [old[key] for source in sorted(sources) if (key := (UnitKind.PROVINCE, source)) in old]
    for unit in merged:
        if len(merged) > 1 or unit.code != code:
            plan.moves.append(Move(unit.pk, target, Succession.Kind.MERGE, True, "Nhập thành tỉnh mới"))
        elif unit.pk in plan.renamed:
            plan.moves.append(Move(unit.pk, target, Succession.Kind.RENAME, True))
        if unit.code != code:
            plan.ended.add(unit.pk)


def _commune(plan: Plan, unit: Unit, parts: list[Part], by_new: dict[str, list[Part]], old: dict) -> None:
    stays = False
    for part in parts:
        target = (UnitKind.COMMUNE.value, part.new_code)
        survivor = old.get((UnitKind.COMMUNE, part.new_code))
        if survivor is None and all((new.kind, new.code) != target for new in plan.made):
            plan.made.append(NewUnit(UnitKind.COMMUNE, part.new_code, part.new_name, part.new_province_code))
        itself = unit.kind == UnitKind.COMMUNE and unit.code == part.new_code
        if itself:
            stays = True
            plan.reparented[unit.pk] = (UnitKind.PROVINCE.value, part.new_province_code)
            if unit.name != part.new_name:
                plan.renamed[unit.pk] = part.new_name
        alone = itself and len(parts) == 1 and len(by_new[part.new_code]) == 1
        if alone and unit.name == part.new_name:
            continue  # unchanged but for the tier above it: no succession
        plan.moves.append(Move(unit.pk, target, _kind(unit, part, len(parts), len(by_new[part.new_code]), itself), part.is_whole, part.note))
    if not stays:
        plan.ended.add(unit.pk)
    if len(parts) > 1:
        plan.divided.append((unit.code, unit.name, tuple(part.new_code for part in parts)))


def _kind(unit: Unit, part: Part, parts: int, sources: int, itself: bool) -> str:
    if unit.kind == UnitKind.DISTRICT:
        return Succession.Kind.CONVERT
    if parts > 1:
        return Succession.Kind.SPLIT
    if sources == 1:
        return Succession.Kind.RENAME if itself else Succession.Kind.CONVERT
    return Succession.Kind.MERGE


def _schools(plan: Plan, table: Table, known: dict[tuple[str, str], Unit]) -> None:
    """Find where each school of these areas stands after the reform and who administers it then."""
    by_old: dict[int, list[Part]] = defaultdict(list)
    in_district: dict[int, list[Part]] = defaultdict(list)
    province_of: dict[int, str] = {}
    for part in table.parts:
        commune = known.get((UnitKind.COMMUNE, part.old_code))
        district = known.get((UnitKind.DISTRICT, part.district_code))
        province = known.get((UnitKind.PROVINCE, part.province_code))
        if commune is not None:
            by_old[commune.pk].append(part)
            province_of[commune.pk] = part.new_province_code
        if district is not None:
            in_district[district.pk].append(part)
            province_of[district.pk] = part.new_province_code
        if province is not None:
            province_of[province.pk] = part.new_province_code
    ties = UnitTie.objects.filter(
        parent_id__in=list(province_of), child__kind__in=[UnitKind.SCHOOL, UnitKind.CENTRE, UnitKind.COLLEGE],
        valid__overlap=period(plan.on), relation__in=[Relation.ADMINISTERS, Relation.LOCATED],
    ).select_related("child", "parent").order_by("child_id", "relation_no", "valid")  # fmt: skip
    places: dict[int, dict[str, UnitTie]] = defaultdict(dict)
    for tie in ties:
        places[tie.child_id][tie.relation] = tie
    for found in places.values():
        _school(plan, found, by_old, in_district, province_of)


def _school(
    plan: Plan, found: dict[str, UnitTie], by_old: dict[int, list[Part]], in_district: dict[int, list[Part]], province_of: dict[int, str]
) -> None:
    above, located = found.get(Relation.ADMINISTERS), found.get(Relation.LOCATED)
    place = located or above
    assert place is not None
    school, ground = place.child, place.parent
    province = (UnitKind.PROVINCE.value, province_of[(above or place).parent_id])
    commune = None
    if ground.pk in by_old:
        parts = by_old[ground.pk]
        best = next((part for part in parts if part.is_default), parts[0])
        commune = (UnitKind.COMMUNE.value, best.new_code)
        if len(parts) > 1:
            options = tuple(sorted(part.new_code for part in parts))
            plan.questions.append(Question(school.pk, school.code, school.name, ground.pk, ground.name, options, commune))
    elif ground.pk in in_district:
        options = tuple(sorted({part.new_code for part in in_district[ground.pk]}))
        if len(options) == 1:
            commune = (UnitKind.COMMUNE.value, options[0])
        else:
            plan.questions.append(Question(school.pk, school.code, school.name, ground.pk, ground.name, options, province))
    local = commune is not None and school.kind == UnitKind.SCHOOL and not BY_PROVINCE & set(school.levels)
    plan.schools.append(SchoolMove(school.pk, commune, commune if local and commune is not None else province))
