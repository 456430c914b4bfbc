"""Diplomas: numbers without gaps, days in both regimes, blanks that balance, offices by the day."""

import json
from datetime import date
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulations import diplomas
from regulations.core import NoRuleInForce, OutOfRange, UnknownValue
from regulations.vectors import find_operation, load_operations

VECTORS = json.loads(files("regulations.diplomas").joinpath("vectors/diplomas.json").read_text("utf-8"))

old = diplomas.rules_for(day=date(2026, 4, 14))
new = diplomas.rules_for(day=date(2026, 4, 15))


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["id"])
def test_vectors(case):
    operation = find_operation(load_operations(), case["rule_set"], case["input"]["op"])
    assert operation(case["input"], case["rule_set"]) == case["expected"]
    assert old.issue_deadline("thpt", date(2024, 7, 20)).isoformat() == case["expected"]


def test_the_day_of_the_act_decides():
    assert old.INSTRUMENT == "21/2019/TT-BGDĐT"
    assert new.INSTRUMENT == "10/2026/TT-BGDĐT"
    assert diplomas.rules_for(day=date(2020, 1, 15)) is old
    with pytest.raises(NoRuleInForce):
        diplomas.rules_for(day=date(2020, 1, 14))


# deadlines


def test_days_to_issue():
    decided = date(2026, 7, 20)
    assert old.issue_deadline("thcs", date(2025, 7, 20)) == date(2025, 10, 3)
    assert old.issue_deadline("certificate", decided) == date(2026, 8, 19)
    assert new.issue_deadline("thpt", decided) == date(2026, 8, 19)
    assert new.issue_deadline("thpt", decided, digital=True) == date(2026, 7, 25)


@pytest.mark.parametrize(
    "rules, given", [(old, ("msc", {})), (old, ("thpt", {"digital": True})), (new, ("thcs", {}))]
)
def test_what_has_no_deadline_is_refused(rules, given):
    with pytest.raises(UnknownValue):
        rules.issue_deadline(given[0], date(2026, 7, 20), **given[1])


def test_days_and_offices_are_settings_until_the_text_is_read():
    assert new.issue_deadline("thpt", date(2026, 7, 20), days=45) == date(2026, 9, 3)
    day = date(2030, 1, 1)
    assert diplomas.server_of("thcs", issued_on=date(2025, 8, 1), day=day, commune_keeps=False) == "so_gddt"


def test_days_to_copy_and_to_decide():
    friday = date(2026, 9, 11)
    assert old.copy_deadline(friday) == new.copy_deadline(friday) == date(2026, 9, 14)
    assert new.decision_deadline(friday) == date(2026, 9, 16)
    assert new.decision_deadline(friday, holidays=[date(2026, 9, 14)]) == date(2026, 9, 17)


# corrections, revocations, look-ups


@pytest.mark.parametrize("rules", [old, new])
def test_a_correction_is_a_decision_and_an_issuers_error_a_new_blank(rules):
    papers = list(rules.CORRECTION_PAPERS)
    assert rules.correction("ethnicity", papers).level == "quyet_dinh_chinh_sua"
    lacking = rules.correction("ethnicity", papers[1:])
    assert (lacking.level, lacking.because[0].facts) == ("bo_sung_ho_so", {"papers": ("request",)})
    assert rules.correction("anything", [], issuers_error=True).level == "cap_lai"
    with pytest.raises(UnknownValue):
        rules.correction("nicer-name", papers)


@pytest.mark.parametrize("rules", [old, new])
def test_a_revocation_names_its_ground(rules):
    outcome = rules.revocation("fraud")
    assert (outcome.level, outcome.because[0].facts) == ("thu_hoi", {"ground": "fraud"})
    with pytest.raises(UnknownValue):
        rules.revocation("dislike")


@pytest.mark.parametrize(
    "name, serial, entry, allowed",
    [
        ("Lê An", "B 1234567", None, True),
        ("Lê An", None, "0001/2026/THPT", True),
        ("Lê An", " ", "", False),
        ("Lê An", " ", None, False),
        ("Lê An", None, " ", False),
        ("Lê An", None, None, False),
        ("Lê An", " ", "0001/2026/THPT", True),
        (None, "B 1234567", None, False),
        (" ", "B 1234567", None, False),
    ],
)
def test_lists_cannot_be_harvested(name, serial, entry, allowed):
    assert new.lookup_allowed(name=name, serial=serial, entry_number=entry) is allowed


# numbers


@pytest.mark.parametrize(
    "numbers, codes",
    [
        ([], ["entry-numbers-run-on"]),
        ([2, 1, 3], ["entry-numbers-run-on"]),
        ([1, 3], ["entry-numbers-missing"]),
        ([1, 1, 2], ["entry-numbers-twice"]),
        ([0, 2, 2], ["entry-numbers-missing", "entry-numbers-twice", "entry-numbers-low"]),
    ],
)
def test_a_register_runs_on_from_one(numbers, codes):
    outcome = diplomas.check_entry_numbers(numbers)
    assert [reason.code for reason in outcome.because] == codes
    assert outcome.level == ("lien_tuc" if codes == ["entry-numbers-run-on"] else "co_loi")


@given(st.integers(0, 200))
def test_the_next_number_keeps_the_register_whole(count):
    used = list(range(1, count + 1))
    assert diplomas.check_entry_numbers([*used, diplomas.next_entry_number(used)]).level == "lien_tuc"


def test_a_broken_register_gives_no_number():
    with pytest.raises(OutOfRange):
        diplomas.next_entry_number([1, 3])


def test_an_entry_number_shows_kind_and_year():
    assert diplomas.show_entry_number(7, year=2026, kind="thpt") == "0007/2026/THPT"
    assert diplomas.show_entry_number(1, year=2026, kind="thpt") == "0001/2026/THPT"
    assert (
        diplomas.show_entry_number(7, year=2025, kind="thcs", pattern="{kind}-{year}-{serial}")
        == "THCS-2025-7"
    )


@pytest.mark.parametrize(
    "wrong, error",
    [
        ({"kind": "phd"}, UnknownValue),
        ({"serial": 0}, OutOfRange),
        ({"serial": "7"}, OutOfRange),
        ({"pattern": "{serial}/{kind}"}, UnknownValue),
    ],
)
def test_wrong_entry_numbers_are_refused(wrong, error):
    given = {"serial": 7, "year": 2026, "kind": "thpt"} | wrong
    with pytest.raises(error):
        diplomas.show_entry_number(given.pop("serial"), **given)


# blanks


@pytest.mark.parametrize(
    "state, to, papers",
    [
        ("in_stock", "allotted", []),
        ("sealed", "handed_over", []),
        ("printed", "damaged", ["minutes"]),
        ("allotted", "lost", ["minutes", "report_to_police", "report_to_ministry"]),
        ("handed_over", "revoked", ["decision"]),
        ("revoked", "destroyed", ["minutes"]),
    ],
)
def test_a_blank_goes_its_way(state, to, papers):
    diplomas.check_state(state, to, papers)
    for paper in papers:
        with pytest.raises(diplomas.WrongState) as refused:
            diplomas.check_state(state, to, set(papers) - {paper})
        assert refused.value.facts["lacking"] == (paper,)


@pytest.mark.parametrize(
    "state, to", [("handed_over", "in_stock"), ("in_stock", "signed"), ("destroyed", "in_stock")]
)
def test_a_blank_goes_no_other_way(state, to):
    with pytest.raises(diplomas.WrongState):
        diplomas.check_state(state, to, ["minutes", "decision"])


@pytest.mark.parametrize("state, to", [("new", "allotted"), ("in_stock", "eaten")])
def test_unknown_states_are_refused(state, to):
    with pytest.raises(UnknownValue):
        diplomas.check_state(state, to)


@pytest.mark.parametrize("closing, level, difference", [(14, "can", 0), (13, "lech", 1), (15, "lech", -1)])
def test_blanks_balance(closing, level, difference):
    balance = diplomas.blank_balance(
        opening=10, received=100, used=90, damaged=4, cancelled=2, closing=closing
    )
    assert (balance.level, balance.difference) == (level, difference)
    facts = balance.because[0].facts
    assert facts["came_in"] - facts["accounted"] == difference


@pytest.mark.parametrize("book", ["opening", "received", "used", "damaged", "cancelled", "closing"])
def test_wrong_books_are_refused(book):
    books = dict.fromkeys(["opening", "received", "used", "damaged", "cancelled", "closing"], 0)
    for wrong in (-1, "1"):
        with pytest.raises(OutOfRange) as refused:
            diplomas.blank_balance(**(books | {book: wrong}))
        assert refused.value.facts["name"] == book


# offices


@pytest.mark.parametrize(
    "kind, day, office",
    [
        ("thcs", date(2025, 6, 30), "phong_gddt"),
        ("thcs", date(2025, 7, 1), "ubnd_xa"),
        ("thcs", date(2025, 12, 31), "ubnd_xa"),
        ("thpt", date(2026, 1, 1), "so_gddt"),
    ],
)
def test_who_issues(kind, day, office):
    assert diplomas.issuer_of(kind, day) == office


def test_nobody_issues_what_has_ended():
    with pytest.raises(NoRuleInForce):
        diplomas.issuer_of("thcs", date(2026, 1, 1))
    with pytest.raises(NoRuleInForce):
        diplomas.issuer_of("certificate", date(2026, 1, 1))
    for function in (diplomas.ended_on, lambda kind: diplomas.issuer_of(kind, date(2026, 1, 1))):
        with pytest.raises(UnknownValue):
            function("phd")
    assert diplomas.ended_on("thpt") is None


@pytest.mark.parametrize(
    "kind, issued, day, office",
    [
        ("thcs", date(2010, 6, 1), date(2025, 6, 30), "phong_gddt"),
        ("thcs", date(2010, 6, 1), date(2025, 7, 1), "so_gddt"),
        ("thcs", date(2025, 8, 1), date(2030, 1, 1), "ubnd_xa"),
        ("thpt", date(2010, 6, 1), date(2030, 1, 1), "so_gddt"),
    ],
)
def test_who_serves_old_diplomas(kind, issued, day, office):
    assert diplomas.server_of(kind, issued_on=issued, day=day) == office
