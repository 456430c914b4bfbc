"""Compile the catalogues under src/khue/locale to the binary form Python reads; needs no gettext programs.

Does nothing where a .mo file is newer than its .po, and nothing at all where there is no catalogue.
"""

from __future__ import annotations

import ast
import struct
import sys
from pathlib import Path

LOCALE = Path(__file__).resolve().parents[1] / "src" / "khue" / "locale"


class Broken(Exception):
    """A line of a catalogue that cannot be read."""


def entries(text: str) -> list[dict[str, str]]:
    """Return the messages of a .po file: msgctxt, msgid, msgid_plural, msgstr or msgstr[n]; `flags` as written."""
    found: list[dict[str, str]] = []
    entry: dict[str, str] = {}
    field = ""
    for number, line in enumerate([*text.splitlines(), ""], 1):
        line = line.strip()
        if line.startswith("#~"):
            continue
        begins = line.startswith(("msgctxt ", "msgid ", "#"))
        if entry and (not line or (begins and field.startswith("msgstr"))):
            if "msgid" in entry:
                found.append(entry)
            entry, field = {}, ""
        if line.startswith("#,"):
            entry["flags"] = entry.get("flags", "") + line[2:]
        if not line or line.startswith("#"):
            continue
        if not line.startswith('"'):
            field, _, line = line.partition(" ")
            entry[field] = ""
        if not field:
            raise Broken(f"line {number}: text without a field")
        try:
            entry[field] += ast.literal_eval(line)
        except (SyntaxError, ValueError) as error:
            raise Broken(f"line {number}: {line}") from error
    return found


def messages(text: str) -> dict[str, str]:
    """Return what the binary form maps: key with context and plural, to the translations; no fuzzy, no empty one."""
    table = {}
    for entry in entries(text):
        key = entry["msgid"]
        if "msgctxt" in entry:
            key = f"{entry['msgctxt']}\x04{key}"
        if "msgid_plural" in entry:
            key = f"{key}\0{entry['msgid_plural']}"
            forms = [entry[name] for name in sorted(entry) if name.startswith("msgstr[")]
            value = "\0".join(forms) if all(forms) else ""
        else:
            value = entry.get("msgstr", "")
        if value and ("fuzzy" not in entry.get("flags", "") or not entry["msgid"]):
            table[key] = value
    return table


def binary(table: dict[str, str]) -> bytes:
    """Return the GNU .mo form, little endian, sorted by key, without a hash table."""
    pairs = sorted((key.encode(), value.encode()) for key, value in table.items())
    head, count = 28, len(pairs)
    keys = b"".join(key + b"\0" for key, _ in pairs)
    values = b"".join(value + b"\0" for _, value in pairs)
    at_key, at_value = head + 16 * count, head + 16 * count + len(keys)
    key_index = value_index = b""
    for key, value in pairs:
        key_index += struct.pack("<2I", len(key), at_key)
        value_index += struct.pack("<2I", len(value), at_value)
        at_key += len(key) + 1
        at_value += len(value) + 1
    start = struct.pack("<7I", 0x950412DE, 0, count, head, head + 8 * count, 0, head + 16 * count)
    return start + key_index + value_index + keys + values


def main() -> int:
    """Compile what is newer than its binary; return 1 where a catalogue is broken."""
    for source in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        try:
            target.write_bytes(binary(messages(source.read_text(encoding="utf-8"))))
        except Broken as error:
            print(f"{source}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
