"""Two rule sets over a closed year: who differs and why, one by one and in sets, official and draft; nothing is written."""

from __future__ import annotations

import json
import random
import re
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from khue.kernel import jobs
from khue.kernel.audit.models import Look
from khue.kernel.errors import NotAllowed
from khue.kernel.jobs.models import Job
from khue.province.law import chart, comparing, services
from khue.province.law.comparing import NotADraft, NotComparable, Row, draft_side, side_of
from khue.school.gradebook import judging, recount
from khue.school.gradebook.gathering import class_terms
from khue.school.gradebook.services import closing
from regulations import assessment, curriculum
from regulations.drafts import demand_official
from regulations.drafts.loading import DraftNotOfficial
from tests import factories
from tests.province.law import years

TT22, TT58, TT26, GDTX = "secondary.tt22-2021", "secondary.tt58-2011", "secondary.tt58-2011+tt26-2020", "gdtx.tt43-2021"
TT27, OLD22, TT30 = "primary.tt27-2020", "primary.tt22-2016", "primary.tt30-2014"
DRAFT = {
    "id": "draft.thu", "state": "draft", "title": "Dự thảo thử", "base": TT22, "source": "tự đặt",
    "set": {"WEIGHT_FINAL": 2, "HIGH": {"tot": 85}},
}  # fmt: skip


# --- deciding, without a database ----------------------------------------------------------------------------


def secondary_rows(count: int, seed: int = 1) -> list[Row]:
    """Return learners of grades 6 to 12 with marks around the thresholds, some retested, some with decisions."""
    dice = random.Random(seed)
    rows = []
    for learner in range(1, count + 1):
        terms = []
        level = dice.choice((38, 55, 68, 82, 92))
        for term in (1, 2):
            subjects = {}
            for code in ("ngu_van", "toan", "ngoai_ngu_1", "gdcd", "ls_dl", "khtn", "cong_nghe", "tin_hoc"):
                marks = [min(100, max(0, level + dice.choice((-22, -8, 0, 3, 9)))) for _ in range(5)]
                subjects[code] = ["score", marks[:3], marks[3], marks[4]]
            for code in ("gdtc", "nghe_thuat"):
                subjects[code] = ["comment", [dice.choice(("dat", "dat", "dat", "chua_dat")) for _ in range(2)], "dat", dice.choice(("dat", "dat", "dat", "chua_dat"))]
            terms.append({"term": term, "subjects": subjects, "conduct": dice.choice(("tot", "tot", "kha", "dat", "chua_dat"))})
        rules = assessment.rule_set(TT22)
        results = [recount.term_subjects(rules, one) for one in terms]
        snapshot = {
            "term": 0, "subjects": {code: [terms[0]["subjects"][code][0], results[0][code], results[1][code], None] for code in results[0]},
            "conduct": [one["conduct"] for one in terms], "absences": dice.choice((0, 3, 45, 46)),
            "decisions": dice.choice(({}, {}, {"conduct_after_summer": "dat"})),
        }  # fmt: skip
        conduct = rules.conduct_year(term1=snapshot["conduct"][0], term2=snapshot["conduct"][1]).level
        rows.append(Row(learner, 1, dice.choice((6, 9, 10, 12)), 1, TT22, conduct, snapshot, tuple(terms)))
    return rows


def primary_rows(count: int, seed: int = 2) -> list[Row]:
    dice = random.Random(seed)
    rows = []
    for learner in range(1, count + 1):
        grade = dice.choice((1, 2, 3, 4, 5))
        best = dice.random() < 0.4
        due = assessment.rule_set(TT27).subjects_with_periodic_test(grade=grade, period="cuoi_nam")
        codes = dict.fromkeys((*due, "dao_duc", "gdtc"))
        subjects = {
            code: [{"cuoi_nam": "T" if best else dice.choice("TTTHHC" if learner % 5 else "TTTT")}, {"cuoi_nam": dice.choice((40, 50, 70, 90, 100) if not best else (90, 100))} if code in due else {}, "normal"]
            for code in codes
        }
        qualities = {one.code: "T" if best else dice.choice("TTTĐĐC" if learner % 7 else "TTTĐ") for one in (*curriculum.qualities(2025), *curriculum.competences(grade, 2025))}
        decisions = {name: True for name in ("outstanding", "progress", "recognised") if dice.random() < 0.5}
        rows.append(Row(learner, 1, grade, 1, TT27, "", {"term": 0, "subjects": subjects, "qualities": qualities, "decisions": decisions}))
    return rows


@pytest.mark.parametrize("rule_set", [TT22, TT58, TT26, GDTX])
def test_a_set_and_one_by_one_agree_for_secondary(rule_set):
    rows = secondary_rows(150)
    side = side_of(rule_set)
    singly, framed = comparing.decide_singly(side, rows), comparing.decide_frame(side, rows)
    assert singly == framed
    assert len({tuple(levels.values()) for levels, _error in singly.values()}) > 10
    assert not any(error for _levels, error in singly.values())


@pytest.mark.parametrize("rule_set", [TT27, OLD22, TT30])
def test_a_set_and_one_by_one_agree_for_primary(rule_set):
    rows = primary_rows(150)
    side = side_of(rule_set)
    singly, framed = comparing.decide_singly(side, rows), comparing.decide_frame(side, rows)
    assert singly == framed
    assert len({tuple(levels.values()) for levels, _error in singly.values()}) >= 2


def test_what_is_refused_keeps_its_code_and_stops_nobody_else():
    rows = secondary_rows(3)
    broken = Row(9, 1, 7, 1, TT22, "", {**rows[0].snapshot, "conduct": ["tot", ""]}, rows[0].terms)
    for decide in (comparing.decide_singly, comparing.decide_frame):
        answers = decide(side_of(TT22), [*rows, broken])
        assert answers[9] == (dict.fromkeys(recount.JUDGED, ""), "incomplete-marks")
        assert all(levels["promotion"] for pk, (levels, _error) in answers.items() if pk != 9)
    totals, found = comparing.compare_rows(side_of(TT22), side_of(TT58), [*rows, broken])
    assert totals.learners == 3 and totals.errors["before"] == {"incomplete-marks": 1}
    assert 9 not in {one.learner_id for one in found}


def test_ranks_ask_for_the_conduct_of_the_year_and_get_it_translated():
    [row] = secondary_rows(1)
    snapshot, conduct_year = comparing.inputs(side_of(TT58), Row(*[getattr(row, n) for n in ("learner_id", "class_id", "grade", "school_id", "rule_set")], "chua_dat", {**row.snapshot, "conduct": ["dat", "chua_dat"]}, row.terms))
    assert (snapshot["conduct"], conduct_year) == (["trung_binh", "yeu"], "yeu")
    ranked = Row(1, 1, 9, 1, TT58, "trung_binh", {**row.snapshot, "conduct": ["trung_binh", "yeu"], "conduct_year": "yeu", "decisions": {"conduct_after_summer": "trung_binh"}}, row.terms)
    assert comparing.inputs(side_of(TT58), ranked)[1] == "yeu"
    snapshot, conduct_year = comparing.inputs(side_of(TT22), ranked)
    assert (snapshot["conduct"], conduct_year, snapshot["decisions"]) == (["dat", "chua_dat"], "chua_dat", {"conduct_after_summer": "dat"})


def test_the_same_rule_set_differs_in_nobody():
    rows = secondary_rows(60)
    totals, found = comparing.compare_rows(side_of(TT22), side_of(TT22), rows)
    assert (totals.learners, totals.different, found) == (60, 0, [])
    assert all(before == after for key in totals.shift["learning"] for before, after in [key.split(">")])


def test_levels_with_other_names_for_the_same_are_not_a_difference():
    before, after = dict.fromkeys(recount.JUDGED, ""), dict.fromkeys(recount.JUDGED, "")
    before |= {"learning": "tot", "conduct": "dat", "promotion": "len_lop"}
    after |= {"learning": "gioi", "conduct": "trung_binh", "promotion": "len_lop", "award": "khong"}
    assert comparing.abouts_of(before, after, coarse=True) == ()
    assert comparing.abouts_of(before, after, coarse=False) == ("learning", "conduct")
    assert comparing.abouts_of(before, {**after, "learning": "kha"}, coarse=True) == ("learning",)
    assert comparing.is_coarse(side_of(TT22), side_of(TT58)) and comparing.is_coarse(side_of(TT27), side_of(TT30))
    assert not comparing.is_coarse(side_of(TT22), side_of(GDTX)) and not comparing.is_coarse(side_of(OLD22), side_of(TT30))


def test_totals_are_conserved_and_survive_json():
    rows = secondary_rows(80)
    totals, found = comparing.compare_rows(side_of(TT22), side_of(TT58), rows)
    assert totals.learners == 80 == sum(grade["learners"] for grade in totals.grades.values())
    assert totals.different == len(found) == sum(grade["different"] for grade in totals.grades.values()) > 0
    for counted in totals.shift.values():
        assert sum(counted.values()) == 80
    for about in totals.shift:
        merged = sum((grade["shift"][about] for grade in totals.grades.values()), start=type(totals.abouts)())
        assert merged == totals.shift[about]
    again = comparing.Totals.of_data(json.loads(json.dumps(totals.as_data())))
    assert again.as_data() == totals.as_data()
    halves = comparing.Totals()
    for part in (rows[:37], rows[37:]):
        halves.merge(comparing.compare_rows(side_of(TT22), side_of(TT58), part)[0])
    assert halves.as_data() == totals.as_data()


def test_every_difference_has_its_reasons_from_both_sides():
    rows = secondary_rows(40)
    sides = side_of(TT22), side_of(TT58)
    _totals, found = comparing.compare_rows(*sides, rows)
    by_learner = {row.learner_id: row for row in rows}
    for one in found:
        reasons = comparing.why(*sides, by_learner[one.learner_id], one.abouts)
        assert {side for side, _about, _reason in reasons} == {"before", "after"}
        assert {about for _side, about, _reason in reasons} <= set(one.abouts)
        assert all(reason.citation is not None for _side, _about, reason in reasons)


# --- drafts -----------------------------------------------------------------------------------------------


def test_a_draft_decides_by_its_own_numbers_from_the_marks():
    rows = secondary_rows(80)
    before, after = side_of(TT22), draft_side(DRAFT)
    totals, found = comparing.compare_rows(before, after, rows)
    assert 0 < totals.different <= 80 and {one.after["learning"] for one in found} <= {"tot", "kha", "dat", "chua_dat"}
    row = rows[0]
    marks = row.terms[0]["subjects"]["toan"]
    expected = judging.assessment.rule_set(TT22).subject_term_average(regular=marks[1], midterm=marks[2], final=marks[3])
    drafted = (2 * (sum(marks[1]) + 2 * marks[2] + 2 * marks[3]) + 7) // 14
    snapshot, _conduct = comparing.inputs(after, row)
    assert snapshot["subjects"]["toan"][1] == drafted and row.snapshot["subjects"]["toan"][1] == expected
    assert comparing.inputs(before, row)[0] is row.snapshot


def test_a_draft_that_changes_nothing_differs_in_nobody():
    rows = secondary_rows(40)
    totals, _found = comparing.compare_rows(side_of(TT22), draft_side({**DRAFT, "set": {}}), rows)
    assert totals.different == 0 and totals.learners == 40


def test_a_draft_is_no_official_rule_set():
    side = draft_side(DRAFT)
    assert side.is_draft
    with pytest.raises(DraftNotOfficial):
        demand_official(side.rules)
    with pytest.raises(NotComparable):
        side_of("draft.thu")


@pytest.mark.parametrize(
    "data",
    [
        None, [], "x", {}, {**DRAFT, "state": "official"}, {**DRAFT, "id": "thu"}, {**DRAFT, "base": "khong.co"}, {**DRAFT, "set": []},
        {**DRAFT, "set": {"KHONG_CO": 1}}, {**DRAFT, "set": {"WEIGHT_FINAL": "ba"}}, {**DRAFT, "set": {"WEIGHT_FINAL": 2.5}},
        {**DRAFT, "more": 1}, {**DRAFT, "base": 7}, {**DRAFT, "base": ["secondary.tt22-2021"]},
    ],
)  # fmt: skip
def test_what_is_no_draft_is_refused_with_a_sentence(data):
    with pytest.raises(NotADraft) as refusal:
        draft_side(data)
    assert "%(" not in refusal.value.sentence


def test_a_draft_of_another_subject_of_law_is_not_comparable():
    with pytest.raises(NotComparable):
        draft_side({"id": "draft.x", "state": "draft", "title": "x", "base": "grad.tt24-2024", "set": {}})


@pytest.mark.parametrize(("before", "after"), [(TT22, TT27), (TT30, TT58)])
def test_primary_and_secondary_have_nothing_in_common(before, after):
    with pytest.raises(NotComparable):
        comparing.grades_of(side_of(before), side_of(after))
    with pytest.raises(NotComparable):
        side_of("preschool.tt52-2020")


def test_the_picture_shows_every_learner_once():
    shift = chart.shift({"tot>gioi": 40, "tot>kha": 10, "kha>kha": 30, "dat>yeu": 20})
    assert [block.name for block in shift.blocks] == ["Tốt", "Khá", "Đạt", "Giỏi", "Khá", "Yếu"]
    assert sum(band.count for band in shift.bands) == 100
    assert {(band.before, band.after): band.way for band in shift.bands} == {
        ("Tốt", "Giỏi"): "same", ("Tốt", "Khá"): "down", ("Khá", "Khá"): "same", ("Đạt", "Yếu"): "down",
    }  # fmt: skip
    assert [(name, total) for name, _cells, total in shift.cells] == [("Tốt", 50), ("Khá", 30), ("Đạt", 20)]
    assert chart.way("chua_dat", "kha") == "up" and chart.way("hoan_thanh_tot", "hoan_thanh") == "same"
    assert chart.shift({}) is None and chart.shift({"tot>tot": 0}) is None
    assert chart.shift({">len_lop": 3}).blocks[0].name == "–"


# --- over closed years ------------------------------------------------------------------------------------


@pytest.fixture
def officer():
    return factories.account("province_officer", factories.province())


def run(job: Job, now) -> Job:
    jobs.run(job.pk, clock=lambda: now)
    job.refresh_from_db()
    return job


@pytest.mark.usefixtures("everything")
def test_a_comparison_names_who_differs_and_writes_nothing(now, officer):
    made = years.closed(now, marks={1: {"toan": "4"}, 2: {"toan": "4", "ngu_van": "4"}})
    before = years.state()
    reach = comparing.reach([6, 7, 8, 9], 2025)
    assert len(reach.class_ids) == 1 and reach.open_classes == 0
    [(place, totals, found, rows)] = comparing.compare(side_of(TT22), side_of(TT58), 2025, reach.class_ids)
    assert (place, totals.learners, len(rows)) == (1, 3, 3)
    assert {one.learner_id for one in found} <= {one.pk for one in made.learners}
    by_learner = {one.learner_id: one for one in found}
    third = by_learner[made.learners[2].pk]  # Đạt under 22/2021; an average of 8 and a fall by two subjects is Trung bình
    assert third.before["learning"] == "dat"
    assert years.state() == before


@pytest.mark.usefixtures("everything")
def test_a_comparison_as_work_in_the_background_and_its_page(now, officer, counted):
    made = years.closed(now, marks={1: {"toan": "4"}})
    client = factories.client_of(officer)
    form = {"before": TT22, "after": TT58, "year": "2025", "school": made.school.code}
    assert client.get("/phap-ly/so-sanh/").status_code == 200
    answer = client.post("/phap-ly/so-sanh/", form)
    job = Job.objects.get(kind=services.COMPARE)
    address = reverse("law:comparison", args=[job.uid])
    assert answer.status_code == 302 and answer["Location"] == address
    assert "Đang chờ" in client.get(address).content.decode()
    before = years.state()
    assert run(job, now).state == Job.State.DONE and job.result_url == address
    assert years.state() == before
    with counted() as count:
        text = client.get(address).content.decode()
    assert count.total <= 6, count.statements
    assert 'class="kl-chart"' in text and "style=" not in text.split('<main', 1)[1]
    differing = made.learners[1]
    assert f"/hoc-sinh/{differing.uid}/vi-sao/?nam=2025" in text and str(made.learners[0].uid) not in text
    assert "Học tập: Khá → <b>Trung bình</b>" in text and "/phap-ly/58-2011-tt-bgddt/#dieu-" in text
    assert list(Look.objects.filter(what="compare").values_list("person_id", flat=True)) == [differing.pk]
    for about in ("conduct", "award", "promotion", "khong-co"):
        assert client.get(f"{address}?ve={about}&trang=99").status_code == 200


@pytest.mark.usefixtures("everything")
def test_a_draft_is_compared_from_a_file_and_touches_no_official_result(now, officer):
    years.closed(now)
    client = factories.client_of(officer)
    upload = BytesIO(json.dumps(DRAFT).encode())
    upload.name = "du-thao.json"
    before = years.state()
    assert client.post("/phap-ly/so-sanh/", {"before": TT22, "after": "", "draft": upload, "year": "2025", "school": ""}).status_code == 302
    job = run(Job.objects.get(kind=services.COMPARE), now)
    assert job.state == Job.State.DONE and job.result["totals"]["learners"] == 3
    assert years.state() == before
    assert "Có một bên là dự thảo." in client.get(reverse("law:comparison", args=[job.uid])).content.decode()


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize(
    "changes",
    [
        {"after": ""}, {"after": TT27}, {"after": "khong.co"}, {"before": ""}, {"year": "1"}, {"year": ""}, {"school": "KHONGCO"},
        {"after": TT58, "draft": b"{}"}, {"after": "", "draft": b"khong phai json"}, {"after": "", "draft": b"[]"},
        {"after": "", "draft": b'{"id": 1}'}, {"after": "", "draft": b"[" * 5000}, {"after": "", "draft": b" " * (70 * 1024)},
    ],
)  # fmt: skip
def test_a_form_that_does_not_fit_is_shown_again_with_a_reason(changes, officer):
    values = {"before": TT22, "after": TT58, "year": "2025", "school": ""} | changes
    if "draft" in values:
        upload = BytesIO(values["draft"])
        upload.name = "du-thao.json"
        values["draft"] = upload
    answer = factories.client_of(officer).post("/phap-ly/so-sanh/", values)
    assert answer.status_code == 422 and "k-error" in answer.content.decode()
    assert not Job.objects.filter(kind=services.COMPARE).exists()


@pytest.mark.usefixtures("everything")
def test_only_the_province_compares_and_sees_its_own_runs(now, officer):
    school = factories.school()
    for role in ("principal", "commune_officer", "data_steward"):
        other = factories.account(role, school if role == "principal" else None)
        with pytest.raises(NotAllowed):
            services.start_compare(actor=factories.actor_of(other), before=side_of(TT22), after=side_of(TT58), year=2025, school=None, draft=None, now=now)
    job = services.start_compare(
        actor=factories.actor_of(officer), before=side_of(TT22), after=side_of(TT58), year=2025, school=None, draft=None, now=now
    )
    assert run(job, now).message == "Không có lớp nào đã khoá năm học này."
    colleague = factories.client_of(factories.account("province_officer", factories.province()))
    assert colleague.get(reverse("law:comparison", args=[job.uid])).status_code == 404
    text = factories.client_of(officer).get(reverse("law:comparison", args=[job.uid])).content.decode()
    assert "Không em nào có kết quả khác." in text


@pytest.mark.usefixtures("everything")
def test_a_killed_comparison_goes_on_from_its_last_set_and_counts_nobody_twice(now, officer, monkeypatch):
    monkeypatch.setattr(comparing, "CLASSES_A_SET", 1)
    for _class in range(3):
        years.closed(now, count=1)
    job = services.start_compare(
        actor=factories.actor_of(officer), before=side_of(TT22), after=side_of(TT58), year=2025, school=None, draft=None, now=now
    )
    steps = services.compare(job, factories.actor_of(officer))
    first = next(steps)
    steps.close()
    Job.objects.filter(pk=job.pk).update(cursor=first.cursor, result=first.result, done=first.done)
    assert run(job, now).result["totals"]["learners"] == 3 and job.done == 3


@pytest.mark.usefixtures("everything")
def test_a_long_list_is_paged_over_its_parts(now, officer, monkeypatch, counted):
    from khue.province.law import queries

    monkeypatch.setattr(queries, "ON_A_PAGE", 2)
    monkeypatch.setattr(comparing, "CLASSES_A_SET", 1)
    low = {place: {"toan": "4"} for place in range(3)}
    classes = [years.closed(now, count=3, marks=low) for _class in range(2)]
    job = services.start_compare(
        actor=factories.actor_of(officer), before=side_of(TT22), after=side_of(TT58), year=2025, school=None, draft=None, now=now
    )
    run(job, now)
    seen = []
    for number in (1, 2, 3):
        page = queries.page(factories.actor_of(officer), job, number, now=now)
        assert (page.pages, page.total, len(page.rows)) == (3, 6, 2)
        seen += [row["learner_id"] for row in page.rows]
    assert sorted(seen) == sorted(one.pk for made in classes for one in made.learners)
    client = factories.client_of(officer)
    with counted() as count:
        assert client.get(f"{reverse('law:comparison', args=[job.uid])}?trang=2").status_code == 200
    assert count.total <= 6, count.statements


def test_a_result_that_keeps_no_inputs_is_counted_as_refused():
    [row] = secondary_rows(1)
    bare = Row(2, 1, 7, 1, TT22, "tot", {})
    totals, _found = comparing.compare_rows(side_of(TT22), draft_side(DRAFT), [row, bare])
    assert totals.learners == 1 and totals.errors == {"before": {"incomplete-marks": 1}, "after": {"incomplete-marks": 1}}


# --- drafts that mean harm ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "x" * 5000}, {"title": "a\x00b"}, {"title": "\ud800"}, {"title": 7}, {"source": ["a"]}, {"id": "draft." + "y" * 300},
        {"set": {"min_count": 10**4000}}, {"set": {"LEVELS": ["<b>", "dat", "kha", "tot"]}}, {"base": ["a"]}, {"set": None},
    ],
)  # fmt: skip
def test_a_draft_no_database_or_page_could_carry_is_refused_with_a_sentence(changes, everything, officer):
    upload = SimpleUploadedFile("du-thao.json", json.dumps({**DRAFT, **changes}).encode(), content_type="application/json")
    answer = factories.client_of(officer).post("/phap-ly/so-sanh/", {"before": TT22, "after": "", "draft": upload, "year": "2025", "school": ""})
    assert answer.status_code == 422 and re.search("Tệp dự thảo không đọc được|Tệp không phải JSON", answer.content.decode())
    assert not Job.objects.exists()


@pytest.mark.parametrize("changes", [{"WEIGHT_MIDTERM": -5}, {"WEIGHT_TERM2": -1}, {"STEPS_LOST": 0}])
def test_numbers_that_leave_nothing_to_reckon_with_are_counted_as_refused(changes, everything, now, officer):
    made = years.closed(now, marks={1: {"toan": "4"}})
    data = {**DRAFT, "base": TT22, "set": changes}
    job = services.start_compare(
        actor=factories.actor_of(officer), before=side_of(TT22), after=comparing.draft_side(data), year=2025, school=made.school, draft=data, now=now
    )
    job = run(job, now)
    assert job.state == Job.State.DONE
    totals = comparing.Totals.of_data(job.result["totals"])
    refused = totals.errors.get("after", {}).get("draft-unusable", 0)
    assert refused + totals.learners >= 3
    text = factories.client_of(officer).get(reverse("law:comparison", args=[job.uid])).content.decode()
    assert ("không tính được, ví dụ tổng hệ số bằng 0" in text) is bool(refused)


def test_weights_of_nothing_refuse_everybody():
    rows = secondary_rows(4)
    side = comparing.draft_side({**DRAFT, "base": TT22, "set": {"WEIGHT_TERM2": -1}})
    assert {error for _levels, error in comparing.decide_set(side, rows).values()} == {"draft-unusable"}


def test_a_result_of_a_draft_is_never_stored(everything, now):
    """Were a door to hand out a draft all the same, closing would refuse to store what it decides."""
    made = years.closed(now)
    before = years.state()
    draft = comparing.draft_side({**DRAFT, "base": TT22})
    [group] = class_terms([made.group.pk], school_year=2025, term=0)
    rows = list(closing.result_rows(group, judging.judge_year(group, draft.rules), now=now))
    assert {row["rule_set"] for row in rows} == {DRAFT["id"]}
    with pytest.raises(DraftNotOfficial):
        closing.insert_results(rows)
    assert years.state() == before
