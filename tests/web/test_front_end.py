"""What the browser is given: weight, policy, names that exist, licences, and no code inside pages."""

import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from tools import build_assets

from tests import factories

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "khue"
BUILD = SOURCE / "web" / "static" / "build"
TEMPLATES = sorted(path for path in SOURCE.rglob("templates/**/*.html") if BUILD not in path.parents)
FIRST_PAGE = 150_000
COMPONENTS = sorted((SOURCE / "web" / "templates" / "components").glob("*.html"))


def manifest():
    return json.loads((BUILD / "manifest.json").read_text())


def files_of(html):
    """Return the static files a page names, and the fonts its style sheet brings."""
    named = set(re.findall(r"/static/build/([\w.-]+)", html))
    if "khue.css" in named:
        named |= {name for name in manifest()["files"] if name.endswith(".woff2")}
    return named


@pytest.mark.parametrize("address", ["/tai-khoan/dang-nhap/", "/"])
def test_the_first_page_weighs_at_most_150_kilobytes_compressed(everything, address):
    client = factories.client_of(factories.account("principal", factories.school())) if address == "/" else Client()
    html = client.get(address).content
    named = files_of(html.decode())
    assert {"khue.css", "khue.js", "htmx.js", "icons.svg"} <= named
    weight = len(gzip.compress(html)) + sum(manifest()["files"][name]["gzip"] for name in named)
    assert weight <= FIRST_PAGE, f"{weight} bytes"
    assert not {"gradebook.js", "charts.js"} & named, "the grid is for the mark page, charts for who asks for one"


def test_everything_built_is_in_the_manifest_with_its_checksum_and_licence():
    listed = manifest()
    built = {path.name for path in BUILD.iterdir()} - {"manifest.json"}
    assert built == set(listed["files"])
    for name, facts in listed["files"].items():
        assert hashlib.sha256((BUILD / name).read_bytes()).hexdigest() == facts["sha256"]
    assert {facts["licence"] for facts in listed["packages"].values()} <= {"MIT", "OFL-1.1", "BSD-0-Clause", "0BSD", "Apache-2.0"}
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]
    assert {name: facts["version"] for name, facts in listed["packages"].items()} == wanted


def test_the_lock_names_no_registry():
    lock = (ROOT / "package-lock.json").read_text()
    assert '"resolved"' not in lock and "registry." not in lock
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", one) for one in json.loads((ROOT / "package.json").read_text())["dependencies"].values())


FORBIDDEN = {
    "an inline handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.I),
    "an inline style": re.compile(r"<[^>{]*\sstyle\s*=", re.I),
    "a style element": re.compile(r"<style", re.I),
    "an address that runs": re.compile(r"javascript:", re.I),
    "htmx code": re.compile(r"hx-on|hx-vals=.js:|hx-headers=.js:|hx-trigger=\"[^\"]*\["),
    "a script inside": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)(?![^>]*nonce=)[^>]*>", re.I),
    "a call from outside": re.compile(r"(src|href)=[\"'](https?:)?//", re.I),
}


def trespasses(text):
    return [name for name, pattern in FORBIDDEN.items() if pattern.search(text)]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_template_holds_code_or_style(path):
    written = re.sub(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", "", path.read_text(), flags=re.S)
    assert trespasses(re.sub(r"\{%.*?%\}", "", written)) == []


@pytest.mark.parametrize(
    "text",
    [
        '<a onclick="x()">', '<p style="color:red">', "<style>p{}</style>", '<a href="javascript:x()">', '<a hx-on:click="x()">',
        "<script>x()</script>", '<script src="https://cdn.example/x.js"></script>', '<input hx-trigger="click[ctrlKey]">',
    ],
)  # fmt: skip
def test_the_look_for_code_finds_each_kind(text):
    """The control."""
    assert trespasses(text)


def without_tags(value):
    return re.sub(r"\S*\{\{.*?\}\}\S*", " ", re.sub(r"\{%.*?%\}", " ", value))


def classes(text):
    """Return the classes written in a template, without those made by tags."""
    found = set()
    text = re.sub(r"\{#.*?#\}|\{% comment.*?endcomment %\}", "", text, flags=re.S)
    for value in re.findall(r"class=\"((?:\{%.*?%\}|\{\{.*?\}\}|[^\"])*)\"|class='([^']*)'", text):
        found |= set(without_tags("".join(value)).split())
    return {name for name in found if re.fullmatch(r"[a-z][\w-]*", name) and not name.endswith("-")}


def test_every_class_used_is_defined():
    """A class no style knows is a slip of the pen, or a family that was trimmed away."""
    css = (BUILD / "khue.css").read_text()
    css += "".join(path.read_text() for path in SOURCE.rglob("static/**/*.css") if BUILD not in path.parents)
    known = {re.sub(r"\\(.)", r"\1", name) for name in build_assets.CLASS.findall(css)}
    unknown = {}
    for path in TEMPLATES:
        for name in classes(path.read_text()) - known:
            if not any(one.startswith(f"{name}-") for one in known):  # the name of a block whose parts are styled
                unknown.setdefault(name, []).append(path.name)
    assert unknown == {}


def test_every_icon_used_is_in_the_sprite():
    known = set(re.findall(r'<symbol id="([a-z0-9-]+)"', (BUILD / "icons.svg").read_text()))
    used = {name for path in build_assets.written() for pattern in build_assets.ICON_USES for name in pattern.findall(path.read_text())}
    assert used - known == set()


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.stem)
def test_each_component_says_what_it_is_and_is_on_the_page(path):
    text = path.read_text()
    assert text.startswith(("{#", "{% comment %}")), "a header comment with its inputs comes first"
    page = (SOURCE / "web" / "templates" / "components_page.html").read_text() + (SOURCE / "web" / "templates" / "shell" / "document.html").read_text()
    shown = f'"components/{path.name}"' in page or re.search(rf"{{%\s*{path.stem}\b", page) or any(
        f'"components/{path.name}"' in other.read_text() and f'"components/{other.name}"' in page for other in COMPONENTS
    )
    assert shown


def test_every_page_carries_the_policy(db):
    answer = Client().get("/tai-khoan/dang-nhap/")
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy and "object-src 'none'" in policy and "base-uri 'none'" in policy and "frame-ancestors 'none'" in policy
    assert (answer["X-Frame-Options"], answer["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert Client().get("/tai-khoan/dang-nhap/")["Content-Security-Policy"] != policy, "the nonce is of one answer"


def test_production_settings_leave_nothing_to_say(tmp_path):
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "khue.settings.prod", "KHUE_HOME": str(tmp_path), "KHUE_HOSTS": "khue.example",
        "DATABASE_URL": "postgresql://khue_app@/khue",
    }  # fmt: skip
    environment.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # browser tests in the same process set it for themselves
    command = [sys.executable, "-W", "error", "-m", "django", "check", "--deploy", "--fail-level", "INFO"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0 and "no issues (0 silenced)" in result.stdout, result.stdout + result.stderr


def test_production_collects_every_file_by_its_checksum(tmp_path):
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "khue.settings.prod", "KHUE_HOME": str(tmp_path), "KHUE_HOSTS": "khue.example",
        "DATABASE_URL": "postgresql://khue_app@/khue",
    }  # fmt: skip
    command = [sys.executable, "-m", "django", "collectstatic", "--noinput", "--verbosity", "0"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stdout + result.stderr
    style = next((tmp_path / "static" / "build").glob("khue.*.css")).read_text()
    assert re.findall(r"be-vietnam-pro-vietnamese-400-normal\.[0-9a-f]{12}\.woff2", style)


def test_the_component_page_is_closed_in_production(db, settings):
    settings.KHUE_DEMO = False
    assert Client().get("/_components").status_code == 404
