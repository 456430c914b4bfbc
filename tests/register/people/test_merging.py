"""Two files of one person: found with evidence, merged by two people, both codes kept, taken apart exactly."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction

from khue.kernel.audit.models import Act
from khue.kernel.database import scope
from khue.kernel.ledger.models import Entry
from khue.kernel.permissions import system_actor
from khue.register.people import queries
from khue.register.people.doubles import finding, moving, rules, services, work
from khue.register.people.models import Double, Kinship, Merge, MergeMove, Person, ToldApart
from khue.register.schooling import bulk
from khue.register.schooling.models import Placement
from khue.school.gradebook import services as gradebook
from khue.school.gradebook.models import Line, Register, Result
from tests import factories

NOW = factories.NOW
BORN = date(2013, 9, 5)


@pytest.fixture(autouse=True)
def at_test_time(monkeypatch):
    from django.utils import timezone

    monkeypatch.setattr(timezone, "now", lambda: NOW)


def placed(who, group, valid=factories.SCHOOL_YEAR, **fields):
    return Placement.objects.create(
        learner=who, school=group.school, class_group=group, school_year=group.school_year, valid=valid, opened="entry", **fields
    )


class Two:
    """A learner with a full file at one school, and her second file at another, entered without papers."""

    def __init__(self, *, days=None):
        self.here, self.there = factories.school("Trường THCS Nguyễn Huệ"), factories.school("Trường THCS Lê Lợi")
        self.old = factories.class_group(self.there, grade=6, year=2024)
        self.group = factories.class_group(self.here, grade=7)
        self.full = factories.person(
            "Nguyễn Thị Ngọc Ánh", school=self.there, born_on=BORN, sex="2", birth_place="Bến Tre", personal_index="x" * 43, personal_number=b"n" * 40
        )
        self.bare = factories.person("Nguyễn Thị Ngọc Ánh", school=self.here, born_on=BORN, sex="2", phone="0912345678")
        placed(self.full, self.old, factories.period(date(2024, 9, 5), date(2025, 5, 31)), closed="year_end")
        placed(self.bare, self.group, days or factories.SCHOOL_YEAR)
        self.clerk = factories.actor_of(factories.account("clerk", self.here))
        self.officer = factories.actor_of(factories.account("province_officer", factories.province()))
        self.steward = factories.actor_of(factories.account("data_steward", factories.province()))

    def double(self):
        with scope.everything():
            return services.keep(finding.weighed(self.full.pk, self.bare.pk), day=NOW.date())

    def propose(self):
        return services.propose(actor=self.clerk, uid=self.double().uid, keep_first=True, reason="Đã đối chiếu khai sinh", now=NOW)

    def merge(self, **given):
        made = self.propose()
        return services.decide(actor=self.officer, uid=made.uid, version=made.version, accept=True, answer="", now=NOW, **given)


@pytest.fixture
def two(everything):
    return Two()


# -- how sure ----------------------------------------------------------------------------------------------


def known(**changes):
    row = {"name": "Nguyễn Thị Ánh", "born": "2013-09-05", "precision": "day", "sex": "2", "place": "", "commune": "", "address": "",
           "phone": "", "number": None, "parents": []}  # fmt: skip
    return rules.Known.of({**row, **changes})


@pytest.mark.parametrize(
    ("changes", "codes", "listed"),
    [
        ({}, {"name-same", "born-same", "sex-same"}, True),
        ({"name": "Nguyen Thi Anh"}, {"name-unaccented", "born-same", "sex-same"}, True),
        ({"name": "Nguyễn Thị Án"}, {"name-near", "born-same", "sex-same"}, True),
        ({"name": "Nguyễn Ánh"}, {"name-parts", "born-same", "sex-same"}, False),
        ({"name": "Lê Văn Tám"}, {"name-differs", "born-same", "sex-same"}, False),
        ({"born": "2013-05-09"}, {"name-same", "born-swapped", "sex-same"}, True),
        ({"born": "2013-09-06"}, {"name-same", "born-near", "sex-same"}, False),
        ({"born": "2013-01-01", "precision": "year"}, {"name-same", "born-partly", "sex-same"}, True),
        ({"born": "2012-01-01", "precision": "year"}, {"name-same", "born-differs", "sex-same"}, False),
        ({"born": "2013-08-01", "precision": "month"}, {"name-same", "born-differs", "sex-same"}, False),
        ({"sex": "1"}, {"name-same", "born-same", "sex-differs"}, False),
    ],
)
def test_every_line_of_the_sum_is_a_stated_rule(changes, codes, listed):
    points, lines = rules.weigh(known(), known(**changes))
    assert {line.code for line in lines} == codes
    assert points == max(0, min(100, sum(rules.RULES[code][0] for code in codes))) and (points >= rules.LISTED) is listed


def test_parents_telephones_and_numbers_weigh():
    one = known(parents=[["le thi hoa", "0912 345 678"]], place="Bến Tre", address="Ấp 1", commune="28765")
    same = known(parents=[["le thi hoa", ""]], phone="+84912345678", place="Xã Bình, Bến Tre", address="ấp 1", commune="28765")
    points, lines = rules.weigh(one, same)
    assert points == 100 and {"parent-same", "phone-same", "place-same", "home-same"} <= {line.code for line in lines}
    assert rules.weigh(one, known(parents=[["tran thi no", ""]]))[0] < rules.weigh(one, known())[0]
    assert rules.weigh(known(number="a"), known(number="b"))[0] == 0 and rules.weigh(known(number="a"), known(number="a"))[0] == 100


def test_two_numbers_are_never_listed_so_such_pairs_need_not_be_looked_at():
    best: dict[str, int] = {}
    for code, (points, _sentence) in rules.RULES.items():
        matter = code.partition("-")[0]
        best[matter] = max(best.get(matter, 0), points)
    del best["number"]
    assert sum(best.values()) + rules.RULES["number-differs"][0] < rules.LISTED


@pytest.mark.parametrize(("one", "other", "near"), [("anh", "ank", True), ("anh", "an", True), ("an", "anh", True), ("anh", "nah", True), ("anh", "hna", False), ("anh", "an tam", False)])
def test_one_letter(one, other, near):
    assert rules.is_near(one, other) is near


# -- finding -----------------------------------------------------------------------------------------------


def test_a_candidate_elsewhere_is_told_by_its_evidence_only(two):
    with scope.opened(schools=[two.here.pk]):
        person, [(one, file)] = queries.candidates(two.clerk, two.bare.uid, at=NOW)
    assert person == two.bare and one.person_id == two.full.pk and one.confidence == 72
    assert file.is_hidden and file.name == "" and file.code == "" and file.school == two.there.name


def test_the_search_finds_spellings_and_swapped_days(two):
    swapped = factories.person("Nguyen Thi Ngoc Anh", school=two.here, born_on=date(2013, 5, 9), sex="2")
    other = factories.person("Nguyễn Thị Ngọc Ánh", school=two.here, born_on=date(2010, 9, 5), sex="2")
    found = {one.person_id for one in finding.candidates(two.bare.pk)}
    assert found == {two.full.pk, swapped.pk} and other.pk not in found


def test_an_asker_without_the_file_gets_nothing(two):
    with scope.opened(schools=[factories.school("Trường thứ ba").pk]), connection.cursor() as cursor:
        cursor.execute("select count(*) from khue_candidates(%s, 50)", [two.bare.pk])
        assert cursor.fetchone() == (0,)


def test_the_nightly_search_opens_settles_and_writes_nothing_twice(two):
    schools = [two.here.pk, two.there.pk]
    assert work.sweep(schools, day=NOW.date()) == 1
    row = Double.objects.get()
    assert (row.first_id, row.second_id, row.lacks_number, row.gone_on) == (two.full.pk, two.bare.pk, True, None)
    work.sweep(schools, day=NOW.date())
    row.refresh_from_db()
    assert row.version == 1
    Person.objects.filter(pk=two.bare.pk).update(name="Phạm Văn Khác", sex="1")
    assert work.sweep(schools, day=NOW.date()) == 0
    assert Double.objects.get().gone_on == NOW.date()


def test_told_apart_is_never_proposed_again(two):
    double = two.double()
    services.tell_apart(actor=two.clerk, uid=double.uid, reason="Hai chị em sinh đôi", now=NOW)
    services.tell_apart(actor=two.clerk, uid=double.uid, reason="Hai chị em sinh đôi", now=NOW)
    assert ToldApart.objects.count() == 1 and Act.objects.filter(act="people.double.apart").count() == 1
    assert finding.candidates(two.bare.pk) == [] and work.sweep([two.here.pk, two.there.pk], day=NOW.date()) == 0
    assert queries.doubles(two.clerk, at=NOW) == []


# -- merging -----------------------------------------------------------------------------------------------


def image(*people):
    """Return everything that names these people, as the database holds it."""
    seen = {}
    with connection.cursor() as cursor:
        for table, column in moving.columns():
            cursor.execute(f'select id, {column} from "{table}" where {column} = any(%s) order by 1', [[p.pk for p in people]])
            if rows := cursor.fetchall():
                seen[table, column] = rows
        cursor.execute("select id, merged_into_id, school_id, phone, birth_place, personal_index, facts from people_person where id = any(%s) order by 1", [[p.pk for p in people]])
        seen["people"] = cursor.fetchall()
        cursor.execute("select id, valid::text, closed from schooling_placement where learner_id = any(%s) order by 1", [[p.pk for p in people]])
        seen["places"] = cursor.fetchall()
    return seen


def test_merged_and_taken_apart_exactly(two):
    gradebook.open_registers_of_classes(actor=system_actor("tests"), classes=[two.group], now=NOW)
    mother = factories.person("Lê Thị Hoa", school=two.here)
    Kinship.objects.create(guardian=mother, learner=two.bare, relation="mother", school_id=two.here.pk, valid=factories.EVER)
    account = factories.account("learner", who=two.bare)
    before = image(two.full, two.bare)
    lines = Line.objects.filter(learner=two.bare).count()
    done = two.merge()
    two.full.refresh_from_db()
    two.bare.refresh_from_db()
    account.refresh_from_db()
    assert done.state == "done" and two.bare.merged_into_id == two.full.pk and lines > 0
    assert Line.objects.filter(learner=two.full).count() == lines and not Line.objects.filter(learner=two.bare).exists()
    assert account.person_id == two.full.pk and two.full.phone == "0912345678" and two.full.school_id == two.here.pk
    assert Placement.objects.filter(learner=two.full).count() == 2 and two.full.guardians.get().guardian == mother
    [entry] = Entry.objects.filter(act="people.merge")
    assert entry.person_id == two.full.pk and Act.objects.filter(act="people.merge").count() == 2
    undone, left = services.undo(actor=two.officer, uid=done.uid, version=done.version, reason="Hai chị em sinh đôi", now=NOW)
    assert (undone.state, left) == ("undone", 0) and image(two.full, two.bare) == before
    assert Entry.objects.filter(act="people.part").count() == 1 and finding.candidates(two.bare.pk) == []


def test_the_same_decision_twice_and_the_same_proposal_twice_act_once(two):
    made, again = two.propose(), two.propose()
    assert made.pk == again.pk and Merge.objects.count() == 1
    for _time in range(2):
        services.decide(actor=two.officer, uid=made.uid, version=made.version, accept=True, answer="", now=NOW)
    assert Entry.objects.filter(act="people.merge").count() == 1
    done = Merge.objects.get()
    for _time in range(2):
        services.undo(actor=two.officer, uid=made.uid, version=done.version, reason="Gộp nhầm người", now=NOW)
    assert Entry.objects.filter(act="people.part").count() == 1
    with pytest.raises(services.AlreadyDecided):
        services.decide(actor=two.officer, uid=made.uid, version=done.version, accept=True, answer="", now=NOW)


def test_who_proposes_does_not_decide(two):
    made = services.propose(actor=two.officer, uid=two.double().uid, keep_first=True, reason="Đã đối chiếu khai sinh", now=NOW)
    with pytest.raises(services.OwnProposal):
        services.decide(actor=two.officer, uid=made.uid, version=made.version, accept=True, answer="", now=NOW)
    services.decide(actor=two.steward, uid=made.uid, version=made.version, accept=True, answer="", now=NOW)


def test_a_principal_decides_within_her_school_only(two):
    from khue.kernel.errors import NotFound

    made, principal = two.propose(), factories.actor_of(factories.account("principal", two.here))
    with pytest.raises(NotFound):
        services.decide(actor=principal, uid=made.uid, version=made.version, accept=True, answer="", now=NOW)
    assert Merge.objects.get().state == "proposed"


def test_declined_is_remembered(two):
    made = two.propose()
    services.decide(actor=two.officer, uid=made.uid, version=made.version, accept=False, answer="Hai em khác nhau", now=NOW)
    assert ToldApart.objects.get().reason == "Hai em khác nhau" and Double.objects.get().gone_on is not None
    assert Person.objects.filter(merged_into=None, pk__in=[two.full.pk, two.bare.pk]).count() == 2


def test_two_places_on_the_same_days_need_a_decision(two):
    other = factories.class_group(two.there, grade=7)
    place = placed(two.full, other, factories.period(date(2025, 9, 5), date(2026, 5, 31)))
    mine = Placement.objects.get(learner=two.bare)
    before = image(two.full, two.bare)
    made = two.propose()
    with pytest.raises(services.CannotMerge) as refused:
        services.decide(actor=two.officer, uid=made.uid, version=made.version, accept=True, answer="", now=NOW)
    assert {uid for uid, _name in refused.value.facts["choices"]} == {str(place.uid), str(mine.uid)} and two.there.name in refused.value.sentence
    assert image(two.full, two.bare) == before
    done = services.decide(actor=two.officer, uid=made.uid, version=made.version, accept=True, answer="", now=NOW, standing=str(mine.uid))
    place.refresh_from_db()
    assert place.valid.isempty and place.closed == "undone"
    assert Placement.objects.get(learner=two.full, valid__contains=NOW.date()) == mine
    services.undo(actor=two.officer, uid=done.uid, version=done.version, reason="Gộp nhầm người", now=NOW)
    assert image(two.full, two.bare) == before


def test_a_place_that_falls_keeps_the_days_before(two):
    other = factories.class_group(two.there, grade=7)
    place = placed(two.full, other, factories.period(date(2025, 9, 5), date(2026, 5, 31)))
    Placement.objects.filter(learner=two.bare).update(valid=factories.period(date(2025, 10, 1), date(2026, 5, 31)))
    two.merge(standing=str(Placement.objects.get(learner=two.bare).uid))
    place.refresh_from_db()
    assert (place.valid.lower, place.valid.upper, place.closed) == (date(2025, 9, 5), date(2025, 10, 1), "transfer")


@pytest.mark.parametrize(("begins", "left"), [(date(2025, 10, 1), "[2025-09-05,2025-10-01)"), (date(2025, 9, 5), "empty")])
def test_a_place_that_falls_before_two_that_stand(two, begins, left):
    """She changed class within the year in one file; the other still has the whole year."""
    place = placed(two.full, factories.class_group(two.there, grade=7), factories.period(date(2025, 9, 5), date(2026, 5, 31)))
    Placement.objects.filter(learner=two.bare).update(valid=factories.period(begins, date(2025, 11, 15)))
    placed(two.bare, factories.class_group(two.here, grade=7), factories.period(date(2025, 11, 15), date(2026, 5, 31)))
    before = image(two.full, two.bare)
    first = Placement.objects.filter(learner=two.bare).order_by("valid").first()
    done = two.merge(standing=str(first.uid))
    place.refresh_from_db()
    assert left == ("empty" if place.valid.isempty else f"[{place.valid.lower},{place.valid.upper})")
    assert Placement.objects.filter(learner=two.full, school_year=2025, valid__isempty=False).count() == (2 if left == "empty" else 3)
    _merge, kept = services.undo(actor=two.officer, uid=done.uid, version=done.version, reason="Gộp nhầm người", now=NOW)
    assert kept == 0 and image(two.full, two.bare) == before


def test_a_place_that_falls_twice_is_put_back_whole(two):
    """Two of one file stand within the days of one of the other: what is left is cut twice, and put back whole."""
    place = placed(two.full, factories.class_group(two.there, grade=7), factories.period(date(2025, 9, 20), date(2026, 5, 31)))
    Placement.objects.filter(learner=two.bare).update(valid=factories.period(date(2025, 9, 5), date(2025, 11, 15)))
    placed(two.bare, factories.class_group(two.here, grade=7), factories.period(date(2025, 11, 15), date(2026, 2, 1)))
    before = image(two.full, two.bare)
    done = two.merge(standing=str(Placement.objects.filter(learner=two.bare).order_by("valid").first().uid))
    place.refresh_from_db()
    assert (place.valid.lower, place.valid.upper) == (date(2026, 2, 1), date(2026, 5, 31))
    _merge, kept = services.undo(actor=two.officer, uid=done.uid, version=done.version, reason="Gộp nhầm người", now=NOW)
    assert kept == 0 and image(two.full, two.bare) == before


def test_closed_results_of_one_year_keep_them_apart(two):
    for who in (two.full, two.bare):
        Result.objects.create(
            learner=who, school_id=who.school_id, class_group=two.old, school_year=2024, term=0, frozen_at=NOW
        )
    with pytest.raises(services.CannotMerge) as refused:
        two.merge()
    assert "2024–2025" in refused.value.sentence


def test_two_numbers_and_two_sets_of_marks_keep_them_apart(two):
    Person.objects.filter(pk=two.bare.pk).update(personal_index="y" * 43, personal_number=b"m" * 40)
    with pytest.raises(services.CannotMerge):
        two.merge()
    Person.objects.filter(pk=two.bare.pk).update(personal_index=None, personal_number=None)
    placed(two.full, two.group)
    gradebook.open_registers_of_classes(actor=system_actor("tests"), classes=[two.group], now=NOW)
    register = Register.objects.get(class_group=two.group, subject_code="toan", term=1)
    Line.objects.filter(register=register, learner=two.bare).update(midterm=80)
    made = Merge.objects.first() or two.propose()
    with pytest.raises(services.CannotMerge) as refused:
        services.decide(actor=two.officer, uid=made.uid, version=made.version, accept=True, answer="", now=NOW)
    assert two.group.name in refused.value.sentence
    Line.objects.filter(register=register, learner=two.bare).update(midterm=None)
    services.decide(actor=two.officer, uid=made.uid, version=made.version, accept=True, answer="", now=NOW)
    assert Line.objects.filter(register=register, learner=two.full).count() == 1


def test_what_comes_later_is_decided_on_undoing(two):
    done = two.merge()
    later = factories.class_group(two.here, grade=8, year=2026)
    one = placed(two.full, later, factories.period(date(2026, 9, 5), date(2027, 5, 31)))
    mother = factories.person("Lê Thị Hoa", school=two.here)
    tie = Kinship.objects.create(guardian=mother, learner=two.full, relation="mother", school_id=two.here.pk, valid=factories.EVER)
    with scope.everything():
        found = {row.key for row in moving.later(done)}
    assert found == {f"schooling_placement.learner_id.{one.pk}", f"people_kinship.learner_id.{tie.pk}"}
    services.undo(actor=two.officer, uid=done.uid, version=done.version, reason="Gộp nhầm người", now=NOW, also=frozenset({f"schooling_placement.learner_id.{one.pk}"}))
    one.refresh_from_db()
    tie.refresh_from_db()
    assert one.learner_id == two.bare.pk and tie.learner_id == two.full.pk


def test_the_database_moves_no_row_without_a_merge(two):
    row = Placement.objects.get(learner=two.bare)
    with pytest.raises(DatabaseError, match="changes only when files are merged"), transaction.atomic():
        Placement.objects.filter(pk=row.pk).update(learner=two.full)
    two.merge()
    with pytest.raises(DatabaseError, match="changes only when files are merged"), transaction.atomic():
        Placement.objects.filter(pk=row.pk).update(learner=two.bare)
    with pytest.raises(DatabaseError), transaction.atomic():
        MergeMove.objects.update(row_id=1)
    with pytest.raises(DatabaseError), transaction.atomic():
        Person.objects.filter(pk=two.bare.pk).delete()


def test_a_chain_of_merges_leads_to_the_last_and_comes_apart_from_the_end(two):
    first = two.merge()
    third = factories.person("Nguyễn Thị Ngọc Ánh", school=two.here, born_on=BORN, sex="2")
    with scope.everything():
        pair = services.keep(finding.weighed(two.full.pk, third.pk), day=NOW.date())
    made = services.propose(actor=two.clerk, uid=pair.uid, keep_first=False, reason="Hồ sơ thứ ba", now=NOW)
    services.decide(actor=two.officer, uid=made.uid, version=made.version, accept=True, answer="", now=NOW)
    assert queries.survivor_of(str(two.bare.uid)) == str(third.uid)
    with pytest.raises(services.NotMerged):
        services.undo(actor=two.officer, uid=first.uid, version=first.version, reason="Gộp nhầm người", now=NOW)


# -- both codes, both addresses ------------------------------------------------------------------------------


def test_every_way_to_the_absorbed_file_leads_to_the_survivor(two):
    two.merge()
    clerk = factories.client_of(factories.account("clerk", two.here))
    for address in (
        "/hoc-sinh/{}/", "/hoc-sinh/{}/chuyen-truong/", "/hoc-sinh/{}/ho-so-giong/", "/nhu-da-biet/hoc-sinh/{}/", "/hoc-sinh/{}/ho-so/",
        "/api/v1/learners/{}",
    ):
        answer = clerk.get(address.format(two.bare.uid) + "?a=1")
        assert answer.status_code == 308 and answer["Location"] == address.format(two.full.uid) + "?a=1"
    assert clerk.get(f"/hoc-sinh/{two.full.uid}/").status_code == 200
    why = clerk.get(f"/hoc-sinh/{two.bare.uid}/vi-sao/")  # reads by the living file, whichever address is asked
    assert why.status_code == 200 and f"/hoc-sinh/{two.full.uid}/" in why.content.decode()
    written = clerk.patch(f"/api/v1/learners/{two.bare.uid}", {"version": 1, "name": "X"}, content_type="application/json")
    assert written.status_code == 404 and written.json()["survivor"] == str(two.full.uid)
    for code in (two.bare.code, two.full.code):
        assert str(two.full.uid) in clerk.get("/tim/", {"q": code}).content.decode()
    stranger = factories.client_of(factories.account("clerk", factories.school("Trường thứ ba")))
    assert stranger.get(f"/hoc-sinh/{two.bare.uid}/").status_code == 404
    unknown = stranger.patch(f"/api/v1/learners/{two.bare.uid}", {"version": 1, "name": "X"}, content_type="application/json")
    assert unknown.status_code == 404 and "survivor" not in unknown.json()
    for uid in (two.bare.uid, two.full.uid):
        assert stranger.get(f"/hoc-sinh/{uid}/vi-sao/").status_code in (403, 404)


def test_a_sheet_with_the_absorbed_code_means_the_survivor(two):
    two.merge()
    row = {"n": 1, "code": two.bare.code, "index": None, "fold": None, "born": None}
    assert [hit["id"] for hit in bulk.match_learners([row], school_id=two.here.pk, school_year=2025)[1]] == [two.full.pk]
    assert bulk.held_elsewhere([row]) == bulk.held_elsewhere([{**row, "code": two.full.code}]) != {}


def test_the_pages_go_from_list_to_merge_and_back(two, counted):
    work.sweep([two.here.pk, two.there.pk], day=NOW.date())
    clerk = factories.client_of(factories.account("clerk", two.here))
    clerk.get("/ho-so-trung/")
    with counted() as count:
        listed = clerk.get("/ho-so-trung/?loc=chua-co-so").content.decode()
    assert "nhiều khả năng (72/100)" in listed and "cùng ngày sinh" in listed and two.full.code not in listed and count.total <= 5, count.statements
    address = f"/ho-so-trung/{Double.objects.get().uid}/"
    assert clerk.get(address).status_code == 200
    assert clerk.post(address, {"keep": "1", "reason": "x"}).status_code == 422
    sent = clerk.post(address, {"keep": "1", "reason": "Đã đối chiếu khai sinh"})
    assert "Gộp hai hồ sơ" not in clerk.get(sent["Location"]).content.decode().split("<h2")[-1]
    assert clerk.post(sent["Location"], {"act": "merge", "version": 1}).status_code in (403, 404, 409)
    officer = factories.client_of(factories.account("province_officer", factories.province()))
    assert "Gộp hai hồ sơ" in officer.get(sent["Location"]).content.decode()
    assert officer.post(sent["Location"], {"act": "decline", "version": 1, "answer": ""}).status_code == 422
    assert officer.post(sent["Location"], {"act": "merge", "version": 1}).status_code == 302
    assert officer.get(sent["Location"]).content.decode().count("Đã gộp") >= 1
    undo = sent["Location"] + "tach-lai/"
    for address in (sent["Location"], undo):
        with counted() as count:
            assert officer.get(address).status_code == 200
        assert count.total <= 6, count.statements
    assert officer.post(undo, {"reason": "Hai chị em sinh đôi", "version": Merge.objects.get().version}).status_code == 302
    assert Merge.objects.get().state == "undone"


def test_a_learner_without_a_number_is_entered_listed_matched_and_never_keyed_again(two):
    clerk = factories.client_of(factories.account("clerk", two.here))
    assert clerk.post(f"/lop/{two.group.uid}/hoc-sinh-moi/", {"name": "Nguyễn Thị Ngọc Ánh", "born_on": "05/09/2013", "sex": "2"}).status_code == 302
    made = Person.objects.order_by("-pk").first()
    assert made.name in clerk.get("/ho-so-trung/chua-co-so/").content.decode()
    page = clerk.get(f"/hoc-sinh/{made.uid}/ho-so-giong/").content.decode()
    assert "cùng ngày sinh" in page and two.there.name in page
    opened = clerk.post(f"/hoc-sinh/{made.uid}/ho-so-giong/", {"which": "1"})
    assert opened.status_code == 302 and Double.objects.get().uid.hex in opened["Location"].replace("-", "")
    assert clerk.post(f"/hoc-sinh/{made.uid}/ho-so-giong/", {"which": "9"}).status_code == 404
    apart = clerk.post(opened["Location"] + "hai-nguoi/", {"reason": "Em họ cùng tên"})
    assert apart.status_code == 302 and ToldApart.objects.count() == 1
