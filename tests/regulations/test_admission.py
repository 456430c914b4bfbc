"""Admission to grade 10: points, both sides of each boundary, and places nobody can object to."""

import itertools
import json
from datetime import date
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulations import admission
from regulations.admission import Applicant, UnresolvedTie, WishRules, assign_wishes, match
from regulations.core import IncompleteMarks, NoRuleInForce, OutOfRange, UnknownValue
from regulations.vectors import find_operation, load_operations

VECTORS = json.loads(files("regulations.admission").joinpath("vectors/admission.json").read_text("utf-8"))
OPERATIONS = load_operations()

now = admission.rules_for(year=2026)
before = admission.rules_for(year=2024)
special = admission.specialised_for(year=2026)


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["id"])
def test_vectors(case):
    operation = find_operation(OPERATIONS, case["rule_set"], case["input"]["op"])
    assert operation(case["input"], case["rule_set"]) == case["expected"]


@pytest.mark.parametrize(
    "year, name", [(2014, "11/2014"), (2024, "11/2014"), (2025, "30/2024"), (2031, "30/2024")]
)
def test_the_year_of_entry_decides(year, name):
    assert admission.rules_for(year=year).INSTRUMENT.startswith(name)
    assert sum(rules.governs(year=year) for rules in admission.RULE_SETS) == 1


def test_years_without_rules_are_refused():
    with pytest.raises(NoRuleInForce):
        admission.rules_for(year=2013)
    with pytest.raises(NoRuleInForce):
        admission.specialised_for(year=2022)


# scores since 2025


@pytest.mark.parametrize(
    "groups, value", [([], 0), (["3"], 100), (["2", "3"], 150), (["1", "2", "3"], 200), (iter(["2"]), 150)]
)
def test_the_highest_priority_counts(groups, value):
    assert now.priority_points(groups) == value


@pytest.mark.parametrize("prizes, value", [([], 0), (["Ba"], 50), (["Nhì", "Ba"], 100), (["Nhất"], 150)])
def test_the_best_prize_counts(prizes, value):
    assert now.incentive_points(prizes) == value


def test_grounds_lead_to_groups():
    assert now.priority_groups(["child-of-martyr", "ethnic-minority", "parent-ethnic-minority"]) == ("1", "3")
    assert now.priority_groups([]) == ()
    with pytest.raises(UnknownValue):
        now.priority_groups(["tall"])


@pytest.mark.parametrize(
    "wrong", [{"priority_groups": ["4"]}, {"priority_groups": [1]}, {"prizes": ["Khuyến khích"]}]
)
def test_unknown_points_are_refused(wrong):
    with pytest.raises(UnknownValue):
        now.admission_score(papers=[800, 750, 900], **wrong)


def test_a_score_says_what_it_is_made_of():
    result = now.admission_score(papers=[800, 750, 900], priority_groups=["2"], prizes=["Ba"])
    assert (result.papers, result.priority, result.incentive, result.total) == (2450, 150, 50, 2650)
    assert [reason.code for reason in result.because] == [
        "admission-papers",
        "admission-priority",
        "admission-incentive",
    ]
    assert result.because[0].facts == {"total": 2450, "count": 3}


@pytest.mark.parametrize(
    "group, prize, counted", [("2", "Nhất", (150, 0)), ("3", "Nhất", (0, 150)), ("1", "Ba", (200, 0))]
)
def test_whether_priority_and_incentive_add_up_is_a_setting(group, prize, counted):
    result = now.admission_score(papers=[500] * 3, priority_groups=[group], prizes=[prize], both_count=False)
    assert (result.priority, result.incentive) == counted


@pytest.mark.parametrize("low, eligible", [(199, False), (200, True)])
def test_a_minimum_for_each_paper(low, eligible):
    result = now.admission_score(papers=[low, 900, 900], minimum_paper=200)
    assert result.eligible is eligible
    assert (result.because[0].code == "paper-below-minimum") is not eligible


@pytest.mark.parametrize("paper, bars, eligible", [(0, True, False), (0, False, True), (1, True, True)])
def test_a_zero_bars_where_the_province_says_so(paper, bars, eligible):
    result = now.admission_score(papers=[paper, 900, 900], zero_paper_disqualifies=bars)
    assert result.eligible is eligible
    old = before.admission_score(papers=[paper, 900], coefficients=[2, 1], zero_paper_disqualifies=bars)
    assert old.eligible is eligible


@pytest.mark.parametrize(
    "papers, error",
    [
        ([800, 750], IncompleteMarks),
        ([800, 750, 900, 100], IncompleteMarks),
        ([800, 750, None], IncompleteMarks),
        ([800, 750, 1001], OutOfRange),
        ([800, 750, -1], OutOfRange),
        ([800, 750, "9"], OutOfRange),
    ],
)
def test_papers_missing_or_off_the_scale_are_refused(papers, error):
    with pytest.raises(error) as refused:
        now.admission_score(papers=papers)
    assert str(refused.value.citation) == "30/2024/TT-BGDĐT#13.6"


def test_direct_admission():
    assert now.direct_admission(["disability", "national-prize"]).level == "tuyen_thang"
    assert now.direct_admission([]).level == "xet_diem"
    with pytest.raises(UnknownValue):
        now.direct_admission(["neighbour"])


@pytest.mark.parametrize(
    "earlier, level, years",
    [
        ({}, "duoc", 0),
        ({2025: "anh", 2024: "anh"}, "duoc", 2),
        ({2025: "anh", 2024: "anh", 2023: "anh"}, "khong_duoc", 3),
        ({2025: "anh", 2024: "su", 2023: "anh", 2022: "anh"}, "duoc", 1),
        ({2025: "anh", 2023: "anh", 2022: "anh"}, "duoc", 1),
    ],
)
def test_the_third_subject_is_not_used_four_years_running(earlier, level, years):
    result = now.third_subject_allowed("anh", earlier, year=2026)
    assert result.level == level
    assert result.because[0].facts["years"] == years


def test_times_of_papers_and_of_the_plan():
    assert now.minutes_allowed("ngu_van", 120)
    assert not now.minutes_allowed("ngu_van", 90)
    assert now.minutes_allowed("third", 60)
    assert now.publish_by(2026) == date(2026, 3, 31)
    with pytest.raises(UnknownValue):
        now.minutes_allowed("music", 60)


# scores before 2025


def test_coefficients_were_the_provinces():
    result = before.admission_score(
        papers=[800, 700, 600], coefficients=[2, 2, 1], priority=100, incentive=50
    )
    assert (result.papers, result.total) == (3600, 3750)
    assert [reason.code for reason in result.because][1:] == ["admission-priority", "admission-incentive"]


@pytest.mark.parametrize("group, value", [(1, 150), (2, 100), (3, 50)])
def test_half_a_point_lay_between_groups(group, value):
    assert before.priority_points(group, highest=150) == value
    assert before.priority_points(3, highest=50) == 0


@pytest.mark.parametrize(
    "wrong, error",
    [
        ({"coefficients": [2]}, OutOfRange),
        ({"coefficients": [0, 1]}, OutOfRange),
        ({"priority": -1}, OutOfRange),
        ({"incentive": None}, OutOfRange),
        ({"papers": [800]}, IncompleteMarks),
    ],
)
def test_wrong_settings_are_refused(wrong, error):
    with pytest.raises(error):
        before.admission_score(**({"papers": [800, 700], "coefficients": [2, 1]} | wrong))
    for group in (0, 4, "1"):
        with pytest.raises(UnknownValue):
            before.priority_points(group, highest=150)


# specialised schools


@pytest.mark.parametrize("paper, eligible", [(200, False), (201, True)])
def test_specialised_papers_count_above_a_floor(paper, eligible):
    result = special.specialised_score(common=[800, 800, paper], special=900, floor=200)
    assert result.eligible is eligible


@pytest.mark.parametrize(
    "year, eligible", [(("kha", "tot"), True), (("dat", "tot"), False), (("tot", "dat"), False)]
)
def test_specialised_schools_ask_for_four_good_years(year, eligible):
    result = special.specialised_score(common=[800, 800, 800], special=900, years=[("tot", "tot"), year])
    assert result.eligible is eligible
    assert result.total == 4200


@pytest.mark.parametrize("wrong", [{"coefficient": 0}, {"coefficient": "2"}, {"special": 1001}])
def test_wrong_specialised_input_is_refused(wrong):
    with pytest.raises(OutOfRange):
        special.specialised_score(**({"common": [800, 800, 800], "special": 900} | wrong))


def test_specialised_subjects():
    assert special.check_subject("toan") == "toan"
    with pytest.raises(UnknownValue):
        special.check_subject("the_duc")


# places


def placed(matching):
    return dict(matching.placed)


def is_stable(wishes, ranks, quota, result):
    """Whether nobody would rather have a place that is free or went to somebody ranked lower there."""
    for one, places in wishes.items():
        for place in places:
            if place == result[one]:
                break
            there = [other for other, got in result.items() if got == place]
            if len(there) < quota[place] or any(ranks[other, place] < ranks[one, place] for other in there):
                return False
    return True


def every_assignment(wishes, quota):
    for choice in itertools.product(*[(*places, None) for places in wishes.values()]):
        result = dict(zip(wishes, choice, strict=True))
        if all(choice.count(place) <= quota[place] for place in quota):
            yield result


@st.composite
def markets(draw):
    """Up to four applicants and three places, every place with its own strict order."""
    applicants = [f"p{number}" for number in range(draw(st.integers(1, 4)))]
    places = ["X", "Y", "Z"][: draw(st.integers(1, 3))]
    wishes = {}
    for one in applicants:
        order = draw(st.permutations(places))
        wishes[one] = tuple(order[: draw(st.integers(0, len(places)))])
    ranks = {}
    for place in places:
        for rank, one in enumerate(draw(st.permutations(applicants))):
            ranks[one, place] = (rank,)
    quota = {place: draw(st.integers(0, 2)) for place in places}
    return wishes, ranks, quota


def standing(wishes, one, got):
    return wishes[one].index(got) if got is not None else len(wishes[one])


@settings(max_examples=150, deadline=None)
@given(markets())
def test_the_assignment_is_stable_and_the_best_stable_one_for_every_applicant(market):
    wishes, ranks, quota = market
    result = placed(match(wishes, ranks, quota))
    stable = [one for one in every_assignment(wishes, quota) if is_stable(wishes, ranks, quota, one)]
    assert result in stable
    for other in stable:
        assert all(standing(wishes, one, result[one]) <= standing(wishes, one, other[one]) for one in wishes)


@settings(max_examples=60, deadline=None)
@given(markets(), st.randoms(use_true_random=False))
def test_the_order_of_reading_never_matters(market, random):
    wishes, ranks, quota = market
    shuffled = list(wishes)
    random.shuffle(shuffled)
    again = match({one: wishes[one] for one in shuffled}, ranks, dict(reversed(quota.items())))
    assert placed(again) == placed(match(wishes, ranks, quota))


def test_an_equal_who_comes_later_is_rejected_like_those_before():
    wishes = {"a": ("Y",), "b": ("Y",), "c": ("X", "Y")}
    ranks = {("a", "Y"): (5,), ("b", "Y"): (5,), ("c", "X"): (5,), ("c", "Y"): (5,)}
    assert placed(match(wishes, ranks, {"X": 0, "Y": 1}, ties="reject_all")) == {"a": None, "b": None, "c": None}


@settings(max_examples=60, deadline=None)
@given(markets(), st.sampled_from(["accept_all", "reject_all", "lot"]), st.integers(0, 2))
def test_totals_hold_under_every_rule_for_ties(market, ties, coarse):
    wishes, ranks, quota = market
    tied = {key: (rank[0] // (coarse + 1),) for key, rank in ranks.items()}
    result = match(wishes, tied, quota, ties=ties, seed="2026")
    assert set(result.placed) == set(wishes)
    for place, places in quota.items():
        there = [one for one, got in result.placed.items() if got == place]
        turned_away = [one for one in wishes if place in result.refused[one]]
        assert ties == "accept_all" or len(there) <= places
        for one in there:
            assert all(tied[one, place] >= tied[other, place] for other in turned_away)
        if ties != "lot" and there:
            assert all(tied[one, place] != tied[other, place] for one in there for other in turned_away)


TIE = {"a": ("X", "Y"), "b": ("X", "Y"), "c": ("Y",)}
TIE_RANKS = {("a", "X"): (5,), ("b", "X"): (5,), ("a", "Y"): (5,), ("b", "Y"): (5,), ("c", "Y"): (3,)}


def test_equals_for_a_last_place_wait_for_a_rule():
    with pytest.raises(UnresolvedTie) as refused:
        match(TIE, TIE_RANKS, {"X": 1, "Y": 1})
    assert refused.value.facts == {"place": "X", "refused": "b", "kept": ("a",)}


def test_equals_who_both_get_in_or_both_stay_out_need_no_rule():
    assert placed(match(TIE, TIE_RANKS, {"X": 2, "Y": 1})) == {"a": "X", "b": "X", "c": "Y"}
    assert placed(match(TIE, TIE_RANKS, {"X": 0, "Y": 2})) == {"a": "Y", "b": "Y", "c": None}


def test_equals_may_all_be_taken_or_all_be_refused():
    assert placed(match(TIE, TIE_RANKS, {"X": 1, "Y": 1}, ties="accept_all")) == {
        "a": "X",
        "b": "X",
        "c": "Y",
    }
    assert placed(match(TIE, TIE_RANKS, {"X": 1, "Y": 2}, ties="reject_all")) == {
        "a": "Y",
        "b": "Y",
        "c": None,
    }


def test_a_lot_is_drawn_again_from_its_seed():
    first = match(TIE, TIE_RANKS, {"X": 1, "Y": 1}, ties="lot", seed="Hội đồng 2026-06-01")
    again = match(TIE, TIE_RANKS, {"X": 1, "Y": 1}, ties="lot", seed="Hội đồng 2026-06-01")
    assert first == again
    winner = min("ab", key=lambda one: admission.lot("Hội đồng 2026-06-01", one))
    assert first.placed[winner] == "X"
    outcomes = {
        match(TIE, TIE_RANKS, {"X": 1, "Y": 1}, ties="lot", seed=str(n)).placed["a"] for n in range(20)
    }
    assert outcomes == {"X", "Y"}
    assert admission.lot("s", "a") != admission.lot("s", "b") != admission.lot("t", "b")


@pytest.mark.parametrize(
    "change, error",
    [
        ({"ties": "oldest"}, UnknownValue),
        ({"ties": "lot"}, UnknownValue),
        ({"quota": {"X": -1, "Y": 1}}, OutOfRange),
        ({"quota": {"X": "1", "Y": 1}}, OutOfRange),
        ({"quota": {"X": 1}}, UnknownValue),
        ({"wishes": {"a": ("X", "X")}}, UnknownValue),
    ],
)
def test_a_market_that_makes_no_sense_is_refused(change, error):
    given = {"wishes": TIE, "ranks": TIE_RANKS, "quota": {"X": 1, "Y": 1}} | change
    with pytest.raises(error):
        match(given["wishes"], given["ranks"], given["quota"], ties=given.get("ties", "refuse"))


# wishes with scores


def codes(placement):
    return [reason.code for reason in placement.because]


def test_every_wish_is_explained():
    applicants = [
        Applicant("a", 2200, ("X",)),
        Applicant("b", 2100, ("X", "Z", "W", "Y")),
        Applicant("c", 2000, ("X", "Y")),
        Applicant("d", 2500, ("X",), eligible=False),
    ]
    rules = WishRules(floor={"Z": 2101})
    result = assign_wishes(applicants, {"X": 1, "Y": 1, "Z": 1, "W": 0}, rules=rules)
    assert result.cutoffs == {"X": 2200, "Y": 2100}
    assert codes(result.placements["a"]) == ["wish-granted"]
    assert codes(result.placements["b"]) == [
        "wish-below-cutoff",
        "wish-below-floor",
        "wish-no-places",
        "wish-granted",
    ]
    assert (result.placements["b"].school, result.placements["b"].wish) == ("Y", 4)
    assert codes(result.placements["c"]) == ["wish-below-cutoff", "wish-below-cutoff", "no-wish-granted"]
    assert codes(result.placements["d"]) == ["not-eligible-for-admission"]
    assert result.placements["a"].because[0].facts == {
        "school": "X",
        "wish": 1,
        "cutoff": 2200,
        "score": 2200,
    }


@pytest.mark.parametrize("score, school", [(2100, None), (2101, "Z")])
def test_the_floor_both_sides(score, school):
    result = assign_wishes([Applicant("a", score, ("Z",))], {"Z": 1}, rules=WishRules(floor={"Z": 2101}))
    assert result.placements["a"].school == school


def test_a_lost_tie_is_told_as_one():
    applicants = [Applicant("a", 2000, ("X",), (9,)), Applicant("b", 2000, ("X",), (8,))]
    result = assign_wishes(applicants, {"X": 1})
    assert codes(result.placements["b"]) == ["wish-tie-lost", "no-wish-granted"]
    with pytest.raises(UnresolvedTie):
        assign_wishes([Applicant("a", 2000, ("X",)), Applicant("b", 2000, ("X",))], {"X": 1})


@pytest.mark.parametrize("wish, score", [(1, 2000), (2, 1900), (3, 1800), (4, 1800)])
def test_later_wishes_take_the_last_handicap(wish, score):
    assert admission.effective_score(2000, wish, (0, 100, 200)) == score
    assert admission.effective_score(2000, wish, ()) == 2000


@pytest.mark.parametrize(
    "applicants, rules, error",
    [
        ([Applicant("a", 1, ("X",)), Applicant("a", 2, ("X",))], WishRules(), UnknownValue),
        ([Applicant("a", 1, ("X", "Y"))], WishRules(most=1), OutOfRange),
        ([Applicant("a", 1, ("X",))], WishRules(ties="youngest"), UnknownValue),
    ],
)
def test_wishes_that_make_no_sense_are_refused(applicants, rules, error):
    with pytest.raises(error):
        assign_wishes(applicants, {"X": 1, "Y": 1}, rules=rules)


def test_as_many_wishes_as_allowed_are_taken():
    assert assign_wishes(
        [Applicant("a", 1, ("X", "Y"))], {"X": 0, "Y": 1}, rules=WishRules(most=2)
    ).cutoffs == {"Y": 1}


def test_after_remarking_nobody_is_moved_down():
    def run(scores):
        people = [Applicant(one, score, ("X", "Y")) for one, score in scores.items()]
        return assign_wishes(people, {"X": 1, "Y": 1})

    before_run = run({"a": 2000, "b": 1900, "c": 1800})
    after = run({"a": 2000, "b": 2050, "c": 1800})
    best, extra = admission.improve_only(before_run, after, {"X": 1, "Y": 1})
    assert {one: placement.school for one, placement in best.items()} == {"a": "X", "b": "X", "c": None}
    assert extra == {"X": 1}
    same, none = admission.improve_only(before_run, before_run, {"X": 1, "Y": 1})
    assert (same, none) == (before_run.placements, {})
    with pytest.raises(UnknownValue):
        admission.improve_only(before_run, run({"a": 1}), {"X": 1, "Y": 1})


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=8, unique=True), st.integers(1, 4))
def test_raising_a_score_never_loses_a_place(scores, quota):
    def school_of_first(values):
        people = [Applicant(str(place), score, ("X", "Y")) for place, score in enumerate(values)]
        rules = WishRules(ties="lot", seed="s")
        return assign_wishes(people, {"X": quota, "Y": 1}, rules=rules).placements["0"].wish or 3

    assert school_of_first([scores[0] + 3001, *scores[1:]]) <= school_of_first(scores)


# the vectors' door


def test_the_vectors_operations_answer_provincial_settings():
    score = find_operation(OPERATIONS, "grade10.tt11-2014", "admission_score")
    given = {"papers": ["8.00", "7.00"], "coefficients": [2, 1], "priority": "1.25"}
    assert score(given, "grade10.tt11-2014") == {
        "exam_total": "23.00",
        "priority": "1.25",
        "incentive": "0.0",
        "admission_score": "24.25",
        "eligible": True,
    }
    del given["coefficients"]
    assert score(given, "grade10.tt11-2014")["exam_total"] == "15.00"
    assign = find_operation(OPERATIONS, "grade10.assignment", "assign_wishes")
    students = [
        {"id": "1", "score": "20", "wishes": ["X"]},
        {"id": "2", "score": "20", "wishes": ["X"], "tiebreak": ["0"]},
    ]
    both = {"quota": {"X": 1}, "students": students, "tie_policy": "keys"}
    assert assign(both, "grade10.assignment") == {"1": None, "2": {"school": "X", "wish": 1}}
    students[0]["tiebreak"] = ["0"]
    assert assign(both | {"tie_policy": "reject_all"}, "grade10.assignment") == {"1": None, "2": None}
    own = find_operation(OPERATIONS, "grade10.specialised", "specialised_score")
    assert own({"common": ["8", "8"], "special": "9", "floor": "2.00"}, "grade10.specialised") == "34.00"


def test_each_wish_takes_its_own_handicap_and_later_ones_the_last():
    handicaps = (0, 50, 100)
    assert [admission.effective_score(2000, wish, handicaps) for wish in (1, 2, 3, 4)] == [2000, 1950, 1900, 1900]
    people = [Applicant("a", 2000, ("x", "y", "z")), Applicant("b", 1990, ("x", "y", "z")), Applicant("c", 1960, ("y", "z", "x"))]
    result = admission.assign_wishes(people, {"x": 1, "y": 1, "z": 1}, rules=WishRules(handicaps=handicaps))
    assert {one: (place.school, place.wish) for one, place in result.placements.items()} == {"a": ("x", 1), "b": ("z", 3), "c": ("y", 1)}
    assert result.cutoffs == {"x": 2000, "y": 1960, "z": 1890}
