"""Files of schools, classes, staff and learners: read by class of privacy, written through homes, told in time."""

from datetime import UTC, date, datetime

import pytest

from khue.kernel.audit.models import Act
from khue.kernel.errors import Invalid, NotAllowed, NotFound, Stale
from khue.kernel.permissions import system_actor
from khue.province.quality import sweeping
from khue.register.fields import annex, counting, queries, services
from khue.register.fields.models import ExtensionField, Record
from khue.register.orgs.models import Unit
from khue.register.people import numbers
from khue.register.people.models import Person
from khue.register.schooling.models import ClassGroup, Placement
from khue.register.staff.models import Post
from tests import factories

pytestmark = pytest.mark.usefixtures("everything")
SYSTEM = system_actor("test")


class World:
    def __init__(self) -> None:
        self.school = factories.school()
        self.other = factories.school("Trường THCS Lê Lợi")
        self.group = factories.class_group(self.school, grade=7)
        self.lead = factories.homeroom_teacher(self.group)
        self.group.refresh_from_db()
        self.learner, self.second = factories.learners(self.group, 2)
        self.post = factories.post(self.school, "Trần Văn Bảy", contract_kind="permanent")
        self.clerk = factories.account("clerk", self.school)
        self.principal = factories.account("principal", self.school)
        self.nurse = factories.account("nurse", self.school)
        self.far_clerk = factories.account("clerk", self.other)

    def actor(self, account, role=None):
        return factories.actor_of(account, role=role)


@pytest.fixture
def world():
    return World()


def subject(object_, uid, now, actor=SYSTEM):
    return queries.subject(actor, object_, uid, at=now)


def write(object_, uid, given, now, actor=SYSTEM, versions=None):
    about = subject(object_, uid, now, actor)
    return services.write(actor=actor, about=about, given=given, versions=versions or {}, now=now)


def test_fields_are_written_where_they_live(world, now):
    assert set(write("school", world.school.uid, {"FAX": "0270 1", "IS_DIEN_LUOI": "1", "DIA_CHI": "Số 1"}, now)) == {"FAX", "IS_DIEN_LUOI", "DIA_CHI"}
    unit = Unit.objects.get(pk=world.school.pk)
    assert (unit.facts, unit.address) == ({"FAX": "0270 1", "IS_DIEN_LUOI": True}, "Số 1")
    write("class", world.group.uid, {"IS_BAN_TRU": "0", "MA": "7A"}, now)
    group = ClassGroup.objects.get(pk=world.group.pk)
    assert (group.facts, group.code) == ({"IS_BAN_TRU": False}, "7A")
    write("staff", world.post.uid, {"HE_SO_LUONG": "3,66", "MA_TON_GIAO": "00", "MA_HINH_THUC_HOP_DONG": "fixed", "SO_CMTND": "086085000123"}, now)
    post = Post.objects.select_related("person").get(pk=world.post.pk)
    assert (post.facts, post.contract_kind, post.person.facts) == ({"HE_SO_LUONG": 3.66}, "fixed", {"MA_TON_GIAO": "00"})
    assert numbers.decrypt(bytes(post.person.personal_number)) == "086085000123"
    write("learner", world.learner.uid, {"TEN_TAT": "An", "NGAY_SINH": "2013-05-06", "MA_DAN_TOC": "1", "IS_HO_NGHEO": "1"}, now)
    person = Person.objects.get(pk=world.learner.pk)
    assert (person.facts, person.born_on, person.ethnic_group) == ({"TEN_TAT": "An", "IS_HO_NGHEO": True}, date(2013, 5, 6), "01")
    act = Act.objects.filter(act="fields.write", person_id=person.pk).get()
    assert act.facts["symbols"] == ["IS_HO_NGHEO", "MA_DAN_TOC", "NGAY_SINH", "TEN_TAT"]
    assert "An" not in str(act.facts)  # symbols, no values


def test_an_empty_value_takes_a_field_away_and_the_same_again_writes_nothing(world, now):
    write("school", world.school.uid, {"FAX": "0270", "EMAIL": "a@b.vn"}, now)
    version = Unit.objects.get(pk=world.school.pk).version
    assert write("school", world.school.uid, {"FAX": "0270"}, now) == []
    assert Unit.objects.get(pk=world.school.pk).version == version
    assert write("school", world.school.uid, {"FAX": ""}, now) == ["FAX"]
    assert Unit.objects.get(pk=world.school.pk).facts == {"EMAIL": "a@b.vn"}


@pytest.mark.parametrize(
    ("given", "symbols"),
    [({"FAX": "0" * 21}, {"FAX"}), ({"KIEM_DINH_CAP_DO": "hai"}, {"KIEM_DINH_CAP_DO"}), ({"NAM_THANH_LAP": "31/02/2000"}, {"NAM_THANH_LAP"}),
     ({"MA_LOAI_HINH_TRUONG": "77", "IS_DIEN_LUOI": "?"}, {"MA_LOAI_HINH_TRUONG", "IS_DIEN_LUOI"}), ({"KHONG_CO": "1"}, {"KHONG_CO"}),
     ({"TEN": "Trường khác"}, {"TEN"}), ({"TRUONG_ID": "1"}, {"TRUONG_ID"}), ({"DIEM_TRUONGS": []}, {"DIEM_TRUONGS"})],
)  # fmt: skip
def test_what_does_not_fit_is_refused_whole(world, now, given, symbols):
    with pytest.raises(Invalid) as refusal:
        write("school", world.school.uid, {**given, "WEBSITE": "x.vn"}, now)
    assert set(refusal.value.facts["fields"]) == symbols
    assert Unit.objects.get(pk=world.school.pk).facts == {}


def test_a_stale_form_is_refused(world, now):
    version = Unit.objects.get(pk=world.school.pk).version
    write("school", world.school.uid, {"FAX": "1"}, now, versions={"orgs.Unit": version})
    with pytest.raises(Stale):
        write("school", world.school.uid, {"FAX": "2"}, now, versions={"orgs.Unit": version})


def test_a_number_of_somebody_else_is_refused(world, now):
    write("learner", world.learner.uid, {"MA_CONG_DAN_ID": "086213000123"}, now)
    with pytest.raises(services.NumberTaken):
        write("learner", world.second.uid, {"MA_CONG_DAN_ID": "086213000123"}, now)


@pytest.mark.parametrize(
    ("who", "symbol", "may"),
    [("clerk", "TEN_TAT", True), ("clerk", "IS_HO_NGHEO", False), ("principal", "IS_HO_NGHEO", True), ("nurse", "IS_HO_NGHEO", True),
     ("nurse", "TEN_TAT", False), ("lead", "TEN_TAT", False)],
)  # fmt: skip
def test_each_class_of_privacy_has_its_own_writers(world, now, who, symbol, may):
    actor = world.actor(getattr(world, who), role="homeroom_teacher" if who == "lead" else None)
    if may:
        assert write("learner", world.learner.uid, {symbol: "1"}, now, actor) == [symbol]
        return
    with pytest.raises(NotAllowed):
        write("learner", world.learner.uid, {symbol: "1"}, now, actor)
    assert Person.objects.get(pk=world.learner.pk).facts == {}


def seen(world, now, actor, object_="learner", uid=None):
    about = subject(object_, uid or world.learner.uid, now, actor)
    found = queries.file(actor, about, at=now)
    return {one.field.symbol for section in found.sections for one in section.fields}, {kind.code for kind, _rows, _may in found.records}, found


def test_each_class_of_privacy_has_its_own_readers(world, now):
    Record.objects.create(kind="violence", school=world.school, person=world.learner, valid=factories.EVER, body={"DOI_TUONG": "bạn cùng lớp"})
    symbols, kinds, _file = seen(world, now, world.actor(world.clerk))
    assert "TEN_TAT" in symbols
    assert not symbols & {"IS_HO_NGHEO", "CHIEU_CAO", "MA_CONG_DAN_ID"}
    assert not kinds & {"violence", "health"}
    symbols, kinds, found = seen(world, now, world.actor(world.nurse))
    assert {"CHIEU_CAO", "IS_HO_NGHEO"} <= symbols
    assert {"violence", "health"} <= kinds
    assert found.hidden == 0
    symbols, kinds, _file = seen(world, now, world.actor(world.lead, role="homeroom_teacher"))
    assert "CHIEU_CAO" in symbols
    mother = factories.guardian(world.learner)
    symbols, kinds, _file = seen(world, now, world.actor(mother))
    assert "CHIEU_CAO" in symbols
    assert "violence" not in kinds  # it may name other people's children


def test_files_outside_the_place_are_not_there(world, now):
    actor = world.actor(world.far_clerk)
    for object_, uid in (("school", world.school.uid), ("class", world.group.uid), ("staff", world.post.uid), ("learner", world.learner.uid)):
        with pytest.raises(NotFound):
            subject(object_, uid, now, actor)


def test_a_teacher_reads_files_of_her_learners_and_her_own_only(world, now):
    stranger = factories.homeroom_teacher(factories.class_group(world.school, grade=8))
    with pytest.raises(NotAllowed):
        subject("learner", world.learner.uid, now, world.actor(stranger, role="homeroom_teacher"))
    with pytest.raises(NotAllowed):
        subject("staff", world.post.uid, now, world.actor(stranger, role="subject_teacher"))
    with pytest.raises(NotAllowed):  # who teaches a subject opens no files
        subject("learner", world.learner.uid, now, world.actor(factories.teacher(world.school, world.group, "toan")))
    own = Post.objects.get(person_id=stranger.person_id)
    assert subject("staff", own.uid, now, world.actor(stranger, role="subject_teacher")).name == "Phạm Văn Minh"
    with pytest.raises((NotAllowed, NotFound)):
        subject("learner", world.second.uid, now, world.actor(factories.guardian(world.learner)))


def test_a_missing_required_field_is_named(world, now):
    _symbols, _kinds, found = seen(world, now, SYSTEM)
    assert {one.field.symbol for one in found.missing} == {"MA_CONG_DAN_ID", "MA_DAN_TOC", "QUOC_TICH_ID"}


# --- records --------------------------------------------------------------------------------------


def add(world, now, kind="health", given=None, object_="learner", uid=None, actor=SYSTEM, **values):
    about = subject(object_, uid or world.learner.uid, now, actor)
    return services.add_record(actor=actor, about=about, kind=kind, given=given or {"CHIEU_CAO": "150,5"}, now=now, **values)


def test_a_record_is_validated_told_changed_and_withdrawn(world, now):
    made = add(world, now, given={"CHIEU_CAO": "150,5", "CAN_NANG": "40", "NHOM_MAU": "O"}, since=date(2025, 9, 10))
    assert (made.body, made.person_id, made.school_id) == ({"CHIEU_CAO": 150.5, "CAN_NANG": 40, "NHOM_MAU": "O"}, world.learner.pk, world.school.pk)
    add(world, now, given={"CHIEU_CAO": "152"}, since=date(2025, 11, 1))
    told = queries.file(SYSTEM, subject("learner", world.learner.uid, now), at=now).values
    assert (told["CHIEU_CAO"], told["CAN_NANG"]) == (152, 40)  # the last that says it
    made.refresh_from_db()
    changed = services.change_record(actor=SYSTEM, uid=made.uid, version=made.version, given={"CAN_NANG": "41"}, now=now)
    assert changed.body == {"CAN_NANG": 41}
    with pytest.raises(Stale):
        services.withdraw_record(actor=SYSTEM, uid=made.uid, version=1, reason="nhầm", now=now)
    services.withdraw_record(actor=SYSTEM, uid=made.uid, version=changed.version, reason="nhầm em khác", now=now)
    assert not Record.objects.living().filter(pk=made.pk).exists()
    with pytest.raises(NotFound):
        services.change_record(actor=SYSTEM, uid=made.uid, version=3, given={"CAN_NANG": "42"}, now=now)
    assert list(Act.objects.filter(target_id=made.pk, act__startswith="fields.record").order_by("pk").values_list("act", flat=True)) == [
        "fields.record.add", "fields.record.change", "fields.record.withdraw"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "given"),
    [("health", {"CHIEU_CAO": "cao"}), ("health", {"MAU_TOC": "đen"}), ("health", {"CHIEU_CAO": ""}), ("site", {"TEN": "Điểm lẻ"}),
     ("no-such-kind", {"TEN": "x"}), ("learner_reward", {"MA_KHEN_THUONG": "hang-nhat"}), ("retest", {"HOC_SINH_ID": "8600000018"})],
)  # fmt: skip
def test_records_that_do_not_fit_are_refused(world, now, kind, given):
    with pytest.raises(Invalid):
        add(world, now, kind=kind, given=given)
    assert not Record.objects.exists()


def test_records_are_for_those_of_their_privacy(world, now):
    with pytest.raises(NotAllowed):
        add(world, now, actor=world.actor(world.clerk))
    made = add(world, now, actor=world.actor(world.nurse))
    with pytest.raises(NotAllowed):
        services.withdraw_record(actor=world.actor(world.clerk), uid=made.uid, version=made.version, reason="x", now=now)
    with pytest.raises(NotFound):
        services.withdraw_record(actor=world.actor(world.far_clerk), uid=made.uid, version=made.version, reason="x", now=now)


def test_every_kind_of_record_takes_what_its_table_says(world, now):
    owners = {"school": world.school.uid, "staff": world.post.uid, "learner": world.learner.uid}
    samples = {"string": "1", "enum": "", "boolean": "1", "integer": "3", "decimal": "2,5", "date": "2024-05-06"}
    for kind in annex.kinds().values():
        given = {symbol: samples[field.type] for symbol, field in services.body_fields(kind).items() if samples.get(field.type)}
        if given:
            made = add(world, now, kind=kind.code, given=given, object_=kind.owner, uid=owners[kind.owner])
            assert set(made.body) == set(given), kind.code
    assert Record.objects.count() >= 85


# --- pages ----------------------------------------------------------------------------------------


def test_a_section_is_filled_in_and_a_wrong_value_is_said(world, now, counted):
    client = factories.client_of(world.clerk)
    address = f"/hoc-sinh/{world.learner.uid}/ho-so/"
    with counted() as count:
        page = client.get(address).content.decode()
    assert count.total <= 6
    assert "Còn thiếu trường bắt buộc" in page
    assert "không hiển thị với vai trò" in page
    with counted() as count:
        form = client.get(f"{address}sua/study/").content.decode()
    assert count.total <= 6
    assert 'name="BIET_BOI"' in form
    version = Person.objects.get(pk=world.learner.pk).version
    answer = client.post(f"{address}sua/study/", {"IS_DOI_VIEN": "1", "BIET_BOI": "có", "version": version, "reason": "khai lại"})
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    assert Person.objects.get(pk=world.learner.pk).facts == {"IS_DOI_VIEN": True, "BIET_BOI": "có"}
    assert client.post(f"{address}sua/study/", {"IS_DOI_VIEN": "0", "version": version}).status_code == 409
    wrong = client.post(f"{address}sua/identity/", {"NGAY_SINH": "mai", "version": version + 1})
    assert wrong.status_code == 422
    assert "Không phải ngày" in wrong.content.decode()
    assert client.get(f"{address}sua/health/").status_code == 404
    assert client.get(f"{address}sua/khong-co/").status_code == 404


def test_school_class_and_staff_have_their_forms(world, now, counted):
    client = factories.client_of(world.principal)
    for address, section in (
        (f"/don-vi/{world.school.uid}/du-lieu/", "conditions"), (f"/lop/{world.group.uid}/du-lieu/", "features"), (f"/nhan-su/{world.post.uid}/ho-so/", "pay")
    ):
        with counted() as count:
            assert client.get(address).status_code == 200
        assert count.total <= 6, count.statements
        with counted() as count:
            assert client.get(f"{address}sua/{section}/").status_code == 200
        assert count.total <= 6, count.statements
    post = Post.objects.select_related("person").get(pk=world.post.pk)
    answer = client.post(f"/nhan-su/{world.post.uid}/ho-so/sua/pay/", {"HE_SO_LUONG": "3.66", "version": post.version, "person_version": post.person.version})
    assert answer.status_code == 302
    assert Post.objects.get(pk=world.post.pk).facts == {"HE_SO_LUONG": 3.66}


def test_a_record_is_added_changed_and_withdrawn_on_pages(world, now):
    client = factories.client_of(world.principal)
    address = f"/don-vi/{world.school.uid}/du-lieu/ban-ghi/site/them/"
    assert 'name="TEN"' in client.get(address).content.decode()
    assert client.post(address, {"since": "2025-09-01", "DIEN_TICH": "rộng"}).status_code == 422
    assert client.post(address, {"since": "2025-09-01", "TEN": "Điểm Cồn Ốc", "DIEN_TICH": "1200"}).status_code == 302
    made = Record.objects.get(kind="site")
    assert made.body == {"TEN": "Điểm Cồn Ốc", "DIEN_TICH": 1200}
    assert "Điểm Cồn Ốc" in client.get(f"/don-vi/{world.school.uid}/du-lieu/").content.decode()
    change = f"/ban-ghi/{made.uid}/sua/"
    assert "Điểm Cồn Ốc" in client.get(change).content.decode()
    assert client.post(change, {"since": "2025-09-01", "TEN": "Điểm Cồn Phụng", "version": made.version}).status_code == 302
    made.refresh_from_db()
    assert made.body == {"TEN": "Điểm Cồn Phụng"}
    assert client.post(f"/ban-ghi/{made.uid}/rut/", {"reason": "", "version": made.version}).status_code == 422
    assert client.post(f"/ban-ghi/{made.uid}/rut/", {"reason": "trùng", "version": made.version}).status_code == 302
    assert client.get(change).status_code == 404
    assert client.get(f"/don-vi/{world.school.uid}/du-lieu/ban-ghi/health/them/").status_code == 404


def test_everything_about_a_school_in_eight_statements(world, now, counted):
    counting.count_all(on=now.date())
    sweeping.sweep([world.school.pk], on=now.date())
    client = factories.client_of(world.principal)
    with counted() as count:
        page = client.get(f"/don-vi/{world.school.uid}/toan-canh/").content.decode()
    assert count.total <= 6, count.statements
    for text in ("Còn thiếu trường bắt buộc", "Điểm chất lượng dữ liệu", "Mức đầy đủ của hồ sơ", "Đội ngũ", "Điểm trường", "Học sinh thiếu thông tin bắt buộc"):
        assert text in page, text
    assert factories.client_of(world.far_clerk).get(f"/don-vi/{world.school.uid}/toan-canh/").status_code == 404
    assert factories.client_of(factories.guardian(world.learner)).get(f"/don-vi/{world.school.uid}/toan-canh/").status_code in (403, 404)


def test_the_time_line_tells_what_has_a_day(world, now, counted):
    Placement.objects.create(
        learner=world.learner, school=world.school, class_group=factories.class_group(world.school, grade=6, year=2024), school_year=2024,
        valid=("2024-09-05", "2025-05-31"), opened="entry", closed="year_end",
    )  # fmt: skip
    factories.guardian(world.learner)
    add(world, now, kind="learner_reward", given={"NOI_DUNG": "Giải nhì cờ vua"}, since=date(2025, 10, 1))
    add(world, now, kind="health", since=date(2025, 10, 2))
    write("learner", world.learner.uid, {"TEN_TAT": "An"}, now)
    client = factories.client_of(world.principal)
    with counted() as count:
        page = client.get(f"/hoc-sinh/{world.learner.uid}/ho-so/dong-thoi-gian/").content.decode()
    assert count.total <= 6
    order = [page.index(text) for text in ("Giải nhì cờ vua", "Hết năm học: rời lớp", "Tuyển mới: lớp 6", "Ghi phụ huynh")]
    assert order == sorted(order)
    assert "Sức khoẻ" in page
    hers = factories.client_of(world.clerk).get(f"/hoc-sinh/{world.learner.uid}/ho-so/dong-thoi-gian/").content.decode()
    assert "Sức khoẻ" not in hers  # restricted
    assert "Giải nhì cờ vua" in hers
    staff = client.get(f"/nhan-su/{world.post.uid}/ho-so/dong-thoi-gian/").content.decode()
    assert "Nhận vị trí: Giáo viên" in staff


def test_a_field_is_added_as_data_and_is_everywhere(world, now):
    steward = factories.account("data_steward", factories.province())
    client = factories.client_of(steward)
    form = {"object_": "learner", "symbol": "CO_MAY_TINH", "name": "Có máy tính ở nhà", "type_": "boolean", "privacy": "personal", "retention": "register",
            "section": "study", "topic": "13", "levels": ["lower_secondary"]}  # fmt: skip
    assert client.post("/danh-muc-du-lieu/them/", {**form, "symbol": "TEN_TAT"}).status_code == 422
    assert client.post("/danh-muc-du-lieu/them/", {**form, "symbol": "chữ thường"}).status_code == 422
    assert client.post("/danh-muc-du-lieu/them/", {**form, "type_": "enum"}).status_code == 422
    assert client.post("/danh-muc-du-lieu/them/", form).status_code == 302
    assert client.post("/danh-muc-du-lieu/them/", form).status_code == 422  # once
    assert "CO_MAY_TINH" in client.get("/danh-muc-du-lieu/?q=may+tinh+o+nha").content.decode()
    later = ExtensionField.objects.get().valid.lower
    then = datetime(later.year, later.month, later.day, 5, tzinfo=UTC)
    assert write("learner", world.learner.uid, {"CO_MAY_TINH": "1"}, then) == ["CO_MAY_TINH"]
    with pytest.raises(Invalid):
        write("learner", world.learner.uid, {"CO_MAY_TINH": "ba"}, then)
    ended = services.end_extension(actor=SYSTEM, uid=ExtensionField.objects.get().uid, now=then, reason="thôi")
    assert ended.valid.upper is not None
    assert Person.objects.get(pk=world.learner.pk).facts == {"CO_MAY_TINH": True}


def test_tables_of_universities_are_read_without_screens_of_their_own(world, now):
    officer = factories.account("province_officer", factories.province())
    college = factories.unit("college", "Trường Cao đẳng Bến Tre", parent=factories.province())
    Record.objects.create(kind="h_ctdt_1_1", school=college, valid=factories.EVER, body={"TEN": "Kỹ thuật phần mềm"})
    page = factories.client_of(officer).get("/danh-muc-du-lieu/ban-ghi/h_ctdt_1_1/").content.decode()
    assert "Kỹ thuật phần mềm" in page
    assert "Trường Cao đẳng Bến Tre" in page
    assert "Kỹ thuật phần mềm" not in factories.client_of(world.clerk).get("/danh-muc-du-lieu/ban-ghi/h_ctdt_1_1/").content.decode()
    assert factories.client_of(officer).get("/danh-muc-du-lieu/ban-ghi/khong-co/").status_code == 404
    assert factories.client_of(world.clerk).get("/danh-muc-du-lieu/ban-ghi/health/").status_code == 403
