"""Draft rule sets: loaded from data, tried in simulation, and kept away from official results."""

import json
from datetime import date

import pytest

from regulations import assessment, contests, drafts, enrolment, graduation
from regulations.core import OutOfRange, UnknownValue
from regulations.graduation import Award


def data(**changes):
    return {
        "id": "draft.tot-nghiep-2027",
        "state": "draft",
        "title": "Dự thảo quy chế thi 2027",
        "base": "grad.tt24-2024",
        "set": {},
    } | changes


def candidate(**changes):
    return {"papers": [500] * 4, "grade10": 500, "grade11": 500, "grade12": 500} | changes


def test_a_draft_decides_by_its_own_numbers():
    draft = drafts.load(
        json.loads(json.dumps(data(set={"PASS_SCORE": 501, "BONUS_CAP": 100, "YEAR_WEIGHTS": [1, 1, 1]})))
    )
    simulation = draft.simulate("graduation_score", **candidate(bonus=300, grade12=800))
    assert simulation.draft == "draft.tot-nghiep-2027"
    assert simulation.result.years_average == 600
    assert (simulation.result.level, simulation.result.bonus, simulation.result.score) == (
        "tot_nghiep",
        100,
        563,
    )
    assert (
        drafts.load(data(set={"PASS_SCORE": 501})).simulate("graduation_score", **candidate()).result.score
        == 500
    )
    assert draft.changed["BONUS_CAP"] == (200, 100)


def test_what_is_computed_from_a_changed_number_changes_with_it():
    draft = drafts.load(data(set={"BANDS": {"provincial/3": 75}}))
    assert draft.simulate("bonus_points", [Award("hsg", "provincial", 3)]).result == 75
    assert draft.simulate("bonus_points", [Award("contest", "provincial", 3)]).result == 75
    assert draft.simulate("bonus_points", [Award("hsg", "provincial", 2)]).result == 150


def test_the_law_in_force_is_untouched():
    before = graduation.rules_for(year=2025)
    drafts.load(data(set={"FAIL_MARK": 200}))
    assert graduation.rules_for(year=2025) is before
    assert before.FAIL_MARK == 100
    assert before.graduation_score(**candidate(papers=[150, 900, 900, 900])).level == "tot_nghiep"


def test_every_reason_of_a_draft_names_the_draft():
    draft = drafts.load(data())
    result = draft.simulate("graduation_score", **candidate()).result
    assert {str(reason.citation) for reason in result.because} == {"draft.tot-nghiep-2027#44"}
    assert draft.rules.graduation_score.citation.instrument == draft.id
    assert (draft.rules.ID, draft.rules.TITLE, draft.source) == (draft.id, draft.title, "")


def test_no_door_leads_to_a_draft():
    draft = drafts.load(data())
    assert all(graduation.rules_for(year=year) is not draft.rules for year in range(2015, 2100))
    with pytest.raises(UnknownValue):
        graduation.rule_set(draft.id)
    assert draft.id not in drafts.bases()


def test_whoever_stores_a_result_asks_first():
    draft = drafts.load(data())
    assert not drafts.is_official(draft.rules)
    for thing in (draft, draft.rules, draft.simulate("graduation_score", **candidate())):
        with pytest.raises(drafts.DraftNotOfficial):
            drafts.demand_official(thing)
    for rules in drafts.bases().values():
        assert drafts.is_official(rules)
        drafts.demand_official(rules)


def test_a_draft_of_marks_has_the_rules_of_its_circular():
    official = assessment.rules_for(grade=7, year=2025)
    draft = drafts.load(
        data(
            base=official.id,
            set={"MINIMUM": {"tot": 70}, "min_count": 5, "counts_comments": False},
            source="CV 4582",
        )
    )
    assert (draft.rules.minimum["tot"], draft.rules.min_count, draft.rules.counts_comments) == (70, 5, False)
    assert (official.minimum["tot"], official.min_count, official.counts_comments) == (65, 6, True)
    assert draft.rules.cite(9).instrument == draft.id == draft.rules.id
    assert draft.source == "CV 4582"
    with pytest.raises(drafts.DraftNotOfficial):
        drafts.demand_official(draft.rules)
    average = draft.simulate("subject_term_average", regular=(80, 75, 90), midterm=80, final=85)
    assert average.result == official.subject_term_average(regular=(80, 75, 90), midterm=80, final=85)


def test_records_may_be_set_by_their_fields():
    draft = drafts.load(data(base="hsg.tt17-2023", set={"NATIONAL": {"prizes": 50}}))
    assert draft.simulate("prize_caps", 100).result.prizes == 50
    assert draft.rules.NATIONAL.prizes == 50
    assert contests.rules_for(year=2024).NATIONAL.prizes == 60
    transfer = drafts.load(
        data(
            base="enrol.tt15-2026",
            set={"STEPS": {"answer": {"days": 2, "other": 4}, "placement": {"other": 9}}},
        )
    )
    answer = transfer.simulate("transfer_deadline", "answer", date(2026, 9, 10), same_province=False)
    assert answer.result == date(2026, 9, 14)
    assert transfer.rules.STEPS["placement"].other == 9
    empty = drafts.load(data(base="enrol.tt15-2026", set={"STEPS": {"placement": {"other": None}}}))
    assert empty.rules.STEPS["placement"].other is None
    assert enrolment.rules_for(level="primary", year=2026).STEPS["answer"].days == 5


def test_settings_show_the_numbers_in_force_and_nothing_else():
    settings = drafts.settings_of("grad.tt24-2024")
    assert settings["FAIL_MARK"] == 100
    assert not {"ID", "INSTRUMENT", "FIRST_EXAM", "LAST_EXAM", "RECOGNITION", "ELIGIBLE"} & set(settings)
    assert "TYPE_CHECKING" not in drafts.settings_of("secondary.tt22-2021")


def test_words_move_within_their_setting_only():
    """A table may give another of its own levels; a level nobody knows has no name on any page."""
    base = "secondary.tt22-2021"
    name, table = next((name, value) for name, value in drafts.settings_of(base).items() if isinstance(value, dict) and set(value.values()) == {"tot", "kha", "dat", "chua_dat"})
    key = next(key for key, level in table.items() if level == "kha")
    written = "/".join(key) if isinstance(key, tuple) else key
    assert drafts.load(data(base=base, set={name: {written: "dat"}})).changed[name][1] == {**table, key: "dat"}
    with pytest.raises(UnknownValue):
        drafts.load(data(base=base, set={name: {written: "gioi"}}))
    assert drafts.load(data(title="x" * 120, set={"FAIL_MARK": 1_000_000})).changed["FAIL_MARK"][1] == 1_000_000


def test_only_plain_numbers_are_settings(monkeypatch):
    rules = graduation.rules_for(year=2025)
    for name, value, is_setting in [
        ("PLAIN", {1: 2, "a": (3, "b"), ("a", 1): True, "none": None}, True), ("ODD_VALUE", {"a": len}, False),
        ("ODD_KEY", {1.5: 2}, False), ("ODD_PART", {("a", 1.5): 2}, False), ("ODD_LIST", (1, [2]), False), ("WORD", "text", False),
        ("NOTHING", None, False), ("A_KIND", Award, False), ("A_RECORD", Award("hsg", "national", 1), True),
    ]:  # fmt: skip
        monkeypatch.setattr(rules, name, value, raising=False)
        assert (name in drafts.settings_of("grad.tt24-2024")) is is_setting, name


@pytest.mark.parametrize("base", sorted(drafts.bases()))
def test_every_rule_set_can_be_drafted_unchanged(base):
    draft = drafts.load(data(base=base))
    assert draft.changed == {}
    assert not drafts.is_official(draft.rules)


@pytest.mark.parametrize("base", sorted(drafts.bases()))
def test_settings_written_back_change_nothing(base):
    def written(value):
        if isinstance(value, dict):
            return {
                "/".join(map(str, key)) if isinstance(key, tuple) else str(key): written(one)
                for key, one in value.items()
            }
        return list(map(written, value)) if isinstance(value, tuple) else value

    plain = {
        name: written(value)
        for name, value in drafts.settings_of(base).items()
        if isinstance(value, int | tuple | dict) and "Step(" not in repr(value) and "Rank(" not in repr(value)
    }
    draft = drafts.load(data(base=base, set=json.loads(json.dumps(plain))))
    assert all(old == new for old, new in draft.changed.values())


@pytest.mark.parametrize(
    "changes, error",
    [
        ({"state": "in_force"}, UnknownValue),
        ({"id": "grad.tt24-2024"}, UnknownValue),
        ({"id": 7}, UnknownValue),
        ({"base": "grad.tt99-2099"}, UnknownValue),
        ({"base": "draft.other"}, UnknownValue),
        ({"hidden": True}, UnknownValue),
        ({"set": ["FAIL_MARK"]}, OutOfRange),
        ({"set": {"FAIL_MARKS": 100}}, UnknownValue),
        ({"set": {"INSTRUMENT": "x"}}, UnknownValue),
        ({"set": {"FAIL_MARK": 1.5}}, OutOfRange),
        ({"set": {"FAIL_MARK": "100"}}, OutOfRange),
        ({"set": {"FAIL_MARK": True}}, OutOfRange),
        ({"set": {"FAIL_MARK": None}}, OutOfRange),
        ({"set": {"YEAR_WEIGHTS": [1, 2]}}, OutOfRange),
        ({"set": {"YEAR_WEIGHTS": 3}}, OutOfRange),
        ({"set": {"PRIORITY": {"4": 100}}}, UnknownValue),
        ({"set": {"PRIORITY": [1]}}, OutOfRange),
        ({"set": {"FAIL_MARK": 1_000_001}}, OutOfRange),
        ({"set": {"FAIL_MARK": -(10**4000)}}, OutOfRange),
        ({"base": "enrol.tt15-2026", "set": {"STEPS": {"placement": {"other": "9"}}}}, OutOfRange),
        ({"base": "enrol.tt15-2026", "set": {"STEPS": {"placement": {"other": True}}}}, OutOfRange),
        ({"title": 7}, OutOfRange),
        ({"title": "a\x00b"}, OutOfRange),
        ({"title": "\ud800"}, OutOfRange),
        ({"title": "x" * 121}, OutOfRange),
        ({"source": ["a"]}, OutOfRange),
        ({"id": "draft." + "x" * 115}, OutOfRange),
        ({"base": "secondary.tt22-2021", "set": {"LEVELS": ["chua_dat", "dat", "kha", "gioi"]}}, UnknownValue),
    ],
)
def test_a_draft_that_makes_no_sense_is_refused(changes, error):
    with pytest.raises(error) as refused:
        drafts.load(data(**changes))
    assert refused.value.facts


@pytest.mark.parametrize("field", ["id", "state", "title", "base", "set"])
def test_every_field_is_needed(field):
    given = data()
    del given[field]
    with pytest.raises(UnknownValue) as refused:
        drafts.load(given)
    assert refused.value.facts["lacking"] == [field]


@pytest.mark.parametrize("rule", ["pardon", "_build", "FAIL_MARK", "__class__"])
def test_only_rules_are_simulated(rule):
    with pytest.raises(UnknownValue):
        drafts.load(data()).simulate(rule)
