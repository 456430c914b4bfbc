"""Reasons carry facts of any name, also one called code."""

from khue.gateway.exchange.reasons import reason, sentence


def test_a_fact_may_be_called_code():
    found = reason("number-of-other", "personal_number", code="8600000016")
    assert "8600000016" in sentence(found.code, dict(found.facts))
