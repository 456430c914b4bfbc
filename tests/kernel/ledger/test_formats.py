"""Encoding, chain rule and tree: the product's code, the verifier's and the published vectors agree."""

from __future__ import annotations

import enum
import json
import math
import unicodedata
import uuid
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khue.kernel.ledger import canonical, chain, merkle, verifier

from . import make_vectors

VECTORS = make_vectors.FOLDER


def vectors(name: str) -> dict[str, Any]:
    return dict(json.loads((VECTORS / name).read_text(encoding="utf-8")))


def test_the_committed_vectors_are_what_the_script_writes() -> None:
    wanted = dict(make_vectors.files())
    found = {
        str(path.relative_to(VECTORS)): path.read_text(encoding="utf-8") for path in VECTORS.rglob("*.json")
    }
    assert found.keys() == wanted.keys()
    assert [path for path in wanted if wanted[path] != found[path]] == []


# --- encoding


@pytest.mark.parametrize("case", vectors("canonical.json")["good"], ids=lambda case: case["case"])
def test_good_encodings(case: dict[str, Any]) -> None:
    encoded = bytes.fromhex(case["hex"])
    assert canonical.encode(case["value"]) == encoded
    assert canonical.decode(encoded) == case["value"]
    assert verifier.parse(encoded) == case["value"]


@pytest.mark.parametrize("case", vectors("canonical.json")["bad"], ids=lambda case: case["case"])
def test_bad_encodings_are_refused_by_both_readers(case: dict[str, Any]) -> None:
    digits, times = case["repeat"] if "repeat" in case else (case["hex"], 1)
    encoded = bytes.fromhex(digits) * times
    with pytest.raises(canonical.NotCanonical):
        canonical.decode(encoded)
    with pytest.raises(verifier.NotCanonical):
        verifier.parse(encoded)


class Slot(enum.Enum):
    MIDTERM = "midterm"


class Rank(enum.IntEnum):
    FIRST = 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("8.30"), '"8.3"'),
        (Decimal("-0.00"), '"0"'),
        (Decimal("1E+3"), '"1000"'),
        (Decimal("1E-7"), '"0.0000001"'),
        (Decimal(100), '"100"'),
        (date(2026, 9, 5), '"2026-09-05"'),
        (datetime(2026, 9, 5, 7, 15, tzinfo=timezone(timedelta(hours=7))), '"2026-09-05T00:15:00.000000Z"'),
        (uuid.UUID("0199C0DE-0001-7000-8000-00000000000A"), '"0199c0de-0001-7000-8000-00000000000a"'),
        (Slot.MIDTERM, '"midterm"'),
        (Rank.FIRST, "1"),
        ((1, (2,)), "[1,[2]]"),
        ("e\u0302\u0301", '"ế"'),
        ({"e\u0301": 1}, '{"é":1}'),
    ],
)
def test_python_values(value: Any, text: str) -> None:
    assert canonical.encode(value) == text.encode()


@pytest.mark.parametrize(
    "value",
    [
        8.5, 8.0, math.nan, math.inf, Decimal("NaN"), Decimal("Infinity"), Decimal("1E+100"), 2**53, -(2**53),
        datetime(2026, 9, 5, 7, 15),  # noqa: DTZ001
        {1, 2}, b"bytes", {1: "a"}, {"": 1}, {"e\u0301": 1, "\u00e9": 2}, object(),
        "\ud800", {"a": [1, {"b": 0.1}]}, "x" * (1 << 20), json.loads("[" * 33 + "]" * 33), timedelta(1),
    ],
    ids=lambda value: "object" if type(value) is object else repr(value)[:40],
)  # fmt: skip
def test_values_without_a_canonical_form_are_refused(value: Any) -> None:
    with pytest.raises(canonical.NotCanonical):
        canonical.encode(value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(min_size=1), inside, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_both_readers_accept_what_the_encoder_writes(value: Any) -> None:
    try:
        encoded = canonical.encode(value)
    except canonical.NotCanonical as error:
        assert "two names" in str(error)  # names that are one in normal form C
        return
    assert canonical.encode(canonical.decode(encoded)) == encoded
    assert verifier.parse(encoded) == canonical.decode(encoded)
    assert unicodedata.is_normalized("NFC", encoded.decode())


@given(json_values, st.sampled_from([None, 1]), st.booleans(), st.booleans())
def test_both_readers_judge_other_spellings_alike(
    value: Any, indent: int | None, ascii_: bool, sort: bool
) -> None:
    spelled = json.dumps(value, indent=indent, ensure_ascii=ascii_, sort_keys=sort).encode(
        "utf-8", "surrogatepass"
    )
    accepted = []
    for read in (canonical.decode, verifier.parse):
        try:
            read(spelled)
            accepted.append(True)
        except ValueError:
            accepted.append(False)
    assert accepted[0] == accepted[1]


# --- chain rule


@pytest.mark.parametrize("case", vectors("entries.json")["entries"], ids=lambda case: case["hash"][:8])
def test_entry_hashes(case: dict[str, Any]) -> None:
    import hashlib

    assert hashlib.sha256(bytes.fromhex(case["preimage"])).hexdigest() == case["hash"]
    made = chain.entry_hash(
        chain=case["chain"], sequence=case["sequence"], previous=bytes.fromhex(case["previous"]),
        act=case["act"], body=case["body"].encode(), at=case["at"],
    )  # fmt: skip
    assert made.hex() == case["hash"]
    assert verifier.entry_hash(verifier.entry_from(case)).hex() == case["hash"]


@given(st.lists(st.binary(max_size=6), max_size=5), st.lists(st.binary(max_size=6), max_size=5))
def test_different_fields_never_have_one_preimage(left: list[bytes], right: list[bytes]) -> None:
    assert (chain.delimited(*left) == chain.delimited(*right)) == (left == right)


def test_the_verifier_hashes_heads_as_the_tree_does() -> None:
    head = chain.Head("ledger_chain:rights", 7, bytes(range(32)))
    assert verifier.leaf_data(head.chain, head.sequence, head.hash) == head.leaf()


# --- tree


@pytest.mark.parametrize("case", vectors("merkle.json")["trees"], ids=lambda case: str(len(case["leaves"])))
def test_roots(case: dict[str, Any]) -> None:
    leaves = [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in case["leaves"]]
    assert merkle.Tree(leaves).root().hex() == case["root"]
    assert verifier.bound_root(len(leaves), verifier.tree_root(leaves)).hex() == case["root"]


def holds(case: dict[str, Any]) -> bool:
    return merkle.includes(
        leaf=bytes.fromhex(case["leaf"]), index=case["index"], size=case["size"],
        path=[bytes.fromhex(node) for node in case["path"]], root=bytes.fromhex(case["root"]),
    )  # fmt: skip


def test_proofs() -> None:
    proofs = vectors("merkle.json")["proofs"]
    assert [case for case in proofs["good"] if not holds(case)] == []
    assert [case["case"] for case in proofs["bad"] if holds(case)] == []


def root_by_the_book(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word: split at the largest power of two below n."""
    if len(leaves) == 1:
        return merkle.leaf_hash(leaves[0])
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return merkle.node_hash(root_by_the_book(leaves[:split]), root_by_the_book(leaves[split:]))


@given(st.lists(st.tuples(st.integers(0, 40), st.binary(max_size=3)), min_size=1, max_size=60), st.data())
def test_a_tree_that_grew_and_changed_is_the_tree_built_at_once(
    steps: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    leaves: list[bytes] = []
    grown, other = merkle.Tree(), verifier.Tree()
    for place, content in steps:
        index = min(place, len(leaves))
        leaves[index : index + 1] = [content]
        grown.put(index, merkle.leaf_hash(content))
        other.put(index, merkle.leaf_hash(content))
        if data.draw(st.booleans()):
            grown.root(), other.root()
    expected = root_by_the_book(leaves)
    assert grown.root() == merkle.bound_root(len(leaves), expected)
    assert other.root() == expected
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = {"leaf": grown.leaf(index), "index": index, "size": len(leaves), "path": grown.path(index)}
    assert merkle.includes(root=grown.root(), **proof)
    if len(leaves) > 1:
        assert not merkle.includes(root=grown.root(), **(proof | {"index": (index + 1) % len(leaves)})) or (
            leaves[index] == leaves[(index + 1) % len(leaves)]
        )


def test_the_verifier_stands_alone() -> None:
    source = Path(verifier.__file__).read_text(encoding="utf-8")
    imports = [
        line.split()[1] for line in source.splitlines() if line.strip().startswith(("import ", "from "))
    ]
    foreign = {name.split(".")[0] for name in imports} - {"cryptography", "psycopg", "__future__"}
    import sys

    assert foreign <= sys.stdlib_module_names
