"""One Vietnamese and one English text a reason code, and the names of every result.

A placeholder says what it prints: `{got:mark}` a mark in tenths (8,3 in Vietnamese), `{got:point}` one
of whole points (8), `{subject:subject}` a
subject's name, `{quality:quality}` a quality's or competence's, `{level:level}` the name of a result code,
`{needed:letter}` a primary letter; a bare one prints a whole number.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any, Literal

from regulations.core import Outcome, Reason, UnknownValue

Language = Literal["vi", "en"]

TEXTS: Mapping[str, tuple[str, str]] = {
    # Every secondary circular
    "subject-year-average": (
        "Môn {subject:subject}: học kì I {term1:mark}, học kì II {term2:mark} (tính hệ số 2), cả năm {year:mark}.",
        "{subject:subject}: {term1:mark} in term I, {term2:mark} in term II (which counts twice), {year:mark} for "
        "the year.",
    ),
    "comment-subject-year": (
        "Môn {subject:subject}: học kì I {term1:level}, học kì II {term2:level}; cả năm lấy theo học kì II: "
        "{level:level}.",
        "{subject:subject}: {term1:level} in term I, {term2:level} in term II; the year follows term II: "
        "{level:level}.",
    ),
    # TT 22/2021, TT 43/2021
    "learning-conditions-met": (
        "Đạt điều kiện mức {level:level}: có {count} môn từ {threshold:mark} trở lên (cần {needed} môn) và "
        "không môn nào dưới {minimum:mark}.",
        "Meets the conditions of {level:level}: {count} subjects at {threshold:mark} or more ({needed} needed) and "
        "none below {minimum:mark}.",
    ),
    "subject-below": (
        "Môn {subject:subject} được {got:mark}; mức {level:level} cần mọi môn từ {needed:mark} trở lên.",
        "{subject:subject} has {got:mark}; {level:level} asks every subject for {needed:mark} or more.",
    ),
    "too-few-subjects-reach": (
        "Chỉ có {count} môn từ {threshold:mark} trở lên; mức {level:level} cần ít nhất {needed} môn.",
        "Only {count} subjects reach {threshold:mark}; {level:level} needs at least {needed}.",
    ),
    "comment-subject-not-passed": (
        "Môn {subject:subject} (đánh giá bằng nhận xét) Chưa đạt; mức {level:level} cho phép nhiều nhất {most} môn "
        "Chưa đạt.",
        "{subject:subject} (assessed by comment) was not passed; {level:level} allows at most {most} such subjects.",
    ),
    "raised-one-level": (
        "Chỉ vì một môn {subject:subject} mà từ mức {without:level} xuống mức {base:level}, nên được điều chỉnh lên "
        "mức liền trên: {level:level}.",
        "{subject:subject} alone brought {without:level} down to {base:level}, so the result is raised to the next "
        "level: {level:level}.",
    ),
    "conduct-of-year": (
        "Rèn luyện học kì I {term1:level}, học kì II {term2:level}: cả năm {level:level}.",
        "Conduct {term1:level} in term I and {term2:level} in term II: {level:level} for the year.",
    ),
    "award-conduct-below": (
        "Danh hiệu cần kết quả rèn luyện cả năm mức {needed:level}; em được mức {got:level}.",
        "The title needs {needed:level} conduct for the year; it is {got:level}.",
    ),
    "award-learning-below": (
        "Danh hiệu cần kết quả học tập cả năm mức {needed:level}; em được mức {got:level}.",
        "The title needs a learning result of {needed:level} for the year; it is {got:level}.",
    ),
    "award-good": (
        "Rèn luyện và học tập cả năm đều mức Tốt; có {count} môn từ {threshold:mark} trở lên, danh hiệu Xuất sắc cần "
        "{needed} môn.",
        "Conduct and learning are both Good; {count} subjects reach {threshold:mark}, and Excellent needs {needed}.",
    ),
    "award-excellent": (
        "Rèn luyện và học tập cả năm đều mức Tốt và có {count} môn từ {threshold:mark} trở lên (cần {needed} môn).",
        "Conduct and learning are both Good and {count} subjects reach {threshold:mark} ({needed} needed).",
    ),
    "too-many-absences": (
        "Nghỉ {got} buổi trong năm học; không được nghỉ quá {most} buổi, có phép hay không phép.",
        "{got} sessions missed in the year; at most {most} are allowed, with or without leave.",
    ),
    "promotion-conditions-met": (
        "Rèn luyện cả năm mức {conduct:level}, học tập cả năm mức {learning:level}, nghỉ {absences} buổi (không quá "
        "{most} buổi).",
        "Conduct {conduct:level}, learning {learning:level} and {absences} sessions missed (at most {most}).",
    ),
    "both-not-passed": (
        "Cả rèn luyện và học tập cả năm đều {level:level} nên không được kiểm tra, đánh giá lại.",
        "Both conduct and learning are {level:level}, so there is no re-assessment.",
    ),
    "retest-needed": (
        "Học tập cả năm chưa đạt: được kiểm tra, đánh giá lại trong kì nghỉ hè các môn chưa đạt.",
        "The year's learning is not passed: the failed subjects may be re-assessed in the summer.",
    ),
    "retest-failed": (
        "Sau kiểm tra, đánh giá lại, kết quả học tập vẫn ở mức {level:level}.",
        "After re-assessment the learning result is still {level:level}.",
    ),
    "retest-passed": (
        "Sau kiểm tra, đánh giá lại, kết quả học tập được mức {level:level}.",
        "After re-assessment the learning result is {level:level}.",
    ),
    "summer-training-needed": (
        "Rèn luyện cả năm chưa đạt: phải rèn luyện trong kì nghỉ hè.",
        "The year's conduct is not passed: training in the summer is needed.",
    ),
    "summer-training-failed": (
        "Sau rèn luyện trong kì nghỉ hè, kết quả rèn luyện vẫn ở mức {level:level}.",
        "After the summer training conduct is still {level:level}.",
    ),
    "summer-training-passed": (
        "Sau rèn luyện trong kì nghỉ hè, kết quả rèn luyện được mức {level:level}.",
        "After the summer training conduct is {level:level}.",
    ),
    "principal-decides": (
        "Hiệu trưởng xem xét, quyết định việc lên lớp.",
        "The principal considers the case and decides.",
    ),
    "principal-decided": (
        "Hiệu trưởng đã quyết định: {decision:level}.",
        "The principal has decided: {decision:level}.",
    ),
    # TT 58/2011, TT 26/2020
    "rank-conditions-met": (
        "Điểm trung bình các môn {average:mark}, đủ điều kiện xếp loại {level:level}.",
        "An overall average of {average:mark} meets the conditions of {level:level}.",
    ),
    "average-below": (
        "Điểm trung bình các môn {got:mark}; loại {level:level} cần từ {needed:mark} trở lên.",
        "The overall average is {got:mark}; {level:level} needs {needed:mark} or more.",
    ),
    "no-core-subject-reaches": (
        "Không có môn chủ chốt (Toán, Ngữ văn và, từ năm học 2020-2021, Ngoại ngữ) nào từ {needed:mark} trở lên; "
        "loại {level:level} cần ít nhất một môn.",
        "No core subject (mathematics, literature and, from 2020-21, foreign language) reaches {needed:mark}; "
        "{level:level} needs one.",
    ),
    "specialised-subject-below": (
        "Môn chuyên {subject:subject} được {got:mark}; loại {level:level} cần từ {needed:mark} trở lên.",
        "The specialised subject {subject:subject} has {got:mark}; {level:level} needs {needed:mark} or more.",
    ),
    "rank-adjusted": (
        "Chỉ vì một môn {subject:subject} mà từ loại {without:level} xuống loại {base:level}, nên được điều chỉnh "
        "xếp loại {level:level}.",
        "{subject:subject} alone brought {without:level} down to {base:level}, so the rank is adjusted to "
        "{level:level}.",
    ),
    "rank-fall-not-listed": (
        "Vì một môn {subject:subject} mà từ loại {without:level} xuống loại {base:level}; quy chế không quy định điều "
        "chỉnh cho trường hợp này, nhà trường cần xem xét.",
        "{subject:subject} alone brought {without:level} down to {base:level}; the regulation lists no adjustment "
        "for this fall, and the school should look at it.",
    ),
    "rank-too-low": (
        "Học lực cả năm loại {got:level} nên không được kiểm tra lại.",
        "A rank of {got:level} for the year is not open to a retest.",
    ),
    "award-conditions-met": (
        "Hạnh kiểm {conduct:level} và học lực {learning:level} đủ điều kiện danh hiệu.",
        "Conduct {conduct:level} and learning {learning:level} meet the conditions of the title.",
    ),
    "promotion-conditions-met-learning": (
        "Học lực cả năm {learning:level}, nghỉ {absences} buổi (không quá {most} buổi).",
        "Learning {learning:level} and {absences} sessions missed (at most {most}).",
    ),
    "conduct-set-by-person": (
        "Hạnh kiểm cả năm do giáo viên chủ nhiệm đánh giá: {level:level}.",
        "Conduct of the year as the homeroom teacher rated it: {level:level}.",
    ),
    "conduct-not-rated": (
        "Học viên tự học không xếp loại hạnh kiểm.",
        "The conduct of a learner who studies alone is not rated.",
    ),
    # TT 27/2020 and the primary circulars before it
    "year-conditions-met": (
        "Mọi môn học, phẩm chất, năng lực đều đạt yêu cầu của mức {level:level} và bài kiểm tra cuối năm nào cũng từ "
        "{tests_from:point} trở lên.",
        "Every subject, quality and competence meets {level:level} and every test of the year's end has "
        "{tests_from:point} or more.",
    ),
    "subject-level-below": (
        "Môn {subject:subject} được đánh giá mức {got:letter}; {level:level} cần mức {needed:letter}.",
        "{subject:subject} was assessed {got:letter}; {level:level} needs {needed:letter}.",
    ),
    "quality-below": (
        "{quality:quality} được đánh giá mức {got:quality_letter}; {level:level} cần mức {needed:quality_letter}.",
        "{quality:quality} was assessed {got:quality_letter}; {level:level} needs {needed:quality_letter}.",
    ),
    "test-below": (
        "Bài kiểm tra cuối năm môn {subject:subject} được {got:point} điểm; {level:level} cần từ {needed:point} điểm.",
        "The test of {subject:subject} at the year's end has {got:point}; {level:level} needs {needed:point} or more.",
    ),
    "class-completed": (
        "Đã hoàn thành chương trình lớp học (kết quả cả năm: {level:level}).",
        "The class programme is completed (result of the year: {level:level}).",
    ),
    "more-help-needed": (
        "Kết quả cả năm là {level:level}: giáo viên hướng dẫn, giúp đỡ rồi đánh giá bổ sung.",
        "The year's result is {level:level}: the teacher guides and helps, then assesses again.",
    ),
    "completed-after-help": (
        "Sau khi được hướng dẫn, giúp đỡ và đánh giá bổ sung, kết quả là {level:level}.",
        "After guidance, help and a new assessment the result is {level:level}.",
    ),
    "award-year-level": (
        "Kết quả giáo dục cả năm: {level:level}, đủ điều kiện danh hiệu.",
        "The year's result is {level:level} and the conditions of the title are met.",
    ),
    "award-level-below": (
        "Danh hiệu cần kết quả cả năm từ {needed:level}; em được {got:level}.",
        "The title needs {needed:level} or better for the year; it is {got:level}.",
    ),
    "award-needs-outstanding-or-progress": (
        "Chưa có thành tích xuất sắc về ít nhất một môn học hoặc tiến bộ rõ rệt ở ít nhất một phẩm chất, năng lực.",
        "Neither outstanding in a subject nor clearly improved in a quality or competence.",
    ),
    "programme-conditions-met": (
        "Mọi môn học, năng lực, phẩm chất và bài kiểm tra cuối năm (từ {tests_from:point} điểm) đều đạt yêu cầu.",
        "Every subject, competence, quality and test of the year's end ({tests_from:point} or more) is sufficient.",
    ),
    "award-all-excellent": (
        "Mọi môn Hoàn thành tốt, mọi năng lực, phẩm chất mức Tốt và bài kiểm tra cuối năm nào cũng từ "
        "{tests_from:point} điểm.",
        "Every subject completed well, every competence and quality good, every test of the year's end "
        "{tests_from:point} or more.",
    ),
    "award-outstanding-achievement": (
        "Có thành tích vượt trội về ít nhất một môn học hoặc một năng lực, phẩm chất.",
        "An outstanding achievement in at least one subject, competence or quality.",
    ),
    "award-nothing-outstanding": (
        "Chưa hoàn thành xuất sắc mọi nội dung và chưa có thành tích vượt trội được ghi nhận.",
        "Neither excellent in everything nor an outstanding achievement on record.",
    ),
    "award-needs-recognition": (
        "Chưa được tập thể lớp công nhận.",
        "Not yet recognised by the class.",
    ),
}

LABELS: Mapping[str, tuple[str, str]] = {
    "tot": ("Tốt", "Good"),
    "kha": ("Khá", "Fair"),
    "dat": ("Đạt", "Pass"),
    "chua_dat": ("Chưa đạt", "Not passed"),
    "trung_binh": ("Trung bình", "Average"),
    "yeu": ("Yếu", "Weak"),
    "kem": ("Kém", "Poor"),
    "gioi": ("Giỏi", "Very good"),
    "khong_xep_loai": ("Không xếp loại", "Not rated"),
    "len_lop": ("Lên lớp", "Promoted"),
    "o_lai_lop": ("Ở lại lớp", "Repeats the class"),
    "kiem_tra_lai": ("Kiểm tra, đánh giá lại trong hè", "Re-assessed in the summer"),
    "ren_luyen_he": ("Rèn luyện trong hè", "Trains in the summer"),
    "hieu_truong_quyet_dinh": ("Chờ hiệu trưởng quyết định", "The principal decides"),
    "danh_gia_bo_sung": ("Hướng dẫn, giúp đỡ và đánh giá bổ sung", "Helped and assessed again"),
    "hoc_sinh_xuat_sac": ("Học sinh Xuất sắc", "Excellent learner"),
    "hoc_sinh_gioi": ("Học sinh Giỏi", "Good learner"),
    "hoc_sinh_tieu_bieu": (
        "Học sinh Tiêu biểu hoàn thành tốt trong học tập và rèn luyện",
        "Exemplary pupil in learning and conduct",
    ),
    "hoc_sinh_tien_tien": ("Học sinh tiên tiến", "Progressive learner"),
    "hoan_thanh_xuat_sac_noi_dung": (
        "Hoàn thành xuất sắc các nội dung học tập và rèn luyện",
        "Completed all learning and training excellently",
    ),
    "thanh_tich_vuot_troi": ("Có thành tích vượt trội", "Outstanding achievement"),
    "khong": ("Không có danh hiệu", "No title"),
    "hoan_thanh_xuat_sac": ("Hoàn thành xuất sắc", "Completed excellently"),
    "hoan_thanh_tot": ("Hoàn thành tốt", "Completed well"),
    "hoan_thanh": ("Hoàn thành", "Completed"),
    "chua_hoan_thanh": ("Chưa hoàn thành", "Not completed"),
}
"""Names of result codes, in Vietnamese as the circular prints them."""

SUBJECT_LETTERS: Mapping[str, tuple[str, str]] = {
    "T": ("Hoàn thành tốt", "Completed well"),
    "H": ("Hoàn thành", "Completed"),
    "C": ("Chưa hoàn thành", "Not completed"),
    "HTT": ("Hoàn thành tốt", "Completed well"),
    "HT": ("Hoàn thành", "Completed"),
    "CHT": ("Chưa hoàn thành", "Not completed"),
}
QUALITY_LETTERS: Mapping[str, tuple[str, str]] = {
    "T": ("Tốt", "Good"),
    "Đ": ("Đạt", "Pass"),
    "C": ("Cần cố gắng", "Needs effort"),
    "CĐ": ("Chưa đạt", "Not passed"),
}
LANGUAGES: tuple[Language, ...] = ("vi", "en")


def label(code: str, language: Language = "vi") -> str:
    """Return the name of a result code: "kha" is "Khá". Raises UnknownValue for a code without a name."""
    return _named(LABELS, code, language)


def show_mark(value: int, language: Language = "vi") -> str:
    """Return a mark in tenths as people write it: 83 is "8,3" in Vietnamese, "8.3" in English."""
    point = "," if language == "vi" else "."
    return f"{value // 10}{point}{value % 10}"


def explain(reason: Reason, language: Language = "vi", *, names: Mapping[str, str] | None = None) -> str:
    """Return the sentence of a reason for a parent.

    names   what a school calls its subjects by code; others get the name of the curriculum, or the code

    Raises UnknownValue for a code or language without a text.
    """
    if reason.code not in TEXTS:
        raise UnknownValue(f"no text for reason {reason.code!r}", name="reason", got=reason.code)
    sentence = TEXTS[reason.code][_index(language)]
    return _Sentence(language, names or {}).vformat(sentence, (), reason.facts)


def explain_all(
    outcome: Outcome, language: Language = "vi", *, names: Mapping[str, str] | None = None
) -> tuple[tuple[str, str], ...]:
    """Return each reason's sentence with its place of law, in order: (sentence, "điểm b khoản 2 Điều 9 …")."""
    return tuple(
        (explain(reason, language, names=names), reason.citation.text if reason.citation else "")
        for reason in outcome.because
    )


class _Sentence(Formatter):
    def __init__(self, language: Language, names: Mapping[str, str]) -> None:
        self.language = language
        self.names = names

    def format_field(self, value: Any, format_spec: str) -> str:
        match format_spec:
            case "mark":
                return show_mark(value, self.language)
            case "point":
                return str(value // 10)
            case "level":
                return label(value, self.language)
            case "letter":
                return _named(SUBJECT_LETTERS, value, self.language)
            case "quality_letter":
                return _named(QUALITY_LETTERS, value, self.language)
            case "subject" | "quality":
                return self.names.get(value) or _curriculum_name(format_spec, value, self.language)
            case _:
                return str(super().format_field(value, format_spec))


def _curriculum_name(kind: str, code: str, language: Language) -> str:
    from regulations import curriculum

    find = curriculum.find_subject if kind == "subject" else curriculum.find_quality
    found = find(code)
    if found is None:
        return code
    return found.name_vi if language == "vi" else found.name_en


def _named(table: Mapping[str, tuple[str, str]], code: str, language: Language) -> str:
    if code not in table:
        raise UnknownValue(f"no name for {code!r}", name="code", got=code)
    return table[code][_index(language)]


def _index(language: str) -> int:
    if language not in LANGUAGES:
        raise UnknownValue(f"no texts in {language!r}", name="language", got=language)
    return LANGUAGES.index(language)
