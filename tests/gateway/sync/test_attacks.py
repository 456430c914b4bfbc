"""Addresses that lead inside, forged and replayed signatures, a receiver fed rubbish: refused, and nobody else held up."""

from __future__ import annotations

import io
import json
import socket
import threading

import pytest
from django.utils import timezone

from khue.gateway.sync import receiver, services, transport, webhooks
from khue.gateway.sync.models import WebhookDelivery, WebhookSubscription
from khue.kernel.errors import Invalid
from tests import factories
from tests.gateway.sync.test_webhooks import go, happen, listener, steward, subscribe  # noqa: F401

INSIDE = [
    "https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/",
    "https://localhost/", "https://LOCALHOST./", "https://api.localhost/", "https://0.0.0.0/", "https://[::]/", "https://169.254.169.254/latest/meta-data/",
    "https://[::ffff:169.254.169.254]/", "https://[fd00:ec2::254]/", "https://100.100.100.200/", "https://10.0.0.1/", "https://192.168.1.1/", "https://172.16.0.1/",
    "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://[fe80::1]/", "https://224.0.0.1/", "https://255.255.255.255/",
]  # fmt: skip
CROOKED = [
    "http://vi-du.vn/", "ftp://vi-du.vn/", "file:///etc/passwd", "https://", "//vi-du.vn", "https://a:b@vi-du.vn/", "https://@vi-du.vn/", "https://vi-du.vn/#x",
    "https://vi-du.vn:99999/", "https://vi-du.vn:x/", "https://[::1", "https://vi-du.vn/ a", "https://vi-du.vn/\r\nX: 1", "https://ví-dụ.vn/",
    "https://vi-du.vn/" + "a" * 400, "javascript:alert(1)",
]  # fmt: skip


@pytest.mark.parametrize("address", [*INSIDE, *CROOKED])
def test_addresses_that_lead_inside_are_refused(settings, address):
    settings.KHUE_OUTGOING_LOCAL = False
    with pytest.raises(transport.Denied):
        transport.checked(address)


@pytest.mark.parametrize("address", ["https://169.254.169.254/", "https://[fe80::1]/", "https://10.0.0.1/", "https://0.0.0.0/"])
def test_a_demonstration_reaches_its_own_machine_and_nothing_beside_it(address):
    assert transport.checked("http://127.0.0.1:9443/x") == "http://127.0.0.1:9443/x"
    with pytest.raises(transport.Denied):
        transport.checked(address)


def test_a_network_the_operator_names_is_reached(settings):
    settings.KHUE_OUTGOING_LOCAL = False
    settings.KHUE_OUTGOING_NETWORKS = ("10.20.0.0/16",)
    assert transport.checked("https://10.20.3.4/") == "https://10.20.3.4"
    with pytest.raises(transport.Denied):
        transport.checked("https://10.21.3.4/")


def names(monkeypatch, *answers):
    """Let every name lead to these addresses, one list a question."""
    told = iter(answers)
    asked = []

    def answer(host, port, **_values):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in next(told)]

    monkeypatch.setattr(transport.socket, "getaddrinfo", answer)
    return asked


@pytest.mark.parametrize("answer", [["127.0.0.1"], ["169.254.169.254"], ["8.8.8.8", "10.0.0.1"], []])
def test_a_name_that_leads_inside_is_never_connected_to(settings, monkeypatch, answer):
    settings.KHUE_OUTGOING_LOCAL = False
    names(monkeypatch, answer)
    monkeypatch.setattr(transport.socket, "create_connection", lambda *args, **values: pytest.fail("connected"))
    with transport.Link("https://vi-du.vn") as link, pytest.raises(transport.Denied):
        link.send("POST", "/", {})


def test_a_name_is_asked_once_and_what_was_allowed_is_connected_to(settings, monkeypatch):
    settings.KHUE_OUTGOING_LOCAL = False
    asked = names(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    tried = []

    def connect(address, *_rest):
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(transport.socket, "create_connection", connect)
    with transport.Link("https://vi-du.vn") as link, pytest.raises(transport.Unreachable):
        link.send("POST", "/", {})
    assert asked == ["vi-du.vn"] and tried == [("8.8.8.8", 443)]


def test_the_form_refuses_them_too(steward, settings):  # noqa: F811
    settings.KHUE_OUTGOING_LOCAL = False
    for address in ("https://169.254.169.254/", "https://[::1", "https://vi-du.vn:99999/"):
        with pytest.raises(Invalid):
            services.subscribe(
                actor=factories.actor_of(steward, at=timezone.now()), name="x", address=address, kinds=["transcripts.sealed"], unit_code="", now=timezone.now()
            )


def test_one_subscriber_that_cannot_be_sent_to_holds_nobody_up(steward, listener):  # noqa: F811
    broken, _secret = subscribe(steward, listener)
    WebhookSubscription.objects.filter(pk=broken.pk).update(address="https://vi-du.vn:99999/")
    other, _secret = subscribe(steward, listener)
    happen(factories.school())
    assert go() == 2
    assert dict(WebhookDelivery.objects.values_list("subscription_id", "state")) == {broken.pk: "waiting", other.pk: "taken"}


@pytest.mark.parametrize("header", ["", "t=,v1=", "t=²,v1=x", "t=1,v1=é", "t=" + "9" * 5000 + ",v1=x", "v1=x", "t=-1,v1=x", "t=1700000000", "t=1700000000,v1=" + "0" * 64])
def test_forged_signatures_are_refused_without_an_error(header):
    assert webhooks.is_signed("khs_x", b"{}", header, at=1_700_000_000) is False


def test_a_signature_of_another_time_body_or_secret_does_not_fit():
    header = webhooks.signature("khs_x", b"{}", at=1_700_000_000)
    assert webhooks.is_signed("khs_x", b"{}", header, at=1_700_000_100)
    for secret, body, at, told in (
        ("khs_y", b"{}", 0, header), ("khs_x", b"[]", 0, header), ("khs_x", b"{}", 301, header), ("khs_x", b"{}", -301, header),
        ("khs_x", b"{}", 200, header.replace("t=1700000000", "t=1700000200")), ("khs_x", b"{}", 0, header + ",v1=x"),
    ):  # fmt: skip
        assert not webhooks.is_signed(secret, body, told, at=1_700_000_000 + at)


# -- the reference receiver ---------------------------------------------------------------------------------


def sent(application, method, path, body=b"", **headers):
    told = []
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path.partition("?")[0], "QUERY_STRING": path.partition("?")[2], "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body), **headers,
    }  # fmt: skip
    content = b"".join(application(environ, lambda status, _headers: told.append(int(status[:3]))))
    return told[0], json.loads(content)


def record(**fields):
    return {"IdBanGhi": "a", "SuKien": "NEW", "PhienBan": 1, "ThoiGianCapNhat": "2025-09-01T00:00:00", **fields}


def test_the_receiver_answers_rubbish_and_goes_on():
    application = receiver.Receiver(token="bí mật")
    key = {"HTTP_AUTHORIZATION": "Bearer bí mật"}
    assert sent(application, "GET", "/trang-thai")[0] == sent(application, "GET", "/trang-thai", HTTP_AUTHORIZATION="Bearer é")[0] == 401
    for method, path, body, headers, status in (
        ("POST", "/ban-ghi/learner", b"[" * 100_000, {}, 400), ("POST", "/ban-ghi/learner", b"\xff", {}, 400), ("POST", "/ban-ghi/learner", b"[]", {}, 400),
        ("POST", "/ban-ghi/learner", b"{}", {"CONTENT_LENGTH": "-5"}, 400), ("POST", "/ban-ghi/learner", b"{}", {"CONTENT_LENGTH": "x"}, 400),
        ("POST", "/ban-ghi/learner", b"{}", {"CONTENT_LENGTH": "99999999999"}, 413), ("POST", "/ban-ghi/learner", b"{}", {"CONTENT_LENGTH": "9"}, 400),
        ("GET", "/ban-ghi/learner?so=x", b"", {}, 400), ("GET", "/ban-ghi/learner?so=0", b"", {}, 200), ("DELETE", "/ban-ghi/learner", b"", {}, 404),
        ("PUT", "/learners/a", b"{}", {"HTTP_X_PHIEN_BAN": "²"}, 422), ("PUT", "/learners/a", b"{}", {"HTTP_X_PHIEN_BAN": "9" * 400}, 422),
    ):  # fmt: skip
        assert sent(application, method, path, body, **{**key, **headers})[0] == status, (method, path, body[:20], headers)
    assert application.counts() == {}


def test_one_wrong_record_spoils_none_of_its_batch():
    application = receiver.Receiver()
    rows = [
        record(IdBanGhi="tốt"), record(PhienBan=0), record(PhienBan=-1), record(PhienBan=True), record(PhienBan="1"), record(PhienBan=10**30), record(PhienBan=1.5),
        record(SuKien="XOÁ"), record(ThoiGianCapNhat="2025-13-01T00:00:00"), record(ThoiGianCapNhat="hôm qua"), record(IdBanGhi=""), record(IdBanGhi="x" * 151),
        record(IdBanGhi="a\ud800"), record(IdBanGhi="a\u0000b"), record(IdBanGhi="tốt 2", HoTen="\ud800"), record(IdBanGhi={"a": 1}, PhienBan=None), "rác", None,
    ]  # fmt: skip
    status, told = sent(application, "POST", "/ban-ghi/learner", json.dumps({"DanhSach": rows}).encode())
    assert status == 200 and [one["MaLoi"] for one in told["KetQua"]].count("00") == 3  # half a letter is replaced, the record stands
    assert set(application.ids()) == {"tốt", "tốt 2", "a?"}
    again = [record(IdBanGhi="tốt", PhienBan=1), record(IdBanGhi="tốt", PhienBan=3), record(IdBanGhi="tốt", PhienBan=2), record(IdBanGhi="tốt", PhienBan=4, SuKien="CANCEL")]
    status, told = sent(application, "POST", "/ban-ghi/learner", json.dumps({"DanhSach": again}).encode())
    assert [one["MaLoi"] for one in told["KetQua"]] == ["01", "00", "01", "00"]
    assert application.counts() == {"learner": 2}


def test_a_slow_sender_holds_nobody_up():
    application = receiver.Receiver()
    came, go_on = threading.Event(), threading.Event()

    class Slow(io.BytesIO):
        def read(self, *args):
            came.set()
            go_on.wait(5)
            return super().read(*args)

    slow = threading.Thread(target=sent, args=(application, "POST", "/ban-ghi/learner", b"{}"), kwargs={"wsgi.input": Slow(b"{}")})
    slow.start()
    assert came.wait(5)
    assert sent(application, "GET", "/trang-thai")[0] == 200
    go_on.set()
    slow.join()
