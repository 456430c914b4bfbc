"""The order of Vietnamese names in lists: given name first, letter by letter, then tone.

No circular prescribes the order; "xếp theo vần A, B, C..." in the exam regulations presumes the order of
the Vietnamese alphabet and of the school dictionary's tones. See docs/open-questions.md.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from regulations.core import UnknownValue, cites

CUSTOM = "Thứ tự chữ cái tiếng Việt"
"""What the order rests on: the alphabet as taught, not an instrument."""

TONES = {"\u0300": "2", "\u0309": "3", "\u0303": "4", "\u0301": "5", "\u0323": "6"}
"""Combining tone mark to its rank: huyền, hỏi, ngã, sắc, nặng; ngang, without a mark, is 1."""

LEVEL_TONE = "1"

SHAPES = {
    ("a", ""): "A0",
    ("a", "\u0306"): "A1",
    ("a", "\u0302"): "A2",
    ("d", ""): "D0",
    ("e", ""): "E0",
    ("e", "\u0302"): "E1",
    ("o", ""): "O0",
    ("o", "\u0302"): "O1",
    ("o", "\u031b"): "O2",
    ("u", ""): "U0",
    ("u", "\u031b"): "U1",
}
"""Letters that have a sister: a ă â, d đ, e ê, o ô ơ, u ư. đ does not decompose and has its own code."""

CODE_D_BAR = "D1"
LETTER_MARKS = {"\u0306", "\u0302", "\u031b"}
DIGIT_LEAD = "7"
OTHER_LEAD = "8"


class SplitName(NamedTuple):
    """A full name in its parts; `family` and `middle` may be empty."""

    family: str
    middle: str
    given: str


@cites(CUSTOM)
def clean(full_name: str) -> str:
    """Return the name in Unicode NFC with single spaces and none at the ends.

    Raises UnknownValue for a name without a visible character.
    """
    words = unicodedata.normalize("NFC", full_name).split()
    if not words:
        raise UnknownValue("full_name", got=full_name)
    return " ".join(words)


@cites(CUSTOM)
def split_name(full_name: str) -> SplitName:
    """Return family, middle and given name: the first word, what lies between, the last word.

    A single word is a given name.
    """
    words = clean(full_name).split(" ")
    if len(words) == 1:
        return SplitName("", "", words[0])
    return SplitName(words[0], " ".join(words[1:-1]), words[-1])


@cites(CUSTOM)
def fold(text: str) -> str:
    """Return the text as one types it without Vietnamese keys: small letters, no diacritics, đ as d.

    For searching. Spaces are made single; an empty text stays empty.
    """
    plain = "".join(
        "d" if character == "đ" else character
        for character in unicodedata.normalize("NFD", text.lower())
        if not unicodedata.combining(character)
    )
    return " ".join(plain.split())


@cites(CUSTOM)
def sort_key(full_name: str) -> str:
    """Return the name's place in a list as ASCII capitals and digits: compare it as plain text.

    The given name comes first, then family and middle names word by word. In each word the letters
    decide first (a ă â b c d đ e ê … y, with f j w z where the Latin alphabet has them), then the tone
    (ngang, huyền, hỏi, ngã, sắc, nặng), which belongs to the syllable: "Hoà" and "Hòa" have one key.
    Capitals, apostrophes, hyphens and full stops do not count. "An" is `A0N1`, "Ân" is `A2N1`.
    """
    name = split_name(full_name)
    words = [name.given, name.family, *name.middle.split()]
    return "".join(_word_key(word) for word in words if word)


@cites(CUSTOM)
def list_key(full_name: str, born_on: date | None, identifier: str) -> tuple[str, str, str]:
    """Return what a list is sorted by: name, then date of birth, then identifier.

    Without a date of birth one comes before those of the same name that have one.
    """
    return sort_key(full_name), born_on.isoformat() if born_on else "", identifier


@cites(CUSTOM)
def sort_names(names: Iterable[str]) -> list[str]:
    """Return the names in order; names with equal keys keep the order they came in."""
    return sorted(names, key=sort_key)


@cites(CUSTOM)
def equal_names(one: str, other: str) -> bool:
    """Return whether two spellings are one name, wherever the tone sits and however it is encoded."""
    return sort_key(one) == sort_key(other)


def _word_key(word: str) -> str:
    """Return one word's letters followed by its tone's rank.

    A tone is a digit below every letter's capital, so a word comes before all that continue it.
    """
    tone = LEVEL_TONE
    codes = []
    for base, marks in _letters(word):
        tones = [mark for mark in marks if mark in TONES]
        if tones and tone == LEVEL_TONE:
            tone = TONES[tones[0]]
        codes.append(_letter_code(base, "".join(mark for mark in marks if mark in LETTER_MARKS)))
    return "".join(codes) + tone


def _letters(word: str) -> list[tuple[str, list[str]]]:
    """Return each base character in small form with the combining marks on it."""
    letters: list[tuple[str, list[str]]] = []
    for character in unicodedata.normalize("NFD", word.lower()):
        if not unicodedata.combining(character):
            letters.append((character, []))
        elif letters:
            letters[-1][1].append(character)
    return letters


def _letter_code(base: str, mark: str) -> str:
    """Return the code of one letter; a foreign mark is as no mark, punctuation has no code."""
    if base == "đ":
        return CODE_D_BAR
    if "a" <= base <= "z":
        return SHAPES.get((base, mark)) or SHAPES.get((base, "")) or base.upper()
    if "0" <= base <= "9":
        return DIGIT_LEAD + base
    return f"{OTHER_LEAD}{ord(base):06X}" if base.isalnum() else ""
