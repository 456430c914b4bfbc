"""Events told to subscribers: signed, once each, later when they are down, only of their place."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.urls import reverse
from django.utils import timezone

from khue.gateway.sync import services, webhooks
from khue.gateway.sync.exposed import EXPOSED
from khue.gateway.sync.models import WebhookDelivery, WebhookSubscription
from khue.kernel import events
from khue.kernel.errors import Invalid, NotAllowed
from khue.kernel.events.models import Event
from khue.province.periods import vault
from khue.province.periods.events import SubmissionMoved
from khue.register.schooling.events import LearnerPlaced
from khue.school.transcripts.events import TranscriptSealed
from tests import factories

KINDS = ["periods.submission-moved", "transcripts.sealed"]


class Listener(ThreadingHTTPServer):
    """A subscriber: keeps what comes, answers as told."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        self.url = f"http://127.0.0.1:{self.server_port}/nghe?x=1"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((dict(self.headers), body))
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def listener():
    server = Listener()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def steward(everything):
    return factories.account("data_steward", factories.province())


def subscribe(steward, listener, *, unit_code="", kinds=KINDS):
    return services.subscribe(
        actor=factories.actor_of(steward, at=timezone.now()), name="Phần mềm họp phụ huynh", address=listener.url, kinds=kinds, unit_code=unit_code, now=timezone.now()
    )


def happen(school, act="sign"):
    events.publish(SubmissionMoved("p", "s", school.pk, act, "checking", "0" * 64), at=timezone.now())


def go(later=timedelta(0)):
    return webhooks.run(now=lambda: timezone.now() + later)


def test_an_event_is_told_once_with_a_signature_that_fits(steward, listener):
    here = factories.school()
    held, secret = subscribe(steward, listener)
    happen(here)
    happen(here)  # the same words twice are two events
    assert go() == 2 and go() == 0
    assert len(listener.came) == 2
    headers, body = listener.came[0]
    at = int(timezone.now().timestamp())
    assert headers["Khue-Event"] == "periods.submission-moved"
    assert webhooks.is_signed(secret, body, headers["Khue-Signature"], at=at)
    assert not webhooks.is_signed(secret, body + b" ", headers["Khue-Signature"], at=at)
    assert not webhooks.is_signed("khs_khac", body, headers["Khue-Signature"], at=at)
    assert not webhooks.is_signed(secret, body, headers["Khue-Signature"], at=at + 301)
    assert not webhooks.is_signed(secret, body, "t=1;v1=x", at=at)
    told = json.loads(body)
    assert told["data"] == {"act": "sign", "period": "p", "school": here.code, "sha256": "0" * 64, "state": "checking", "submission": "s"}
    assert told["id"] == headers["Khue-Delivery"] and len({headers["Khue-Delivery"] for headers, _body in listener.came}) == 2
    assert secret.encode() not in bytes(held.secret) and vault.get(held.secret).decode() == secret


def test_a_subscriber_that_is_down_gets_it_later_and_is_given_up_in_the_end(steward, listener):
    subscribe(steward, listener)
    happen(factories.school())
    listener.status = 500
    later = timedelta(0)
    for wait in webhooks.WAITS:
        assert go(later) == 1 and go(later) == 0
        later += wait + timedelta(seconds=1)
    assert go(later) == 1
    row = WebhookDelivery.objects.get()
    assert row.state == "dead" and row.answer == "status 500" and row.attempts == len(webhooks.WAITS) + 1
    assert len({body for _headers, body in listener.came}) == 1  # the same bytes at every try
    listener.status = 200
    actor = factories.actor_of(steward, at=timezone.now())
    assert services.redeliver(actor=actor, uid=row.subscription.uid, now=timezone.now()) == 1
    assert go() == 1 and WebhookDelivery.objects.get().state == "taken"


def test_redirects_are_not_followed(steward, listener):
    subscribe(steward, listener)
    happen(factories.school())
    listener.status = 302
    go()
    assert WebhookDelivery.objects.get().answer == "denied: redirected"


def test_only_what_happened_since_and_in_its_place_is_told(steward, listener):
    here, there = factories.school(), factories.school("Trường khác")
    happen(here)
    Event.objects.update(stored_at=timezone.now() - timedelta(minutes=1))
    subscribe(steward, listener, unit_code=here.code)
    happen(there)
    happen(here)
    events.publish(LearnerPlaced(1, here.pk, 1, "2025-09-05"), at=timezone.now())  # a kind it did not ask for
    go()
    assert [json.loads(body)["data"]["school"] for _headers, body in listener.came] == [here.code]


def test_no_name_and_no_inside_id_leaves(steward, listener):
    here = factories.school()
    learner = factories.person("Nguyễn Văn Kín", school=here)
    subscribe(steward, listener)
    events.publish(TranscriptSealed(7, learner.pk, here.pk, 2025, None), at=timezone.now())
    go()
    [(_headers, body)] = listener.came
    assert json.loads(body)["data"] == {"learner": str(learner.uid), "school": here.code, "school_year": 2025}
    assert "Kín" not in body.decode()
    known = set(EXPOSED)
    from khue.kernel.events import Fact

    def kinds(base):
        return {sub.kind for sub in base.__subclasses__()} | {kind for sub in base.__subclasses__() for kind in kinds(sub)}

    assert known <= kinds(Fact)


def test_paused_subscriptions_hear_nothing_and_go_on_from_now(steward, listener):
    here = factories.school()
    held, _secret = subscribe(steward, listener)
    held.refresh_from_db()
    actor = factories.actor_of(steward, at=timezone.now())
    services.set_active(actor=actor, uid=held.uid, version=held.version, is_active=False, now=timezone.now())
    happen(here)
    assert go() == 0
    held.refresh_from_db()
    Event.objects.update(stored_at=timezone.now() - timedelta(minutes=1))
    services.set_active(actor=actor, uid=held.uid, version=held.version, is_active=True, now=timezone.now())
    assert go() == 0
    happen(here)
    assert go() == 1


def test_what_is_no_subscription_is_refused(steward, listener):
    actor = factories.actor_of(steward, at=timezone.now())
    values = {"name": "x", "address": listener.url, "kinds": KINDS, "unit_code": "", "now": timezone.now()}
    for wrong in ({"address": "http://vi-du.vn/"}, {"kinds": ["nothing"]}, {"unit_code": "KHONGCO"}):
        with pytest.raises(Invalid):
            services.subscribe(actor=actor, **{**values, **wrong})
    with pytest.raises(NotAllowed):
        services.subscribe(actor=factories.actor_of(factories.account("principal", factories.school()), at=timezone.now()), **values)
    services.subscribe(actor=actor, **values)
    with pytest.raises(Invalid):
        services.subscribe(actor=actor, **values)


def test_taken_deliveries_are_forgotten_after_a_month(steward, listener):
    subscribe(steward, listener)
    happen(factories.school())
    go()
    assert webhooks.sweep(now=timezone.now()) == 0
    assert webhooks.sweep(now=timezone.now() + timedelta(days=31)) == 1


def test_the_page_shows_the_secret_once_and_keeps_it_nowhere(steward, listener, counted):
    browser = factories.client_of(steward)
    address = reverse("sync:subscriptions")
    answer = browser.post(address, {"name": "<b>Hệ thống</b>", "address": listener.url, "kinds": KINDS, "unit_code": ""})
    page = answer.content.decode()
    assert answer.status_code == 200 and "khs_" in page and answer["Cache-Control"] == "no-store" and "<b>Hệ thống" not in page
    assert 'name="_key"' not in page.split("Đăng ký hệ thống mới")[-1]
    with counted() as found:
        again = browser.get(address).content.decode()
    assert "khs_" not in again and found.total <= 6
    held = WebhookSubscription.objects.get()
    assert browser.post(reverse("sync:subscription-state", args=[held.uid]), {"version": held.version, "dung": "khong"}).status_code == 302
    assert browser.post(address, {"name": "x", "address": "ftp://x", "kinds": KINDS}).status_code == 422
