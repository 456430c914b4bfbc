"""Files of records that are whole and wrong: of another year or school, half, columns changed over, one learner three times, other codes."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from khue.gateway.exchange.ministry import services, sources
from khue.gateway.exchange.sheets import limits
from khue.kernel import ids
from khue.kernel.jobs.models import Job
from khue.register.people.models import Person
from khue.register.schooling.models import Placement
from tests import factories
from tests.gateway.exchange import books
from tests.gateway.exchange.ministry.test_taking import SYSTEM, package, take, versions, write

pytestmark = pytest.mark.usefixtures("everything")


def ask(content, now, *, name="x.zip", school_year=2025, **values):
    return services.ask_to_take(actor=SYSTEM, content=content, name=name, school_year=school_year, now=now, **values)


def without(content, member):
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(sink, "w") as target:
        for name in source.namelist():
            if name != member:
                target.writestr(name, source.read(name))
    return sink.getvalue()


def test_a_package_is_held_to_its_own_list(three_schools, tmp_path, now):
    whole = package(write(tmp_path, now))
    with pytest.raises(sources.OtherYear, match="2025"):
        ask(whole, now, school_year=2024)
    with pytest.raises(sources.Incomplete, match="learner"):
        ask(without(whole, "primary/learner.json"), now)
    touched = books.rezip(whole, lambda name, data: data.replace(b"true", b"false") if name == "primary/school.json" else data)
    with pytest.raises(sources.Incomplete, match=r"primary/school\.json"):
        ask(touched, now)
    listless = without(whole, "manifest.json")
    for content in (whole[: len(whole) // 2], whole[:-10], books.rezip(whole, lambda name, data: b"{" if name == "manifest.json" else data)):
        with pytest.raises(limits.SheetRefused):
            ask(content, now)
    assert not Job.objects.filter(kind="exchange.ministry_take").exists()
    assert ask(whole, now).kind == ask(listless, now).kind == "exchange.ministry_take"


def test_half_an_array_is_refused_and_half_a_list_takes_nobody_away(three_schools, tmp_path, now):
    content = (write(tmp_path, now) / "primary" / "learner.json").read_bytes()
    with pytest.raises(limits.Damaged):
        sources.read(content[: len(content) // 2], name="primary/learner.json")
    before = versions()
    report = take(json.dumps(json.loads(content)[:1]).encode(), now, name="primary/learner.json")
    assert (report.counts["same"], report.problems) == (1, []) and versions() == before


def test_records_of_another_school_are_refused_with_its_code(three_schools, tmp_path, now):
    rows = json.loads((write(tmp_path, now) / "primary" / "learner.json").read_bytes())
    before = versions()
    report = take(json.dumps([{**row, "TRUONG_ID": "01000001"} for row in rows]).encode(), now, name="primary/learner.json")
    assert report.counts["refused"] == 3 and [(one["record"], one["problem"]) for one in report.problems] == [("01000001", "unknown-school")]
    assert versions() == before


def test_one_learner_three_times_is_taken_once(three_schools, tmp_path, now):
    rows = json.loads((write(tmp_path, now) / "primary" / "learner.json").read_bytes())
    fresh = {**rows[0], "HOC_SINH_ID": "8677000015", "HO_TEN": "Lý Thị Mới", "MA_CONG_DAN_ID": ""}
    for row, made in ((rows[0], 0), (fresh, 1)):
        people = Person.objects.count()
        report = take(json.dumps([row, {**row, "HO_TEN": "Tên Khác"}, row]).encode(), now, name="primary/learner.json")
        assert [one["problem"] for one in report.problems if one["problem"] == "twice"] == ["twice"] * 2
        assert report.counts["refused"] == 2 and report.counts["made"] == made
        assert Person.objects.filter(name=row["HO_TEN"], school_id=three_schools["primary"].pk).count() == 1 and not Person.objects.filter(name="Tên Khác").exists()
        assert Placement.objects.filter(learner__name=row["HO_TEN"], school_id=three_schools["primary"].pk).count() == 1 and Person.objects.count() - people <= 2 * made + made


def test_columns_changed_over_write_nothing(three_schools, tmp_path, now):
    rows = json.loads((write(tmp_path, now) / "primary" / "learner.json").read_bytes())
    names = dict(Person.objects.values_list("pk", "name"))
    over = [{**row, "HO_TEN": row["NGAY_SINH"], "NGAY_SINH": row["HO_TEN"]} for row in rows]
    over.append({**over[0], "HOC_SINH_ID": "8677000015", "MA_CONG_DAN_ID": ""})
    report = take(json.dumps(over).encode(), now, name="primary/learner.json")
    assert {(one["symbol"], one["problem"]) for one in report.problems} >= {("HO_TEN", "not-a-name"), ("NGAY_SINH", "not-a-date")}
    assert dict(Person.objects.values_list("pk", "name")) == names and report.counts["changed"] == 0


def test_a_column_sorted_by_itself_renames_nobody(three_schools, tmp_path, now):
    group = Placement.objects.filter(school=three_schools["primary"]).first().class_group
    for person in factories.learners(group, 4):
        Person.objects.filter(pk=person.pk).update(name=f"Trần Thị {person.pk}".translate(str.maketrans("0123456789", "abcdeghikl")))
    rows = json.loads((write(tmp_path, now) / "primary" / "learner.json").read_bytes())
    names = dict(Person.objects.values_list("pk", "name"))
    moved = [{**row, "HO_TEN": rows[n - 1]["HO_TEN"]} for n, row in enumerate(rows)]
    report = take(json.dumps(moved).encode(), now, name="primary/learner.json")
    assert [(one["symbol"], one["problem"]) for one in report.problems] == [("HO_TEN", "names-shifted")]
    assert report.counts["refused"] == len(rows) and dict(Person.objects.values_list("pk", "name")) == names


def test_a_code_of_another_province_stays_the_former_one(three_schools, tmp_path, now):
    rows = json.loads((write(tmp_path, now) / "primary" / "learner.json").read_bytes())
    code = "010012345" + ids.check_digit("010012345")
    report = take(json.dumps([{**rows[0], "HOC_SINH_ID": code, "HO_TEN": "Lý Văn Tới", "MA_CONG_DAN_ID": ""}]).encode(), now, name="primary/learner.json")
    made = Person.objects.get(name="Lý Văn Tới")
    assert made.code != code and made.facts["MA_CU"] == code and report.counts["made"] == 1
