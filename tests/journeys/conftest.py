"""The ground of the browser journeys: the product served on loopback from a database of its own, and Chromium.

    def test_something(site, desk):            # desk: a browser window of 1280 px, phone: one of 360 px
        with scope.everything(): …             # make rows with tests.factories; they are committed
        desk.sign_in("username")
        desk.open("/tim/?q=an")
        desk.page.get_by_role("link", name="…").click()
        desk.check("search")                   # axe, width, console; with KHUE_SCREENS=1 a picture in var/screens

A window fails its test when the page logged an error, broke the Content-Security-Policy or asked for anything
outside the site.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop lives in the thread of the test

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, CDPSession, Error, Page, sync_playwright
from tools.ensure_chromium import find

ROOT = Path(__file__).resolve().parents[2]
SCREENS = ROOT / "var" / "screens"
PASSWORD = "mot-mat-khau-dai"
"""The password of every account tests.factories makes."""
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-default-apps", "--disable-extensions", "--disable-sync", "--no-first-run",
]  # fmt: skip
AXE = Axe().axe_script
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
PAIRS: set[str] = set()
"""Pairs of ink and ground, with size and weight, that axe has measured in this process: reading contrast is four fifths of its time."""
READ_PAGE = """async ([tags, known]) => {
  const seen = new Set(known), fresh = [], done = new Set(), first = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const at = texts.currentNode.parentElement;
    if (done.has(at) || !texts.currentNode.data.trim() || !at.checkVisibility()) continue;
    done.add(at);
    const own = getComputedStyle(at), parts = [own.color, own.fontSize, own.fontWeight];
    for (let one = at; one; one = one.parentElement) {
      const { opacity, backgroundImage, backgroundColor } = getComputedStyle(one);
      if (opacity !== "1") parts.push(opacity);
      if (backgroundImage !== "none") parts.push(backgroundImage);
      if (backgroundColor !== "rgba(0, 0, 0, 0)") parts.push(backgroundColor);
      if (backgroundColor.startsWith("rgb(")) break;
    }
    const key = parts.join(" ");
    if (!seen.has(key)) { seen.add(key); fresh.push(key); first.push(at); }
  }
  const options = { resultTypes: ["violations"] };
  const found = await axe.run({ ...options, runOnly: tags, rules: { "color-contrast": { enabled: false } } });
  const lines = found.violations;
  if (first.length) lines.push(...(await axe.run(first, { ...options, runOnly: ["color-contrast"] })).violations);
  return [lines.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.html.slice(0, 160)}`)), fresh];
}"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here as a journey."""
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker(pytest.mark.journey)


@pytest.fixture
def site(fresh_database: str) -> Iterator[str]:
    """The product on loopback over `fresh_database`, as the application role; yields its address."""
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.cache import cache
    from django.test.testcases import LiveServerThread

    class Threaded(LiveServerThread):
        def _create_server(self, connections_override=None):
            server = super()._create_server(connections_override)
            server.daemon_threads = True
            return server

    cache.clear()
    server = Threaded("127.0.0.1", StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    if server.error:
        raise server.error
    yield f"http://127.0.0.1:{server.port}"
    server.terminate()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless; fails with one sentence where there is none.

    One for all journeys, which the root's conftest puts last: while Playwright's loop runs, Django keeps the thread's
    connections apart from those a forked child sees, so a later test that forks would meet a database long gone.
    """
    path = find()
    if path is None:
        pytest.fail("The browser journeys need Chromium: run tools/ensure_chromium.py.", pytrace=False)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


class Window:
    """One person at one screen."""

    def __init__(self, page: Page, site: str, width: int) -> None:
        self.page, self.site, self.width = page, site, width
        self.inside = (site, site.replace("127.0.0.1", "localhost"), "data:", "blob:")
        self.complaints: list[str] = []
        self.expected: list[str] = []
        self.protocol: CDPSession | None = None
        self.script = ""
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("console", lambda note: note.type == "error" and self.complaints.append(f"console: {note.text} {note.location.get('url', '')}"))
        page.on("request", self._watch)
        page.on("dialog", lambda dialog: (self.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def _watch(self, request) -> None:
        if not request.url.startswith(self.inside):
            self.complaints.append(f"request outside: {request.url}")

    def open(self, path: str) -> Page:
        """Go to a path of the site and wait until it is quiet."""
        self.page.goto(self.site + path, wait_until="load")
        return self.page

    def sign_in(self, username: str, password: str = PASSWORD) -> Page:
        """Sign in at the same door without drawing it, and take the session's cookie into the window."""
        client = Client()
        answer = client.post(reverse("account_login"), {"login": username, "password": password})
        assert answer.status_code == 302, f"{username} may not sign in"
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        self.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.site, "httpOnly": True}])
        return self.page

    def sign_in_by_hand(self, username: str, password: str = PASSWORD) -> Page:
        """Sign in through the page, as a person does, and wait for what comes after it."""
        self.open("/tai-khoan/dang-nhap/")
        self.page.fill("#id_login", username)
        self.page.fill("#id_password", password)
        self.page.locator("form:has(#id_login) button[type=submit]").click()
        self.page.wait_for_url(lambda url: "dang-nhap" not in url)
        return self.page

    @contextlib.contextmanager
    def coming(self) -> Iterator[None]:
        """Wait until the page that is asked for inside is there."""
        with self.page.expect_navigation(wait_until="load"):
            yield

    def expect_refusal(self, status: int) -> None:
        """Say that the next refusal of this status is meant: Chromium logs each as an error."""
        self.expected.append(f"status of {status}")

    def axe(self) -> list[str]:
        """Return the violations axe finds, one line each; contrast is measured of pairs of colours not met before."""
        self._bring_axe()
        lines, pairs = self.page.evaluate(READ_PAGE, [TAGS, sorted(PAIRS)])
        if not lines:
            PAIRS.update(pairs)
        return lines

    def _bring_axe(self) -> None:
        """Run axe's own script in the page; it is sent and compiled once a window, where its process stays the same."""
        if self.protocol is None:
            self.protocol = self.page.context.new_cdp_session(self.page)
            self.protocol.send("Runtime.enable")
        if self.script:
            with contextlib.suppress(Error):
                self.protocol.send("Runtime.runScript", {"scriptId": self.script})
                return
        self.script = self.protocol.send("Runtime.compileScript", {"expression": AXE, "sourceURL": "axe.js", "persistScript": True})["scriptId"]
        self.protocol.send("Runtime.runScript", {"scriptId": self.script})

    def overflow(self) -> int:
        """Return how many pixels the page is wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def picture(self, name: str) -> None:
        """Save a picture of the whole page as var/screens/NAME-WIDTH.png, where KHUE_SCREENS asks for pictures."""
        if os.environ.get("KHUE_SCREENS"):
            SCREENS.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=SCREENS / f"{name}-{self.width}.png", full_page=True)

    def check(self, name: str, *, by_axe: bool = True) -> None:
        """Assert no violation, nothing wider than the window, nothing on the console; take a picture where asked.

        A page that was asked for by a press is waited for with `coming`: without it the one before, or none yet, would be read.
        """
        self.page.wait_for_load_state("load")
        self.picture(name)
        assert not by_axe or self.axe() == []
        assert self.overflow() <= 0, "the page scrolls sideways"
        self.assert_quiet()

    def assert_quiet(self) -> None:
        """Assert that no page so far logged an error, broke the CSP or asked for anything outside."""
        left = list(self.complaints)
        for meant in self.expected:
            left = next((left[:at] + left[at + 1 :] for at, line in enumerate(left) if meant in line), left)
        assert left == []


def _window(browser: Browser, site: str, width: int, **options: object) -> Iterator[Window]:
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": 800 if width > 600 else 740},
        locale="vi-VN",
        timezone_id="Asia/Ho_Chi_Minh",
        service_workers="block",
        reduced_motion="reduce",
        **options,
    )
    context.set_default_timeout(15_000)
    window = Window(context.new_page(), site, width)
    yield window
    context.close()
    window.assert_quiet()


@pytest.fixture
def desk(browser: Browser, site: str) -> Iterator[Window]:
    """A window of 1280 px, as on a teacher's laptop."""
    yield from _window(browser, site, 1280)


@pytest.fixture
def phone(browser: Browser, site: str) -> Iterator[Window]:
    """A window of 360 px with touch, as on a mother's phone."""
    yield from _window(browser, site, 360, has_touch=True, is_mobile=True)


@pytest.fixture
def plain(browser: Browser, site: str) -> Iterator[Window]:
    """A window without JavaScript."""
    yield from _window(browser, site, 1280, java_script_enabled=False)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Close the connections that server threads of this test opened."""
    yield
    from django.db import connections

    for thread in threading.enumerate():
        if thread.name.startswith("Thread-") and thread is not threading.main_thread():
            thread.join(timeout=0)
    connections.close_all()
