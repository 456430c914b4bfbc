"""What schools call subjects: the programme's names, what each school said in its own files, usual short forms."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from khue.kernel import text
from khue.school.teaching.models import SubjectAlias
from regulations import curriculum
from regulations.core import RuleError

USUAL = {
    "toan": ("Toán học", "Toán"),
    "ngu_van": ("Văn", "Văn học", "Ngữ văn"),
    "tieng_viet": ("TV",),
    "ngoai_ngu_1": ("Ngoại ngữ", "Tiếng Anh", "Anh văn", "Anh", "NN", "NN1", "Tiếng Anh 1"),
    "ngoai_ngu_2": ("NN2",),
    "vat_li": ("Vật lý", "Lý", "Lí", "Vật lí"),
    "hoa_hoc": ("Hoá", "Hóa", "Hóa học"),
    "sinh_hoc": ("Sinh",),
    "lich_su": ("Sử",),
    "dia_li": ("Địa", "Địa lý"),
    "lich_su_dia_li": ("Sử Địa", "Lịch sử - Địa lí", "LS&ĐL", "LSĐL"),
    "khoa_hoc_tu_nhien": ("KHTN",),
    "giao_duc_cong_dan": ("GDCD", "Công dân"),
    "giao_duc_kinh_te_phap_luat": ("GDKTPL", "GDKT&PL", "KTPL", "Kinh tế và pháp luật", "Giáo dục KT và PL", "GDCD"),
    "giao_duc_the_chat": ("GDTC", "Thể dục", "TD"),
    "giao_duc_quoc_phong_an_ninh": ("GDQP", "GDQP-AN", "GDQPAN", "Quốc phòng", "GDQP&AN", "Giáo dục QP-AN"),
    "tin_hoc": ("Tin",),
    "cong_nghe": ("CN", "KTCN", "Kĩ thuật CN", "Kĩ thuật NN", "Công nghệ (CN)", "Công nghệ (NN)", "KTNN"),
    "nghe_thuat": ("Nghệ thuật", "Âm nhạc, Mĩ thuật"),
    "am_nhac": ("Nhạc",),
    "mi_thuat": ("Mỹ thuật", "MT"),
    "hoat_dong_trai_nghiem": ("HĐTN", "Trải nghiệm"),
    "hoat_dong_trai_nghiem_huong_nghiep": ("HĐTN-HN", "HĐTNHN", "HĐTN, HN", "HĐTN", "Hoạt động trải nghiệm hướng nghiệp", "Trải nghiệm hướng nghiệp"),
    "giao_duc_dia_phuong": ("GDĐP", "Giáo dục địa phương", "NDGDĐP", "Nội dung GDĐP"),
    "tu_nhien_xa_hoi": ("TNXH", "TN&XH", "Tự nhiên xã hội"),
    "tin_hoc_cong_nghe": ("TH-CN", "Tin học - Công nghệ"),
    "tieng_dan_toc": ("Tiếng dân tộc", "Tiếng Khmer"),
    "chuyen_de_hoc_tap": ("Chuyên đề", "Chuyên đề học tập"),
}  # fmt: skip
"""Short forms seen on timetables. One form may mean two subjects: the grade decides (GDCD in grades 6 to 9, KTPL after)."""


def plain(name: str) -> str:
    """Return a subject's name as it is compared: no marks, i for y, single spaces, no punctuation."""
    kept = "".join(c if c.isalnum() else " " for c in text.fold(text.clean(name)))
    return " ".join(kept.replace("y", "i").split())


@cache
def names_for(grade: int, school_year: int) -> Mapping[str, str]:
    """Return compared name to subject code for a grade in a school year; empty where no programme is known."""
    try:
        subjects = curriculum.subjects_for(grade, school_year)
    except RuleError:
        return {}
    found: dict[str, str] = {}
    for one in subjects:
        for alias in USUAL.get(one.code, ()):
            found.setdefault(plain(alias), one.code)
    for one in subjects:
        found[plain(one.name_vi.split("(")[0])] = one.code
        found[plain(one.name_vi)] = one.code
        found[plain(one.code)] = one.code
    return found


def aliases_of(school_id: int) -> dict[str, str]:
    """Return what this school, and every school (no school named), call subjects: compared name to code."""
    rows = SubjectAlias.objects.filter(school_id__in=[school_id]).order_by("id").values_list("alias", "subject_code")
    shared = SubjectAlias.objects.filter(school_id=None).order_by("id").values_list("alias", "subject_code")
    return {plain(alias): code for alias, code in (*shared, *rows)}


def resolve(name: str, *, grade: int, school_year: int, aliases: Mapping[str, str]) -> str | None:
    """Return the code of the subject a name means in a grade; the school's own words come first."""
    key = plain(name)
    offered = names_for(grade, school_year)
    said = aliases.get(key)
    if said is not None and (not offered or said in offered.values()):
        return said
    return offered.get(key)


def remember(school_id: int, alias: str, subject_code: str) -> None:
    """Keep what a school calls a subject."""
    SubjectAlias.objects.update_or_create(
        school_id=school_id, alias=text.clean(alias)[:120], defaults={"subject_code": subject_code}
    )


def title_of(code: str, *, grade: int | None = None) -> str:
    """Return the programme's name of a subject, or its code where the programme has none."""
    found = curriculum.find_subject(code, grade=grade)
    return found.name_vi if found else code
