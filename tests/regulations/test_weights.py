"""The weights a rule set tells are those its averages are made with."""

import pytest

from regulations import assessment, drafts

SECONDARY = [rules for rules in assessment.RULE_SETS if rules.level == "secondary"]


def average(rules, regular, midterm, final):
    if rules.id in ("secondary.tt58-2011", "gdtx.qd02-2007+tt26-2014"):
        return rules.subject_term_average(regular=(regular,), periodic=(midterm,), final=final)
    return rules.subject_term_average(regular=(regular,), midterm=midterm, final=final)


@pytest.mark.parametrize("rules", SECONDARY, ids=repr)
@pytest.mark.parametrize("marks", [(100, 0, 0), (0, 100, 0), (0, 0, 100), (37, 81, 54)])
def test_the_weights_make_the_average(rules, marks):
    weights = rules.mark_weights()
    exact = 2 * sum(weight * mark for weight, mark in zip(weights, marks, strict=True))
    assert average(rules, *marks) == (exact + sum(weights)) // (2 * sum(weights))


@pytest.mark.parametrize("rules", SECONDARY, ids=repr)
@pytest.mark.parametrize("terms", [(100, 0), (0, 100), (64, 77)])
def test_the_weights_of_the_terms_make_the_year(rules, terms):
    first, second = rules.term_weights()
    exact = 2 * (first * terms[0] + second * terms[1])
    assert rules.subject_year_average(term1=terms[0], term2=terms[1]) == (exact + first + second) // (2 * (first + second))


def test_a_draft_tells_its_own_weights():
    draft = drafts.load({"id": "draft.x", "state": "draft", "title": "x", "base": "secondary.tt22-2021", "set": {"WEIGHT_FINAL": 4}})
    assert draft.rules.mark_weights() == (1, 2, 4)
    assert draft.rules.subject_term_average(regular=(0,), midterm=0, final=100) == 57
    assert assessment.rule_set("secondary.tt22-2021").mark_weights() == (1, 2, 3)
