"""Sign-in by an account of elsewhere: a provider of OpenID Connect over real HTTP, from its file to the open session."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from khue.kernel.permissions.middleware import STRONG_KEY
from khue.settings import providers
from tests import factories

PASSWORD = "mot-mat-khau-dai"
LOGIN, CONNECT, CALLBACK = "/tai-khoan/ngoai/oidc/so-gddt/login/?process=login", "/tai-khoan/ngoai/oidc/so-gddt/login/?process=connect", "/tai-khoan/ngoai/oidc/so-gddt/login/callback/"


class Provider(ThreadingHTTPServer):
    """Says of whoever comes that she is `subject`; hands tokens only for a code, the secret and the proof of PKCE."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.subject, self.audience, self.issuer = "can-bo-17", "khue", self.url
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[dict[str, str]] = []

    def grant(self, address: str) -> dict[str, str]:
        """Do what its sign-in page would: return the parameters it sends a person back with."""
        wanted = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = secrets.token_urlsafe(8)
        self.codes[code] = wanted
        return {"code": code, "state": wanted["state"]}

    def token(self, asked: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Return status and body of the token endpoint."""
        from base64 import urlsafe_b64encode
        from hashlib import sha256

        self.asked.append(asked)
        wanted = self.codes.pop(asked.get("code", ""), None)
        proof = urlsafe_b64encode(sha256(asked.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if wanted is None or asked.get("client_secret") != "bi-mat" or wanted.get("code_challenge") != proof:
            return 400, {"error": "invalid_grant"}
        claims = {"iss": self.issuer, "aud": self.audience, "sub": self.subject, "exp": int(time.time()) + 60, "iat": int(time.time())}
        return 200, {"access_token": "truy-cap", "token_type": "Bearer", "id_token": jwt.encode(claims, "x" * 32, algorithm="HS256")}


class Answers(BaseHTTPRequestHandler):
    """The provider's addresses."""

    server: Provider

    def do_GET(self) -> None:
        """Discovery and user info."""
        url = self.server.url
        if self.path.endswith("/openid-configuration"):
            self._say(200, {
                "issuer": url, "authorization_endpoint": f"{url}/authorize", "token_endpoint": f"{url}/token",
                "userinfo_endpoint": f"{url}/me", "jwks_uri": f"{url}/keys", "token_endpoint_auth_methods_supported": ["client_secret_post"],
            })  # fmt: skip
        elif self.path == "/me" and self.headers.get("Authorization") == "Bearer truy-cap":
            self._say(200, {"sub": self.server.subject, "name": "Cán bộ", "email": "can.bo@vi-du.vn", "email_verified": True})
        else:
            self._say(404, {})

    def do_POST(self) -> None:
        """The token endpoint."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._say(*self.server.token({name: values[0] for name, values in parse_qs(body).items()}))

    def _say(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_parts: object) -> None:
        """Say nothing."""


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def trusted(provider, tmp_path, settings):
    """The province trusts the provider, by the file an engineer writes."""
    (tmp_path / "secret").write_text("bi-mat\n")
    (tmp_path / "providers.toml").write_text(
        f'[[provider]]\nid = "so-gddt"\nname = "Sở Giáo dục và Đào tạo"\nserver_url = "{provider.url}"\nclient_id = "khue"\n'
        f'secret_file = "{tmp_path / "secret"}"\norigins = ["https://login.vi-du.vn"]\n'
    )
    apps, settings.KHUE_SIGN_IN_ORIGINS = providers.read(tmp_path / "providers.toml")
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": apps}}
    return provider


@pytest.fixture
def account(everything):
    return factories.account("clerk", factories.school())


def come_back(client: Client, provider: Provider, way: str, **changed: str):
    """Go to the provider by one of our forms and come back with what it says; return our answer."""
    sent = client.post(way)
    assert sent.status_code == 302 and sent["Location"].startswith(f"{provider.url}/authorize?")
    return client.get(f"{CALLBACK}?{urlencode({**provider.grant(sent['Location']), **changed})}")


def tie(account, provider) -> None:
    """Tie the account to what the provider says, as its owner does under her settings."""
    client = Client()
    client.post("/tai-khoan/dang-nhap/", {"login": account.username, "password": PASSWORD})
    assert come_back(client, provider, CONNECT)["Location"] == "/tai-khoan/ngoai/"


def signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def test_the_page_offers_it_and_the_policy_lets_the_form_go_there(trusted, everything):
    answer = Client().get("/tai-khoan/dang-nhap/")
    assert "Đăng nhập bằng Sở Giáo dục và Đào tạo" in answer.content.decode()
    assert answer["Content-Security-Policy"].endswith(f"form-action 'self' {trusted.url} https://login.vi-du.vn")


def test_tied_once_one_press_signs_in_and_stays_weak(trusted, account):
    tie(account, trusted)
    client = Client()
    assert come_back(client, trusted, LOGIN)["Location"] == "/"
    assert client.get("/").wsgi_request.user == account
    assert STRONG_KEY not in client.session, "whoever holds the province's account has shown no second factor to us"
    assert all(asked["code_verifier"] for asked in trusted.asked)


def test_somebody_nobody_tied_gets_no_account_whatever_address_she_has(trusted, account):
    account.email = "can.bo@vi-du.vn"
    account.save(update_fields=["email"])
    trusted.subject, client = "nguoi-la", Client()
    answer = come_back(client, trusted, LOGIN)
    assert not signed_in(client) and answer.status_code in (200, 302)
    assert type(account).objects.count() == 1


@pytest.mark.parametrize("spoil", ["audience", "issuer", "state", "code"])
def test_what_the_provider_did_not_say_to_us_opens_nothing(trusted, account, spoil):
    tie(account, trusted)
    client, changed = Client(), {}
    if spoil in ("audience", "issuer"):
        setattr(trusted, spoil, "https://nguoi-khac.vn")
    else:
        changed = {spoil: "bia-ra"}
    answer = come_back(client, trusted, LOGIN, **changed)
    assert answer.status_code < 500 and not signed_in(client)


def test_a_provider_that_is_away_is_a_sentence(trusted, everything):
    trusted.shutdown()
    trusted.server_close()
    answer = Client().post(LOGIN)
    assert answer.status_code == 503 and "Nơi cấp tài khoản bên ngoài báo lỗi." in answer.content.decode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[provider]]\nid = 'a'", "lacks name, server_url, client_id, secret_file"),
        ("[[provider]]\nid = 'So GD'\nname='x'\nserver_url='https://a.vn'\nclient_id='c'\nsecret_file='s'", "is no id"),
        ("[[provider]]\nid = 'a'\nname='x'\nserver_url='http://a.vn'\nclient_id='c'\nsecret_file='s'", "is no https address"),
        ("[[provider]]\nid = 'a'\nname='x'\nserver_url='https://a.vn'\nclient_id='c'\nsecret_file='khong-co'", "khong-co"),
        ("provider = 7", "KHUE_IDENTITY_PROVIDERS"), ("[[provider", "KHUE_IDENTITY_PROVIDERS"),
    ],
)  # fmt: skip
def test_a_file_that_says_something_else_is_refused_by_name(tmp_path, text, said):
    (tmp_path / "p.toml").write_text(text)
    with pytest.raises(ImproperlyConfigured, match=said):
        providers.read(tmp_path / "p.toml")


def test_two_of_one_id_are_refused(tmp_path):
    (tmp_path / "s").write_text("x")
    one = f"[[provider]]\nid='a'\nname='x'\nserver_url='https://a.vn'\nclient_id='c'\nsecret_file='{tmp_path / 's'}'\n"
    (tmp_path / "p.toml").write_text(one * 2)
    with pytest.raises(ImproperlyConfigured, match="two providers of one id"):
        providers.read(tmp_path / "p.toml")
