"""`khue doctor` says what an installation lacks, before a person meets it."""

from __future__ import annotations

from khue import doctor


def point(words: str) -> tuple[bool, str]:
    """Return (is well, advice) of the point whose title holds `words`."""
    [found] = [one for one in doctor.points(lambda: None) if words in one[0]]
    return found[1:]


def test_an_installation_as_we_make_it_is_well(fresh_database):
    points = {what: is_well for what, is_well, _advice in doctor.points(lambda: None)}
    assert all(points[what] for what in points if "witness" not in what and "disk" not in what), points


def test_an_application_that_may_not_stage_is_told_how(fresh_database, superuser):
    superuser.execute(f'revoke temporary on database "{fresh_database}" from khue_app')
    is_well, advice = point("temporary tables")
    assert not is_well and "deploy/roles.sql" in advice
