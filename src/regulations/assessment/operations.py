"""The operations of published cases: from their words and decimal strings to the rules and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from regulations.assessment import (
    qd_02_2007,
    tt_22_2016,
    tt_22_2021,
    tt_26_2020,
    tt_27_2020,
    tt_30_2014,
    tt_43_2021,
    tt_52_2020,
    tt_58_2011,
    who_2006,
)
from regulations.assessment.base import NO_AWARD, NotDefined, Programme, RuleSet, SubjectResult, TermMarks
from regulations.core import RuleError, Tenths, UnknownValue, read_scaled, show_scaled

Input = dict[str, Any]
Operation = Callable[[Input, str], object]
Operations = dict[tuple[str | None, str], Operation]

NEW_LEVELS = {"Tốt": "tot", "Khá": "kha", "Đạt": "dat", "Chưa đạt": "chua_dat"}
PASSES = {"Đạt": "dat", "Chưa đạt": "chua_dat", "Đ": "dat", "CĐ": "chua_dat"}
RANKS = {"G": "gioi", "K": "kha", "Tb": "trung_binh", "Y": "yeu", "Kém": "kem"}
RANK_NAMES = {"Giỏi": "gioi", "Khá": "kha", "Trung bình": "trung_binh", "Yếu": "yeu", **RANKS}
CONDUCT = {"Tốt": "tot", "Khá": "kha", "Tb": "trung_binh", "Trung bình": "trung_binh", "Yếu": "yeu"}
YEAR_LEVELS = {
    "Hoàn thành xuất sắc": "hoan_thanh_xuat_sac",
    "Hoàn thành tốt": "hoan_thanh_tot",
    "Hoàn thành": "hoan_thanh",
    "Chưa hoàn thành": "chua_hoan_thanh",
}
PERIODS = {"giữa HKI": "giua_hk1", "cuối HKI": "cuoi_hk1", "giữa HKII": "giua_hk2", "cuối năm": "cuoi_nam"}
TESTED = {
    "tieng_viet": "Tiếng Việt",
    "toan": "Toán",
    "ngoai_ngu_1": "Ngoại ngữ 1",
    "ngoai_ngu": "Ngoại ngữ",
    "lich_su_dia_li": "Lịch sử và Địa lí",
    "khoa_hoc": "Khoa học",
    "tin_hoc_cong_nghe": "Tin học và Công nghệ",
    "tin_hoc": "Tin học",
    "tieng_dan_toc": "Tiếng dân tộc",
}
GROUPS = {
    "3-12 tháng": "NT1",
    "13-24 tháng": "NT2",
    "25-36 tháng": "NT3",
    "3-4 tuổi": "MG3",
    "4-5 tuổi": "MG4",
    "5-6 tuổi": "MG5",
}
GROWTH = {
    "nhe_can_do_1": "nhẹ cân độ 1 (vừa)",
    "nhe_can_do_2": "nhẹ cân độ 2 (nặng)",
    "thap_coi_do_1": "thấp còi độ 1 (vừa)",
    "thap_coi_do_2": "thấp còi độ 2 (nặng)",
    "gay_com_do_1": "gầy còm độ 1 (vừa)",
    "gay_com_do_2": "gầy còm độ 2 (nặng)",
    "binh_thuong": "bình thường",
    "thua_can": "thừa cân",
    "beo_phi": "béo phì",
    "can_nang_cao_hon_tuoi": "cân nặng cao hơn tuổi",
}
NEW_PROMOTION = {
    "len_lop": "Lên lớp",
    "o_lai_lop": "Ở lại lớp",
    "kiem_tra_lai": "Kiểm tra, đánh giá lại trong hè",
    "ren_luyen_he": "Rèn luyện trong hè",
    "hieu_truong_quyet_dinh": "Hiệu trưởng quyết định",
    "danh_gia_bo_sung": "Đánh giá bổ sung",
}
OLD_PROMOTION = {**NEW_PROMOTION, "kiem_tra_lai": "Kiểm tra lại"}
AWARDS = {
    "hoc_sinh_xuat_sac": "Học sinh Xuất sắc",
    "hoc_sinh_gioi": "Học sinh Giỏi",
    "hoc_sinh_tieu_bieu": "Học sinh Tiêu biểu hoàn thành tốt trong học tập và rèn luyện",
    "hoan_thanh_xuat_sac_noi_dung": "Hoàn thành xuất sắc các nội dung học tập và rèn luyện",
    "thanh_tich_vuot_troi": "Có thành tích vượt trội",
    NO_AWARD: None,
}
OLD_AWARDS = {**AWARDS, "hoc_sinh_gioi": "Học sinh giỏi", "hoc_sinh_tien_tien": "Học sinh tiên tiến"}
LEVEL_OF_SCHOOL: Mapping[str, tuple[str, Programme]] = {
    "primary": ("primary", "general"),
    "secondary": ("secondary", "general"),
    "lower_secondary": ("secondary", "general"),
    "upper_secondary": ("secondary", "general"),
    "gdtx": ("secondary", "continuing"),
    "continuing": ("secondary", "continuing"),
}


def code(words: Mapping[str, str], word: Any, *, name: str) -> str:
    """Return the code of a word of a case; a code itself is taken too. Raises UnknownValue for another."""
    if word in words:
        return words[word]
    if word in words.values():
        return str(word)
    raise UnknownValue(f"{name} is not one of {', '.join(words)}: {word!r}", name=name, got=word)


def maybe(words: Mapping[str, str], word: Any, *, name: str) -> str | None:
    """Return the code of a word, None for None."""
    return None if word is None else code(words, word, name=name)


def word_of(words: Mapping[str, str], value: str) -> str:
    """Return the word of a code, the first that has it."""
    return next(word for word, one in words.items() if one == value)


def mark(value: Any, *, name: str = "mark") -> Tenths:
    """Return a mark in tenths from "8.3"."""
    return read_scaled(value, 1, name=name)


def maybe_mark(value: Any, *, name: str) -> Tenths | None:
    """Return a mark in tenths from "8.3", None for None."""
    return None if value is None else mark(value, name=name)


def marks(values: Sequence[Any], *, name: str = "marks") -> tuple[Tenths, ...]:
    """Return marks in tenths from a list."""
    return tuple(mark(value, name=name) for value in values)


def named(values: Mapping[str, Any] | Sequence[Any] | None) -> dict[str, Any]:
    """Return an object as it is, a list with a number a name."""
    if isinstance(values, Mapping):
        return dict(values)
    return {f"{number:02d}": value for number, value in enumerate(values or (), start=1)}


def named_marks(values: Mapping[str, Any] | Sequence[Any] | None) -> dict[str, Tenths]:
    """Return marks in tenths by name."""
    return {name: mark(value, name=name) for name, value in named(values).items()}


def passes(values: Mapping[str, Any] | Sequence[Any] | None) -> dict[str, str]:
    """Return results of comment subjects by name."""
    return {name: code(PASSES, value, name=name) for name, value in named(values).items()}


def new_rules(rules: tt_22_2021.Circular22) -> dict[str, Operation]:
    """Return the operations of Circular 22/2021 and of those that follow it."""

    def learning(given: Input) -> dict[str, Any]:
        settings: dict[str, Any] = {"reading": given.get("adjustment_reading") or "strict"}
        if "adjust_for_comment" in given:
            settings["adjust_for_comment"] = given["adjust_for_comment"]
        return settings

    def term_average(given: Input, rule_set: str) -> object:
        topics = marks(given.get("topic_scores") or (), name="topic_scores")
        average = rules.subject_term_average(
            regular=marks(given["regular"], name="regular") + topics,
            midterm=maybe_mark(given.get("midterm"), name="midterm"),
            final=maybe_mark(given.get("final"), name="final"),
        )
        return show_scaled(average, 1)

    def level(given: Input, rule_set: str) -> object:
        outcome = rules.learning_level(
            scored=named_marks(given["scored"]),
            comments=passes(given.get("comment")),
            min_count=given.get("min_count"),
            **learning(given),
        )
        return {
            "base": word_of(NEW_LEVELS, outcome.base),
            "final": word_of(NEW_LEVELS, outcome.level),
            "adjusted": outcome.adjusted,
        }

    def comment_term(given: Input, rule_set: str) -> object:
        settings = {"required_regular": given["required_regular"]} if "required_regular" in given else {}
        result = rules.comment_subject_term(
            regular=[code(PASSES, one, name="regular") for one in given["regular"]],
            midterm=maybe(PASSES, given.get("midterm"), name="midterm"),
            final=maybe(PASSES, given.get("final"), name="final"),
            **settings,
        )
        return word_of(PASSES, result)

    def award(given: Input, rule_set: str) -> object:
        outcome = rules.award(
            conduct=code(NEW_LEVELS, given["conduct"], name="conduct"),
            learning=code(NEW_LEVELS, given["learning"], name="learning"),
            scored=named_marks(given.get("scored_year")),
        )
        return AWARDS[outcome.level]

    def promotion(given: Input, rule_set: str) -> object:
        outcome = rules.promotion(
            conduct=code(NEW_LEVELS, given["conduct_year"], name="conduct_year"),
            learning=code(NEW_LEVELS, given["learning_year"], name="learning_year"),
            absences=given["absences"],
            learning_after_retest=maybe(NEW_LEVELS, given.get("learning_after_retest"), name="after_retest"),
            conduct_after_summer=maybe(NEW_LEVELS, given.get("conduct_after_summer"), name="after_summer"),
        )
        return NEW_PROMOTION[outcome.level]

    def pipeline(given: Input, rule_set: str) -> object:
        results = rules.year_results(
            subjects=_subjects(rules, given),
            conduct1=code(NEW_LEVELS, given["conduct1"], name="conduct1"),
            conduct2=code(NEW_LEVELS, given["conduct2"], name="conduct2"),
            absences=given["absences"],
            conduct_after_summer=maybe(NEW_LEVELS, given.get("conduct_after_summer"), name="after_summer"),
            **learning(given),
        )
        return {
            "term1": _shown(given, results.term1.averages),
            "term2": _shown(given, results.term2.averages),
            "year": _shown(given, results.averages),
            "learning_term1": word_of(NEW_LEVELS, results.term1.learning.level),
            "learning_term2": word_of(NEW_LEVELS, results.term2.learning.level),
            "learning_year": word_of(NEW_LEVELS, results.learning.level),
            "conduct_year": word_of(NEW_LEVELS, results.conduct.level),
            "award": AWARDS[results.award.level],
            "promotion": NEW_PROMOTION[results.promotion.level],
        }

    def conduct(given: Input, rule_set: str) -> object:
        terms = {name: code(NEW_LEVELS, given[name], name=name) for name in ("term1", "term2")}
        return word_of(NEW_LEVELS, rules.conduct_year(**terms).level)

    return {
        "required_regular_marks": _cited(
            rules.required_regular_marks,
            lambda given, _: rules.required_regular_marks(periods_per_year=given["periods_per_year"]),
        ),
        "subject_term_average": _cited(rules.subject_term_average, term_average),
        "subject_year_average": _year_average(rules),
        "comment_subject_term": _cited(rules.comment_subject_term, comment_term),
        "comment_subject_year": _comment_year(rules, "Đạt", "Chưa đạt"),
        "learning_level": _cited(rules.learning_level, level),
        "conduct_year": _cited(rules.conduct_year, conduct),
        "year_award": _cited(rules.award, award),
        "award": _cited(rules.award, award),
        "promotion": _cited(rules.promotion, promotion),
        "retestable_subjects": _retestable(rules),
        "year_pipeline": _cited(rules.year_results, pipeline),
    }


def old_rules(rules: tt_58_2011.Circular58) -> dict[str, Operation]:
    """Return the operations of Circular 58/2011 and of those that follow it."""

    def term_average(given: Input, rule_set: str) -> object:
        values: dict[str, Any] = {
            "regular": marks(given["regular"], name="regular"),
            "final": maybe_mark(given.get("final"), name="final"),
        }
        if isinstance(rules, tt_26_2020.Circular58As26):
            values["midterm"] = maybe_mark(given.get("midterm"), name="midterm")
        else:
            values["periodic"] = marks(given["periodic"], name="periodic")
        return show_scaled(rules.subject_term_average(**values), 1)

    def level(given: Input, rule_set: str) -> object:
        outcome = rules.learning_level(
            scored=named_marks(given["scored"]),
            comments=passes(given.get("comment")),
            core_subjects=given.get("core_subjects"),
            specialised_subject=given.get("specialised_subject"),
        )
        return {
            "average": show_scaled(outcome.average or 0, 1),
            "base": word_of(RANKS, outcome.base),
            "final": word_of(RANKS, outcome.level),
            "adjusted": outcome.adjusted,
        }

    def comment_term(given: Input, rule_set: str) -> object:
        result = rules.comment_subject_term(
            tests=[code(PASSES, one, name="tests") for one in given["tests"]],
            final=maybe(PASSES, given.get("final"), name="final"),
            required_total=given["required_total"],
        )
        return {"dat": "Đ", "chua_dat": "CĐ"}[result]

    def award(given: Input, rule_set: str) -> object:
        outcome = rules.award(
            conduct=code(CONDUCT, given["conduct"], name="conduct"),
            learning=code(RANK_NAMES, given["learning"], name="learning"),
        )
        return OLD_AWARDS[outcome.level]

    def promotion(given: Input, rule_set: str) -> object:
        outcome = rules.promotion(
            conduct=maybe(CONDUCT, given.get("conduct_year"), name="conduct_year"),
            learning=code(RANK_NAMES, given["learning_year"], name="learning_year"),
            absences=given["absences"],
            learning_after_retest=maybe(RANK_NAMES, given.get("learning_after_retest"), name="after_retest"),
            conduct_after_summer=maybe(CONDUCT, given.get("conduct_after_summer"), name="after_summer"),
        )
        return OLD_PROMOTION[outcome.level]

    operations = {
        "subject_term_average": _cited(rules.subject_term_average, term_average),
        "subject_year_average": _year_average(rules),
        "comment_subject_term": _cited(rules.comment_subject_term, comment_term),
        "comment_subject_year": _comment_year(rules, "Đ", "CĐ"),
        "learning_level": _cited(rules.learning_level, level),
        "year_award": _cited(rules.award, award),
        "award": _cited(rules.award, award),
        "promotion": _cited(rules.promotion, promotion),
        "retestable_subjects": _retestable(rules),
    }
    if isinstance(rules, tt_26_2020.Circular58As26):
        amended = rules
        operations["required_regular_marks"] = _cited(
            amended.required_regular_marks,
            lambda given, _: amended.required_regular_marks(periods_per_year=given["periods_per_year"]),
        )
    else:
        operations["required_regular_marks"] = _cited(
            rules.required_regular_tests,
            lambda given, _: rules.required_regular_tests(
                periods_per_week=Fraction(str(given["periods_per_week"]))
            ),
        )
    return operations


def primary_rules(rules: tt_27_2020.Circular27 | tt_30_2014.Circular30) -> dict[str, Operation]:
    """Return the operations of the primary circulars."""

    def results(given: Input) -> dict[str, Any]:
        return {
            "subjects": given["subjects"],
            "qualities": given["qualities_competencies"],
            "final_tests": named_marks(given.get("final_tests")),
        }

    def tested(given: Input, rule_set: str) -> object:
        period = code(PERIODS, given["period"], name="period")
        codes = rules.subjects_with_periodic_test(grade=given["grade"], period=period)
        return sorted(TESTED[one] for one in codes)

    def valid(given: Input, rule_set: str) -> object:
        try:
            return rules.is_valid_test_mark(mark(given["mark"]))
        except RuleError:
            return False

    def completed(given: Input, rule_set: str) -> object:
        return rules.class_programme_completed(**results(given)).level == "hoan_thanh"

    def promotion(given: Input, rule_set: str) -> object:
        outcome = rules.promotion(
            level=code(YEAR_LEVELS, given["level"], name="level"),
            level_after_help=maybe(YEAR_LEVELS, given.get("level_after_help"), name="level_after_help"),
        )
        return NEW_PROMOTION[outcome.level]

    operations = {
        "subjects_with_periodic_test": _cited(rules.subjects_with_periodic_test, tested),
        "valid_test_mark": _cited(rules.is_valid_test_mark, valid),
        "class_programme_completed": _cited(rules.class_programme_completed, completed),
        "promotion": _cited(rules.promotion, promotion),
    }
    if isinstance(rules, tt_27_2020.Circular27):
        newest = rules

        def year_award(given: Input, rule_set: str) -> object:
            outcome = newest.award(
                level=code(YEAR_LEVELS, given["level"], name="level"),
                is_outstanding_in_a_subject=given.get("outstanding_in_a_subject", False),
                has_clear_progress=given.get("clear_progress_in_a_quality_or_competency", False),
                is_recognised_by_class=given.get("recognised_by_class", False),
            )
            return AWARDS[outcome.level]

        operations["year_level"] = _cited(
            newest.year_level,
            lambda given, _: word_of(YEAR_LEVELS, newest.year_level(**results(given)).level),
        )
        operations["year_award"] = operations["award"] = _cited(newest.award, year_award)
    elif isinstance(rules, tt_22_2016.Circular30As22):
        amended = rules

        def commendation(given: Input, rule_set: str) -> object:
            outcome = amended.award(
                **results(given),
                has_outstanding_achievement=given.get("outstanding_achievement", False),
            )
            return AWARDS[outcome.level]

        operations["year_award"] = operations["award"] = _cited(amended.award, commendation)
    return operations


def preschool_rules() -> Operations:
    """Return the operations of preschool."""
    sizes, growth = tt_52_2020.RULES, who_2006.RULES

    def size(given: Input, rule_set: str) -> object:
        return sizes.max_group_size(
            group=code(GROUPS, given["group"], name="group"),
            disabled_children=given.get("disabled_children", 0),
            is_independent=given.get("independent", False),
            is_mixed=given.get("mixed", False),
        )

    def growth_class(given: Input, rule_set: str) -> object:
        found = growth.growth_class(
            indicator=given["indicator"],
            z=read_scaled(given["z"], 2, name="z"),
            age_months=given.get("age_months"),
        )
        return GROWTH[found]

    return {
        (sizes.id, "max_group_size"): _cited(sizes.max_group_size, size),
        ("preschool.who", "growth_class"): _cited(growth.growth_class, growth_class),
    }


def resolve(given: Input, rule_set: str) -> object:
    """Return the id of the rule set of a level, grade and school year."""
    from regulations import assessment

    level, programme = LEVEL_OF_SCHOOL.get(given["level"], (None, "general"))
    if level is None:
        raise UnknownValue(f"no level {given['level']!r}", name="level", got=given["level"])
    rules = assessment.rules_for(
        grade=given["grade"],
        year=given["school_year_start"],
        programme=given.get("programme", programme),
    )
    if rules.level != level:
        raise UnknownValue(f"grade {given['grade']} is not {level}", name="grade", got=given["grade"])
    return rules.id


def operations() -> Operations:
    """Return every operation of assessment by rule set and name."""
    found: Operations = {("meta", "resolve_rule_set"): resolve, **preschool_rules()}
    families: list[tuple[RuleSet, dict[str, Operation]]] = [
        *((rules, new_rules(rules)) for rules in (tt_22_2021.RULES, tt_43_2021.RULES)),
        *((rules, old_rules(rules)) for rules in (tt_58_2011.RULES, tt_26_2020.RULES, qd_02_2007.RULES)),
        *((rules, primary_rules(rules)) for rules in (tt_27_2020.RULES, tt_22_2016.RULES, tt_30_2014.RULES)),
    ]
    for rules, named_operations in families:
        found.update({(rules.id, name): operation for name, operation in named_operations.items()})
    return found


def _cited(rule: Callable[..., Any], operation: Operation) -> Operation:
    """Return the operation with the place of law of the rule it calls."""
    operation.citation = rule.citation  # type: ignore[attr-defined]
    return operation


def _year_average(rules: tt_22_2021.Circular22 | tt_58_2011.Circular58) -> Operation:
    def operation(given: Input, rule_set: str) -> object:
        average = rules.subject_year_average(
            term1=maybe_mark(given.get("term1"), name="term1"),
            term2=maybe_mark(given.get("term2"), name="term2"),
        )
        return show_scaled(average, 1)

    return _cited(rules.subject_year_average, operation)


def _comment_year(
    rules: tt_22_2021.Circular22 | tt_58_2011.Circular58, passed: str, failed: str
) -> Operation:
    def operation(given: Input, rule_set: str) -> object:
        terms = {name: maybe(PASSES, given.get(name), name=name) for name in ("term1", "term2")}
        return {"dat": passed, "chua_dat": failed}[rules.comment_subject_year(**terms)]

    return _cited(rules.comment_subject_year, operation)


def _retestable(rules: tt_22_2021.Circular22 | tt_58_2011.Circular58) -> Operation:
    def operation(given: Input, rule_set: str) -> object:
        score, comment = rules.retestable_subjects(
            scored=named_marks(given.get("scored_year")), comments=passes(given.get("comment_year"))
        )
        return {"score": list(score), "comment": list(comment)}

    return _cited(rules.retestable_subjects, operation)


def _subjects(rules: tt_22_2021.Circular22, given: Input) -> list[SubjectResult]:
    retests = given.get("retest") or {}
    subjects = []
    for name, terms in given["scored"].items():
        taken = [
            TermMarks(
                marks(terms[term]["regular"], name=name),
                maybe_mark(terms[term].get("midterm"), name=name),
                maybe_mark(terms[term].get("final"), name=name),
                marks(terms[term].get("topic_scores") or (), name=name),
            )
            for term in ("term1", "term2")
        ]
        again = maybe_mark(retests.get(name), name=name)
        subjects.append(rules.subject(name, term1=taken[0], term2=taken[1], retest=again))
    for name, terms in (given.get("comment") or {}).items():
        first, second = (maybe(PASSES, terms[term], name=name) for term in ("term1", "term2"))
        subjects.append(
            SubjectResult(name, "comment", first, second, retest=maybe(PASSES, retests.get(name), name=name))
        )
    exempt = set(given.get("exempt") or ())
    unknown = exempt - {one.code for one in subjects}
    if unknown:
        raise NotDefined(f"exempted from no subject: {', '.join(sorted(unknown))}", name="exempt")
    return [one for one in subjects if one.code not in exempt]


def _shown(given: Input, averages: Mapping[str, Tenths]) -> dict[str, str]:
    return {name: show_scaled(averages[name], 1) for name in given["scored"] if name in averages}


OPERATIONS = operations()
