"""The printed form and the XML twin: complete, the same for the same content, blind to markup in data."""

from __future__ import annotations

import copy
import io
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from pypdf import PdfReader

from khue.kernel.sealing import xml
from khue.kernel.sealing.pdf import place_fields
from khue.school.transcripts.documents import twin
from khue.school.transcripts.documents.content import ContentError, check
from khue.school.transcripts.documents.render import FIELDS, HOMEROOM, render
from tests.school.transcripts.samples import LONG_NAME, long, primary, secondary

NOW = datetime(2026, 5, 29, 3, 0, tzinfo=UTC)
ADDRESS = "https://hocba.example.vn/xac-minh/4QTZ8K7H2M6WXN3C/"
FORMS = pytest.mark.parametrize("content", [secondary(), primary(), long(secondary()), long(primary())])


def drawn(content: dict[str, Any]) -> bytes:
    return render(content, verification_address=ADDRESS, created_at=NOW)


def words(data: bytes) -> str:
    """Return the text of all pages, white space folded."""
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)
    return " ".join(unicodedata.normalize("NFC", text).split())


def leaves(value: Any) -> list[str]:
    """Return every text of the content."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [leaf for part in parts for leaf in leaves(part)]


@FORMS
def test_the_form_prints_every_word_a_reader_needs(content: dict[str, Any]) -> None:
    text = words(drawn(content)).replace(" ", "").lower()
    hidden = {content["rule_set"], content["level"], content["school"]["code"], *_codes(content)}
    shown = {leaf for leaf in leaves(content) if leaf} - hidden
    for leaf in shown:
        expected = _printed(leaf)
        assert expected.replace(" ", "").lower() in text, leaf


def _codes(content: dict[str, Any]) -> set[str]:
    """Return the codes and kinds that stand in the twin only."""
    found = {
        row[name] for name in ("subjects", "qualities") for row in content[name] for name in ("code", "kind")
    }
    for part in ("learning", "conduct"):
        found |= {value["code"] for value in content[part].values()}
    found |= {content["promotion"]["code"], content["award"]["code"], content["drawn_on"]}
    found |= {content["school"]["commune"], content["school"]["province"]}
    return found | {(content["supersedes"] or {}).get("content_sha256", "")}


def _printed(leaf: str) -> str:
    if len(leaf) == 10 and leaf[4] == leaf[7] == "-":
        return f"{leaf[8:]}/{leaf[5:7]}/{leaf[:4]}"
    return leaf.replace(".", ",") if leaf.replace(".", "").isdigit() else leaf


@FORMS
def test_the_form_is_tagged_pdf_a_with_its_fields_on_the_last_page(content: dict[str, Any]) -> None:
    reader = PdfReader(io.BytesIO(place_fields(drawn(content), FIELDS)))
    root = reader.trailer["/Root"]
    xmp = root["/Metadata"].get_object().get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in xmp
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in xmp
    assert root["/Lang"] == "vi"
    assert "/StructTreeRoot" in root
    *others, last = reader.pages
    assert not any("/Annots" in page for page in others)
    boxes = [item.get_object()["/Rect"] for item in last["/Annots"]]
    assert len(boxes) == len(FIELDS)
    for box, field in zip(boxes, FIELDS, strict=True):
        assert tuple(int(side) for side in box) == field.box
    assert content["signers"]["principal"] in words(drawn(content)).rsplit("(Ký số)", 1)[1]


def test_signatures_never_stand_alone_on_a_sheet() -> None:
    last = PdfReader(io.BytesIO(drawn(long(secondary())))).pages[-1].extract_text()
    assert "Nhận xét của giáo viên chủ nhiệm" in unicodedata.normalize("NFC", last)


def test_the_same_content_gives_the_same_bytes() -> None:
    assert drawn(secondary()) == drawn(secondary())
    assert drawn(secondary()) != drawn(secondary(place="Vĩnh Long"))


def test_markup_in_data_is_shown_not_obeyed() -> None:
    hostile = '#panic("x") $a$ *đậm* _ng_ `m` <nhãn> @ref \\ // [x] #{1+1} https://a.b &amp; ]]>'
    content = secondary(homeroom_comment=hostile)
    assert hostile.replace(" ", "") in words(drawn(content)).replace(" ", "")
    assert twin.read(twin.write(content)) == content


@FORMS
def test_the_twin_says_the_same_and_fits_its_schema(content: dict[str, Any]) -> None:
    data = twin.write(content)
    assert data == twin.write(copy.deepcopy(content))
    assert twin.read(data) == content
    twin.schema().assertValid(etree.fromstring(data))


@pytest.mark.parametrize(
    "part,value",
    [
        ("version", 0),
        ("version", True),
        ("version", "1"),
        ("uid", "x"),
        ("level", "university"),
        ("learner", {}),
        ("family", None),
        ("school_year", 8.3),
        ("place", " "),
        ("homeroom_comment", None),
        ("homeroom_comment", "a\x00b"),
        ("homeroom_comment", "a\rb"),
        ("drawn_on", "2026-13-40"),
        ("subjects", "none"),
        ("subjects", [{}]),
    ],
)
def test_content_of_another_shape_is_refused(part: str, value: Any) -> None:
    with pytest.raises(ValueError):
        check(secondary() | {part: value})
    with pytest.raises(ValueError):
        twin.write(secondary() | {part: value})


@pytest.mark.parametrize(
    "old,new",
    [
        (b"<version>1</version>", b"<version>one</version>"),
        (b"<version>1</version>", b""),
        (b"<version>1</version>", b"<version>1</version><version>2</version>"),
        (b"<version>1</version>", b"<version>1</version><rank>1</rank>"),
        (b"8.1", b"8,1"),
        (b"<kin>", b"<kith>"),
        (b"<content ", b"<contents "),
        (b"<transcript ", b'<!DOCTYPE a [<!ENTITY x "y">]><transcript '),
    ],
)
def test_a_twin_of_another_shape_is_refused(old: bytes, new: bytes) -> None:
    data = twin.write(secondary())
    changed = data.replace(old, new).replace(b"</kin>", b"</kith>" if new == b"<kith>" else b"</kin>")
    assert changed != data
    with pytest.raises(ContentError):
        twin.read(changed)
    try:
        root = etree.fromstring(changed)
    except etree.XMLSyntaxError:
        return
    assert b"DOCTYPE" in changed or not twin.schema().validate(root)


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), max_size=40)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(comment=TEXTS, name=TEXTS.filter(lambda text: text.strip()))
def test_any_text_survives_the_twin(comment: str, name: str) -> None:
    content = secondary(homeroom_comment=comment, place=name)
    try:
        data = twin.write(content)
    except ValueError:
        return
    assert twin.read(data) == content


def test_the_content_that_signatures_hand_back_can_be_read() -> None:
    """`verify_xml` gives canonical bytes of the content element; `read` takes them."""
    root = xml.parse_xml(twin.write(primary()))
    body = etree.tostring(root[0], method="c14n", exclusive=True)
    assert twin.read(body) == primary()


def test_long_names_wrap_and_stay_whole() -> None:
    text = words(drawn(long(primary())))
    assert LONG_NAME.replace(" ", "") in text.replace(" ", "")


def test_rendering_is_quick_enough_for_a_school() -> None:
    """A warm template: far below a second a document, whatever the machine is doing."""
    drawn(secondary())
    started = datetime.now(UTC)
    for _ in range(5):
        drawn(secondary())
    assert datetime.now(UTC) - started < timedelta(seconds=5)
    assert FIELDS[0].name == HOMEROOM
