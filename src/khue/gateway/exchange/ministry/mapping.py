"""From our rows to the symbols of QĐ 4998. What our columns do not hold comes from the row's `facts`, keyed by symbol.

A column always wins over a fact of the same symbol: what is entered in one place is not kept in two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from khue.gateway.exchange.ministry.reading import SchoolRows, subjects_of
from khue.register.fields.checking import Partial
from khue.register.orgs.models import Level, level_of_grade
from khue.register.people import numbers
from khue.register.people.models import Kinship, Person, Precision
from khue.register.schooling.models import Closed, Opened, Placement
from khue.register.staff.models import Position, Post
from khue.school.gradebook.models import Result, Term

LEVEL_CODES = {Level.PRIMARY: "02", Level.LOWER_SECONDARY: "03", Level.UPPER_SECONDARY: "04"}
STAFF_GROUPS = {Position.PRINCIPAL: "manager", Position.VICE_PRINCIPAL: "manager", Position.TEACHER: "teacher"}
STAFF_POSITIONS = {
    Position.PRINCIPAL: "principal", Position.VICE_PRINCIPAL: "vice_principal", Position.TEACHER: "teacher", Position.CLERK: "clerk",
    Position.ACCOUNTANT: "accountant", Position.NURSE: "school_nurse", Position.LIBRARIAN: "librarian",
}  # fmt: skip
LEVELS_OF_RESULT = {"tot": "1", "kha": "2", "dat": "3", "chua_dat": "4"}
AWARDS = {"hoc_sinh_xuat_sac": "xuat_sac", "hoc_sinh_gioi": "gioi"}
PRIMARY_AWARDS = {"hoc_sinh_xuat_sac": "hoan_thanh_xuat_sac", "hoc_sinh_tieu_bieu": "tieu_bieu"}
TERMS = {Term.FIRST: "1", Term.SECOND: "2", Term.YEAR: "0"}
"""Our reading of HOC_KY, one character: 1 and 2 are the terms, 0 the whole year."""
LEFT = {
    Closed.TRANSFER: "transferred_out", Closed.DROPOUT: "dropped_out", Closed.LEAVE: "on_leave",
    Closed.COMPLETED: "completed_level", Closed.DIED: "deceased",
}  # fmt: skip

Values = dict[str, Any]
LastKey = tuple[str, int | None, int | None]


def born(person: Person) -> date | Partial | None:
    """Return a birth date, or as much of it as is known."""
    if person.born_on is None or person.born_precision == Precision.DAY:
        return person.born_on
    return Partial(person.born_on.isoformat()[: 7 if person.born_precision == Precision.MONTH else 4])


def number_of(person: Person) -> str:
    """Return the personal number, decrypted for the file that the law asks for; empty where it is not known."""
    return numbers.decrypt(bytes(person.personal_number)) if person.personal_number else ""


def class_code(name: str, code: str) -> str:
    """Return the class's code; its name where the school gave none: a name is used once in a school and year."""
    return code or name


def grade_code(grade: int) -> str:
    """Return a grade as the list writes it: 07."""
    return f"{grade:02d}"


def school(rows: SchoolRows, level: str) -> Iterator[Values]:
    """Yield the school's record at a level."""
    unit, head = rows.unit, rows.head
    yield {
        **unit.facts,
        "TRUONG_ID": unit.code, "TEN": unit.name, "MA_NHOM_CAP_HOC": LEVEL_CODES[Level(level)],
        "TINH_THANH_ID": rows.province_code, "XA_PHUONG_ID": unit.commune_code,
        "DIA_CHI": unit.address or unit.facts.get("DIA_CHI"),
        "HIEU_TRUONG": head.person.name if head else unit.facts.get("HIEU_TRUONG"),
        "DIEN_THOAI_HIEU_TRUONG": head.person.phone if head else unit.facts.get("DIEN_THOAI_HIEU_TRUONG"),
        "EMAIL_HIEU_TRUONG": head.person.email if head else unit.facts.get("EMAIL_HIEU_TRUONG"),
        "_id": unit.pk, "_uid": unit.uid,
    }  # fmt: skip


def classes(rows: SchoolRows, level: str) -> Iterator[Values]:
    """Yield the classes of a level."""
    order = 0
    for group in rows.classes:
        if level_of_grade(group.grade) != level:
            continue
        order += 1
        yield {
            "THU_TU": order, **group.facts,
            "TRUONG_ID": rows.unit.code, "MA": class_code(group.name, group.code), "TEN": group.name,
            "MA_KHOI": grade_code(group.grade), "GIAO_VIEN_ID": group.homeroom.person.code if group.homeroom else None,
            "MON_HOCS": subjects_of(rows, group), "_id": group.pk, "_uid": group.uid,
        }  # fmt: skip


def staff(rows: SchoolRows, level: str) -> Iterator[Values]:
    """Yield the posts counted at a level: where most of the periods are taught, else the school's first level."""
    periods = rows.periods_by_level()
    first = next((one for one in rows.unit.levels if one in LEVEL_CODES), level)
    for post in _one_each(rows.posts):
        taught = periods.get(post.pk)
        at = taught.most_common(1)[0][0] if taught else first
        if at == level:
            yield _staff(rows, post, sum(taught.values()) if taught else None)


def _one_each(posts: list[Post]) -> list[Post]:
    """Return the last post of each person: a change of position within the year is one record."""
    last: dict[int, Post] = {}
    for post in posts:
        known = last.get(post.person_id)
        if known is None or known.valid.lower <= post.valid.lower:
            last[post.person_id] = post
    return list(last.values())


def _staff(rows: SchoolRows, post: Post, periods: int | None) -> Values:
    person = post.person
    works = post.valid.upper is None or post.valid.upper > rows.day
    return {
        **person.facts, **post.facts,
        "TRUONG_ID": rows.unit.code, "GIAO_VIEN_ID": person.code, "MA": person.code, "HO_TEN": person.name, "NGAY_SINH": born(person),
        "MA_GIOI_TINH": person.sex, "SO_CMTND": number_of(person) or post.facts.get("SO_CMTND"), "EMAIL": person.email,
        "DI_DONG": person.phone, "MA_DAN_TOC": person.ethnic_group, "XA_PHUONG_ID": person.commune_code,
        "TINH_THANH_ID": rows.communes.get(person.commune_code),
        "MA_TRANG_THAI_CAN_BO": "working" if works else post.facts.get("MA_TRANG_THAI_CAN_BO", "transferred"),
        "MA_NHOM_CAN_BO": STAFF_GROUPS.get(Position(post.position), "employee"),
        "MA_LOAI_CAN_BO": STAFF_POSITIONS.get(Position(post.position)) or post.facts.get("MA_LOAI_CAN_BO"),
        "MA_HINH_THUC_HOP_DONG": post.contract_kind or post.facts.get("MA_HINH_THUC_HOP_DONG"),
        "MA_MON_DAY": post.subject_code or post.facts.get("MA_MON_DAY"),
        "SO_TIET_THUC_DAY_TUAN": periods if periods is not None else post.facts.get("SO_TIET_THUC_DAY_TUAN"),
        "_id": post.pk, "_uid": post.uid,
    }  # fmt: skip


def learners(rows: SchoolRows, level: str) -> Iterator[Values]:
    """Yield the learners of a level, in the order of their classes and names."""
    order = 0
    for place in rows.placements:
        if level_of_grade(place.class_group.grade) == level:
            order += 1
            yield _learner(rows, place)


def state_of(place: Placement, day: date) -> str:
    """Return the learner's state on the day (list pupil_status)."""
    if place.valid.upper is not None and place.valid.upper <= day and place.closed in LEFT:
        return LEFT[Closed(place.closed)]
    if place.opened == Opened.TRANSFER:
        return "transferred_in"
    return "repeating" if place.opened == Opened.REPETITION else "studying"


def _learner(rows: SchoolRows, place: Placement) -> Values:
    person, group = place.learner, place.class_group
    kin = {tie.relation: tie for tie in reversed(rows.guardians.get(person.pk, []))}
    phone = person.phone or next((tie.guardian.phone for tie in kin.values() if tie.guardian.phone), "")
    values = {
        **person.facts,
        "TRUONG_ID": rows.unit.code, "MA_KHOI": grade_code(group.grade), "MA_LOP": class_code(group.name, group.code),
        "HOC_SINH_ID": person.code, "MA": person.code, "HO_TEN": person.name, "NGAY_SINH": born(person), "MA_GIOI_TINH": person.sex,
        "MA_TRANG_THAI_HIEN_TAI": state_of(place, rows.day), "DIEN_THOAI_LIEN_HE": phone, "MA_DAN_TOC": person.ethnic_group,
        "XA_PHUONG_ID": person.commune_code, "TINH_THANH_ID": rows.communes.get(person.commune_code),
        "NOI_SINH": person.birth_place or person.facts.get("NOI_SINH"), "QUOC_TICH_ID": person.nationality,
        "MA_CONG_DAN_ID": number_of(person), "THU_TU": place.roll_number, "_id": person.pk, "_uid": person.uid,
    }  # fmt: skip
    for relation, name, year in _KIN:
        tie = kin.get(relation)
        if tie is not None:
            values[name] = tie.guardian.name
            if tie.guardian.born_on is not None:
                values[year] = tie.guardian.born_on.year
    if place.opened == Opened.REPETITION:
        values["IS_LUU_BAN_NAM_TRUOC"] = True
    return values


_KIN = (
    (Kinship.Relation.FATHER, "TEN_CHA", "NAM_SINH_CHA"),
    (Kinship.Relation.MOTHER, "TEN_ME", "NAM_SINH_ME"),
    (Kinship.Relation.GUARDIAN, "TEN_NGUOI_DD", "NAM_SINH_NGUOI_DO_DAU"),
)


def results(rows: SchoolRows, level: str) -> Iterator[Values]:
    """Yield the results of a level: each learner's terms, then the year."""
    groups = {group.pk: group for group in rows.classes}
    for result in rows.results:
        group = groups.get(result.class_group_id)
        if group is not None and level_of_grade(group.grade) == level:
            yield _result(rows, result, class_code(group.name, group.code), group.grade, level)


def _result(rows: SchoolRows, result: Result, code: str, grade: int, level: str) -> Values:
    primary, person = level == Level.PRIMARY, result.learner
    is_year = result.term == Term.YEAR
    promoted = {"len_lop": True, "o_lai_lop": False}.get(result.promotion) if is_year else None
    values = {
        "TRUONG_ID": rows.unit.code, "MA_KHOI": grade_code(grade), "MA_LOP": code, "HOC_SINH_ID": person.code, "HO_TEN": person.name,
        "NGAY_SINH": born(person), "HOC_KY": TERMS[Term(result.term)],
        "MA_HOC_LUC": result.learning if primary else LEVELS_OF_RESULT.get(result.learning, result.learning),
        "MA_HANH_KIEM": None if primary else LEVELS_OF_RESULT.get(result.conduct, result.conduct),
        "MA_DANH_HIEU": (PRIMARY_AWARDS if primary else AWARDS).get(result.award),
        "SO_NGAY_NGHI": result.absences_excused + result.absences_unexcused, "NHAN_XET": result.comment,
        "IS_LEN_LOP": promoted, "IS_REN_LUYEN_LAI": result.promotion == "ren_luyen_he" if is_year and not primary else None,
        "DIEM_MONS": [_mark(subject, told, is_year) for subject, told in sorted(result.subjects.items())],
        "_id": result.pk, "_uid": person.uid,
    }  # fmt: skip
    if primary and is_year and grade == 5:
        values["IS_HOAN_THANH_CHUONG_TRINH_TIEU_HOC"] = promoted
    return values


def _mark(subject: str, told: dict[str, Any], is_year: bool) -> Values:
    """Return a subject with its mark; a subject assessed by comment, or a level, has no mark to send."""
    if told.get("kind") in ("level", "level_and_test"):
        found = told.get("test")
    else:
        found = told.get("year") if is_year and "year" in told else told.get("result")
    return {"MA_MON_HOC": subject, "DIEM": f"{found // 10}.{found % 10}" if isinstance(found, int) else None}


def nothing(rows: SchoolRows, level: str) -> Iterator[Values]:
    """Yield nothing."""
    yield from ()


RECORDS: dict[str, Callable[[SchoolRows, str], Iterator[Values]]] = {
    "school": school, "class": classes, "staff": staff, "learner": learners, "result": results,
}  # fmt: skip
KEYS = {"school": ("TRUONG_ID",), "class": ("TRUONG_ID", "MA"), "staff": ("TRUONG_ID", "GIAO_VIEN_ID"), "learner": ("TRUONG_ID", "HOC_SINH_ID"),
        "result": ("TRUONG_ID", "MA_LOP", "HOC_SINH_ID", "HOC_KY")}  # fmt: skip
"""The symbols that name a record: no two records of a file have them alike."""
