"""`khue law …`: the same answers on the command line, for people and for machines; nothing is written."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from django.db import connection

from khue.cli import main
from khue.kernel.audit.models import Act
from khue.kernel.database import scope
from khue.school.gradebook.models import Result
from tests.province.law import years
from tests.province.law.test_comparing import DRAFT, TT22, TT27, TT58

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def made(fresh_database, now):
    """A closed class, committed; commands open their own scope."""
    with scope.everything():
        return years.closed(now, marks={1: {"toan": "4"}})


def khue(*arguments: str):
    return CliRunner().invoke(main, ["law", *arguments], catch_exceptions=False)


def kept() -> dict:
    with scope.everything():
        return years.state()


def test_the_commands_tell_compare_and_recompute(made, tmp_path):
    before = kept()
    uid = str(made.learners[1].uid)

    told = khue("explain", uid, "--year", "2025")
    assert told.exit_code == 0 and "Thông tư 22/2021/TT-BGDĐT" in told.output and "Lên lớp" in told.output
    assert "(4,0 + 4,0 + " in told.output and ": 9 = 4 → 4,0" in told.output
    data = json.loads(khue("explain", made.learners[1].code, "--year", "2025", "--json").output)
    assert data["learner"] == uid and [step["code"] for step in data["steps"]][-1] == "promotion"
    assert all(reason["place"]["code"].startswith("22/2021/TT-BGDĐT#") for step in data["steps"] if step["code"] == "learning" for reason in step["because"])
    assert khue("explain", "khong-co-ai", "--year", "2025").exit_code == 1
    with scope.everything():
        acts = list(Act.objects.filter(act="law.explain").values_list("person_id", "actor_name"))
    assert acts == [(made.learners[1].pk, "khue law explain")] * 2

    told = khue("compare", "--from", TT22, "--to", TT58, "--year", "2025", "--school", made.school.code)
    assert told.exit_code == 0 and "3 learners, 1 differ, 0 classes not closed" in told.output
    assert "learning Khá → Trung bình" in told.output and "Điều 13 Thông tư 58/2011/TT-BGDĐT" in told.output
    data = json.loads(khue("compare", "--from", TT22, "--to", TT58, "--year", "2025", "--json").output)
    assert (data["learners"], data["different"], [one["learner"] for one in data["differing"]]) == (3, 1, [uid])
    assert data["grades"]["7"]["different"] == 1 and {one["side"] for one in data["differing"][0]["why"]} == {"before", "after"}
    draft = tmp_path / "du-thao.json"
    draft.write_text(json.dumps(DRAFT), encoding="utf-8")
    told = khue("compare", "--from", TT22, "--to", str(draft), "--year", "2025")
    assert told.exit_code == 0 and told.output.rstrip().endswith("0 classes not closed")
    draft.write_text("{", encoding="utf-8")
    for after in (str(draft), str(tmp_path / "khong-co.json"), "khong.co", TT27):
        assert khue("compare", "--from", TT22, "--to", after, "--year", "2025").exit_code == 1
    assert khue("compare", "--from", TT22, "--to", TT58, "--year", "2025", "--school", "KHONGCO").exit_code == 1

    told = khue("recompute", "--year", "2025")
    assert (told.exit_code, told.output.strip()) == (0, "1 classes, 3 learners, 0 differences")
    assert kept() == before

    with scope.everything():
        old = Result.objects.get(learner=made.learners[0], term=0)
        Result.objects.filter(pk=old.pk).update(is_current=False)
        old.pk, old.uid, old._state.adding, old.is_current, old.revision, old.promotion = None, __import__("uuid").uuid4(), True, True, 2, "o_lai_lop"
        old.save(force_insert=True)
    before = kept()
    told = khue("recompute", "--year", "2025", "--school", made.school.code)
    assert told.exit_code == 1 and "term 0: promotion: sealed o_lai_lop, again len_lop" in told.output and "Sửa điểm" in told.output
    told = khue("recompute", "--year", "2025", "--json")
    data = json.loads(told.output)
    assert told.exit_code == 1 and [(one["about"], one["learner"]) for one in data["differences"]] == [("promotion", str(made.learners[0].uid))]
    assert kept() == before
    assert not connection.in_atomic_block


def test_slips_of_the_hand_are_told_from_answers(made, tmp_path):
    """A year nobody has, a year nothing is closed of, a name of no rule set, a file that is no draft: a sentence each."""
    uid = str(made.learners[1].uid)
    for year in ("0", "-1", "20255", "99999999999999999999", "hai", ""):
        for command in (["explain", uid], ["compare", "--from", TT22, "--to", TT58], ["recompute"]):
            told = khue(*command, "--year", year)
            assert told.exit_code == 2 and "--year" in told.output, (command, year)
    told = khue("recompute", "--year", "2030")
    assert told.exit_code == 0 and "Không có lớp nào đã khoá năm học 2030–2031." in told.output
    told = khue("compare", "--from", TT22, "--to", TT58, "--year", "2030")
    assert told.exit_code == 0 and "Không có lớp nào đã khoá năm học 2030–2031." in told.output
    told = khue("explain", uid, "--year", "2030")
    assert told.exit_code == 0 and "chưa có điểm hay kết quả nào" in told.output
    for name in ("secondary.tt99-2030", "", "grad.tt24-2024"):
        told = khue("compare", "--from", TT22, "--to", name, "--year", "2025")
        assert told.exit_code == 1 and "Các bộ quy định có: " in told.output and TT58 in told.output
    big = tmp_path / "lon.json"
    big.write_text(json.dumps({**DRAFT, "source": "x" * 70_000}), encoding="utf-8")
    told = khue("compare", "--from", TT22, "--to", str(big), "--year", "2025")
    assert told.exit_code == 1 and "64 kB" in told.output
    told = khue("shelf", "không", "có", "gì", "như", "thế")
    assert told.exit_code == 0 and "Không có văn bản nào" in told.output


def test_the_shelf_on_the_command_line_needs_no_accents():
    told = khue("shelf", "hoc", "ba", "so")
    assert told.exit_code == 0 and "70/2026/TT-BGDĐT" in told.output
    data = json.loads(khue("shelf", "28/2020", "--json").output)
    assert [one["number"] for one in data] == ["28/2020/TT-BGDĐT"] and data[0]["replaced_by"] == "15/2026/TT-BGDĐT"


def test_the_group_is_known_to_khue():
    assert {"explain", "compare", "recompute", "shelf"} <= set(CliRunner().invoke(main, ["law", "--help"]).output.split())
