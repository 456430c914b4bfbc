"""`khue orgs reform --country`: the whole country by the same services, and nothing of the installation changes."""

import json

import pytest
from click.testing import CliRunner

from khue.kernel.database import scope
from khue.register.orgs.cli import group
from khue.register.orgs.models import Unit
from tests.conftest import pointed


@pytest.fixture
def owner(fresh_database, databases):
    """Point Django at the fresh database as the schema's owner: scratch tables need it."""
    with pointed(databases.server.url("khue_owner", fresh_database)):
        yield


@pytest.mark.timeout(600)
def test_the_whole_country_on_scratch_tables(owner, monkeypatch):
    import khue.cli

    monkeypatch.setattr(khue.cli, "prepare", lambda **_: None)
    done = CliRunner().invoke(group, ["reform", "--country", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["before"] == {"province": 63, "district": 696, "commune": 10035}
    assert told["after"] == told["counted_after"] == {"province": 34, "district": 0, "commune": 3321}
    assert (told["conserved"], told["lost"], told["divided_communes"]) == (True, [], 471)
    with scope.everything():
        assert not Unit.objects.exists()


def test_what_the_command_asks_for():
    for arguments in (["reform"], ["reform", "--country", "--province", "86"], ["reform", "--country", "--apply"]):
        assert CliRunner().invoke(group, arguments).exit_code == 2
