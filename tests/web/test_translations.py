"""The English catalogue: whole, in step with the code, with the same facts in each sentence; and the tool that keeps it."""

import gettext
import io
import re
import unicodedata

import pytest
from django.template.loader import get_template
from django.test import Client
from django.utils import translation
from tools import compile_messages, gather_messages
from tools.gather_messages import Message

from tests import factories
from tests.web.test_front_end import SOURCE, TEMPLATES

FACT = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}")


@pytest.fixture(scope="module")
def known():
    return gather_messages.catalogue()


@pytest.fixture(scope="module")
def found():
    return gather_messages.gather()


def test_every_sentence_has_english(found, known):
    lacking = gather_messages.missing(found, known)
    assert lacking == [], f"run tools/gather_messages.py --write and translate: {[one.msgid for one in lacking][:20]}"


def test_every_sentence_keeps_its_facts(known):
    wrong = []
    for message, forms in known.items():
        for form in forms:
            originals = {tuple(sorted(FACT.findall(text))) for text in (message.msgid, message.plural) if text}
            if tuple(sorted(FACT.findall(form))) not in originals:
                wrong.append((message.msgid, form))
    assert wrong == []


def test_english_is_not_vietnamese(known):
    """A sentence copied instead of translated; names of laws, people and units stay as they are."""
    copied = [message.msgid for message, forms in known.items() if forms[0] == message.msgid and _is_vietnamese(message.msgid)]
    assert copied == []


def _is_vietnamese(text):
    return any(unicodedata.combining(mark) for mark in unicodedata.normalize("NFD", text)) or "đ" in text


def test_the_compiled_form_reads_back_the_same():
    source = gather_messages.CATALOGUE.read_text()
    table = compile_messages.messages(source)
    read = gettext.GNUTranslations(io.BytesIO(compile_messages.binary(table)))
    for key, value in table.items():
        if key and "\0" not in key:
            assert read._catalog[key] == value


def test_plural_and_context_are_compiled():
    source = gather_messages.HEAD + '\nmsgctxt "mark"\nmsgid "Đạt"\nmsgstr "Passed"\n\nmsgid "%s lớp"\nmsgid_plural "%s lớp"\nmsgstr[0] "%s class"\nmsgstr[1] "%s classes"\n'
    read = gettext.GNUTranslations(io.BytesIO(compile_messages.binary(compile_messages.messages(source))))
    assert read.pgettext("mark", "Đạt") == "Passed"
    assert [read.ngettext("%s lớp", "%s lớp", number) for number in (1, 2)] == ["%s class", "%s classes"]


def test_a_broken_catalogue_is_named_by_its_line():
    with pytest.raises(compile_messages.Broken, match="line 2"):
        compile_messages.messages('msgid "a"\nmsgstr "b\n')


def test_the_gatherer_sees_every_way_of_marking():
    python = 'from django.utils.translation import gettext as say, ngettext\nsay("Một")\nngettext("%s lớp", "%s lớp nhiều", 2)\nlabel = _("Hai")\n'
    assert set(gather_messages.of_python(python)) == {Message("Một"), Message("%s lớp", "%s lớp nhiều"), Message("Hai")}
    template = """{% load i18n %}{% translate "Ba" %}{% blocktranslate trimmed with n=x %}Bốn
      {{ n }}{% endblocktranslate %}{{ a|default:_("Năm") }}{% include "x" with title=_("Sáu") %}{% state _("Bảy") "good" %}
      {% blocktranslate count n=x %}{{ n }} lớp{% plural %}{{ n }} các lớp{% endblocktranslate %}"""
    assert {message.msgid for message in gather_messages.of_template(template)} >= {"Ba", "Bốn %(n)s", "Năm", "Sáu", "Bảy", "%(n)s lớp"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_template_compiles(path):
    get_template(str(path).split("/templates/", 1)[1])


def test_the_shell_in_english_has_no_vietnamese_left(everything):
    client = factories.client_of(factories.account("principal", factories.school("School of Tests")))
    client.cookies["django_language"] = "en"
    page = client.get("/").content.decode()
    shown = re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<head>.*?</head>", " ", page))
    for kept in ("Khuê", "Tiếng Việt", "Hiệu trưởng", "Người dùng principal"):
        shown = shown.replace(kept, "")
    words = [word for word in shown.split() if _is_vietnamese(word)]
    assert words == []


def test_library_sentences_are_vietnamese(db):
    with translation.override("vi"):
        page = Client().get("/tai-khoan/dang-nhap/").content.decode()
    assert "Tên đăng nhập" in page and "Username" not in page and "Password" not in page
