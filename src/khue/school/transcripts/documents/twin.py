"""The machine-readable twin of a transcript: XML of our own namespace, the same bytes for the same content.

It says exactly what the content says: `read(write(content))` is `content`. The schema is `transcript.xsd`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from khue.kernel.sealing.xml import CONTENT_ID, XmlRefused, parse_xml, to_bytes
from khue.school.transcripts.documents.content import (
    SCHEMA,
    SHAPE,
    ContentError,
    Record,
    Several,
    Text,
    Whole,
    check,
)

_NS = f"{{{SCHEMA}}}"


def write(content: Mapping[str, Any]) -> bytes:
    """Return the unsigned XML file of a transcript; raises ContentError for content of another shape."""
    check(content)
    root = etree.Element(f"{_NS}transcript", nsmap={None: SCHEMA})
    body = etree.SubElement(root, f"{_NS}content", Id=CONTENT_ID)
    _fill(body, content, SHAPE)
    return to_bytes(root)


def _fill(node: etree._Element, value: Any, shape: Any) -> None:
    match shape:
        case Text():
            node.text = value or None
        case Whole():
            node.text = str(value)
        case Several(name, item):
            for part in value:
                _fill(etree.SubElement(node, _NS + name), part, item)
        case Record(parts, _):
            for name, part in parts.items():
                if value[name] is None:
                    continue
                _fill(etree.SubElement(node, _NS + name), value[name], part)


def read(data: bytes) -> dict[str, Any]:
    """Return the content of a twin, or of the signed content element alone.

    Raises ContentError for a file that is not one. Signatures are not looked at: give what
    `kernel.sealing.xml.verify_xml` hands back to read what was really signed.
    """
    try:
        root = parse_xml(data)
    except XmlRefused as error:
        raise ContentError(str(error)) from error
    node = root if root.tag == f"{_NS}content" else root.find(f"{_NS}content")
    if node is None:
        raise ContentError("the file is no transcript")
    content = _value(node, SHAPE, "content")
    check(content)
    return content


def _value(node: etree._Element, shape: Any, place: str) -> Any:
    match shape:
        case Text():
            return node.text or ""
        case Whole():
            try:
                return int(node.text or "")
            except ValueError as error:
                raise ContentError(f"{place}: not a number") from error
        case Several(name, item):
            if any(child.tag != _NS + name for child in node):
                raise ContentError(f"{place}: unknown element")
            return [_value(child, item, f"{place}[{number}]") for number, child in enumerate(node)]
        case Record(parts, _):
            found = {child.tag: child for child in node}
            unknown = set(found) - {_NS + name for name in parts}
            if unknown or len(found) != len(node):
                raise ContentError(f"{place}: unknown or repeated element")
            return {
                name: _part(found.get(_NS + name), part, f"{place}.{name}") for name, part in parts.items()
            }
    raise ContentError(place)


def _part(node: etree._Element | None, shape: Any, place: str) -> Any:
    if node is None:
        if isinstance(shape, Record) and shape.optional:
            return None
        raise ContentError(f"{place}: missing")
    return _value(node, shape, place)


@cache
def schema() -> etree.XMLSchema:
    """Return the compiled schema of the twin."""
    return etree.XMLSchema(etree.parse(str(Path(__file__).parent / "transcript.xsd")))
