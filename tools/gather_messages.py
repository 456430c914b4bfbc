"""Gather the sentences of the whole tree into the English catalogue; Vietnamese is the source, so msgid is Vietnamese.

    python tools/gather_messages.py            # say what has no English yet, what no longer stands in the code
    python tools/gather_messages.py --write    # add the new ones with an empty msgstr, take the old ones out

Needs no gettext programs: Python files are read as syntax trees, templates by Django's own reader.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.compile_messages import entries  # noqa: E402

SOURCE = ROOT / "src" / "khue"
CATALOGUE = SOURCE / "locale" / "en" / "LC_MESSAGES" / "django.po"
PLAIN = {"gettext", "gettext_lazy", "gettext_noop", "_", "ugettext"}
PLURAL = {"ngettext", "ngettext_lazy"}
CONTEXT = {"pgettext", "pgettext_lazy"}
CONTEXT_PLURAL = {"npgettext", "npgettext_lazy"}
CALL = re.compile(r"\b(n?p?gettext(?:_lazy)?|_)\(")
HEAD = """# Khuê in English. The source is Vietnamese; tools/gather_messages.py keeps this file in step.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Language: en\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"""


@dataclass(frozen=True, slots=True, order=True)
class Message:
    """One sentence: context, singular, plural; empty where it has none."""

    msgid: str
    plural: str = ""
    context: str = ""


@dataclass(slots=True)
class Found:
    """Where a sentence stands."""

    places: list[str] = field(default_factory=list)


def _message(name: str, strings: list[str]) -> Message | None:
    if name in PLAIN and len(strings) >= 1:
        return Message(strings[0])
    if name in PLURAL and len(strings) >= 2:
        return Message(strings[0], strings[1])
    if name in CONTEXT and len(strings) >= 2:
        return Message(strings[1], context=strings[0])
    if name in CONTEXT_PLURAL and len(strings) >= 3:
        return Message(strings[1], strings[2], strings[0])
    return None


def of_python(text: str) -> Iterator[Message]:
    """Yield the sentences a Python file marks, under whatever name it imported the function."""
    tree = ast.parse(text)
    known = PLAIN | PLURAL | CONTEXT | CONTEXT_PLURAL
    names = {name: name for name in known}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
            names |= {alias.asname or alias.name: alias.name for alias in node.names if alias.name in known}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if called not in names:
            continue
        strings = [
            part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)
        ]
        message = _message(names[called], strings)
        if message is not None:
            yield message


def of_template(text: str) -> Iterator[Message]:
    """Yield the sentences a template marks."""
    from django.utils.translation.template import templatize

    plain = templatize(text)
    for call in CALL.finditer(plain):
        strings = []
        rest = plain[call.end() :]
        while literal := re.match(r"\s*u?('(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")\s*,?", rest):
            strings.append(ast.literal_eval(literal.group(1)))
            rest = rest[literal.end() :]
        message = _message(call.group(1), strings)
        if message is not None:
            yield message


def gather() -> dict[Message, Found]:
    """Return every sentence of the product with the files it stands in."""
    found: dict[Message, Found] = {}
    for path in sorted(SOURCE.rglob("*")):
        if (
            "migrations" in path.parts
            or "static" in path.parts
            or path.suffix not in (".py", ".html", ".txt", ".js")
        ):
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".py":
            messages = list(of_python(text))
        elif "templates" in path.parts and "{%" in text:
            messages = list(of_template(text))
        else:
            continue
        for message in messages:
            if message.msgid:
                places = found.setdefault(message, Found()).places
                place = str(path.relative_to(SOURCE))
                if place not in places:
                    places.append(place)
    return found


def catalogue(path: Path = CATALOGUE) -> dict[Message, list[str]]:
    """Return the translations of a catalogue: one string, or one a plural form."""
    if not path.exists():
        return {}
    known = {}
    for entry in entries(path.read_text(encoding="utf-8")):
        if entry["msgid"]:
            forms = [entry[name] for name in sorted(entry) if name.startswith("msgstr")]
            known[Message(entry["msgid"], entry.get("msgid_plural", ""), entry.get("msgctxt", ""))] = forms
    return known


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def written(found: dict[Message, Found], known: dict[Message, list[str]]) -> str:
    """Return the catalogue's text: in the order of the files, translations kept."""
    parts = [HEAD]
    for message in sorted(found, key=lambda one: (found[one].places[0], one)):
        lines = [f"#: {found[message].places[0]}"]
        if message.context:
            lines.append(f"msgctxt {_quoted(message.context)}")
        lines.append(f"msgid {_quoted(message.msgid)}")
        forms = known.get(message, [])
        if message.plural:
            forms = [*forms, "", ""][:2]
            lines.append(f"msgid_plural {_quoted(message.plural)}")
            lines += [f"msgstr[{number}] {_quoted(form)}" for number, form in enumerate(forms)]
        else:
            lines.append(f"msgstr {_quoted(forms[0] if forms else '')}")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def missing(found: dict[Message, Found], known: dict[Message, list[str]]) -> list[Message]:
    """Return the sentences without English."""
    return [one for one in found if not known.get(one) or not all(known[one])]


def main() -> int:
    """Report or write; 1 where a sentence has no English."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="bring the catalogue in step with the code")
    options = parser.parse_args()
    found, known = gather(), catalogue()
    if options.write:
        CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
        CATALOGUE.write_text(written(found, known), encoding="utf-8")
    lacking = missing(found, known)
    for message in sorted(lacking):
        print(f"{found[message].places[0]}: {message.msgid}")
    old = [one for one in known if one not in found]
    print(f"{len(found)} sentences, {len(lacking)} without English, {len(old)} no longer used")
    return 1 if lacking else 0


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khue.settings.test")
    django.setup()
    sys.exit(main())
