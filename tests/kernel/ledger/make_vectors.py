"""Write the vectors of the ledger: `PYTHONPATH=src python -m tests.kernel.ledger.make_vectors`.

The vectors are for everybody who reads a ledger with a program of her own, so they are files, not
fixtures. They come out the same on every run; a test compares them with what is committed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from khue.kernel.ledger import canonical, chain, merkle

from . import ledgers

FOLDER = Path(chain.__file__).parent / "vectors"

CANONICAL_GOOD: list[tuple[str, Any]] = [
    ("nothing", None),
    ("truth", [True, False]),
    ("zero", 0),
    ("the largest integer", 2**53 - 1),
    ("the smallest integer", -(2**53) + 1),
    ("an empty text", ""),
    ("Vietnamese stands as it is", "Nguyễn Thị Ánh Tuyết"),
    ("quotes and backslashes", 'a "b" \\ /'),
    ("control characters", "\b\t\n\f\r\x00\x1f\x7f"),
    ("beyond the first plane", "𠀀😀"),
    ("line separators are not escaped", "\u2028\u2029"),
    ("an empty object and array", [{}, []]),
    ("names by code point, not by UTF-16 unit", {"\U00010000": 1, "\uffff": 2, "b": 3, "B": 4, "a": 5}),
    ("names of which one begins another", {"ab": 1, "a": 2, "a b": 3}),
    ("nested", {"b": [{"d": 1, "c": [None]}], "a": {"z": "", "y": -1}}),
    ("thirty-two levels", json.loads("[" * 32 + "]" * 32)),
]

CANONICAL_BAD: list[tuple[str, bytes]] = [
    ("a space after the comma", b"[1, 2]"),
    ("white space at the end", b"{}\n"),
    ("names out of order", b'{"b":1,"a":2}'),
    ("names by UTF-16 unit", '{"\U00010000":1,"\uffff":2}'.encode()),
    ("a name twice", b'{"a":1,"a":1}'),
    ("an empty name", b'{"":1}'),
    ("an escape that is not needed", b'"\\u00e1"'),
    ("an escaped slash", b'"\\/"'),
    ("a capital digit in an escape", b'"\\u001F"'),
    ("a long escape where a short one exists", b'"\\u000a"'),
    ("a raw control character", b'"\x01"'),
    ("decomposed letters", '"e\u0302\u0301"'.encode()),
    ("a decomposed name", '{"e\u0301":1}'.encode()),
    ("a fraction", b"8.5"),
    ("a fraction that is whole", b"8.0"),
    ("an exponent", b"1e2"),
    ("minus zero", b"-0"),
    ("a leading zero", b"01"),
    ("a plus sign", b"+1"),
    ("an integer too large", b"9007199254740992"),
    ("an integer too small", b"-9007199254740992"),
    ("not a number", b"NaN"),
    ("infinity", b"[Infinity]"),
    ("a byte order mark", b"\xef\xbb\xbf{}"),
    ("UTF-16", "{}".encode("utf-16-le")),
    ("Latin-1", b'"\xe1"'),
    ("a lone surrogate", b'"\\ud800"'),
    ("a surrogate pair escaped", b'"\\ud83d\\ude00"'),
    ("single quotes", b"{'a':1}"),
    ("a comma too many", b"[1,]"),
    ("two documents", b"{}{}"),
    ("thirty-three levels", b"[" * 33 + b"]" * 33),
    ("a hundred thousand levels", b"[" * 100_000),
    ("nothing at all", b""),
]


def canonical_vectors() -> dict[str, Any]:
    """Return the vectors of the encoding: values with their bytes, and bytes that are refused."""
    good = [
        {"case": name, "value": value, "hex": canonical.encode(value).hex()} for name, value in CANONICAL_GOOD
    ]
    bad = []
    for name, encoded in CANONICAL_BAD:
        spelled = {"hex": encoded.hex()} if len(encoded) < 1000 else {"repeat": ["5b", len(encoded)]}
        bad.append({"case": name, **spelled})
    return {"good": good, "bad": bad}


def entry_vectors() -> dict[str, Any]:
    """Return entries with their preimages and hashes."""
    cases = []
    for line in ledgers.sound().entries():
        preimage = chain.delimited(
            chain.ENTRY_TAG,
            line["chain"].encode(),
            line["sequence"].to_bytes(8, "big"),
            bytes.fromhex(line["previous"]),
            line["act"].encode(),
            line["body"].encode(),
            line["at"].encode(),
        )
        cases.append({name: line[name] for name in line if name != "kind"} | {"preimage": preimage.hex()})
    return {"entries": cases}


def merkle_vectors() -> dict[str, Any]:
    """Return trees of 0 to 9 leaves with their signed roots, and proofs that hold and that do not."""
    trees, good, bad = [], [], []
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(9)]
    for size in range(10):
        tree = merkle.Tree(leaves[:size])
        trees.append({"leaves": [bytes([n]).hex() for n in range(size)], "root": tree.root().hex()})
        for index in range(size):
            good.append(_proof(tree, index))
    tree = merkle.Tree(leaves[:8])
    sound = _proof(tree, 5)
    path = sound["path"]
    node = merkle.node_hash(tree.leaf(4), tree.leaf(5)).hex()
    bad = [
        {"case": "a node stands for a leaf", **sound, "leaf": node, "index": 2, "path": path[1:]},
        {"case": "a node stands for a leaf of a smaller tree", **sound, "leaf": node, "index": 2, "size": 4,
         "path": path[1:]},
        {"case": "another place", **sound, "index": 4},
        {"case": "a place beyond the tree", **sound, "index": 8},
        {"case": "a negative place", **sound, "index": -3},
        {"case": "another size of the same depth", **sound, "size": 7},
        {"case": "a larger size", **sound, "size": 9},
        {"case": "a path too short", **sound, "path": path[:-1]},
        {"case": "a path too long", **sound, "path": [*path, path[0]]},
        {"case": "a path out of order", **sound, "path": path[::-1]},
        {"case": "another leaf", **sound, "leaf": tree.leaf(6).hex()},
        {"case": "another root", **sound, "root": merkle.Tree(leaves[:7]).root().hex()},
        {"case": "the root itself as a leaf", **sound, "leaf": sound["root"], "index": 0, "size": 1, "path": []},
    ]  # fmt: skip
    return {"trees": trees, "proofs": {"good": good, "bad": bad}}


def _proof(tree: merkle.Tree, index: int) -> dict[str, Any]:
    return {
        "leaf": tree.leaf(index).hex(),
        "index": index,
        "size": len(tree),
        "path": [node.hex() for node in tree.path(index)],
        "root": tree.root().hex(),
    }


def files() -> Iterator[tuple[str, str]]:
    """Yield path and text of every vector file."""
    yield "canonical.json", _text(canonical_vectors())
    yield "entries.json", _text(entry_vectors())
    yield "merkle.json", _text(merkle_vectors())
    for path, case in ledgers.cases():
        yield path, _text(case)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, indent=1) + "\n"


def main() -> None:
    """Write all files and remove those that no case makes any more."""
    wanted = dict(files())
    for old in FOLDER.rglob("*.json"):
        if str(old.relative_to(FOLDER)) not in wanted:
            old.unlink()
    for path, text in wanted.items():
        (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
