"""The principal's decisions after the year: re-assessment, conduct, promotion; exemption; assessment in mid-term."""

from __future__ import annotations

import pytest
from django.utils import timezone

from khue.school.gradebook import queries, services
from khue.school.gradebook.models import Conduct, Line, Result
from tests import factories
from tests.school.gradebook import books
from tests.school.gradebook.test_closing import close, rate, ready

pytestmark = pytest.mark.usefixtures("everything")
REASON = "Kết quả đánh giá lại ngày 20/6/2026"


@pytest.fixture(autouse=True)
def at_test_time(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: books.NOW)


def year_closed(*, grade: int = 7, low: dict[str, str] | None = None, level: str = "tot") -> books.Book:
    made = books.book(grade=grade, terms=(1, 2), count=2)
    for term in (1, 2):
        if grade > 5:
            books.fill(made, term=term, low=low)
            rate(made, *[level] * 2, term=term)
        else:
            ready(made, term=term, low=low)
        close(made, books.NOW, term=term)
    close(made, books.NOW, term=0)
    return made


def principal(made: books.Book):
    return factories.client_of(factories.account("principal", made.school))


def address(made: books.Book, place: int = 0) -> str:
    return f"/chu-nhiem/{made.group.uid}/quyet-dinh/{made.uids[place]}/"


def test_retests_are_entered_for_the_subjects_the_circular_opens():
    made = year_closed(low={"toan": "3", "ngu_van": "3,4"})
    client = principal(made)
    assert address(made) in client.get(f"/chu-nhiem/{made.group.uid}/?ky=0").content.decode()
    page = client.get(address(made)).content.decode()
    assert 'name="retest-toan"' in page and 'name="retest-ngu_van"' in page and 'name="retest-tin_hoc"' not in page
    assert 'name="conduct"' not in page and 'name="principal"' not in page
    wrong = client.post(address(made), {"revision": "1", "retest-toan": "60", "reason": REASON})
    assert wrong.status_code == 422 and "Điểm từ 0 đến 10" in wrong.content.decode() and 'value="60"' in wrong.content.decode()
    assert client.post(address(made), {"revision": "1", "retest-toan": "6", "reason": ""}).status_code == 422
    assert client.post(address(made), {"revision": "1", "reason": REASON}).status_code == 422
    assert Result.objects.filter(learner=made.learners[0], term=0).count() == 1
    done = client.post(address(made), {"revision": "1", "retest-toan": "6,0", "retest-ngu_van": "5.5", "reason": REASON})
    assert done.status_code == 302
    again = Result.objects.get(learner=made.learners[0], term=0, is_current=True)
    assert (again.revision, again.promotion, again.subjects["toan"]["retest"], again.reason) == (2, "len_lop", 60, REASON)
    assert 'value="5,5"' in client.get(address(made)).content.decode()  # what was decided can be corrected
    other = Result.objects.get(learner=made.learners[1], term=0)
    assert (other.revision, other.promotion) == (1, "kiem_tra_lai")


def test_a_decision_upon_another_result_is_stale():
    made = year_closed(low={"toan": "3", "ngu_van": "3,4"})
    client = principal(made)
    form = {"revision": "1", "retest-toan": "6", "retest-ngu_van": "6", "reason": REASON}
    assert client.post(address(made), form).status_code == 302
    late = client.post(address(made), form | {"retest-toan": "2"})
    assert late.status_code == 422 and "Người khác vừa ghi" in late.content.decode()
    assert Result.objects.filter(learner=made.learners[0], term=0).count() == 2
    for text in ("", "abc", "-1", "9" * 30, "²"):
        assert client.post(address(made), form | {"revision": text}).status_code in (400, 422)


def test_conduct_after_the_summer():
    made = year_closed(level="chua_dat")
    result = Result.objects.get(learner=made.learners[0], term=0)
    assert result.promotion == "ren_luyen_he"
    client = principal(made)
    page = client.get(address(made)).content.decode()
    assert 'name="conduct"' in page and "retest-" not in page
    assert client.post(address(made), {"revision": "1", "conduct": "gioi", "reason": REASON}).status_code == 422
    assert client.post(address(made), {"revision": "1", "conduct": "dat", "reason": REASON}).status_code == 302
    assert Result.objects.get(learner=made.learners[0], term=0, is_current=True).promotion == "len_lop"


def test_the_principals_word_in_primary_school():
    made = year_closed(grade=3, low={"dao_duc": "C"})
    result = Result.objects.get(learner=made.learners[0], term=0)
    assert result.promotion in queries.decisions.WAITING
    client = principal(made)
    assert 'name="principal"' in client.get(address(made)).content.decode()
    assert client.post(address(made), {"revision": "1", "principal": "o_lai_lop", "reason": REASON}).status_code == 302
    again = Result.objects.get(learner=made.learners[0], term=0, is_current=True)
    assert (again.promotion, again.revision) == ("o_lai_lop", 2)


def test_nobody_else_decides_and_nothing_waits_where_all_is_clear():
    made = year_closed()
    client = principal(made)
    assert "Không có quyết định nào phải chờ" in client.get(address(made)).content.decode()
    for role in ("vice_principal", "clerk"):
        other = factories.client_of(factories.account(role, made.school))
        assert other.get(address(made)).status_code == 403
    stranger = factories.client_of(factories.account("principal", factories.school("Trường khác")))
    assert stranger.get(address(made)).status_code == 404
    teacher = factories.client_of(made.homeroom, role="homeroom_teacher")
    assert teacher.post(address(made), {"revision": "1", "principal": "len_lop", "reason": REASON}).status_code == 403
    assert address(made) not in teacher.get(f"/chu-nhiem/{made.group.uid}/?ky=0").content.decode()


def test_a_learner_is_exempted_with_a_reason_and_no_longer(counted):
    made = books.book(terms=(1,), count=2)
    made.save((0, "r1", "8"))
    client, line = principal(made), f"/so-diem/{made.register().uid}/hs/{made.uids[0]}/"
    assert "Miễn môn học" in client.get(line).content.decode()
    with counted() as count:
        client.get(line)
    assert count.total <= 6, count.statements
    assert "Miễn môn học" not in factories.client_of(made.teacher).get(line).content.decode()
    assert factories.client_of(made.teacher).post(f"{line}mien/", {"exempt": "1", "reason": REASON}).status_code == 403
    assert client.post(f"{line}mien/", {"exempt": "1", "reason": "x"}).status_code == 422
    assert not Line.objects.get(register=made.register(), learner=made.learners[0]).is_exempt
    assert client.post(f"{line}mien/", {"exempt": "1", "reason": REASON}).status_code == 302
    assert Line.objects.get(register=made.register(), learner=made.learners[0]).is_exempt
    assert "miễn môn" in factories.client_of(made.teacher).get(f"/so-diem/{made.register().uid}/").content.decode()
    assert client.post(f"{line}mien/", {"exempt": "0", "reason": REASON}).status_code == 302
    held = Line.objects.get(register=made.register(), learner=made.learners[0])
    assert not held.is_exempt and held.regular[0] == 80


def test_primary_school_is_assessed_in_mid_term_too():
    made = books.book(grade=2, subject="toan", terms=(1,), count=2)
    client = factories.client_of(made.homeroom, role="homeroom_teacher")
    page = f"/chu-nhiem/{made.group.uid}/"
    assert "Giữa học kỳ" in client.get(f"{page}?ky=1").content.decode()
    form = {"l": made.uids, "v": ["0", "0"], "0-q-yeu_nuoc": "T", "1-q-yeu_nuoc": "d"}
    assert client.post(f"{page}danh-gia/?ky=1&luc=giua", form).status_code == 302
    rows = {one.learner_id: one for one in Conduct.objects.filter(class_group=made.group, term=1)}
    assert rows[made.learners[0].pk].qualities_mid == {"yeu_nuoc": "T"} and rows[made.learners[0].pk].qualities == {}
    assert rows[made.learners[1].pk].qualities_mid == {"yeu_nuoc": "Đ"}
    shown = client.get(f"{page}?ky=1&luc=giua").content.decode()
    assert 'name="0-q-yeu_nuoc" value="T"' in shown and 'name="1-q-yeu_nuoc" value="Đ"' in shown
    assert 'name="0-q-yeu_nuoc" value=""' in client.get(f"{page}?ky=1").content.decode()
    family = factories.client_of(factories.guardian(made.learners[0])).get(f"/gia-dinh/{made.uids[0]}/").content.decode()
    assert "giữa học kỳ" in family and "Yêu nước: T" in family


def test_a_register_leads_to_the_import_of_its_own_file():
    made = books.book(terms=(1,))
    link = f"/nhap-du-lieu/?loai=marks&amp;so={made.register().uid}"
    teacher = factories.client_of(made.teacher)
    assert link in teacher.get(f"/so-diem/{made.register().uid}/").content.decode()
    assert link not in principal(made).get(f"/so-diem/{made.register().uid}/").content.decode()
    form = teacher.get(link.replace("&amp;", "&")).content.decode()
    assert f'value="{made.register().uid}"' in form and '<option value="marks"' in form


def test_a_decision_needs_a_closed_year():
    made = books.book(terms=(1, 2), count=1)
    assert principal(made).get(address(made)).status_code == 404
    with pytest.raises(services.corrections.RegisterOpen):
        services.decide_year(
            actor=factories.actor_of(factories.account("principal", made.school)), class_group=made.group.uid,
            learner=made.uids[0], decisions={"principal_decision": "len_lop"}, reason=REASON, now=books.NOW,
        )  # fmt: skip
