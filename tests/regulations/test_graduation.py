"""The graduation exam: both sides of every boundary, in every regulation since 2015."""

import json
from datetime import date
from fractions import Fraction
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulations import graduation
from regulations.core import IncompleteMarks, NoRuleInForce, OutOfRange, UnknownValue, half_up
from regulations.graduation import Award, Candidate
from regulations.vectors import find_operation, load_operations

VECTORS = json.loads(files("regulations.graduation").joinpath("vectors/graduation.json").read_text("utf-8"))
OPERATIONS = load_operations()

now = graduation.rules_for(year=2025)
before = graduation.rules_for(year=2024)

scores = st.integers(0, 1000)
papers = st.lists(scores, min_size=4, max_size=4)
points = st.integers(0, 500)


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["id"])
def test_vectors(case):
    operation = find_operation(OPERATIONS, case["rule_set"], case["input"]["op"])
    assert operation(case["input"], case["rule_set"]) == case["expected"]


# the door


@pytest.mark.parametrize(
    "year, name",
    [
        (2015, "grad.tt02-2015"),
        (2018, "grad.tt02-2015"),
        (2019, "grad.tt03-2019"),
        (2020, "grad.tt15-2020"),
        (2024, "grad.tt15-2020"),
        (2025, "grad.tt24-2024"),
        (2030, "grad.tt24-2024"),
    ],
)
def test_the_year_of_the_exam_decides(year, name):
    assert name == graduation.rules_for(year=year).ID
    assert graduation.rule_set(name) is graduation.rules_for(year=year)
    assert sum(rules.governs(year=year) for rules in graduation.RULE_SETS) == 1


def test_no_regulation_before_2015():
    with pytest.raises(NoRuleInForce):
        graduation.rules_for(year=2014)
    with pytest.raises(UnknownValue):
        graduation.rule_set("grad.tt99-2099")


def test_the_format_of_papers_begins_in_2025():
    assert graduation.format_for(year=2025).INSTRUMENT == "764/QĐ-BGDĐT"
    with pytest.raises(NoRuleInForce):
        graduation.format_for(year=2024)


# averages


def test_class_average_refuses_what_it_cannot_average():
    assert now.class_average([61, 62, 62, 62]) == 618
    with pytest.raises(IncompleteMarks):
        now.class_average([])
    with pytest.raises(OutOfRange):
        now.class_average([101])
    with pytest.raises(OutOfRange):
        now.class_average(["80"])


def test_years_average_needs_all_three_grades():
    with pytest.raises(IncompleteMarks) as missing:
        now.years_average(grade10=700, grade11=None, grade12=700)
    assert str(missing.value.citation) == "24/2024/TT-BGDĐT#44"


# points


@pytest.mark.parametrize(
    "grounds, group, value",
    [
        ([], 1, 0),
        (["ethnic-minority"], 2, 25),
        (["ethnic-minority", "child-of-martyr"], 3, 50),
        (["invalid-under-81"], 2, 25),
        (["invalid-81"], 3, 50),
    ],
)
def test_only_the_highest_priority_group_counts(grounds, group, value):
    assert now.priority_group(grounds) == group
    assert now.priority_points(group) == value
    assert before.priority_points(group) == value


def test_unknown_priority_is_refused():
    with pytest.raises(UnknownValue):
        now.priority_group(["left-handed"])
    for rules in (now, before):
        with pytest.raises(UnknownValue):
            rules.priority_points(4)


@pytest.mark.parametrize(
    "level, rank, value",
    [
        ("national", 1, 200),
        ("national", 2, 200),
        ("national", 3, 200),
        ("national", 4, 150),
        ("provincial", 1, 200),
        ("provincial", 2, 150),
        ("provincial", 3, 100),
    ],
)
@pytest.mark.parametrize("kind", ["hsg", "contest"])
@pytest.mark.parametrize("rules", [now, before])
def test_points_of_prizes(rules, kind, level, rank, value):
    assert rules.bonus_points([Award(kind, level, rank)]) == value


@pytest.mark.parametrize("rank, value", [(1, 200), (2, 150), (3, 100)])
def test_points_of_diplomas(rank, value):
    assert now.bonus_points([Award("intermediate", rank=rank)]) == value
    assert before.bonus_points([Award("intermediate", rank=rank)]) == value
    assert before.bonus_points([Award("vocational", rank=rank)]) == value


def test_a_team_prize_counts_on_national_level_only():
    assert now.bonus_points([Award("contest", "national", 1, team=True)]) == 200
    assert now.bonus_points([Award("contest", "provincial", 1, team=True)]) == 0


def test_of_one_kind_the_best_counts_and_the_sum_is_capped():
    prizes = [Award("hsg", "provincial", 3), Award("hsg", "provincial", 2)]
    assert now.bonus_points(prizes) == 150
    assert now.bonus_points([*prizes, Award("contest", "provincial", 3)]) == 200
    three = [Award("hsg", "provincial", 1), Award("contest", "provincial", 1), Award("vocational", rank=3)]
    assert before.bonus_points(three[:2]) == 400
    assert before.bonus_points(three) == 400


def test_what_a_regulation_does_not_list_is_refused():
    with pytest.raises(UnknownValue):
        now.bonus_points([Award("vocational", rank=1)])
    with pytest.raises(UnknownValue):
        now.bonus_points([Award("hsg", "provincial", 4)])
    with pytest.raises(UnknownValue):
        before.bonus_points([Award("certificate-it")])
    for rules in (now, before):
        with pytest.raises(UnknownValue):
            rules.bonus_points([], stream="night")


def test_certificates_count_in_the_continuing_stream():
    both = [Award("certificate-it"), Award("certificate-language")]
    assert before.bonus_points(both, stream="GDTX") == 200
    assert now.bonus_points([], stream="GDTX") == 0


# recognition since 2025


def graduate(rules=now, **changes):
    given = {"papers": [500] * 4, "grade12": 500}
    if rules is now:
        given |= {"grade10": 500, "grade11": 500}
    return rules.graduation_score(**(given | changes))


def test_a_recognised_candidate_is_told_the_score():
    result = graduate()
    assert (result.level, result.score, result.years_average) == ("tot_nghiep", 500, 500)
    assert [reason.code for reason in result.because] == ["graduation-score-reached"]
    assert result.because[0].facts == {"got": 500, "needed": 500}
    assert str(result.because[0].citation) == "24/2024/TT-BGDĐT#44"


def test_every_cause_against_is_named():
    result = graduate(papers=[100, 0, 101, 100], bonus=350, cancelled=True)
    assert [reason.code for reason in result.because] == [
        "results-cancelled",
        "paper-not-above-fail-mark",
        "paper-not-above-fail-mark",
        "paper-not-above-fail-mark",
        "graduation-score-below",
        "bonus-capped",
    ]
    assert (result.fail_marks, result.bonus) == (3, 200)
    assert result.because[-1].facts == {"got": 350, "cap": 200}


def test_cancelled_results_alone_are_enough_against():
    assert graduate(papers=[1000] * 4, cancelled=True).level == "khong_tot_nghiep"


@pytest.mark.parametrize("bonus, counted", [(199, 199), (200, 200), (201, 200)])
def test_the_bonus_cap_both_sides(bonus, counted):
    assert graduate(bonus=bonus).bonus == counted


@pytest.mark.parametrize("low, fails", [(100, 1), (101, 0)])
def test_the_fail_mark_both_sides(low, fails):
    assert graduate(papers=[low, 1000, 1000, 1000]).fail_marks == fails


@pytest.mark.parametrize(
    "rounding, score, level", [("half-up", 500, "tot_nghiep"), ("truncate", 499, "khong_tot_nghiep")]
)
def test_the_rounding_of_the_score_is_a_setting(rounding, score, level):
    result = graduate(papers=[400] * 4, grade10=599, grade11=599, grade12=599, rounding=rounding)
    assert (result.score, result.level) == (score, level)


def test_an_exempted_paper_leaves_the_divisor():
    result = graduate(papers=[600] * 3, exempt_papers=1, bonus=150)
    assert result.score == half_up(1800 + 150 + 1500, 6)
    by_four = graduate(papers=[600] * 3, exempt_papers=1, bonus=150, divisor=4)
    assert by_four.score == half_up(1800 + 150 + 2000, 8)
    with pytest.raises(UnknownValue):
        graduate(divisor=5)


@pytest.mark.parametrize(
    "wrong, error",
    [
        ({"papers": [500] * 3}, IncompleteMarks),
        ({"papers": [500, 500, 500, None]}, IncompleteMarks),
        ({"papers": [500, 500, 500, 1001]}, OutOfRange),
        ({"papers": [500, 500, 500, -1]}, OutOfRange),
        ({"papers": [500, 500, 500, True]}, OutOfRange),
        ({"papers": [500] * 4, "exempt_papers": 1}, IncompleteMarks),
        ({"exempt_papers": 2}, UnknownValue),
        ({"bonus": None}, IncompleteMarks),
        ({"bonus": -1}, OutOfRange),
        ({"priority": "0.25"}, OutOfRange),
        ({"rounding": "bankers"}, UnknownValue),
    ],
)
@pytest.mark.parametrize("rules", [now, before])
def test_wrong_input_is_named_and_refused(rules, wrong, error):
    with pytest.raises(error) as refused:
        graduate(rules, **wrong)
    assert refused.value.facts


@given(papers, scores, scores, scores, points, st.sampled_from([0, 25, 50]))
def test_the_score_is_the_exact_fraction_rounded_once(papers, ten, eleven, twelve, bonus, priority):
    result = graduate(
        papers=papers, grade10=ten, grade11=eleven, grade12=twelve, bonus=bonus, priority=priority
    )
    years = half_up(ten + 2 * eleven + 3 * twelve, 6)
    exact = (Fraction(sum(papers) + min(bonus, 200), 4) + years) / 2 + priority
    assert abs(result.score - exact) <= Fraction(1, 2)
    assert result.years_average == years


@given(papers, st.permutations(range(4)), st.integers(0, 3), st.integers(1, 200))
def test_order_never_matters_and_a_better_paper_never_harms(papers, order, which, more):
    base = graduate(papers=papers)
    assert graduate(papers=[papers[place] for place in order]).score == base.score
    better = [min(1000, paper + more * (place == which)) for place, paper in enumerate(papers)]
    raised = graduate(papers=better)
    assert raised.score >= base.score
    assert raised.level == "tot_nghiep" or base.level == "khong_tot_nghiep"


# recognition 2020 to 2024


def test_the_combined_paper_needs_two_or_three_subjects():
    assert before.combined_paper([675, 550, 700]) == 642
    for wrong in ([675], [675, 550, 700, 800]):
        with pytest.raises(IncompleteMarks):
            before.combined_paper(wrong)


def test_without_a_grade_12_average_the_papers_alone_count():
    assert graduate(before, papers=[600, 500, 400, 555], grade12=None).score == 514
    assert graduate(before, papers=[600, 500, 401], grade12=None, stream="GDTX").score == 500


def test_an_exempted_language_counted_ten():
    assert graduate(before, papers=[400, 400, 400], exempt_papers=1, grade12=400).score == 505


def test_component_subjects_have_the_fail_mark_too():
    result = graduate(before, papers=[600] * 4, components=[101, 100, 900])
    assert (result.fail_marks, result.level) == (1, "khong_tot_nghiep")
    with pytest.raises(IncompleteMarks):
        graduate(before, components=[500])
    with pytest.raises(UnknownValue):
        graduate(before, stream="THCS")


@given(papers, scores, points, st.sampled_from([0, 25, 50]))
def test_seventy_thirty_exactly(papers, twelve, bonus, priority):
    general = graduate(before, papers=papers, grade12=twelve, bonus=bonus, priority=priority)
    exact = (Fraction(sum(papers) + min(bonus, 400), 4) * 7 + twelve * 3) / 10 + priority
    assert general.score == (exact + Fraction(1, 2)).__floor__()
    continuing = graduate(
        before, papers=papers[:3], grade12=twelve, bonus=bonus, priority=priority, stream="GDTX"
    )
    exact = ((Fraction(sum(papers[:3]), 3) + Fraction(min(bonus, 400), 4)) * 7 + twelve * 3) / 10 + priority
    assert continuing.score == (exact + Fraction(1, 2)).__floor__()


# recognition 2015 to 2019


@pytest.mark.parametrize("year, score", [(2015, 600), (2018, 600), (2019, 560)])
def test_the_halves_of_2015_and_the_seventy_of_2019(year, score):
    rules = graduation.rules_for(year=year)
    result = rules.graduation_score(papers=[500] * 4, grade12=700)
    assert result.score == score
    assert result.because[0].citation.instrument == rules.INSTRUMENT


def test_old_exams_had_fail_marks_and_a_cap_too():
    rules = graduation.rules_for(year=2017)
    result = rules.graduation_score(
        papers=[500] * 4, components=[100, 700, 800], grade12=500, bonus=500, priority=50, cancelled=True
    )
    assert (result.score, result.fail_marks, result.bonus) == (600, 1, 400)
    assert result.level == "khong_tot_nghiep"
    for wrong in ({"papers": [500] * 3}, {"grade12": None}, {"components": [1]}, {"priority": None}):
        with pytest.raises(IncompleteMarks):
            rules.graduation_score(**({"papers": [500] * 4, "grade12": 500} | wrong))
    with pytest.raises(UnknownValue):
        rules.graduation_score(papers=[500] * 4, grade12=500, rounding="up")


# sitting the exam


@pytest.mark.parametrize(
    "rules, learning, conduct, level",
    [
        (now, "dat", "dat", "du_dieu_kien_du_thi"),
        (now, "chua_dat", "dat", "khong_du_dieu_kien_du_thi"),
        (now, "dat", "chua_dat", "khong_du_dieu_kien_du_thi"),
        (before, "yeu", "trung_binh", "du_dieu_kien_du_thi"),
        (before, "kem", "trung_binh", "khong_du_dieu_kien_du_thi"),
        (before, "yeu", "yeu", "khong_du_dieu_kien_du_thi"),
    ],
)
def test_who_may_sit_the_exam(rules, learning, conduct, level):
    assert rules.eligible(finished_grade12=True, learning=learning, conduct=conduct).level == level
    refused = rules.eligible(finished_grade12=False, learning=learning, conduct=conduct)
    assert refused.because[0].code == "grade-12-not-finished"


@pytest.mark.parametrize("wrong", [{"learning": "good"}, {"conduct": None}])
def test_unknown_levels_are_refused(wrong):
    for rules, level in ((now, "dat"), (before, "kha")):
        with pytest.raises(UnknownValue):
            rules.eligible(**({"finished_grade12": True, "learning": level, "conduct": level} | wrong))


# objective papers


@pytest.mark.parametrize("subject", sorted(graduation.format_for(year=2025).FORMATS))
def test_every_objective_paper_has_ten_points(subject):
    rules = graduation.format_for(year=2025)
    paper = rules.FORMATS[subject]
    full = rules.objective_score(
        subject, part1_correct=paper.part1, part2_correct=[4] * paper.part2, part3_correct=paper.part3
    )
    assert full == 1000
    assert rules.objective_score(subject, part1_correct=0) == 0


@pytest.mark.parametrize("statements, value", list(enumerate([0, 10, 25, 50, 100])))
def test_true_or_false_grows_by_the_table(statements, value):
    rules = graduation.format_for(year=2025)
    assert rules.objective_score("toan", part1_correct=0, part2_correct=[statements]) == value


def test_every_name_of_a_subject_has_a_paper():
    rules = graduation.format_for(year=2025)
    assert {rules.subject_code(name) for name in rules.NAMES} == set(rules.FORMATS)


@pytest.mark.parametrize(
    "subject, answers",
    [
        ("toan", {"part1_correct": 13}),
        ("toan", {"part1_correct": -1}),
        ("toan", {"part1_correct": True}),
        ("toan", {"part1_correct": 12, "part2_correct": [4] * 5}),
        ("toan", {"part1_correct": 12, "part2_correct": [5]}),
        ("toan", {"part1_correct": 12, "part3_correct": 7}),
        ("lich_su", {"part1_correct": 24, "part3_correct": 1}),
    ],
)
def test_more_answers_than_questions_are_refused(subject, answers):
    with pytest.raises(OutOfRange):
        graduation.format_for(year=2025).objective_score(subject, **answers)


def test_a_subject_without_an_objective_paper_is_refused():
    with pytest.raises(UnknownValue):
        graduation.format_for(year=2025).objective_score("Ngữ văn", part1_correct=1)


# marking


@pytest.mark.parametrize(
    "first, second, more, step, mark",
    [
        (700, 700, {}, "xong", 700),
        (700, 775, {}, "thong_nhat", None),
        (700, 775, {"agreed": 750}, "xong", 750),
        (700, 800, {}, "doi_thoai", None),
        (700, 850, {"agreed": 800}, "xong", 800),
        (700, 875, {}, "cham_lan_ba", None),
        (700, 875, {"agreed": 800}, "cham_lan_ba", None),
        (700, 875, {"third": 875}, "xong", 875),
        (700, 875, {"third": 700}, "xong", 700),
        (700, 875, {"third": 950}, "xong", 842),
        (700, 875, {"third": 975}, "cham_tap_the", None),
        (700, 875, {"third": 975, "collective": 800}, "xong", 800),
    ],
)
def test_two_markings_come_to_one_mark(first, second, more, step, mark):
    result = graduation.essay_mark(first, second, **more)
    assert (result.level, result.mark) == (step, mark)
    mirrored = graduation.essay_mark(second, first, **more)
    assert (mirrored.level, mirrored.mark) == (step, mark)
    assert len(result.because) == 1


def test_the_limits_of_marking_are_settings():
    limits = graduation.EssayLimits(agree_below=50, discuss_to=75, mean_to=100)
    assert graduation.essay_mark(700, 750, limits=limits).level == "doi_thoai"
    assert graduation.essay_mark(700, 800, limits=limits).level == "cham_lan_ba"


@pytest.mark.parametrize(
    "wrong", [{"first": 710}, {"second": 1025}, {"agreed": 701}, {"third": -25}, {"collective": 3}]
)
def test_marks_off_the_scale_or_its_step_are_refused(wrong):
    with pytest.raises(OutOfRange):
        graduation.essay_mark(**({"first": 700, "second": 700} | wrong))


@pytest.mark.parametrize("rules", [now, before])
@pytest.mark.parametrize(
    "first, again, mark, dialogue",
    [(700, 724, 700, False), (700, 725, 725, False), (700, 651, 651, False), (700, 650, 650, True)],
)
def test_remarking_both_sides_of_each_limit(rules, first, again, mark, dialogue):
    result = rules.remark_essay(first, again)
    assert (result.mark, result.dialogue_required, result.adjusted) == (mark, dialogue, mark != first)
    with pytest.raises(IncompleteMarks):
        rules.remark_essay(first, None)


@pytest.mark.parametrize(
    "score, sanction, left",
    [
        (750, None, 750),
        (750, "khien_trach", 563),
        (750, "canh_cao", 375),
        (775, "canh_cao", 388),
        (750, "dinh_chi", 0),
    ],
)
def test_what_a_sanction_leaves(score, sanction, left):
    assert graduation.after_sanction(score, sanction) == left


def test_an_unknown_sanction_is_refused():
    with pytest.raises(UnknownValue):
        graduation.after_sanction(700, "lines")


def test_days_for_remarking():
    request, result = graduation.remark_deadlines(
        date(2025, 7, 16), request_days=now.REMARK_REQUEST_DAYS, result_days=now.REMARK_RESULT_DAYS
    )
    assert (request, result) == (date(2025, 7, 26), date(2025, 8, 10))


# rooms


@given(st.integers(0, 3000), st.integers(1, 40), st.integers(0, 10))
def test_rooms_hold_everyone_and_no_more(candidates, size, extra):
    rooms = graduation.split_rooms(candidates, size=size, last_room_max=size + extra)
    assert sum(rooms) == candidates
    assert all(room == size for room in rooms[:-1])
    assert not rooms or 1 <= rooms[-1] <= size + extra


@pytest.mark.parametrize(
    "wrong",
    [
        {"candidates": -1},
        {"candidates": 5, "size": 0},
        {"candidates": 5, "last_room_max": 23},
        {"candidates": 1_000_000},
        {"candidates": 10**12},
    ],
)
def test_impossible_rooms_are_refused(wrong):
    with pytest.raises(OutOfRange):
        graduation.split_rooms(**wrong)


def test_rooms_at_their_edges():
    assert graduation.split_rooms(0) == []
    assert graduation.split_rooms(1) == [1]
    assert graduation.split_rooms(24) == [24]
    assert graduation.split_rooms(25) == [25]
    assert graduation.split_rooms(28) == [28]
    assert graduation.split_rooms(29) == [24, 5]
    assert graduation.split_rooms(48) == [24, 24]
    assert len(graduation.split_rooms(999_999)) == 41_667
    assert graduation.split_rooms(2, size=1, last_room_max=1) == [1, 1]


def people(count, site="A", group="LS-DL"):
    return [
        Candidate(f"{site}{group[:2]}{number:03d}", f"Lê Thị Bình {number}", None, site, group)
        for number in range(count)
    ]


def test_candidates_are_numbered_over_the_council_and_seated_by_site():
    seats = graduation.arrange("03", [*people(2, "B"), *people(25, "A"), *people(3, "A", "LI-HO")])
    assert [seat.number for seat in seats] == [f"03{serial:06d}" for serial in range(1, 31)]
    assert [seat.site for seat in seats] == ["A"] * 28 + ["B"] * 2
    assert {seat.room for seat in seats[:28]} == {"001"}
    assert (seats[28].room, seats[28].place) == ("001", 1)
    assert seats[0].id == "ALI000"


def test_groups_then_names_then_birth_dates_order_a_site():
    one = Candidate("1", "Lê An", date(2008, 2, 1), "A", "X")
    two = Candidate("2", "Lê An", date(2008, 1, 1), "A", "X")
    three = Candidate("3", "Vũ Yến", None, "A", "W")
    assert [seat.id for seat in graduation.arrange("01", [one, two, three])] == ["3", "2", "1"]


@given(st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from("XYZ")), max_size=70), st.randoms())
def test_seats_do_not_depend_on_the_order_of_the_list(rows, random):
    candidates = [Candidate(str(place), "Trần Văn Nam", None, *row) for place, row in enumerate(rows)]
    seats = graduation.arrange("05", candidates)
    random.shuffle(candidates)
    assert graduation.arrange("05", candidates) == seats
    assert len({(seat.site, seat.room, seat.place) for seat in seats}) == len(rows)


def test_a_candidate_given_twice_is_refused():
    with pytest.raises(UnknownValue):
        graduation.arrange("01", [*people(1), *people(1)])


@pytest.mark.parametrize("council", ["1", "001", "1a", "٠١"])
def test_a_wrong_council_is_refused(council):
    with pytest.raises(UnknownValue):
        graduation.candidate_number(council, 1)


@pytest.mark.parametrize("serial", [0, 1_000_000, None])
def test_a_wrong_serial_is_refused(serial):
    with pytest.raises(OutOfRange):
        graduation.candidate_number("01", serial)


def test_each_room_is_told_its_papers():
    seats = graduation.arrange("01", [*people(1, group="a"), *people(1, "B")])
    papers = {"Aa000": ["toan", "van"], "BLS000": ["toan"]}
    assert graduation.papers_needed(seats, papers) == {
        ("A", "001"): {"toan": 1, "van": 1},
        ("B", "001"): {"toan": 1},
    }
    with pytest.raises(UnknownValue):
        graduation.papers_needed(seats, {})


# the vectors' door


def test_the_old_exams_answer_the_vectors_operations_too():
    given = {"op": "graduation_score", "papers": ["5.00"] * 4, "grade12": "7.0"}
    operation = find_operation(OPERATIONS, "grad.tt03-2019", "graduation_score")
    assert operation(given, "grad.tt03-2019") == {"dxtn": "5.60", "fail_marks": 0, "graduated": True}
    operation = find_operation(OPERATIONS, "grad.tt02-2015", "graduation_score")
    assert operation(given, "grad.tt02-2015") == {"dxtn": "6.00", "fail_marks": 0, "graduated": True}
    assert find_operation(OPERATIONS, "grad.tt99-2030", "graduation_score") is None
    given["grade12"] = None
    operation = find_operation(OPERATIONS, "grad.tt15-2020", "graduation_score")
    assert operation(given, "grad.tt15-2020") == {"dxtn": "5.00", "fail_marks": 0, "graduated": True}
    assert find_operation(OPERATIONS, "exam-rooms", "split_rooms")({"candidates": 52}, "exam-rooms") == [
        24,
        28,
    ]
