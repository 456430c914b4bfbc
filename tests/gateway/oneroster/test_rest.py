"""The rostering and gradebook services, sentence by sentence of the standard: payloads, paging, filter, sort, fields, errors."""

import json
import re
from datetime import datetime

import pytest
from django.test import Client

from khue.gateway.oneroster.scopes import CORE, DEMOGRAPHIC, FULL, MARKS
from khue.gateway.oneroster.views.rest import GRADE_ROUTES, ROSTER_ROUTES
from khue.kernel.audit.models import Look
from khue.register.people.models import Person
from khue.register.schooling.models import Placement
from tests import factories
from tests.gateway.oneroster.conftest import GRADES, ROSTER, token

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
REQUIRED = {
    "academicSessions": {"title", "startDate", "endDate", "type", "schoolYear"}, "orgs": {"name", "type"}, "classes": {"title", "classType", "course", "school", "terms"},
    "courses": {"title", "org"}, "users": {"enabledUser", "givenName", "familyName", "roles"}, "enrollments": {"user", "class", "school", "role"},
    "demographics": {"sex"}, "categories": {"title"}, "lineItems": {"title", "assignDate", "dueDate", "class", "school", "category", "gradingPeriod"},
    "results": {"lineItem", "student", "scoreStatus", "scoreDate"}, "scoreScales": {"title", "type", "scoreScaleValue"},
}  # fmt: skip
"""What the standard asks of each object besides sourcedId, status, dateLastModified."""


def of(answer, plural):
    assert answer.status_code == 200, answer.content
    return answer.json()[plural]


@pytest.mark.parametrize("plural", REQUIRED)
def test_every_object_has_what_the_standard_asks(ask, plural):
    base = GRADES if plural in ("categories", "lineItems", "results", "scoreScales") else ROSTER
    found = of(ask(plural, base), plural)
    assert found
    for one in found:
        assert {"sourcedId", "status", "dateLastModified"} | REQUIRED[plural] <= set(one), one
        assert one["status"] in ("active", "tobedeleted") and MOMENT.fullmatch(one["dateLastModified"])
        for value in one.values():
            if isinstance(value, dict):  # a GUIDRef
                assert set(value) == {"href", "sourcedId", "type"} and value["href"].endswith("/" + value["sourcedId"])
    single = ask(f"{plural}/{found[0]['sourcedId']}", base)
    [(name, told)] = single.json().items()
    assert told == found[0] and (name == plural[:-1] or name in ("category", "class", "demographics"))


def test_vocabularies_are_the_standard_s(ask):
    assert {one["type"] for one in of(ask("orgs"), "orgs")} == {"state", "local", "school"}
    assert {one["type"] for one in of(ask("academicSessions"), "academicSessions")} == {"schoolYear", "semester"}
    assert {one["classType"] for one in of(ask("classes"), "classes")} == {"homeroom", "scheduled"}
    roles = {role["role"] for one in of(ask("users"), "users") for role in one["roles"]}
    assert roles == {"student", "teacher", "principal", "parent"}
    assert all(sum(role["roleType"] == "primary" for role in one["roles"]) == 1 for one in of(ask("users"), "users"))
    assert {one["sex"] for one in of(ask("demographics"), "demographics")} <= {"male", "female", "unspecified", "other"}
    assert {one["scoreStatus"] for one in of(ask("results", GRADES), "results")} <= {"exempt", "fully graded", "not submitted", "partially graded", "submitted"}


def test_references_lead_to_objects_that_are_there(ask):
    known = {plural: {one["sourcedId"] for one in of(ask(plural), plural)} for plural in ("academicSessions", "orgs", "classes", "courses", "users")}
    kinds = {"academicSession": "academicSessions", "org": "orgs", "class": "classes", "course": "courses", "user": "users"}
    for plural, base in (("classes", ROSTER), ("courses", ROSTER), ("enrollments", ROSTER), ("users", ROSTER), ("lineItems", GRADES), ("results", GRADES)):
        for one in of(ask(plural, base), plural):
            for value in one.values():
                for ref in value if isinstance(value, list) else [value]:
                    if isinstance(ref, dict) and ref.get("type") in kinds:
                        assert ref["sourcedId"] in known[kinds[ref["type"]]], (plural, ref)


def test_names_and_family_are_told_and_a_child_s_contacts_are_not(ask, ground):
    learner = ground.learners[ground.schools[0].pk][0]
    Person.objects.filter(pk=learner.pk).update(email="em@vi-du.vn", phone="0912345678")
    one = ask(f"users/{learner.uid}").json()["user"]
    assert (one["familyName"], one["middleName"], one["givenName"]) == ("Nguyễn", "Văn", "An")
    assert one["identifier"] == learner.code and one["grades"] == ["07"] and one["enabledUser"] == "true"
    assert "em@vi-du.vn" not in json.dumps(one) and "0912345678" not in json.dumps(one)
    [mother] = one["agents"]
    assert learner.uid.hex in [ref["sourcedId"].replace("-", "") for ref in ask(f"users/{mother['sourcedId']}").json()["user"]["agents"]]


def test_paging_counts_all_and_links_the_pages(ask):
    every = of(ask("users"), "users")
    first = ask("users", limit=2)
    assert first["X-Total-Count"] == str(len(every)) and len(first.json()["users"]) == 2
    links = dict(reversed(part.split("; rel=")) for part in first["Link"].split(", "))
    assert set(links) == {'"first"', '"last"', '"next"'}
    seen, offset = [], 0
    while offset < len(every):
        seen += of(ask("users", limit=2, offset=offset), "users")
        offset += 2
    assert seen == every
    assert 'rel="prev"' in ask("users", limit=2, offset=2)["Link"]
    assert of(ask("users", offset=1000), "users") == []
    for wrong in ({"limit": 0}, {"limit": -1}, {"limit": "x"}, {"offset": -1}, {"limit": 10_001}):
        assert ask("users", **wrong).status_code == 400


def test_sorting_goes_by_a_field_up_or_down(ask):
    names = [one["givenName"] for one in of(ask("students", sort="givenName"), "users")]
    down = [one["givenName"] for one in of(ask("students", sort="givenName", orderBy="desc"), "users")]
    assert names == ["An", "Bình", "Cường"] and down == names[::-1]
    assert minor(ask("users", sort="nothing")) == "invalid_sort_field"
    assert ask("users", sort="givenName", orderBy="sideways").status_code == 400


def minor(answer):
    assert answer.status_code == 400
    told = answer.json()
    assert told["imsx_codeMajor"] == "failure" and told["imsx_severity"] == "error"
    return told["imsx_CodeMinor"]["imsx_codeMinorField"][0]["imsx_codeMinorFieldValue"]


def test_selection_gives_only_the_fields_asked_for(ask):
    assert [set(one) for one in of(ask("users", fields="sourcedId,givenName", limit=1), "users")] == [{"sourcedId", "givenName"}]
    assert minor(ask("users", fields="nothing")) == "invalid_selection_field"
    assert minor(ask("users", fields="givenName,,familyName")) == "invalid_blank_selection_field"
    assert minor(ask("users", fields="")) == "invalid_blank_selection_field"
    assert minor(ask("classes", fields="password")) == "invalid_selection_field"


@pytest.mark.parametrize(
    ("plural", "words", "count"),
    [
        ("users", "familyName='Nguyễn'", 2), ("users", "familyName='Nguyễn' AND givenName='An'", 1), ("users", "givenName='An' OR givenName='Bình'", 2),
        ("users", "givenName~'an'", 2), ("users", "role='student'", 3), ("users", "roles.role='teacher'", 2), ("users", "status!='tobedeleted'", 7),
        ("users", "dateLastModified>'2020-01-01'", 7), ("users", "dateLastModified>'2090-01-01T00:00:00.000Z'", 0), ("users", "enabledUser='true'", 7),
        ("classes", "classType='homeroom'", 1), ("classes", "title~'7a1'", 2), ("enrollments", "role='student'", 6), ("enrollments", "role='teacher' AND primary='true'", 2),
        ("enrollments", "beginDate>='2025-09-05'", 7), ("academicSessions", "schoolYear='2026'", 3), ("orgs", "type='school'", 1), ("users", "familyName='O''Brien'", 0),
    ],
)  # fmt: skip
def test_filters_find_what_they_say(ask, plural, words, count):
    answer = ask(plural, filter=words)
    assert len(of(answer, plural)) == count == int(answer["X-Total-Count"]), [one.get("title") or one.get("givenName") for one in answer.json()[plural]]


@pytest.mark.parametrize("words", [
    "nothing='x'", "givenName", "givenName=An", "givenName='An' XOR givenName='B'", "givenName='An' AND", "dateLastModified>'yesterday'", "beginDate='x'",
    "givenName='An'; drop table people_person", "' or 1=1 --='x'", "(givenName='An')", "x" * 2000, "schoolYear='x'",
])  # fmt: skip
def test_filters_that_cannot_be_read_are_refused(ask, words):
    plural = "academicSessions" if "schoolYear" in words else "enrollments" if "beginDate" in words else "users"
    assert minor(ask(plural, filter=words)) == "invalid_filter_field"


def test_a_delta_tells_what_changed_and_what_is_gone(ask, ground, monkeypatch):
    since = datetime.now().astimezone().isoformat(timespec="microseconds")
    assert of(ask("enrollments", filter=f"dateLastModified>='{since}'"), "enrollments") == []
    gone = ground.learners[ground.schools[0].pk][1]
    Placement.objects.filter(learner=gone).update(closed="dropout")
    changed = of(ask("enrollments", filter=f"dateLastModified>='{since}'"), "enrollments")
    assert {one["status"] for one in changed} == {"tobedeleted"} and {one["user"]["sourcedId"] for one in changed} == {str(gone.uid)}
    [user] = of(ask("users", filter=f"dateLastModified>='{since}'"), "users")
    assert user["status"] == "tobedeleted" and user["enabledUser"] == "false"


def test_every_address_of_the_services_answers(ask, ground):
    here = ground.schools[0]
    group, learner = here.class_groups.get(), ground.learners[here.pk][0]
    ids = {
        "schools": str(here.uid), "orgs": str(here.uid), "classes": f"{group.uid}.toan", "courses": "toan-7", "terms": "2025-1", "gradingPeriods": "2025-1", "users": str(learner.uid),
        "students": str(learner.uid), "academicSessions": "2025", "demographics": str(learner.uid), "scoreScales": "10", "categories": "midterm",
    }  # fmt: skip
    for base, routes in ((ROSTER, ROSTER_ROUTES), (GRADES, GRADE_ROUTES)):
        for route in routes:
            path, before = [], ""
            for part in route.parts:
                if part != "*":
                    path.append(part)
                    before = part
                    continue
                if before not in ids:
                    plural = {"teachers": "users"}.get(before, before)
                    ids[before] = of(ask(before, base), plural)[0]["sourcedId"]
                path.append(ids[before])
            answer = ask("/".join(path), base)
            assert answer.status_code == 200, (path, answer.content)
            if not route.is_single and route.name not in ("gradingPeriods", "categories"):
                assert int(answer["X-Total-Count"]) > 0, path


def test_narrowed_collections_hold_only_theirs(ask, ground):
    group = ground.schools[0].class_groups.get()
    assert {one["givenName"] for one in of(ask(f"classes/{group.uid}/students"), "users")} == {"An", "Bình", "Cường"}
    assert {one["givenName"] for one in of(ask(f"classes/{group.uid}.toan/teachers"), "users")} == {"Hà"}
    assert {one["givenName"] for one in of(ask(f"classes/{group.uid}/teachers"), "users")} == {"Bảy"}
    results = of(ask(f"classes/{group.uid}.toan/students/{ground.learners[ground.schools[0].pk][0].uid}/results", GRADES), "results")
    assert sorted(one["score"] for one in results) == [7.5, 8.0]


def test_marks_are_what_the_register_says(ask, ground):
    found = of(ask("results", GRADES, limit=1000), "results")
    scores = sorted(one["score"] for one in found if "score" in one)
    assert scores == [7.5, 7.5, 7.5, 8.0, 8.1, 8.2]
    assert {one["scoreStatus"] for one in found if "score" not in one} == {"exempt"}
    item = of(ask("lineItems", GRADES, filter="category.sourcedId='midterm'"), "lineItems")[0]
    assert item["resultValueMax"] == 10.0 and item["title"] == "Giữa kỳ, học kỳ 1"


def test_nobody_beyond_the_system_s_place_is_shown(ask, ground):
    there = ground.schools[1]
    other = ground.learners[there.pk][0]
    group = there.class_groups.get()
    for path, base in (
        (f"users/{other.uid}", ROSTER), (f"students/{other.uid}", ROSTER), (f"demographics/{other.uid}", ROSTER), (f"classes/{group.uid}", ROSTER),
        (f"classes/{group.uid}/students", ROSTER), (f"schools/{there.uid}", ROSTER), (f"schools/{there.uid}/classes", ROSTER), (f"classes/{group.uid}.toan/results", GRADES),
    ):  # fmt: skip
        answer = ask(path, base)
        assert answer.status_code == 404 and answer.json()["imsx_CodeMinor"]["imsx_codeMinorField"][0]["imsx_codeMinorFieldValue"] == "unknownobject", path
    every = json.dumps([ask(plural, limit=1000).json() for plural in ("users", "classes", "enrollments", "orgs", "demographics", "courses")])
    assert str(other.uid) not in every and str(there.uid) not in every and str(group.uid) not in every
    commune = token(ground.communes[0])
    assert len(Client().get(ROSTER + "students", headers=commune).json()["users"]) == 6


def test_scopes_and_tokens_are_asked_for(ground):
    assert Client().get(ROSTER + "users").status_code == 401
    assert Client().get(ROSTER + "users", headers={"Authorization": "Bearer xyz"}).status_code == 401
    assert factories.client_of(ground.accounts["head0"]).get(ROSTER + "users").status_code == 401  # a person's session is no system's token
    core = token(ground.schools[0], (CORE,))
    assert Client().get(ROSTER + "users", headers=core).status_code == 200
    assert Client().get(ROSTER + "demographics", headers=core).status_code == 403
    assert Client().get(GRADES + "results", headers=core).status_code == 403
    marks = token(ground.schools[0], (MARKS,))
    assert Client().get(ROSTER + "users", headers=marks).status_code == 403
    assert Client().get(GRADES + "results", headers=marks).status_code == 200
    plain = token(ground.schools[0], ("khue.read",))
    assert Client().get(ROSTER + "users", headers=plain).status_code == 403
    assert Client().get("/api/v1/learners", headers=token(ground.schools[0], (FULL, DEMOGRAPHIC))).status_code == 403


def test_what_is_not_there_is_refused_in_the_standard_s_words(ask, ground):
    assert ask("users/nobody").status_code == 404 and ask("nothing").status_code == 404 and ask("").status_code == 404
    assert ask("users/a/b/c/d/e").status_code == 404 and ask("users/" + "x" * 500).status_code == 404
    headers = token(ground.schools[0])
    for method in ("post", "put", "delete", "patch"):
        answer = getattr(Client(), method)(ROSTER + "users", "{}", content_type="application/json", headers=headers)
        assert answer.status_code == 405 and answer.json()["imsx_codeMajor"] == "failure"


def test_whose_data_were_given_is_noted(ask, ground):
    learner = ground.learners[ground.schools[0].pk][0]
    ask(f"users/{learner.uid}")
    assert Look.objects.filter(person_id=learner.pk, what="oneroster").exists()


def test_a_page_takes_the_same_statements_whatever_its_size(ask, counted):
    for limit in (1, 1000):
        with counted() as found:
            ask("users", limit=limit)
        assert found.total <= 8, found.statements


ATTACKS = [
    "limit=²", "limit=1e3", "limit=-1", "limit=99999999999999999999", "offset=²", "offset=-1", "limit=1;drop table people_person", "sort=name;select 1", "sort=x.id",
    "sort=name&orderBy=desc;--", "fields=name,password", "fields=", "fields=sourcedId,,name", "filter=name='a' OR 1=1--", "filter=1=1", "filter=name='a') or ('1'='1",
    "filter=facts='a'", "filter=personal_number~'0'", "filter=name~'%00'", "filter=name='%00'", "filter=dateLastModified>'99999-01-01'",
    "filter=dateLastModified>'0001-01-01T00:00:00%2B23:59'", "filter=" + "name='a' AND " * 200 + "name='a'", "filter=name='a' XOR name='b'",
]  # fmt: skip


@pytest.mark.parametrize("words", ATTACKS)
def test_questions_meant_to_break_it_are_refused_or_find_nothing(ask, words):
    answer = ask(f"users?{words}") if "name" not in words or "dateLast" in words else ask(f"orgs?{words}")
    assert answer.status_code in (200, 400), answer.content
    if answer.status_code == 200:
        assert all(not rows for rows in answer.json().values()) or "dateLastModified" in words
    else:
        assert answer.json()["imsx_codeMajor"] == "failure" and b"Traceback" not in answer.content and b"psycopg" not in answer.content
    assert ask("orgs").status_code == 200


def test_signs_of_likeness_are_letters_and_quotes_are_doubled(ask, ground):
    for words in ("name~'%25'", "name~'_'", "name~'\\'", "name='O''Neil'"):
        assert ask(f"orgs?filter={words}").json() == {"orgs": []}, words
