"""A period from opening to confirming, a channel with its dead letters, subscriptions, bundles and open data, at both widths."""

from __future__ import annotations

import pytest
from django.utils import timezone

from khue.gateway.sync.models import SyncTurn
from khue.kernel.database import scope
from khue.province.periods import services
from khue.register.people.models import Person
from tests import factories
from tests.gateway.sync.conftest import channel, credential, other_end, papers, turn  # noqa: F401 - fixtures
from tests.province.periods import conftest as periods
from tests.province.periods.conftest import run


@pytest.fixture
def ground(site, settings, tmp_path, papers):  # noqa: F811
    settings.KHUE_KEYS, settings.KHUE_HOME, settings.KHUE_SECOND_FACTOR = tmp_path / "keys", tmp_path, False
    credential(tmp_path / "keys", papers, "ndc")
    with scope.everything():
        return periods.make(size=4)


def named(ground, name):
    with scope.everything():
        account = ground.accounts[name]
        account.refresh_from_db()
        return account.username


def frozen(ground):
    """Return a frozen period in which the first school was returned, frozen again and signed, and the second waits."""
    with scope.everything():
        period = ground.freeze()
        held = ground.sign(period)
        services.send_back(actor=ground.actor("commune0"), uid=held.uid, version=held.version, remarks="Lớp 7A1 thiếu một em.", now=timezone.now())
        Person.objects.filter(pk=ground.learners[ground.schools[0].pk][0].pk).update(name="Nguyễn Văn Ân", birth_place="Bến Tre")
        run(services.freeze_again(actor=ground.actor("clerk0"), uid=held.uid, reason="Đã sửa tên một em theo giấy khai sinh", now=timezone.now()))
        Person.objects.filter(pk=ground.learners[ground.schools[0].pk][1].pk).update(birth_place="Vĩnh Long")
        run(services.compare(actor=ground.actor("head0"), uid=held.uid, now=timezone.now()))
        ground.sign(period)
        return period, ground.submission(period), ground.submission(period, 1)


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_periods_at_both_widths(ground, request, width):
    period, held, waiting = frozen(ground)
    window = request.getfixturevalue(width)
    window.sign_in(named(ground, "officer"))
    window.open("/ky-du-lieu/")
    window.check("periods-index")
    window.open("/ky-du-lieu/moi/")
    window.check("periods-new")
    window.open(f"/ky-du-lieu/{period.uid}/?tt=checking")
    window.check("periods-board")
    window.open(f"/ho-so-nop/{held.uid}/")
    window.check("periods-submission")
    window.open(f"/ho-so-nop/{held.uid}/khac/?lan=2")
    window.check("periods-difference")
    window.open(f"/ho-so-nop/{held.uid}/khac/")
    window.check("periods-later")


def test_a_head_signs_and_her_commune_confirms(ground, desk, phone):
    period, _held, waiting = frozen(ground)
    desk.sign_in(named(ground, "head1"))
    page = desk.open("/")
    with desk.coming():
        page.get_by_role("link", name="Mở hồ sơ nộp").first.click()
    desk.check("periods-to-sign")
    page.get_by_role("button", name="Ký và gửi lên").click()
    page.wait_for_url("**/viec/**")
    with scope.everything():
        run(_job(waiting))
    page = phone.sign_in(named(ground, "commune0"))
    page.goto(f"{phone.site}/ho-so-nop/{waiting.uid}/")
    phone.check("periods-to-confirm")
    with phone.coming():
        page.get_by_role("button", name="Xác nhận số liệu").click()
    with scope.everything():
        assert ground.submission(period, 1).at_unit == ground.province


def _job(held):
    from khue.province.periods.models import SubmissionApproval

    return SubmissionApproval.objects.select_related("job").filter(school_id=held.school_id).latest("pk").job


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_channels_subscriptions_bundles_and_open_data(ground, other_end, request, width):  # noqa: F811
    with scope.everything():
        held = channel(other_end, name="Trung tâm dữ liệu quốc gia")
        other_end.behaviour.refuse = {f"{ground.schools[0].code}:thcs:learner:{one.code}" for one in ground.learners[ground.schools[0].pk][:2]}
        turn(held)
        assert SyncTurn.objects.count() == 1
        steward = factories.account("data_steward", ground.province, username="quan-tri-du-lieu")
    window = request.getfixturevalue(width)
    window.sign_in(steward.username)
    for path, name in (
        ("/dong-bo/", "sync-index"), (f"/dong-bo/{held.uid}/", "sync-channel"), (f"/dong-bo/{held.uid}/sua/", "sync-edit"), ("/bao-su-kien/", "sync-subscriptions"),
        ("/oneroster/", "oneroster-index"), ("/du-lieu-mo/", "opendata-index"),
    ):  # fmt: skip
        window.open(path)
        window.check(name)


def test_a_subscription_is_made_without_javascript(ground, plain):
    with scope.everything():
        factories.account("data_steward", ground.province, username="quan-tri-du-lieu")
    page = plain.sign_in("quan-tri-du-lieu")
    plain.open("/bao-su-kien/")
    page.get_by_label("Tên hệ thống nhận").fill("Phần mềm thư viện")
    page.get_by_label("Địa chỉ nhận").fill("https://vi-du.vn/nghe")
    page.get_by_label("Học bạ đã đóng dấu").check()
    page.get_by_role("button", name="Đăng ký và lấy khoá ký").click()
    page.get_by_text("khs_").wait_for()
    plain.picture("sync-subscribed")
