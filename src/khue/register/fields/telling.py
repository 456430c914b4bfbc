"""Telling the value of a field through its home: from a column, from the facts of a row, from the records of a thing.

A column whose value is not told as it is (a grade as its code, a position as its list's word) has a teller here; higher apps
give tellers for the columns they own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from khue.kernel.homes import Home
from khue.register.fields import annex
from khue.register.fields.checking import Partial
from khue.register.orgs.models import Level
from khue.register.people import numbers
from khue.register.people.models import Kinship, Precision
from khue.register.schooling.models import Closed, Opened
from khue.register.staff.models import Position

LEVEL_CODES = {Level.PRESCHOOL: "01", Level.PRIMARY: "02", Level.LOWER_SECONDARY: "03", Level.UPPER_SECONDARY: "04", Level.CONTINUING: "05"}
STAFF_GROUPS = {Position.PRINCIPAL: "manager", Position.VICE_PRINCIPAL: "manager", Position.TEACHER: "teacher"}
STAFF_POSITIONS = {
    Position.PRINCIPAL: "principal", Position.VICE_PRINCIPAL: "vice_principal", Position.TEACHER: "teacher", Position.CLERK: "clerk",
    Position.ACCOUNTANT: "accountant", Position.NURSE: "school_nurse", Position.LIBRARIAN: "librarian",
}  # fmt: skip
LEFT = {
    Closed.TRANSFER: "transferred_out", Closed.DROPOUT: "dropped_out", Closed.LEAVE: "on_leave",
    Closed.COMPLETED: "completed_level", Closed.DIED: "deceased",
}  # fmt: skip
PRESCHOOL_GRADES = {-5: "NT1", -4: "NT2", -3: "NT3", -2: "MG3", -1: "MG4", 0: "MG5"}
"""The six groups of preschool as `ClassGroup.grade` counts them, by code of the list of grades (K)."""


@dataclass(slots=True)
class Context:
    """What is at hand when the fields of one thing are told; what a thing does not have is None.

    records   living records by kind, the latest first; each has `body`
    kin       guardian by relation: `name`, `phone`, `born_on`
    head      the principal's person
    """

    day: date
    level: str = ""
    unit: Any = None
    group: Any = None
    post: Any = None
    person: Any = None
    placement: Any = None
    head: Any = None
    kin: Mapping[str, Any] = field(default_factory=dict)
    records: Mapping[str, list[Any]] = field(default_factory=dict)
    province_code: str = ""
    department_code: str = ""
    communes: Mapping[str, str] = field(default_factory=dict)
    own: Any = None
    """What a higher app needs to tell the columns it owns."""

    def row(self, model: str) -> Any:
        """Return the row of a model that holds values by symbol."""
        return {"orgs.Unit": self.unit, "schooling.ClassGroup": self.group, "staff.Post": self.post, "people.Person": self.person}[model]


Teller = Callable[[Context], Any]


def born(person: Any) -> date | Partial | None:
    """Return a birth date, or as much of it as is known."""
    if person is None:
        return None
    if person.born_on is None or person.born_precision == Precision.DAY:
        return person.born_on
    return Partial(person.born_on.isoformat()[: 7 if person.born_precision == Precision.MONTH else 4])


def number_of(person: Any) -> str:
    """Return the personal number, decrypted for what the law asks for; empty where it is not known."""
    return numbers.decrypt(bytes(person.personal_number)) if person.personal_number else ""


def class_code(group: Any) -> str:
    """Return the class's code; its name where the school gave none: a name is used once in a school and year."""
    return group.code or group.name


def grade_code(grade: int) -> str:
    """Return a grade as the list writes it: 07, MG5."""
    return PRESCHOOL_GRADES.get(grade) or f"{grade:02d}"


def state_of(place: Any, day: date) -> str:
    """Return the learner's state on the day (list pupil_status)."""
    if place.valid.upper is not None and place.valid.upper <= day and place.closed in LEFT:
        return LEFT[Closed(place.closed)]
    if place.opened == Opened.TRANSFER:
        return "transferred_in"
    return "repeating" if place.opened == Opened.REPETITION else "studying"


def _staff_state(c: Context) -> str | None:
    works = c.post.valid.upper is None or c.post.valid.upper > c.day
    return c.post.facts.get("MA_TRANG_THAI_CAN_BO") or ("working" if works else "transferred")


def _phone(c: Context) -> str:
    return c.person.phone or next((tie.phone for tie in c.kin.values() if tie.phone), "")


def _kin_year(relation: str) -> Teller:
    def year(c: Context) -> int | None:
        tie = c.kin.get(relation)
        return tie.born_on.year if tie is not None and tie.born_on is not None else None

    return year


def _kin_name(relation: str) -> Teller:
    return lambda c: c.kin[relation].name if relation in c.kin else None


def _homeroom(c: Context) -> str | None:
    return c.group.homeroom.person.code if c.group.homeroom else None


_PERSON: dict[str, Teller] = {
    "HO_TEN": lambda c: c.person and c.person.name, "NGAY_SINH": lambda c: born(c.person),
    "MA_GIOI_TINH": lambda c: c.person.sex, "MA_DAN_TOC": lambda c: c.person.ethnic_group, "XA_PHUONG_ID": lambda c: c.person.commune_code,
    "TINH_THANH_ID": lambda c: c.communes.get(c.person.commune_code), "QUOC_TICH_ID": lambda c: c.person.nationality,
}  # fmt: skip
_FAMILY = (
    (Kinship.Relation.FATHER, "TEN_CHA", "NAM_SINH_CHA"), (Kinship.Relation.MOTHER, "TEN_ME", "NAM_SINH_ME"),
    (Kinship.Relation.GUARDIAN, "TEN_NGUOI_DD", "NAM_SINH_NGUOI_DO_DAU"),
)  # fmt: skip


def _code(c: Context) -> str | None:
    return c.person.code if c.person is not None else None


def _school(c: Context) -> str:
    return c.unit.code


def _grade(c: Context) -> str | None:
    return grade_code(c.group.grade) if c.group is not None else None


def _class(c: Context) -> str | None:
    return class_code(c.group) if c.group is not None else None


TELLERS: dict[str, dict[str, Teller]] = {
    "school": {
        "TRUONG_ID": _school, "TRUNG_TAM_ID": _school, "TEN": lambda c: c.unit.name, "MA_NHOM_CAP_HOC": lambda c: LEVEL_CODES.get(Level(c.level)),
        "TINH_THANH_ID": lambda c: c.province_code, "XA_PHUONG_ID": lambda c: c.unit.commune_code, "DIA_CHI": lambda c: c.unit.address,
        **{symbol: (lambda c: c.head and c.head.name) for symbol in ("HIEU_TRUONG", "GIAM_DOC")},
        **{symbol: (lambda c: c.head and c.head.phone) for symbol in ("DIEN_THOAI_HIEU_TRUONG", "DIEN_THOAI_GIAM_DOC")},
        **{symbol: (lambda c: c.head and c.head.email) for symbol in ("EMAIL_HIEU_TRUONG", "EMAIL_GIAM_DOC")},
    },
    "class": {
        "TRUONG_ID": _school, "TRUNG_TAM_ID": _school, "MA": _class, "TEN": lambda c: c.group.name, "MA_KHOI": _grade,
        "GIAO_VIEN_ID": _homeroom, "GIAO_VIEN_CN_ID": _homeroom,
    },
    "staff": {
        **_PERSON, "TRUONG_ID": _school, "TRUNG_TAM_ID": _school, "MA": _code, "GIAO_VIEN_ID": _code,
        "SO_CMTND": lambda c: number_of(c.person), "EMAIL": lambda c: c.person.email, "DI_DONG": lambda c: c.person.phone,
        "MA_TRANG_THAI_CAN_BO": _staff_state, "MA_NHOM_CAN_BO": lambda c: STAFF_GROUPS.get(Position(c.post.position), "employee"),
        "MA_LOAI_CAN_BO": lambda c: STAFF_POSITIONS.get(Position(c.post.position)) or c.post.facts.get("MA_LOAI_CAN_BO"),
        "MA_HINH_THUC_HOP_DONG": lambda c: c.post.contract_kind, "MA_MON_DAY": lambda c: c.post.subject_code,
    },
    "learner": {
        **_PERSON, "TRUONG_ID": _school, "TRUNG_TAM_ID": _school, "MA": _code, "HOC_SINH_ID": _code, "HOC_VIEN_ID": _code,
        "MA_KHOI": _grade, "MA_LOP": _class, "MA_CONG_DAN_ID": lambda c: number_of(c.person), "NOI_SINH": lambda c: c.person.birth_place,
        "DIEN_THOAI_LIEN_HE": _phone, "MA_TRANG_THAI_HIEN_TAI": lambda c: state_of(c.placement, c.day) if c.placement else None,
        "THU_TU": lambda c: c.placement.roll_number if c.placement else None,
        "IS_LUU_BAN_NAM_TRUOC": lambda c: True if c.placement and c.placement.opened == Opened.REPETITION else None,
        "IS_TUYEN_MOI_MN": lambda c: True if c.placement and c.placement.opened == Opened.ENTRY else None,
        **{name: _kin_name(relation) for relation, name, _year in _FAMILY}, **{year: _kin_year(relation) for relation, _name, year in _FAMILY},
    },
}  # fmt: skip
"""By object and symbol, how a column of this layer is told."""
_BESIDE: dict[str, Teller] = {
    "TRUONG_ID": _school, "TRUNG_TAM_ID": _school, "TRƯƠNG_ID": _school, "DON_VI_ID": _school, "SO_ID": lambda c: c.department_code,
    "HOC_SINH_ID": _code, "HOC_VIEN_ID": _code, "HO_TEN": lambda c: c.person and c.person.name, "MA_KHOI": _grade, "MA_LOP": _class,
}  # fmt: skip
"""How a record tells what it does not hold itself: its school, its person, its class."""


def values(object_: str, homes: Mapping[str, Home], context: Context, *, tellers: Mapping[str, Teller] = {}) -> dict[str, Any]:
    """Return the value of every field of an object that its home holds; fields whose owner gives no teller are left out."""
    known = {**TELLERS.get(object_, {}), **tellers}
    told: dict[str, Any] = {}
    for symbol, home in homes.items():
        if symbol in known:
            value = known[symbol](context)
        elif home.column == "facts":
            value = context.row(home.model).facts.get(symbol)
        elif home.column == "body":
            value = _recorded(home, context)
        else:
            continue
        if value is not None and value != "" and value != []:
            told[symbol] = value
    return told


def _recorded(home: Home, context: Context) -> Any:
    if home.via == "list":
        return [row.body for kind in annex.kinds_filling(home.symbol) for row in reversed(context.records.get(kind.code, []))]
    return next((row.body[home.symbol] for row in context.records.get(home.via, []) if row.body.get(home.symbol) not in (None, "")), None)


def record_values(kind: annex.Kind, homes: Mapping[str, Home], record: Any, context: Context) -> dict[str, Any]:
    """Return the fields of one record of a table that leaves as a file: its body, and whose it is."""
    told = {symbol: _BESIDE[symbol](context) for symbol, home in homes.items() if not home.is_keyed and symbol in _BESIDE}
    told |= {symbol: value for symbol, value in record.body.items() if symbol in homes}
    return {symbol: value for symbol, value in told.items() if value is not None and value != ""}
