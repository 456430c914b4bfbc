"""`khue --help` names every command there is."""

from click.testing import CliRunner

from khue.cli import main


def test_every_command_is_listed_and_answers_for_itself():
    listed = CliRunner().invoke(main, ["--help"]).output
    names = {line.split()[0] for line in listed.partition("Commands:")[2].splitlines() if line.strip()}
    assert names >= {"up", "demo", "worker", "migrate", "doctor", "backup", "restore", "drill", "ledger", "orgs", "law", "exchange", "timetable"}
    for name in names:
        assert CliRunner().invoke(main, [name, "--help"]).exit_code == 0, name


def test_an_unknown_command_is_refused():
    assert CliRunner().invoke(main, ["khong-co"]).exit_code == 2
