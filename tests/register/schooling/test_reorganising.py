"""Schools opened from a template, merged and split: codes kept, no learner lost, the tree says what became of them."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from click.testing import CliRunner
from django.utils import timezone

from khue.kernel.audit.models import Act
from khue.kernel.errors import Invalid, NotAllowed
from khue.kernel.permissions import RELATIONS, system_actor
from khue.kernel.permissions.models import Grant
from khue.register.orgs import reach, services
from khue.register.orgs.models import Succession, Unit, UnitTie
from khue.register.people.models import Person
from khue.register.schooling import reorganising
from khue.register.schooling.models import ClassGroup, Placement, SchoolPlan
from khue.register.schooling.reorganising.moving import NotConserved, TransfersWait
from khue.register.schooling.reorganising.planning import AlreadyPlanned
from khue.register.staff.models import Post
from khue.school.teaching.models import Assignment
from tests import factories

NOW, DAY = factories.NOW, factories.NOW.date()
REASON = "Quyết định 12/QĐ-UBND"


@pytest.fixture(autouse=True)
def at_test_time(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)


class Two:
    def __init__(self):
        self.commune = factories.unit("commune", "Xã Bình Đại", code="28765", parent=factories.province())
        self.one, self.other = (factories.school(name, commune=self.commune) for name in ("Trường THCS Một", "Trường THCS Hai"))
        self.group, self.same = factories.class_group(self.one, name="7A1"), factories.class_group(self.other, name="7A1")
        self.second = factories.class_group(self.one, grade=8, name="8A1")
        self.learners = [*factories.learners(self.group, 3), *factories.learners(self.second, 2)]
        self.there = factories.learners(self.same, 2)
        self.lead = factories.homeroom_teacher(self.group)
        self.head = factories.post(self.one, "Đỗ Thị Hiệu", "principal")
        self.principal = factories.account("principal", self.one, who=self.head.person)
        self.officer = factories.actor_of(factories.account("province_officer", factories.province()))

    def merge(self, **given):
        values = {"actor": self.officer, "source_ids": [self.one.pk], "target_id": self.other.pk, "on": DAY, "reason": REASON, "now": NOW}
        return reorganising.merge_schools(**{**values, **given})

    def split(self, *groups, **given):
        values = {"actor": self.officer, "source_id": self.one.pk, "name": "Trường THCS Ba", "class_uids": [g.uid for g in groups],
                  "levels": ["lower_secondary"], "on": DAY, "reason": REASON, "now": NOW}  # fmt: skip
        return reorganising.split_school(**{**values, **given})


@pytest.fixture
def two(everything):
    return Two()


def where(people, day):
    return dict(Placement.objects.main().on(day).filter(learner__in=people).values_list("learner_id", "school_id"))


def test_everybody_goes_along_and_the_days_before_stay(two):
    codes = set(Person.objects.filter(pk__in=[p.pk for p in two.learners]).values_list("code", flat=True))
    done = two.merge()
    assert (done.classes, done.learners, done.posts) == (2, 5, 2)
    assert set(where(two.learners, DAY).values()) == {two.other.pk} and set(where(two.learners, DAY - timedelta(days=1)).values()) == {two.one.pk}
    assert len(where(two.learners, DAY)) == 5 == len(where(two.learners, DAY - timedelta(days=1)))
    held = Person.objects.filter(pk__in=[p.pk for p in two.learners])
    assert set(held.values_list("school_id", flat=True)) == {two.other.pk} and set(held.values_list("code", flat=True)) == codes
    assert set(ClassGroup.objects.filter(school=two.other).values_list("name", flat=True)) == {"7A1", f"7A1-{two.one.code[-4:]}", "8A1"}
    new = ClassGroup.objects.get(school=two.other, name__startswith="7A1-")
    assert new.homeroom.person_id == two.lead.person_id
    two.one.refresh_from_db()
    assert two.one.valid.upper == DAY and Succession.objects.get(source=two.one).target == two.other
    assert Post.objects.get(school=two.other, person=two.head.person).position == "vice_principal"
    assert Grant.objects.get(account=two.principal, unit_id=two.other.pk).role.code == "vice_principal"
    assert factories.actor_of(two.principal, at=NOW).unit_id == two.other.pk


def test_the_nightly_check_finds_everybody_in_one_state(two):
    from khue.province.quality import rules, sweeping
    from khue.province.quality.models import Finding, Rule

    rules.ensure_rules()
    two.merge()
    rule = Rule.objects.get(code="conservation")
    sweeping.sweep([two.one.pk, two.other.pk], on=DAY, rules=[rule])
    assert not Finding.objects.filter(rule=rule).exists()
    lost = Placement.objects.get(learner=two.learners[0], valid__contains=DAY)
    Placement.objects.filter(pk=lost.pk).update(valid=factories.period(date(2025, 11, 10), date(2025, 11, 10)), closed="")
    sweeping.sweep([two.one.pk, two.other.pk], on=date(2026, 1, 10), rules=[rule])
    assert Finding.objects.get(rule=rule).row_id == two.learners[0].pk  # planted: nobody knows where she is since


def test_a_day_to_come_open_transfers_and_other_roles_are_refused(two):
    from khue.register.schooling.models import Transfer

    with pytest.raises(Invalid):
        two.merge(on=DAY + timedelta(days=1))
    with pytest.raises(NotAllowed):
        two.merge(actor=factories.actor_of(two.principal))
    Transfer.objects.create(learner=two.learners[0], from_school=two.one, to_school=two.other, learner_name="x", grade=7, effective_on=DAY, reason="Chuyển nhà")
    with pytest.raises(TransfersWait):
        two.merge()
    assert set(where(two.learners, DAY).values()) == {two.one.pk}


def test_a_loss_stops_everything(two, monkeypatch):
    from khue.register.schooling.reorganising import moving

    real = moving._present
    monkeypatch.setattr(moving, "_present", lambda schools, on: set(list(real(schools, on))[1:]) if len(schools) == 1 else real(schools, on))
    with pytest.raises(NotConserved):
        two.merge()
    two.one.refresh_from_db()
    assert two.one.valid.upper is None and set(where(two.learners, DAY).values()) == {two.one.pk}


def test_some_classes_become_a_school(two):
    done = two.split(two.second)
    assert done.learners == 2 and done.target.code != two.one.code
    placed = where(two.learners, DAY)
    assert sorted(placed.values()) == sorted([two.one.pk] * 3 + [done.target.pk] * 2)
    succession = Succession.objects.get(target=done.target)
    assert (succession.kind, succession.is_whole, succession.source_id) == ("split", False, two.one.pk)
    assert UnitTie.objects.get(child=done.target).parent == two.commune
    with pytest.raises(Invalid):
        two.split(two.same)


def test_another_commune_keeps_the_code(two):
    away = factories.unit("commune", "Xã Khác", code="28770", parent=factories.province())
    code = two.one.code
    done = services.change_commune(actor=two.officer, unit_id=two.one.pk, commune_code="28770", on=DAY, now=NOW, reason=REASON)
    assert done.code == code and done.commune_code == "28770"
    assert UnitTie.objects.get(child=two.one, valid__contains=DAY).parent == away and UnitTie.objects.get(child=two.one, valid__contains=DAY - timedelta(days=1)).parent == two.commune
    assert reach.rebuild() == (0, 0)
    with pytest.raises(services.UnknownParent):
        services.change_commune(actor=two.officer, unit_id=two.one.pk, commune_code="00000", on=DAY, now=NOW)


@pytest.mark.parametrize(("template", "classes", "first"), [("thcs", 8, "6A1"), ("tieu-hoc", 10, "1A"), ("mam-non", 6, "3 tuổi A"), ("th-thcs", 18, "1A1")])
def test_a_school_from_a_template(two, template, classes, first):
    made = reorganising.open_school(
        actor=two.officer, parent=two.commune, template=template, name="Trường Mới", classes=2, on=date(2025, 9, 1), reason=REASON, now=NOW,
        principal="Lê Thị Hiệu", clerk="",
    )  # fmt: skip
    names = [g.name for g in made.classes]
    assert len(names) == classes and names[0] == first and (made.subjects > 5) is (template != "mam-non")
    assert made.school.code.startswith("00") or made.school.code[2:7] == "28765"
    [head] = made.people
    assert Post.objects.get(school=made.school).position == "principal" and head.username and Grant.objects.get(unit_id=made.school.pk).role.code == "principal"


def test_the_pages(two):
    client = factories.client_of(factories.account("province_officer", factories.province()))
    common = {"on": "10/11/2025", "reason": REASON}
    opened = client.post(f"/don-vi/{two.commune.uid}/mo-truong/", {**common, "template": "thcs", "name": "Trường Mới", "classes": "3", "principal": "Lê Thị Hiệu"})
    assert "6A3" in opened.content.decode() and "k-code" in opened.content.decode() and ClassGroup.objects.filter(school__name="Trường Mới").count() == 12
    assert client.post(f"/don-vi/{two.commune.uid}/mo-truong/", {**common, "template": "khac", "name": "x", "classes": "3"}).status_code == 422
    assert client.get(f"/don-vi/{two.one.uid}/mo-truong/").status_code == 404
    page = client.get(f"/don-vi/{two.one.uid}/chia-tach/").content.decode()
    assert "8A1" in page
    answer = client.post(f"/don-vi/{two.one.uid}/chia-tach/", {**common, "name": "Trường Ba", "levels": "lower_secondary", "classes": str(two.second.uid)})
    assert answer.status_code == 302 and Unit.objects.filter(name="Trường Ba").exists()
    assert client.post(f"/don-vi/{two.one.uid}/sap-nhap/", {**common, "target": "khong-co"}).status_code == 422
    assert client.post(f"/don-vi/{two.one.uid}/sap-nhap/", {**common, "target": two.other.code}).status_code == 302
    assert client.post(f"/don-vi/{two.other.uid}/doi-xa/", {**common, "commune": "28765"}).status_code == 302
    clerk = factories.client_of(factories.account("clerk", two.other))
    assert clerk.get(f"/don-vi/{two.other.uid}/sap-nhap/").status_code in (403, 404)


# -- assignments follow ---------------------------------------------------------------------------------------


def assigned(post, group, subject="toan", valid=factories.SCHOOL_YEAR, periods=4):
    return Assignment.objects.create(
        post=post, class_group=group, school_id=group.school_id, school_year=group.school_year, subject_code=subject, periods=periods, valid=valid
    )


def test_assignments_follow_class_and_teacher_and_their_past_stays(two):
    teacher = factories.post(two.one, "Lê Thị Thu Hà")
    running = assigned(teacher, two.group)
    later = assigned(teacher, two.second, valid=factories.period(date(2026, 1, 15), date(2026, 5, 31)), periods=3)
    over = assigned(teacher, two.second, "tin_hoc", valid=factories.period(date(2025, 9, 5), date(2025, 10, 1)))
    done = two.merge()
    assert (done.assignments, done.left) == (2, 0)
    for one in (running, later, over):
        one.refresh_from_db()
    assert running.valid == factories.period(factories.SCHOOL_YEAR.lower, DAY) and later.valid.isempty and over.valid.upper == date(2025, 10, 1)
    there = {(a.subject_code, a.class_group.name, a.periods, a.valid.lower, a.valid.upper, a.post.person_id) for a in Assignment.objects.filter(school_id=two.other.pk)}
    assert there == {
        ("toan", f"7A1-{two.one.code[-4:]}", 4, DAY, factories.SCHOOL_YEAR.upper, teacher.person_id),
        ("toan", "8A1", 3, date(2026, 1, 15), date(2026, 5, 31), teacher.person_id),
    }
    # who is a teacher there already goes on with her own post
    assert Post.objects.filter(person_id=teacher.person_id, valid__contains=DAY).count() == 1
    who = factories.account("subject_teacher", two.other, who=teacher.person)
    new = Assignment.objects.get(school_id=two.other.pk, subject_code="toan", valid__contains=DAY)
    assert RELATIONS["teaches"](factories.actor_of(who, at=NOW), new, NOW)
    assert Act.objects.filter(act="teaching.assignment.follow").exists()


def test_a_teacher_of_both_schools_keeps_her_post_there(two):
    teacher = factories.post(two.one, "Lê Thị Thu Hà")
    own = Post.objects.create(person_id=teacher.person_id, school=two.other, position="teacher", valid=factories.EVER)
    assigned(teacher, two.group)
    two.merge()
    assert Assignment.objects.get(school_id=two.other.pk).post_id == own.pk


def test_a_split_takes_the_assignments_of_those_who_go_and_counts_those_who_stay(two):
    factories.homeroom_teacher(two.second)
    two.second.refresh_from_db()
    lead = two.second.homeroom
    stays = factories.post(two.one, "Phạm Văn Ở Lại")
    went, left, behind = assigned(lead, two.second), assigned(stays, two.second, "tin_hoc"), assigned(lead, two.group, "tin_hoc")
    apart = assigned(stays, two.group, "ngu_van")
    done = two.split(two.second)
    assert (done.assignments, done.left) == (1, 2)
    new = Assignment.objects.get(school_id=done.target.pk)
    assert (new.subject_code, new.class_group.school_id, new.post.person_id) == ("toan", done.target.pk, lead.person_id)
    for one in (went, left, behind):
        one.refresh_from_db()
        assert one.valid.upper == DAY
    apart.refresh_from_db()
    assert apart.valid == factories.SCHOOL_YEAR


# -- decided before the day -----------------------------------------------------------------------------------

TO_COME = DAY + timedelta(days=5)
ON_THE_DAY = NOW + timedelta(days=5)
WORKER = system_actor("worker")


def planned(two, on=TO_COME, **given):
    values = {"actor": two.officer, "source_id": two.one.pk, "target_id": two.other.pk, "on": on, "reason": REASON, "now": NOW}
    return reorganising.plan_merge(**{**values, **given})


def test_a_merger_to_come_is_done_on_its_day(two):
    plan = planned(two)
    assert reorganising.perform_planned(actor=WORKER, now=NOW) == (0, 0) and set(where(two.learners, DAY).values()) == {two.one.pk}
    assert reorganising.perform_planned(actor=WORKER, now=ON_THE_DAY + timedelta(days=1)) == (1, 0)  # a day late: by its own day
    plan.refresh_from_db()
    assert plan.state == "done" and plan.performed_at == ON_THE_DAY + timedelta(days=1)
    assert set(where(two.learners, TO_COME).values()) == {two.other.pk} and set(where(two.learners, TO_COME - timedelta(days=1)).values()) == {two.one.pk}
    assert reorganising.perform_planned(actor=WORKER, now=ON_THE_DAY + timedelta(days=1)) == (0, 0)


def test_what_keeps_it_from_being_done_is_said_and_it_is_tried_again(two):
    from khue.register.schooling.models import Transfer

    plan = planned(two)
    waits = Transfer.objects.create(learner=two.learners[0], from_school=two.one, to_school=two.other, learner_name="x", grade=7, effective_on=DAY, reason="Chuyển nhà")
    assert reorganising.perform_planned(actor=WORKER, now=ON_THE_DAY) == (0, 1)
    plan.refresh_from_db()
    assert plan.state == "planned" and "đề nghị chuyển trường chưa trả lời" in plan.problem and set(where(two.learners, TO_COME).values()) == {two.one.pk}
    Transfer.objects.filter(pk=waits.pk).update(state="refused")
    assert reorganising.perform_planned(actor=WORKER, now=ON_THE_DAY) == (1, 0)
    plan.refresh_from_db()
    assert (plan.state, plan.problem) == ("done", "")


def test_plans_that_cannot_be_are_refused_and_one_can_be_withdrawn(two):
    third = factories.school("Trường THCS Ba", commune=two.commune)
    with pytest.raises(Invalid):
        planned(two, on=DAY)
    with pytest.raises(NotAllowed):
        planned(two, actor=factories.actor_of(two.principal))
    plan = planned(two)
    with pytest.raises(AlreadyPlanned):
        planned(two, target_id=third.pk)
    with pytest.raises(AlreadyPlanned):
        planned(two, source_id=third.pk, target_id=two.one.pk, on=TO_COME + timedelta(days=1))  # ends before it could take another over
    reorganising.withdraw(actor=two.officer, uid=plan.uid, now=NOW)
    assert reorganising.withdraw(actor=two.officer, uid=plan.uid, now=NOW).state == "withdrawn"
    assert reorganising.perform_planned(actor=WORKER, now=ON_THE_DAY) == (0, 0)
    again = planned(two, target_id=third.pk)
    two.merge()  # done by hand before its day, into another: the plan is settled
    again.refresh_from_db()
    assert again.state == "withdrawn"


def test_plans_on_pages(two, counted):
    client = factories.client_of(factories.account("province_officer", factories.province()))
    given = {"on": TO_COME.strftime("%d/%m/%Y"), "reason": REASON, "target": two.other.code}
    assert client.post(f"/don-vi/{two.one.uid}/sap-nhap/", given).headers["Location"] == "/don-vi/ke-hoach-sap-nhap/"
    assert "đã có kế hoạch" in client.post(f"/don-vi/{two.one.uid}/sap-nhap/", given).content.decode()
    with counted() as count:
        page = client.get("/don-vi/ke-hoach-sap-nhap/").content.decode()
    assert count.total <= 5 and two.one.name in page and TO_COME.strftime("%d/%m/%Y") in page and "Rút kế hoạch" in page
    assert "Kế hoạch sáp nhập trường" in client.get("/").content.decode()
    plan = SchoolPlan.objects.get()
    assert client.post(f"/don-vi/ke-hoach-sap-nhap/{plan.uid}/rut/").status_code == 302
    plan.refresh_from_db()
    assert plan.state == "withdrawn"
    clerk = factories.client_of(factories.account("clerk", two.one))
    assert clerk.get("/don-vi/ke-hoach-sap-nhap/").status_code in (403, 404)


# -- commands -------------------------------------------------------------------------------------------------


def command(monkeypatch, *arguments):
    import khue.cli
    from khue.register.schooling.cli import group

    monkeypatch.setattr(khue.cli, "prepare", lambda **_: None)
    return CliRunner().invoke(group, list(arguments))


def test_the_commands_open_merge_and_plan(two, monkeypatch):
    opened = command(
        monkeypatch, "open", "--under", two.commune.code, "--template", "thcs", "--name", "Trường Mới", "--classes", "2", "--on", "2025-09-01", "--reason", REASON
    )
    assert opened.exit_code == 0, opened.output
    told = json.loads(opened.output)
    school = Unit.objects.get(uid=told["uid"])
    assert school.code == told["code"] and len(told["classes"]) == 8 == ClassGroup.objects.filter(school=school).count()
    for wrong in (["--under", "99999"], ["--template", "khac"]):
        values = {"--under": two.commune.code, "--template": "thcs", "--name": "x", "--on": "2025-09-01", "--reason": REASON, wrong[0]: wrong[1]}
        refused = command(monkeypatch, "open", *[part for pair in values.items() for part in pair])
        assert refused.exit_code == 1 and "Error" in refused.output

    assigned(factories.post(two.one, "Lê Thị Thu Hà"), two.group)
    plan = command(monkeypatch, "merge", "--from", two.one.code, "--into", two.other.code, "--on", TO_COME.isoformat(), "--reason", REASON)
    assert plan.exit_code == 0 and json.loads(plan.output)["planned"] == [str(SchoolPlan.objects.get().uid)]
    merged = command(monkeypatch, "merge", "--from", two.one.code, "--into", two.other.code, "--on", DAY.isoformat(), "--reason", REASON)
    assert merged.exit_code == 0, merged.output
    assert json.loads(merged.output) == {"into": two.other.code, "classes": 2, "learners": 5, "posts": 3, "assignments": 1}
    assert SchoolPlan.objects.get().state == "done" and set(where(two.learners, DAY).values()) == {two.other.pk}
    again = command(monkeypatch, "merge", "--from", two.one.code, "--into", two.other.code, "--on", DAY.isoformat(), "--reason", REASON)
    assert again.exit_code == 1 and "Error" in again.output
    assert command(monkeypatch, "merge", "--from", "99", "--into", two.other.code, "--on", DAY.isoformat(), "--reason", REASON).exit_code == 1
