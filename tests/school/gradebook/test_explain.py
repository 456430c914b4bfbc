"""Why a learner has her results: the chain from marks to decision, for her family, her school and the province."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import translation

from khue.kernel.audit.models import Look
from khue.kernel.errors import NotAllowed, NotFound
from khue.kernel.permissions import system_actor
from khue.school.gradebook import explain, services
from khue.school.gradebook.models import Correction, Result
from khue.school.gradebook.queries.explaining import explanation
from regulations.core import Citation
from tests import factories
from tests.school.gradebook import books
from tests.school.gradebook.test_closing import close, ready

pytestmark = pytest.mark.usefixtures("everything")
SYSTEM = system_actor("tests")


def closed(now, *, grade: int = 7, low: dict[str, str] | None = None, count: int = 2) -> books.Book:
    """Return a class whose both terms and year are closed."""
    made = books.book(grade=grade, terms=(1, 2), count=count)
    for term in (1, 2):
        ready(made, term=term, low=low)
        close(made, now, term=term)
    close(made, now, term=0)
    return made


def steps(found) -> dict[str, explain.Step]:
    return {step.code: step for step in found.chain.steps}


def test_the_chain_goes_from_marks_to_decision_with_a_place_for_each_step(now):
    made = closed(now, low={"toan": "4"})
    found = explanation(SYSTEM, made.uids[0], now=now, school_year=2025)
    assert list(steps(found)) == [
        "marks-term1", "learning-term1", "marks-term2", "learning-term2", "subjects-year", "learning", "conduct", "award", "promotion",
    ]  # fmt: skip
    maths = next(row for row in steps(found)["marks-term1"].rows if row.code == "toan")
    assert maths.result == "4,0" and maths.how.startswith("(4,0 + ") and maths.how.endswith(" = 4")
    assert "2 × 4,0 + 3 × 4,0" in maths.how
    assert dict(maths.pairs)["Giữa kỳ"] == "4,0"
    year = next(row for row in steps(found)["subjects-year"].rows if row.code == "toan")
    assert (year.how, year.result) == ("(4,0 + 2 × 4,0) : 3 = 4", "4,0")
    learning = steps(found)["learning"]
    assert (learning.level, learning.result) == ("kha", "Khá")
    assert any("Toán" in one.sentence and one.place.code == "22/2021/TT-BGDĐT#9.3" for one in learning.said)
    assert steps(found)["promotion"].result == "Lên lớp"
    for step in found.chain.steps:
        assert step.is_sealed and not step.missing
        assert any(one.place and one.place.slug == "22-2021-tt-bgddt" for one in step.said), step.code
    assert found.decided == (("Cả năm: kết quả học tập", "Khá"), ("Cả năm: kết quả rèn luyện", "Tốt"), ("Danh hiệu", "Không có danh hiệu"), ("Lên lớp", "Lên lớp"))
    assert found.chain.differences == () and found.revision == 1


def test_primary_school_is_told_by_levels_tests_and_qualities(now):
    made = closed(now, grade=4)
    found = explanation(SYSTEM, made.uids[0], now=now, school_year=2025)
    assert list(steps(found)) == ["marks-term1", "marks-term2", "learning", "completion", "award", "promotion"]
    row = next(row for row in steps(found)["marks-term2"].rows if row.code == "toan")
    assert dict(row.pairs) == {"Giữa kỳ": "T · 9", "Cuối kỳ": "T · 9"}
    assert steps(found)["learning"].result == "Hoàn thành xuất sắc"
    assert any("Yêu nước T" in one.sentence for one in steps(found)["marks-term1"].said)
    assert any(one.place and one.place.slug == "27-2020-tt-bgddt" for one in steps(found)["promotion"].said)


def test_an_open_year_says_what_is_missing_and_what_would_come_out(now):
    made = books.book(terms=(1, 2))
    found = explanation(SYSTEM, made.uids[0], now=now)
    assert steps(found)["marks-term1"].missing and found.decided == ()
    assert any("Toán" in line for line in steps(found)["marks-term1"].waits_for)
    ready(made, term=1)
    found = explanation(SYSTEM, made.uids[0], now=now)
    assert steps(found)["learning-term1"].result == "Tốt" and not steps(found)["learning-term1"].is_sealed
    close(made, now, term=1)
    ready(made, term=2)
    assert steps(explanation(SYSTEM, made.uids[0], now=now))["year"].waits_for == ("chưa có kết quả học kỳ II",)
    close(made, now, term=2)
    found = explanation(SYSTEM, made.uids[0], now=now)
    assert steps(found)["promotion"].result == "Lên lớp" and not steps(found)["promotion"].is_sealed
    assert found.revision == 0


def test_a_year_without_a_class_has_nothing_to_explain(now):
    made = books.book()
    found = explanation(SYSTEM, made.uids[0], now=now, school_year=2019)
    assert found.chain.steps == () and found.rule_set == ""


def test_a_mark_that_is_zero_by_rule_is_told_so(now):
    made = books.book(terms=(1,))
    ready(made)
    made.save((0, "mid", "0v"), actor=made.actor())
    row = next(row for row in steps(explanation(SYSTEM, made.uids[0], now=now))["marks-term1"].rows if row.code == "toan")
    assert "giữa kỳ ghi 0 vì không kiểm tra bù" in row.how and dict(row.pairs)["Giữa kỳ"] == "0,0"


def test_a_division_shows_what_is_rounded():
    assert explain.division([(1, 80), (1, 75), (1, 90), (2, 80), (3, 85)]) == "(8,0 + 7,5 + 9,0 + 2 × 8,0 + 3 × 8,5) : 8 = 8,25"
    assert explain.division([(1, 80), (2, 75)]) == "(8,0 + 2 × 7,5) : 3 = 7,66…"
    assert explain.division([(1, 80), (2, 80)]) == "(8,0 + 2 × 8,0) : 3 = 8"
    assert explain.division([(1, 80), (2, None)]) == ""
    assert explain.division([(1, 0), (2, 0)]) == "(0,0 + 2 × 0,0) : 3 = 0"
    with translation.override("en"):
        assert explain.division([(1, 80), (2, 75)]) == "(8.0 + 2 × 7.5) : 3 = 7.66…"


def test_retests_and_what_came_of_them_are_told(now):
    made = closed(now, low={"toan": "2", "ngu_van": "2"})
    found = explanation(SYSTEM, made.uids[0], now=now, school_year=2025)
    assert steps(found)["promotion"].level == "kiem_tra_lai"
    assert any("Ngữ văn, Toán" in one.sentence for one in steps(found)["promotion"].said)
    principal = factories.actor_of(factories.account("principal", made.school))
    services.decide_year(
        actor=principal, class_group=made.group.uid, learner=made.uids[0], reason="Kết quả kiểm tra lại trong hè", now=now,
        decisions={"retest": {"toan": 60, "ngu_van": 55}},
    )  # fmt: skip
    found = explanation(SYSTEM, made.uids[0], now=now, school_year=2025)
    after = steps(found)["after_retest"]
    assert [one.sentence for one in after.said[:2]] == ["Môn Ngữ văn kiểm tra, đánh giá lại: 5,5.", "Môn Toán kiểm tra, đánh giá lại: 6,0."]
    assert steps(found)["promotion"].level == "len_lop" and found.revision == 2
    assert found.reason == "Kết quả kiểm tra lại trong hè" and found.chain.differences == ()


def test_a_corrected_mark_is_explained_by_the_corrected_value(now):
    made = closed(now)
    principal, home = factories.actor_of(factories.account("principal", made.school)), factories.actor_of(made.homeroom, role="homeroom_teacher")
    asked = services.ask_correction(
        actor=made.actor(), register=made.register().uid, learner=made.uids[0], slot="mid", value="5", reason="Nhập nhầm điểm", now=now
    )
    services.check_correction(actor=home, correction=asked.uid, now=now)
    services.decide_correction(actor=principal, correction=asked.uid, approve=True, now=now)
    assert Correction.objects.get().state == Correction.State.DONE
    found = explanation(SYSTEM, made.uids[0], now=now, school_year=2025)
    row = next(row for row in steps(found)["marks-term1"].rows if row.code == "toan")
    assert dict(row.pairs)["Giữa kỳ"] == "5,0" and found.revision == 2 and found.chain.differences == ()


def test_a_frozen_result_that_the_rules_do_not_give_is_shown_and_counts(now):
    made = closed(now)
    Result.objects.filter(learner=made.learners[0], term=0).update(is_current=False)
    old = Result.objects.get(learner=made.learners[0], term=0)
    old.pk = None
    old.uid, old.revision, old.is_current, old.learning, old._state.adding = __import__("uuid").uuid4(), 2, True, "dat", True
    old.save(force_insert=True)
    found = explanation(SYSTEM, made.uids[0], now=now, school_year=2025)
    assert [(one.about, one.sealed, one.again) for one in found.chain.differences] == [("learning", "dat", "tot")]
    assert found.decided[0][1] == "Đạt"


def test_a_result_that_keeps_no_inputs_shows_what_was_frozen(now):
    made = closed(now)
    for result in Result.objects.filter(learner=made.learners[0], is_current=True):
        Result.objects.filter(pk=result.pk).update(is_current=False)
        result.pk, result.uid, result.revision, result._state.adding = None, __import__("uuid").uuid4(), 2, True
        result.snapshot = {}
        result.save(force_insert=True)
    found = explanation(SYSTEM, made.uids[0], now=now, school_year=2025)
    assert list(steps(found)) == ["marks-term1", "marks-term2", "year"]
    assert found.decided and any("mức Tốt" in one.sentence for one in steps(found)["year"].said)


# --- who may look -----------------------------------------------------------------------------------------


def test_family_school_and_province_see_it_and_others_do_not(now):
    made = closed(now)
    uid = made.uids[0]
    province = factories.account("province_officer", factories.province())
    for actor in (
        factories.actor_of(factories.guardian(made.learners[0])), factories.actor_of(made.homeroom, role="homeroom_teacher"),
        factories.actor_of(factories.account("principal", made.school)), factories.actor_of(province),
    ):  # fmt: skip
        assert explanation(actor, uid, now=now, school_year=2025).uid == uid
    other = factories.school("Trường THCS Lê Lợi")
    strangers = [
        factories.guardian(made.learners[1]), factories.account("principal", other), factories.homeroom_teacher(factories.class_group(other)),
    ]
    for stranger in strangers:
        with pytest.raises(NotFound):
            explanation(factories.actor_of(stranger), uid, now=now, school_year=2025)
    for stranger in (made.teacher, factories.homeroom_teacher(factories.class_group(made.school))):
        with pytest.raises(NotAllowed):
            explanation(factories.actor_of(stranger, role=stranger.grants.first().role.code), uid, now=now, school_year=2025)
    with pytest.raises(NotFound):
        explanation(SYSTEM, "khong-co-ai", now=now)


def test_it_is_found_by_code_too(now):
    made = closed(now)
    assert explanation(SYSTEM, made.learners[0].code, now=now, school_year=2025).uid == made.uids[0]


def test_a_former_school_sees_its_own_part_only(now):
    made = closed(now)
    learner = made.learners[0]
    elsewhere = factories.school("Trường THCS Lê Lợi")
    type(learner).objects.filter(pk=learner.pk).update(school_id=elsewhere.pk)
    former = factories.actor_of(factories.account("principal", made.school))
    assert steps(explanation(former, made.uids[0], now=now, school_year=2025))["promotion"].is_sealed
    later = factories.class_group(elsewhere, grade=8, year=2026)
    from khue.kernel.database.fields import period
    from khue.register.schooling.models import Placement

    Placement.objects.create(
        learner=learner, school=elsewhere, class_group=later, school_year=2026, opened="transfer", roll_number=1,
        valid=period(now.date() + timedelta(300), now.date() + timedelta(500)),
    )  # fmt: skip
    with pytest.raises(NotFound):
        explanation(former, made.uids[0], now=now, school_year=2026)


# --- the page ---------------------------------------------------------------------------------------------


def test_the_page_is_read_by_family_and_school_in_few_statements_and_notes_the_look(now, counted, monkeypatch):
    made = closed(now)
    address = f"/hoc-sinh/{made.uids[0]}/vi-sao/?nam=2025"
    for account, role in ((factories.guardian(made.learners[0]), None), (made.homeroom, "homeroom_teacher")):
        client = factories.client_of(account, role=role)
        with counted() as count:
            answer = client.get(address)
        assert answer.status_code == 200 and count.total <= 6, count.statements
        text = answer.content.decode()
        assert "Vì sao" in text and "khoản 1 Điều 9" in text and "/phap-ly/22-2021-tt-bgddt/#dieu-9" in text
        assert made.learners[1].name not in text
        assert not re.search(r"xếp (thứ|hạng) \d|thứ hạng", text)
    assert set(Look.objects.filter(person_id=made.learners[0].pk, what="explain").values_list("role", flat=True)) == {"guardian", "homeroom_teacher"}


def test_an_open_year_costs_no_more_statements(now, counted, monkeypatch):
    from django.utils import timezone

    monkeypatch.setattr(timezone, "now", lambda: now)
    made = books.book(terms=(1, 2))
    client = factories.client_of(factories.guardian(made.learners[0]))
    with counted() as count:
        answer = client.get(f"/hoc-sinh/{made.uids[0]}/vi-sao/")
    assert answer.status_code == 200 and count.total <= 6, count.statements
    assert "Chưa kết luận được" in answer.content.decode()


def test_links_lead_there_from_the_class_the_file_and_the_family(now):
    made = closed(now)
    address = f"/hoc-sinh/{made.uids[0]}/vi-sao/"
    home = factories.client_of(made.homeroom, role="homeroom_teacher")
    assert address in home.get(f"/chu-nhiem/{made.group.uid}/?ky=0").content.decode()
    principal = factories.client_of(factories.account("principal", made.school))
    assert address in principal.get(f"/hoc-sinh/{made.uids[0]}/").content.decode()
    family = factories.client_of(factories.guardian(made.learners[0]))
    assert address in family.get(f"/gia-dinh/{made.uids[0]}/?nam=2025").content.decode()


def test_the_page_speaks_english_too(now):
    made = closed(now)
    client = factories.client_of(made.homeroom, role="homeroom_teacher")
    client.cookies["django_language"] = "en"
    text = client.get(f"/hoc-sinh/{made.uids[0]}/vi-sao/?nam=2025").content.decode()
    assert "Meets the conditions of Good" in text and "Vì sao" not in text


def test_a_place_outside_the_shelf_has_no_link():
    found = explain.place_of(Citation("draft.x", 9))
    assert found is not None and found.slug == "" and found.anchor == "dieu-9"
    assert explain.place_of(None) is None
