"""Opening FET's files safely: size, compression, no entities; small helpers to read elements."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from khue.school.timetable.solving.model import ProblemError

MOST = 1_000_000
"""The largest whole number read; nothing in a school comes near it, and larger ones are slips or attacks."""
MOST_BYTES = 200_000_000


def root_of(path: Path) -> Element:
    """Return the root element of an XML file, packed with gzip or not.

    Raises ProblemError when the file is missing, too large, broken, or declares entities.
    """
    return root_of_bytes(_bytes(path), path.name)


def root_of_bytes(data: bytes, name: str) -> Element:
    """Return the root element of XML text; `name` is for messages."""
    try:
        return ElementTree.fromstring(data, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    except DefusedXmlException:
        raise ProblemError(f"{name}: the XML declares entities, which are refused") from None
    except ParseError as error:
        line, column = error.position
        raise ProblemError(f"{name}: broken XML at line {line}, column {column}") from None
    except (ValueError, LookupError) as error:
        raise ProblemError(f"{name}: the XML cannot be read ({error})") from None


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ProblemError(f"{path.name}: there is no such file") from None
    except (OSError, EOFError, zlib.error) as error:
        raise ProblemError(f"{path.name}: the file cannot be read ({error})") from None
    if len(data) > MOST_BYTES:
        raise ProblemError(f"{path.name}: larger than {MOST_BYTES // 1_000_000} MB when unpacked")
    return data


def unpacked(data: bytes, name: str) -> bytes:
    """Return uploaded bytes unpacked when they are gzip; refuses what grows too large."""
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            plain = stream.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ProblemError(f"{name}: the file cannot be unpacked ({error})") from None
    if len(plain) > MOST_BYTES:
        raise ProblemError(f"{name}: larger than {MOST_BYTES // 1_000_000} MB when unpacked")
    return plain


def text(element: Element, tag: str, otherwise: str | None = None) -> str:
    """Return the text of a child as it stands (names may be blank); raises ProblemError when it is missing and nothing
    stands for it.
    """
    child = element.find(tag)
    if child is None:
        if otherwise is None:
            raise ProblemError(f"{element.tag}: <{tag}> is missing")
        return otherwise
    return child.text or ""


def number(element: Element, tag: str, otherwise: int | None = None, *, most: int = MOST) -> int:
    """Return a child's whole number from 0 (or `otherwise`, if that is less) to `most`; raises ProblemError when it is none."""
    written = text(element, tag, None if otherwise is None else str(otherwise))
    try:
        value = int(written)
    except ValueError:
        raise ProblemError(f"{element.tag}: <{tag}> holds {written[:40]!r}, which is no whole number") from None
    least = min(0, otherwise or 0)
    if not least <= value <= most:
        raise ProblemError(f"{element.tag}: <{tag}> holds {written[:40]}, which is not within {least} to {most}")
    return value


def decimal(element: Element, tag: str, otherwise: float) -> float:
    """Return a child's number; raises ProblemError when it is none."""
    written = text(element, tag, str(otherwise))
    try:
        value = float(written)
    except ValueError:
        raise ProblemError(f"{element.tag}: <{tag}> holds {written!r}, which is no number") from None
    if not 0 <= value <= 100:
        raise ProblemError(f"{element.tag}: <{tag}> holds {written}, which is not within 0 to 100")
    return value


def truth(element: Element, tag: str, otherwise: bool) -> bool:
    """Return whether a child says true, yes or 1."""
    return text(element, tag, "true" if otherwise else "false").strip().lower() in {"true", "yes", "1"}


def texts(element: Element, tag: str) -> list[str]:
    """Return the texts of all children of that name."""
    return [child.text or "" for child in element.findall(tag)]


def named(parent: Element | None, tag: str) -> Iterator[tuple[str, Element]]:
    """Yield (name, element) of the children of a list; raises ProblemError on an empty name."""
    if parent is None:
        return
    for element in parent.findall(tag):
        yield text(element, "Name"), element
