"""Prizes of contests keep within their caps, and equals are treated alike."""

import json
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulations import contests
from regulations.core import NoRuleInForce, OutOfRange, UnknownValue

VECTORS = json.loads(files("regulations.contests").joinpath("vectors/contests.json").read_text("utf-8"))

rules = contests.rules_for(year=2024)
amended = contests.rules_for(year=2025)


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["id"])
def test_vectors(case):
    assert contests.OPERATIONS[case["input"]["op"]](case["input"], case["rule_set"]) == case["expected"]


@pytest.mark.parametrize(
    "year, name", [(2023, "17/2023"), (2024, "17/2023"), (2025, "23/2025"), (2030, "23/2025")]
)
def test_the_school_year_decides(year, name):
    assert contests.rules_for(year=year).INSTRUMENT.startswith(name)
    assert sum(one.governs(year=year) for one in contests.RULE_SETS) == 1


def test_no_rules_before_2023():
    with pytest.raises(NoRuleInForce):
        contests.rules_for(year=2022)


def test_a_province_sets_its_own_shares():
    caps = rules.prize_caps(100, shares=contests.Shares(prizes=50, first_to_third=50, first=10))
    assert (caps.prizes, caps.first_to_third, caps.first) == (50, 25, 5)
    assert amended.prize_caps(100) == rules.prize_caps(100)


def test_whether_caps_are_of_the_rounded_number_is_a_setting():
    assert (rules.prize_caps(39).first_to_third, rules.prize_caps(39).first) == (13, 1)
    exact = rules.prize_caps(39, of_rounded=False)
    assert (exact.prizes, exact.first_to_third, exact.first) == (23, 14, 1)


@pytest.mark.parametrize(
    "shares", [contests.Shares(prizes=101), contests.Shares(first=-1), contests.Shares(first="5")]
)
def test_impossible_shares_are_refused(shares):
    with pytest.raises(OutOfRange):
        rules.prize_caps(10, shares=shares)


@pytest.mark.parametrize("candidates", [-1, "10", None])
def test_impossible_numbers_are_refused(candidates):
    with pytest.raises(OutOfRange):
        rules.prize_caps(candidates)


@pytest.mark.parametrize(
    "awarded, groups",
    [
        ({"nhat": 6, "nhi": 30, "ba": 36, "khuyen_khich": 48}, []),
        ({"nhat": 7, "nhi": 30, "ba": 35, "khuyen_khich": 48}, ["first"]),
        ({"nhat": 6, "nhi": 30, "ba": 37, "khuyen_khich": 47}, ["first_to_third"]),
        ({"nhat": 6, "khuyen_khich": 115}, ["prizes"]),
        ({}, []),
    ],
)
def test_every_cap_both_sides(awarded, groups):
    outcome = rules.check_prizes(awarded, 200)
    assert outcome.level == ("vuot" if groups else "hop_le")
    assert [
        reason.facts.get("group") for reason in outcome.because if reason.code == "too-many-prizes"
    ] == groups


@pytest.mark.parametrize("awarded, error", [({"vang": 1}, UnknownValue), ({"nhat": -1}, OutOfRange)])
def test_wrong_lists_are_refused(awarded, error):
    with pytest.raises(error):
        rules.check_prizes(awarded, 200)


def test_a_proposal_gives_what_the_caps_allow():
    scores = list(range(40))
    prizes = rules.propose_prizes(scores, 5)
    counts = {prize: prizes.count(prize) for prize in rules.PRIZES}
    assert counts == {"nhat": 1, "nhi": 4, "ba": 9, "khuyen_khich": 10}
    assert prizes[39] == "nhat"
    assert prizes[0] is None


def test_equals_are_not_parted_by_a_cap():
    prizes = rules.propose_prizes([9, 9, 9, 9, 5, 4, 3, 2, 1, 0], 3)
    assert prizes == ("khuyen_khich",) * 4 + ("khuyen_khich",) * 2 + (None,) * 4


def test_a_least_score_wins_nothing_below():
    assert rules.propose_prizes([19, 20], 1, least=20, shares=contests.Shares(100, 100, 100)) == (
        None,
        "nhat",
    )
    assert rules.propose_prizes([], 1) == ()
    assert rules.propose_prizes([1, 2], 0, least=3) == (None, None)


@given(st.lists(st.integers(0, 20), max_size=60), st.integers(0, 30), st.integers(0, 20))
def test_a_proposal_never_passes_a_cap_and_never_prefers_a_lower_score(scores, seconds, least):
    prizes = rules.propose_prizes(scores, seconds, least=least)
    counts = {prize: prizes.count(prize) for prize in rules.PRIZES}
    assert rules.check_prizes(counts, len(scores)).level == "hop_le"
    order = [*rules.PRIZES, None]
    for one, prize in zip(scores, prizes, strict=True):
        for other, lesser in zip(scores, prizes, strict=True):
            assert one < other or order.index(prize) <= order.index(lesser)


@pytest.mark.parametrize("units, team", [(1, 10), (2, 20), (4, 40)])
def test_teams_of_merged_provinces(units, team):
    assert amended.team_limit(units_merged=units) == team
    assert rules.team_limit() == 10
    assert rules.team_limit(hanoi=True) == amended.team_limit(hanoi=True) == 20


@pytest.mark.parametrize("units", [0, 5, "2"])
def test_impossible_teams_are_refused(units):
    with pytest.raises(OutOfRange):
        amended.team_limit(units_merged=units)
