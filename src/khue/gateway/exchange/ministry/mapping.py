"""From our rows to the symbols of QĐ 4998, through the home of each field (`khue.register.fields.telling`).

Here are the tellers of columns this ring alone can read (assignments, results), which rows make a record at which level, and the
records of tables that hang on a school, a class and a person (re-exams, graduation, land, rooms, EQMS).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from khue.gateway.exchange.ministry.reading import SchoolRows, subjects_of
from khue.register.fields import annex, catalogue, telling
from khue.register.fields.queries import centre_table, level_of
from khue.register.fields.telling import Context, Teller, class_code, state_of
from khue.register.orgs.models import Level
from khue.register.people.models import Person
from khue.register.schooling.models import ClassGroup, Placement
from khue.register.staff.models import Post
from khue.school.gradebook.models import Term

__all__ = ["KEYS", "RECORDS", "class_code", "nothing", "state_of"]
LEVELS_OF_RESULT = {"tot": "1", "kha": "2", "dat": "3", "chua_dat": "4"}
AWARDS = {"hoc_sinh_xuat_sac": "xuat_sac", "hoc_sinh_gioi": "gioi"}
PRIMARY_AWARDS = {"hoc_sinh_xuat_sac": "hoan_thanh_xuat_sac", "hoc_sinh_tieu_bieu": "tieu_bieu"}
TERMS = {Term.FIRST: "1", Term.SECOND: "2", Term.YEAR: "0"}
"""Our reading of HOC_KY, one character: 1 and 2 are the terms, 0 the whole year."""

Values = dict[str, Any]


def _context(rows: SchoolRows, level: str, **values: Any) -> Context:
    head = rows.head
    return Context(
        day=rows.day, level=level, unit=rows.unit, head=head.person if head else None, province_code=rows.province_code,
        department_code=rows.department_code, communes=rows.communes, **values,
    )  # fmt: skip


def _told(object_: str, rows: SchoolRows, context: Context, tellers: dict[str, Teller] | None = None) -> Values:
    return telling.values(object_, catalogue.homes_of(object_, rows.extensions), context, tellers=tellers or {})


def _level(rows: SchoolRows, group: ClassGroup) -> str:
    return level_of(group.grade, rows.unit.kind)


def school(rows: SchoolRows, level: str) -> Iterator[Values]:
    """Yield the school's record at a level; a centre of another kind has a table of its own."""
    if level != Level.CONTINUING or centre_table(rows.unit.facts) == "school":
        yield from _school(rows, level)


def other_centre(rows: SchoolRows, level: str) -> Iterator[Values]:
    """Yield the record of a centre for languages, informatics and the like."""
    if centre_table(rows.unit.facts) == "other_centre":
        yield from _school(rows, level)


def community_centre(rows: SchoolRows, level: str) -> Iterator[Values]:
    """Yield the record of a community learning centre."""
    if centre_table(rows.unit.facts) == "community_centre":
        yield from _school(rows, level)


def _school(rows: SchoolRows, level: str) -> Iterator[Values]:
    context = _context(rows, level, records=rows.records)
    yield {**_told("school", rows, context), "_id": rows.unit.pk, "_uid": rows.unit.uid}


def classes(rows: SchoolRows, level: str) -> Iterator[Values]:
    """Yield the classes of a level."""
    for group in rows.classes:
        if _level(rows, group) == level:
            told = _told("class", rows, _context(rows, level, group=group), {"MON_HOCS": lambda c: subjects_of(rows, c.group)})
            yield {**told, "_id": group.pk, "_uid": group.uid}


def staff(rows: SchoolRows, level: str) -> Iterator[Values]:
    """Yield the posts counted at a level: where most of the periods are taught, else the school's first level."""
    periods = rows.periods_by_level()
    first = next((one for one in rows.unit.levels if one in telling.LEVEL_CODES), level)
    for post in _one_each(rows.posts):
        taught = periods.get(post.pk)
        if (taught.most_common(1)[0][0] if taught else first) != level:
            continue
        total = sum(taught.values()) if taught else None
        context = _context(rows, level, post=post, person=post.person, records=rows.records_of(post.person_id), own=total)
        yield {**_told("staff", rows, context, {"SO_TIET_THUC_DAY_TUAN": lambda c: c.own}), "_id": post.pk, "_uid": post.uid}


def _one_each(posts: list[Post]) -> list[Post]:
    """Return the last post of each person: a change of position within the year is one record."""
    last: dict[int, Post] = {}
    for post in posts:
        known = last.get(post.person_id)
        if known is None or known.valid.lower <= post.valid.lower:
            last[post.person_id] = post
    return list(last.values())


def learners(rows: SchoolRows, level: str) -> Iterator[Values]:
    """Yield the learners of a level, in the order of their classes and names."""
    for place in rows.placements:
        if _level(rows, place.class_group) == level:
            told = _told("learner", rows, _of_place(rows, level, place))
            yield {**told, "_id": place.learner_id, "_uid": place.learner.uid}


def _of_place(rows: SchoolRows, level: str, place: Placement) -> Context:
    kin = {tie.relation: tie.guardian for tie in reversed(rows.guardians.get(place.learner_id, []))}
    return _context(
        rows, level, group=place.class_group, person=place.learner, placement=place, kin=kin, records=rows.records_of(place.learner_id)
    )


def results(rows: SchoolRows, level: str) -> Iterator[Values]:
    """Yield the results of a level: each learner's terms, then the year."""
    groups = {group.pk: group for group in rows.classes}
    for result in rows.results:
        group = groups.get(result.class_group_id)
        if group is not None and _level(rows, group) == level:
            beside = [one for one in rows.records_of(result.learner_id).get("result_extra", []) if one.body.get("HOC_KY") == TERMS[Term(result.term)]]
            context = _context(rows, level, group=group, person=result.learner, records={"result_extra": beside}, own=result)
            yield {**_told("result", rows, context, _RESULT), "_id": result.pk, "_uid": result.learner.uid}


def _is_year(c: Context) -> bool:
    return bool(c.own.term == Term.YEAR)


def _is_primary(c: Context) -> bool:
    return c.level == Level.PRIMARY


def _promoted(c: Context) -> bool | None:
    return {"len_lop": True, "o_lai_lop": False}.get(c.own.promotion) if _is_year(c) else None


_RESULT: dict[str, Teller] = {
    "TRUONG_ID": lambda c: c.unit.code, "TRUNG_TAM_ID": lambda c: c.unit.code, "MA_KHOI": lambda c: telling.grade_code(c.group.grade),
    "MA_LOP": lambda c: class_code(c.group), "HOC_SINH_ID": lambda c: c.person.code, "HOC_VIEN_ID": lambda c: c.person.code,
    "HO_TEN": lambda c: c.person.name, "NGAY_SINH": lambda c: telling.born(c.person), "HOC_KY": lambda c: TERMS[Term(c.own.term)],
    "MA_HOC_LUC": lambda c: c.own.learning if _is_primary(c) else LEVELS_OF_RESULT.get(c.own.learning, c.own.learning),
    "MA_HANH_KIEM": lambda c: None if _is_primary(c) else LEVELS_OF_RESULT.get(c.own.conduct, c.own.conduct),
    "MA_DANH_HIEU": lambda c: (PRIMARY_AWARDS if _is_primary(c) else AWARDS).get(c.own.award),
    "SO_NGAY_NGHI": lambda c: c.own.absences_excused + c.own.absences_unexcused, "NHAN_XET": lambda c: c.own.comment,
    "IS_LEN_LOP": _promoted, "IS_REN_LUYEN_LAI": lambda c: c.own.promotion == "ren_luyen_he" if _is_year(c) and not _is_primary(c) else None,
    "DIEM_MONS": lambda c: [_mark(subject, told, _is_year(c)) for subject, told in sorted(c.own.subjects.items())],
    "IS_HOAN_THANH_CHUONG_TRINH_TIEU_HOC": lambda c: _promoted(c) if _is_primary(c) and c.group.grade == 5 else None,
}  # fmt: skip


def _mark(subject: str, told: dict[str, Any], is_year: bool) -> Values:
    """Return a subject with its mark; a subject assessed by comment, or a level, has no mark to send."""
    if told.get("kind") in ("level", "level_and_test"):
        found = told.get("test")
    else:
        found = told.get("year") if is_year and "year" in told else told.get("result")
    return {"MA_MON_HOC": subject, "DIEM": f"{found // 10}.{found % 10}" if isinstance(found, int) else None}


def of_learners(kind: str) -> Callable[[SchoolRows, str], Iterator[Values]]:
    """Return how the records of a kind that learners have leave as a table: with school, class and person."""

    def records(rows: SchoolRows, level: str) -> Iterator[Values]:
        homes = catalogue.homes_of(kind, rows.extensions)
        for place in rows.placements:
            if _level(rows, place.class_group) != level:
                continue
            for record in rows.records_of(place.learner_id).get(kind, []):
                told = telling.record_values(annex.kinds()[kind], homes, record, _of_place(rows, level, place))
                yield {**told, "_id": record.pk, "_uid": place.learner.uid}

    return records


def of_school(kind: str) -> Callable[[SchoolRows, str], Iterator[Values]]:
    """Return how the records of a kind a school has leave as a table."""

    def records(rows: SchoolRows, level: str) -> Iterator[Values]:
        homes = catalogue.homes_of(kind, rows.extensions)
        for record in reversed(rows.records.get(kind, [])):
            yield {**telling.record_values(annex.kinds()[kind], homes, record, _context(rows, level)), "_id": record.pk, "_uid": rows.unit.uid}

    return records


def eqms(name: str) -> Callable[[SchoolRows, str], Iterator[Values]]:
    """Return how an EQMS report leaves: one record with its lists; classes by site are counted, not typed."""

    def report(rows: SchoolRows, level: str) -> Iterator[Values]:
        told = _told(name, rows, _context(rows, level, records=rows.records), {"TRUONG_ID": _code, "TRƯƠNG_ID": _code})
        if name == "eqms_start" and (counted := site_classes(rows)):
            told["DN_DTRLOPHSS"] = counted
        if any(isinstance(value, list) for value in told.values()):
            yield {**told, "_id": rows.unit.pk, "_uid": rows.unit.uid}

    return report


def _code(c: Context) -> str:
    return str(c.unit.code)


def site_classes(rows: SchoolRows) -> list[Values]:
    """Count classes and learners of grades 1 to 5 by site (EQMSDN.2.4); a class without a site is at the school itself."""
    names = {str(one.body.get("DIEM_TRUONG_ID", "")): one.body.get("TEN") for one in rows.records.get("site", [])}
    present: dict[int, list[Person]] = defaultdict(list)
    for place in rows.placements:
        if place.valid.upper is None or place.valid.upper > rows.day:
            present[place.class_group_id].append(place.learner)
    counts: dict[str, Counter[str]] = {}
    for group in rows.classes:
        if 1 <= group.grade <= 5:
            site = str(group.facts.get("DIEM_TRUONG_ID") or rows.unit.code)
            told = counts.setdefault(site, Counter())
            is_multi = group.facts.get("IS_LOP_GHEP") is True
            told["LOP_GHEP"] += is_multi
            told.update(_count(f"LOP{group.grade}", present[group.pk], is_multi))
    return [
        {"DIEM_TRUONG_ID": site, "TEN_DIEM_TRUONG": names.get(site) or (rows.unit.name[:50] if site == rows.unit.code else None), **told}
        for site, told in sorted(counts.items())
    ]


def _count(head: str, people: list[Person], is_multi: bool) -> Counter[str]:
    minority = [one for one in people if one.ethnic_group not in ("", "01", "55", "56")]
    return Counter({
        f"{head}_SO_LOP": 1, f"{head}_HS_TONG_SO": len(people), f"{head}_TRONG_TONG_SO_NU": sum(one.sex == "2" for one in people),
        f"{head}_TRONG_TONG_SO_DAN_TOC": len(minority), f"{head}_TRONG_TONG_SO_NU_DAN_TOC": sum(one.sex == "2" for one in minority),
        f"{head}_TRONG_TONG_SO_LOP_GHEP": len(people) if is_multi else 0,
        f"{head}_TRONG_TONG_SO_KHUYET_TAT": sum(bool(one.facts.get("MA_LOAI_KHUYET_TAT")) for one in people),
    })  # fmt: skip


def nothing(rows: SchoolRows, level: str) -> Iterator[Values]:
    """Yield nothing."""
    yield from ()


RECORDS: dict[str, Callable[[SchoolRows, str], Iterator[Values]]] = {
    "school": school, "other_centre": other_centre, "community_centre": community_centre, "class": classes, "staff": staff,
    "learner": learners, "result": results, "retest": of_learners("retest"), "graduation": of_learners("graduation"),
    "independent_candidate": of_school("independent_candidate"), "land": of_school("land"), "room": of_school("room"),
    "eqms_start": eqms("eqms_start"), "eqms_mid": eqms("eqms_mid"), "eqms_end": eqms("eqms_end"),
}  # fmt: skip
KEYS = {
    "school": ("TRUONG_ID",), "other_centre": ("TRUNG_TAM_ID",), "community_centre": ("TRUNG_TAM_ID",), "class": ("TRUONG_ID", "MA"),
    "staff": ("TRUONG_ID", "GIAO_VIEN_ID"), "learner": ("TRUONG_ID", "HOC_SINH_ID"), "result": ("TRUONG_ID", "MA_LOP", "HOC_SINH_ID", "HOC_KY"),
    "retest": ("TRUONG_ID", "HOC_SINH_ID", "_id"), "graduation": ("TRUONG_ID", "HOC_SINH_ID", "_id"), "independent_candidate": ("TRUNG_TAM_ID", "_id"),
    "land": ("DON_VI_ID", "_id"), "room": ("DON_VI_ID", "_id"), "eqms_start": ("TRUONG_ID",), "eqms_mid": ("TRƯƠNG_ID",), "eqms_end": ("TRUONG_ID",),
}  # fmt: skip
"""The symbols that name a record: no two records of a file have them alike. Tables without a key of their own go by their row."""
