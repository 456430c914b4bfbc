"""Every field has one home and not two, and what is filled is counted as the rows say."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from khue.kernel import homes
from khue.kernel.homes import Home
from khue.kernel.permissions import system_actor
from khue.register.fields import annex, catalogue, counting, lines
from khue.register.fields.models import Completeness, ExtensionField, Record
from khue.register.orgs.models import Unit
from khue.register.people.models import Person
from tests import factories

ROOT = Path(__file__).resolve().parents[3]
SYSTEM = system_actor("test")


def test_the_annex_is_whole():
    assert len(annex.rows()) == 2233
    assert len(list(catalogue.entries())) == 2233
    assert {row.level for row in annex.rows()} == set(annex.LEVELS)


def test_every_field_has_exactly_one_home():
    assert catalogue.problems() == []


def test_a_field_without_a_home_or_with_two_is_named(monkeypatch):
    known = homes.declared()
    monkeypatch.setattr(homes, "declared", lambda: known[1:])
    assert catalogue.problems() == [f"{known[0].object}.{known[0].symbol}: no home"]
    monkeypatch.setattr(homes, "declared", lambda: (*known, known[0]))
    assert catalogue.problems() == [f"{known[0].object}.{known[0].symbol}: 2 homes"]


@pytest.mark.parametrize(
    ("model", "column", "owner", "said"),
    [("people.Person", "shoe_size", "people", "there is no"), ("people.Nobody", "name", "people", "there is no"),
     ("people.Person", "name", "orgs", "declares a home of"), ("orgs.Unit", "facts", "orgs", "the home of a field nobody knows")],
)  # fmt: skip
def test_a_home_of_nothing_is_named(monkeypatch, model, column, owner, said):
    wrong = Home("learner", "CO_GIAY", model, column, "", "personal", "permanent", "study", 13, "", owner)
    known = homes.declared()
    monkeypatch.setattr(homes, "declared", lambda: (*known, wrong))
    assert any(said in one for one in catalogue.problems())


def test_every_list_and_every_kind_of_record_is_reached():
    lists = {row.symbol for row in annex.rows() if row.type == "list" and row.level != "higher" and row.list_ref != "TTT.1.1"}
    filled = {symbol for kind in annex.kinds().values() for symbol in kind.fills}
    assert filled <= lists
    assert lists - filled == {"MON_HOCS", "DIEM_MONS", "DN_DTRLOPHSS"}  # kept by teaching, gradebook and retests; counted
    assert all(annex.table_of(kind.object).fields for kind in annex.kinds().values())
    higher = {row.object for row in annex.rows() if row.level == "higher"}
    assert higher <= {kind.object for kind in annex.kinds().values()}


def test_health_and_violence_are_restricted():
    restricted = {e.symbol for e in catalogue.entries() if e.home.privacy == "restricted"}
    assert {*annex.HEALTH, "HINH_THUC_BAO_LUC", "MA_KY_LUAT_GV", "MA_CONG_DAN_ID", "IS_HO_NGHEO", "MA_TON_GIAO"} <= restricted


def test_the_markdown_is_the_catalogue():
    written = (ROOT / "docs" / "data-catalogue.md").read_text(encoding="utf-8")
    assert written == "\n".join(lines.markdown()) + "\n", "run: khue exchange catalogue --markdown docs/data-catalogue.md"


@pytest.mark.usefixtures("everything")
class TestCounting:
    def test_it_counts_what_the_rows_hold(self, now):
        here = factories.school(levels=("lower_secondary",))
        Unit.objects.filter(pk=here.pk).update(facts={"FAX": "0270", "EMAIL": ""}, address="Số 1")
        group = factories.class_group(here, grade=7)
        learners = factories.learners(group, 4)
        Person.objects.filter(pk=learners[0].pk).update(facts={"TEN_TAT": "An", "IS_DOI_VIEN": True}, ethnic_group="01")
        Record.objects.create(kind="health", school=here, person=learners[0], valid=factories.SCHOOL_YEAR, body={"CHIEU_CAO": 150})
        Record.objects.create(kind="site", school=here, valid=factories.EVER, body={"TEN": "Điểm lẻ", "DIEN_THOAI": ""})
        withdrawn = Record.objects.create(kind="site", school=here, valid=factories.EVER, body={"TEN": "Nhầm", "DIEN_TICH": 1})
        Record.objects.filter(pk=withdrawn.pk).update(withdrawn_at=now)
        factories.post(here, "Ngô Thị Hạnh", "principal")
        assert counting.count_all(on=now.date()) >= 1
        told = counting.told(SYSTEM, school_id=here.pk)

        def share(*field):
            found = told.share(*field)
            return found.filled, found.of

        level = "lower_secondary"
        assert share("school", "FAX", level) == (1, 1)
        assert share("school", "EMAIL", level) == (0, 1)  # an empty text is nothing
        assert share("school", "DIA_CHI", level) == (1, 1)
        assert share("school", "HIEU_TRUONG", level) == (1, 1)
        assert share("school", "DIEM_TRUONGS", level) == (1, 1)
        assert share("class", "GIAO_VIEN_ID", level) == (0, 1)
        assert share("learner", "HO_TEN", level) == (4, 4)
        assert share("learner", "MA_DAN_TOC", level) == (1, 4)
        assert share("learner", "TEN_TAT", level) == (1, 4)
        assert share("learner", "CHIEU_CAO", level) == (1, 4)
        assert share("learner", "TEN_CHA", level) == (0, 4)
        assert share("staff", "HO_TEN", level) == (1, 1)
        assert share("site", "TEN", level) == (1, 1)
        assert share("site", "DIEN_THOAI", level) == (0, 1)
        assert share("site", "DIEN_TICH", level) == (0, 1)
        assert share("learner", "HO_TEN", "primary") == (0, 0)
        whole = counting.told(SYSTEM)
        assert whole.share("learner", "HO_TEN", level).of >= 4

    def test_counting_again_changes_nothing(self, now):
        here = factories.school()
        factories.learners(factories.class_group(here), 3)
        counting.count_all(on=now.date())
        before = list(Completeness.objects.order_by("school", "level", "object").values_list("school", "level", "object", "total", "filled"))
        counting.count_all(on=now.date())
        assert list(Completeness.objects.order_by("school", "level", "object").values_list("school", "level", "object", "total", "filled")) == before

    def test_a_place_sees_its_own_counts_only(self, now):
        here, there = factories.school(), factories.school()
        for school, count in ((here, 2), (there, 5)):
            factories.learners(factories.class_group(school), count)
        counting.count_all(on=now.date())
        actor = factories.actor_of(factories.account("principal", here))
        assert counting.told(actor).share("learner", "HO_TEN", "lower_secondary").of == 2
        assert counting.told(actor, school_id=there.pk).share("learner", "HO_TEN", "lower_secondary").of == 0

    def test_a_field_added_later_is_in_the_catalogue(self, now):
        ExtensionField.objects.create(
            object="learner", symbol="CO_MAY_TINH", name="Có máy tính ở nhà", type="boolean", privacy="personal", retention="register",
            section="study", topic=13, levels=["primary", "lower_secondary"], valid=factories.EVER, symbol_no=1,
        )  # fmt: skip
        group = factories.class_group(factories.school())
        [learner, _other] = factories.learners(group, 2)
        Person.objects.filter(pk=learner.pk).update(facts={"CO_MAY_TINH": True})
        counting.count_all(on=now.date())
        found = list(catalogue.extension_entries(catalogue.extensions(on=now.date())))
        assert [(e.level, e.home.path) for e in found] == [
            ("primary", "people.Person.facts[CO_MAY_TINH]"), ("lower_secondary", "people.Person.facts[CO_MAY_TINH]")
        ]  # fmt: skip
        told = counting.told(SYSTEM, school_id=group.school_id)
        assert lines.as_dict(found[1], told)["completeness"] == 0.5


@pytest.mark.usefixtures("everything")
def test_the_command_prints_every_field(monkeypatch):
    from khue.gateway.exchange.catalogue import catalogue as command

    monkeypatch.setattr("khue.cli.prepare", lambda **_values: None)
    factories.school()
    answer = CliRunner().invoke(command, ["--json", "--fresh"], catch_exceptions=False)
    found = json.loads(answer.output)
    annexed = [one for one in found if one["number"]]
    assert len(annexed) == 2233
    assert all(one["home"] and one["owner"] and one["privacy"] and one["retention"] for one in found)
    name = next(one for one in annexed if (one["object"], one["symbol"], one["level"]) == ("school", "TEN", "lower_secondary"))
    assert (name["home"], name["completeness"], name["owner"]) == ("orgs.Unit.name", 1.0, "orgs")
    assert {"level", "group", "symbol", "object_code", "home", "owner", "type", "list", "privacy", "retention", "completeness"} <= set(name)


class TestPage:
    @pytest.fixture
    def officer(self, everything):
        return factories.account("province_officer", factories.province())

    def test_it_finds_fields_without_accents_and_says_their_share(self, officer, counted, now):
        here = factories.school()
        Unit.objects.filter(pk=here.pk).update(facts={"FAX": "0270"})
        counting.count_all(on=now.date())
        client = factories.client_of(officer)
        with counted() as count:
            page = client.get("/danh-muc-du-lieu/").content.decode()
        assert count.total <= 6
        assert "2.248" in page
        found = client.get("/danh-muc-du-lieu/?q=benh+cot+song&cap=primary").content.decode()
        assert "BENH_COT_SONG" in found
        assert "BENH_VE_MAT" not in found
        assert "hạn chế" in found
        fax = client.get("/danh-muc-du-lieu/?q=FAX&cap=lower_secondary").content.decode()
        assert "orgs.Unit.facts[FAX]" in fax
        assert "100,0 %" in fax

    @pytest.mark.parametrize("query", ["nhom=17", "nhom=abc", "bao_mat=restricted", "q=khong-co-truong-nay", "trang=9999", "cap=%00"])
    def test_every_question_has_an_answer(self, officer, query):
        assert factories.client_of(officer).get(f"/danh-muc-du-lieu/?{query}").status_code == 200

    @pytest.mark.parametrize("role", ["guardian", "learner", "operator", "partner_system"])
    def test_families_and_operators_have_no_catalogue(self, everything, role):
        assert factories.client_of(factories.account(role, factories.school())).get("/danh-muc-du-lieu/").status_code == 403
