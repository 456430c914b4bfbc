#!/usr/bin/env python3
"""Check a ledger against what its witnesses saw. One file: Python 3.11, `cryptography` for Ed25519.

    python verifier.py --entries export.jsonl --witness DIR [--witness DIR] --key public.pem
    python verifier.py --dsn "host=… dbname=…" --witness DIR --key public.pem

It shares no line with the system it checks. It reads the entries in the order of chain and sequence,
recomputes each hash, follows each link, replays the witnesses' signed checkpoints from the first, and
asks that each head ever witnessed is found at its number in its chain. Each fault is printed with its
name, chain, sequence and a sentence; at the end stand the counts. Exit status: 0 without a fault, 1
with any, 2 when the question could not be asked (wrong arguments, unreadable files).

The formats
    field       eight bytes of length, big-endian, then the bytes
    entry hash  SHA-256 of the fields "khue-entry-1", chain, sequence (eight bytes), previous hash, act,
                body (canonical JSON), moment
    leaf        SHA-256(0x00 || fields "khue-head-1", chain, sequence, entry hash)
    node        SHA-256(0x01 || left || right); root as in RFC 6962; signed is SHA-256(0x02 || size || root)
    recovery    a checkpoint with "recovers": n gives up what was witnessed after n, and says so; it names
                the last checkpoint as its predecessor, and its heads build on the state of n
    checkpoint  canonical JSON; its hash and its Ed25519 signature cover fields "khue-checkpoint-1", document
    witness     <ten digits>.json with checkpoint and signature, <ten digits>.heads with the changed heads
    export      JSON lines: {"kind":"header"}, {"kind":"entry"}… by chain and sequence, {"kind":"head"}…,
                {"kind":"trailer"} with the counts; a body that is not UTF-8 stands as "body_base64"
Canonical JSON: names sorted by code point, no white space, strings in normal form C with the shortest
escapes, integers to 2^53 - 1, no fractions, at most 32 levels.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import struct
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

ZERO = bytes(32)
LARGEST_INTEGER = 2**53 - 1
DEEPEST = 32
BEHIND_ALLOWED = 2
"""Checkpoints that may be on their way to a witness while the database is read."""

NEAR = 50
"""How far around its place an entry's own number is looked for, beside the one its predecessor gives."""

FAULTS: dict[str, tuple[str, str]] = {
    "truncated": (
        "Chuỗi dừng ở số {last}, nhưng {source} đã ghi nhận số {known}: các bản ghi cuối đã bị cắt bỏ.",
        "The chain stops at number {last}, but {source} knew number {known}: its last entries were cut off.",
    ),
    "missing-chain": (
        "{source} đã ghi nhận chuỗi này tới số {known}, nay không còn bản ghi nào.",
        "{source} knew this chain up to number {known}, and no entry of it is left.",
    ),
    "reordered": (
        "Bản ghi đứng ở số {sequence} không đúng thứ tự đã ghi: lẽ ra là số {known}.",
        "The entry at number {sequence} is out of its order: it was written as number {known}.",
    ),
    "gap": (
        "Thiếu bản ghi từ số {sequence} đến số {last}.",
        "The entries from number {sequence} to number {last} are missing.",
    ),
    "replayed": (
        "Bản ghi số {sequence} là bản chép lại của số {known} thuộc {source}.",
        "The entry at number {sequence} repeats number {known} of {source}.",
    ),
    "changed": (
        "Nội dung, hành vi hoặc thời điểm của bản ghi số {sequence} đã bị sửa sau khi ghi.",
        "The body, act or moment of entry {sequence} was changed after it was written.",
    ),
    "broken-link": (
        "Bản ghi số {sequence} nối vào một bản ghi khác với bản ghi đứng trước nó: bản ghi trước đã bị thay.",
        "Entry {sequence} names another predecessor than the one before it: that one was replaced.",
    ),
    "other-encoding": (
        "Số {sequence} không ở dạng mã hoá chuẩn: cùng ý nghĩa nhưng khác byte.",
        "Number {sequence} is not in the canonical encoding: the same meaning in other bytes.",
    ),
    "malformed": ("Không đọc được: {source}.", "Cannot be read: {source}."),
    "rewritten": (
        "Số {sequence} khác với số đã được {source} ghi nhận: lịch sử đã bị viết lại.",
        "Number {sequence} is not what {source} knew: the history was written anew.",
    ),
    "old-backup": (
        "Cơ sở dữ liệu như ở mốc {sequence}, bên giữ mốc đã có mốc {known}: bản sao lưu cũ được đưa trở lại.",
        "The database is as at checkpoint {sequence}, the witness holds {known}: an old backup was put back.",
    ),
    "split-view": (
        "Mốc {sequence} có hai phiên bản khác nhau ({source}): mỗi nơi được cho xem một lịch sử.",
        "Checkpoint {sequence} exists in two versions ({source}): different views were shown.",
    ),
    "missing-checkpoint": (
        "Thiếu các mốc từ {sequence} đến {last} ở {source}.",
        "The checkpoints from {sequence} to {last} are missing at {source}.",
    ),
    "bad-signature": (
        "Chữ ký của mốc {sequence} không đúng ({source}).",
        "The signature of checkpoint {sequence} is not valid ({source}).",
    ),
    "unknown-key": (
        "Mốc {sequence} được ký bằng khoá không có trong danh sách đã cho ({source}).",
        "Checkpoint {sequence} is signed with a key that was not given ({source}).",
    ),
    "heads-changed": (
        "Tệp đầu chuỗi của mốc {sequence} bị thiếu hoặc đã bị sửa ({source}).",
        "The file of heads of checkpoint {sequence} is missing or was changed ({source}).",
    ),
    "rolled-back": (
        "Mốc {known} đưa chuỗi này lùi về số {sequence}: đầu chuỗi chỉ được tiến.",
        "Checkpoint {known} takes this chain back to number {sequence}: heads only grow.",
    ),
    "misplaced-head": (
        "Mốc {sequence} đặt chuỗi này vào chỗ của chuỗi khác trong cây ({source}).",
        "Checkpoint {sequence} puts this chain in another one's place of the tree ({source}).",
    ),
    "wrong-size": (
        "Kích thước cây ở mốc {sequence} (khai {last}) không khớp với {known} chuỗi đã công bố.",
        "The size of the tree at checkpoint {sequence} (it says {last}) does not fit the {known} published chains.",
    ),
    "leaf-node-confusion": (
        "Gốc của mốc {sequence} được tính không phân biệt lá và nút của cây.",
        "The root of checkpoint {sequence} was made without telling leaves from nodes.",
    ),
    "wrong-root": (
        "Gốc của mốc {sequence} không phải của các đầu chuỗi đã công bố.",
        "The root of checkpoint {sequence} is not that of the published heads.",
    ),
    "row-differs": (
        "Hàng mang chuỗi này ghi đầu chuỗi là số {known} với giá trị khác bản ghi số {last}.",
        "The row that carries this chain names number {known} as its head, unlike entry {last}.",
    ),
}


RECOVERY = (
    "Mốc {0} khai rằng dữ liệu đã được khôi phục về mốc {1}; {2} đầu chuỗi ghi nhận sau đó không còn.",
    "Checkpoint {0} declares that the data went back to checkpoint {1}; {2} heads witnessed since were given up.",
)


class Entry(NamedTuple):
    """One entry as stored; `at` as the ledger writes moments."""

    chain: str
    sequence: int
    previous: bytes
    act: str
    body: bytes
    at: str
    hash: bytes


class Fault(NamedTuple):
    """One thing that is wrong: its name, where, and the facts its sentence needs."""

    name: str
    chain: str
    sequence: int
    facts: dict[str, Any]

    def sentence(self, language: str = "vi") -> str:
        """Return the sentence in Vietnamese, or in English for "en"."""
        facts = {"last": "", "known": "", "source": "", **self.facts, "sequence": self.sequence}
        return FAULTS[self.name][language == "en"].format(**facts)


class Seen(NamedTuple):
    """A head as a checkpoint knew it."""

    checkpoint: int
    sequence: int
    hash: bytes


class Mark(NamedTuple):
    """A checkpoint by number and hash."""

    sequence: int
    hash: bytes


@dataclass
class Report:
    """All faults and counts of one run."""

    faults: list[Fault] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    recoveries: list[tuple[int, int, int]] = field(default_factory=list)
    """(checkpoint, the one it goes back to, heads given up): no faults, but never to be overlooked"""

    def fault(self, fault_name: str, chain: str, sequence: int, **facts: Any) -> None:
        """Add a fault."""
        self.faults.append(Fault(fault_name, chain, sequence, facts))

    def count(self, counted: str, number: int = 1) -> None:
        """Raise a count."""
        self.counts[counted] = self.counts.get(counted, 0) + number


# --- formats -----------------------------------------------------------------------------------------

_length = struct.Struct(">Q").pack


def fields(*parts: bytes) -> bytes:
    """Return the parts, each behind its length."""
    return b"".join([piece for part in parts for piece in (_length(len(part)), part)])


def entry_hash(entry: Entry) -> bytes:
    """Return the hash that the entry should have."""
    chain, act, at, body = entry.chain.encode(), entry.act.encode(), entry.at.encode(), entry.body
    return hashlib.sha256(
        b"".join(
            (
                b"\0\0\0\0\0\0\0\x0ckhue-entry-1", _length(len(chain)), chain,
                b"\0\0\0\0\0\0\0\x08", _length(entry.sequence), _length(len(entry.previous)), entry.previous,
                _length(len(act)), act, _length(len(body)), body, _length(len(at)), at,
            )
        )
    ).digest()  # fmt: skip


def leaf_data(chain: str, sequence: int, digest: bytes) -> bytes:
    """Return the bytes of a head's leaf."""
    return fields(b"khue-head-1", chain.encode(), _length(sequence), digest)


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def bound_root(size: int, root: bytes) -> bytes:
    """Return the signed form of a root."""
    return hashlib.sha256(b"\x02" + _length(size) + root).digest()


def tree_root(leaves: list[bytes], join: Callable[[bytes, bytes], bytes] = node_hash) -> bytes:
    """Return the root over hashes of leaves, computed from nothing."""
    level = leaves
    while len(level) > 1:
        pairs = [join(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0] if level else hashlib.sha256(b"").digest()


class Tree:
    """The tree over the heads, kept by level so that a checkpoint costs what it changed."""

    def __init__(self) -> None:
        """Begin without a leaf."""
        self.levels: list[list[bytes]] = [[]]
        self.dirty: set[int] = set()

    def put(self, index: int, leaf: bytes) -> None:
        """Replace a leaf, or append one."""
        if index == len(self.levels[0]):
            self.levels[0].append(leaf)
        else:
            self.levels[0][index] = leaf
        self.dirty.add(index)

    def root(self) -> bytes:
        """Return the unbound root."""
        dirty, depth = self.dirty, 0
        while len(self.levels[depth]) > 1:
            below = self.levels[depth]
            if depth + 1 == len(self.levels):
                self.levels.append([])
                dirty = set(range(len(below)))
            above = self.levels[depth + 1]
            dirty = {index // 2 for index in dirty}
            for parent in sorted(dirty):
                two = below[parent * 2 : parent * 2 + 2]
                node = node_hash(*two) if len(two) == 2 else two[0]
                above[parent : parent + 1] = [node]
            depth += 1
        self.dirty = set()
        return self.levels[depth][0] if self.levels[depth] else hashlib.sha256(b"").digest()


class NotCanonical(ValueError):
    """The bytes are not canonical JSON."""


def _refuse(text: str) -> Any:
    raise NotCanonical(text)


def _bounded(text: str) -> int:
    value = int(text)
    if abs(value) > LARGEST_INTEGER:
        raise NotCanonical(text)
    return value


_dump = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode
_load_short = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse).decode
_load_long = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse, parse_int=_bounded).decode
_long_number = re.compile(r"\d{16}")
_digest = re.compile(r"[0-9a-f]{64}")


def depth_of(value: Any) -> int:
    """Return how many arrays and objects stand inside one another."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inside is None else 1 + max(map(depth_of, inside), default=0)


def parse(text: bytes) -> Any:
    """Return the value of canonical JSON. Raises NotCanonical for any other bytes."""
    try:
        decoded = text.decode("utf-8")
        value = (_load_long if _long_number.search(decoded) else _load_short)(decoded)
        same = _dump(value) == decoded and unicodedata.is_normalized("NFC", decoded)
    except (ValueError, RecursionError) as error:
        raise NotCanonical(str(error)) from error
    if not same or ('"":' in decoded and _has_empty_name(value)):
        raise NotCanonical("another spelling of the same value")
    if decoded.count("[") + decoded.count("{") > DEEPEST and depth_of(value) > DEEPEST:
        raise NotCanonical("too deep")
    return value


def _has_empty_name(value: Any) -> bool:
    if isinstance(value, dict):
        return "" in value or any(map(_has_empty_name, value.values()))
    return isinstance(value, list) and any(map(_has_empty_name, value))


def respelled(body: bytes) -> bytes | None:
    """Return the canonical spelling of a body that has another one; None where there is none."""
    try:
        value = json.loads(unicodedata.normalize("NFC", body.decode("utf-8-sig")), parse_float=_refuse)
        return unicodedata.normalize("NFC", _dump(value)).encode()
    except (ValueError, RecursionError):
        return None


# --- entries -----------------------------------------------------------------------------------------


class Chains:
    """Goes through the entries chain by chain; remembers only what the report needs."""

    def __init__(self, report: Report, witnessed: dict[str, list[Seen]]) -> None:
        """Check against the heads that were `witnessed`, oldest first for each chain."""
        self.report = report
        self.witnessed = witnessed
        self.heads: dict[str, Mark] = {}
        self.unreached: dict[str, int] = {}
        """chain -> the first checkpoint whose head its entries do not reach"""
        self.displaced: set[bytes] = set()
        """hashes of entries that stand under another number than they were written"""
        self.unexplained: dict[bytes, list[tuple[str, int]]] = {}
        """stored hash of entries that were changed, to look whether they were copied from elsewhere"""

    def run(self, entries: Iterable[Entry]) -> None:
        """Check all entries, then that no witnessed chain is missing."""
        before = ""
        for chain, group in groupby(entries, key=lambda entry: entry.chain):
            members = list(group)
            if chain in self.heads or chain.encode() < before.encode():
                known = self.heads.get(chain, Mark(0, ZERO)).sequence
                self.report.fault("reordered", chain, members[0].sequence, known=known + 1)
            before = chain
            self.report.count("entries", len(members))
            self.chain(chain, members)
        self.report.count("chains", len(self.heads))
        for chain, seen in self.witnessed.items():
            if chain not in self.heads:
                self.unreached[chain] = seen[0].checkpoint
                last = seen[-1]
                self.report.fault(
                    "missing-chain", chain, last.sequence, known=last.sequence, source=_mark(last.checkpoint)
                )

    def chain(self, chain: str, members: list[Entry]) -> None:
        """Check one chain from its first entry to its last."""
        members = self.in_order(chain, members)
        numbers = {entry.hash: entry.sequence for entry in reversed(members)}
        stored: dict[int, bytes] = {}
        last, previous = 0, ZERO
        for entry in members:
            if entry.sequence in stored or entry.sequence < 1:
                self.report.fault("replayed", chain, entry.sequence, known=entry.sequence, source=chain)
                continue
            if entry.sequence > last + 1:
                self.report.fault("gap", chain, last + 1, last=entry.sequence - 1)
                previous = entry.previous
            sound = self.entry(entry, numbers)
            if sound and entry.previous != previous and entry.previous not in self.displaced:
                self.report.fault("broken-link", chain, entry.sequence)
            last, previous = entry.sequence, entry.hash
            stored[last] = previous
        self.against_witness(chain, stored, last)
        self.heads[chain] = Mark(last, previous)

    def in_order(self, chain: str, members: list[Entry]) -> list[Entry]:
        """Return the entries by sequence; where they came in another order, say so."""
        highest = 0
        for entry in members:
            if entry.sequence < highest:
                self.report.fault("reordered", chain, entry.sequence, known=entry.sequence)
            highest = max(highest, entry.sequence)
        return sorted(members, key=lambda entry: entry.sequence)

    def entry(self, entry: Entry, numbers: dict[bytes, int]) -> bool:
        """Check hash and encoding of one entry; return whether what it says can be followed."""
        if entry_hash(entry) == entry.hash:
            try:
                parse(entry.body)
            except NotCanonical:
                self.report.fault("other-encoding", entry.chain, entry.sequence)
            return True
        body = respelled(entry.body)
        if body is not None and body != entry.body and entry_hash(entry._replace(body=body)) == entry.hash:
            self.report.fault("other-encoding", entry.chain, entry.sequence)
            return True
        written = self.written_as(entry, numbers)
        if written is not None:
            kind = "replayed" if numbers[entry.hash] != entry.sequence else "reordered"
            self.report.fault(kind, entry.chain, entry.sequence, known=written, source=entry.chain)
            self.displaced.add(entry.hash)
            return False
        self.unexplained.setdefault(entry.hash, []).append((entry.chain, entry.sequence))
        return False

    @staticmethod
    def written_as(entry: Entry, numbers: dict[bytes, int]) -> int | None:
        """Return the number under which the entry's hash was made, None where no likely one fits."""
        after = numbers.get(entry.previous, 0) + 1
        near = range(max(1, entry.sequence - NEAR), entry.sequence + NEAR)
        for number in (after, *near):
            if entry_hash(entry._replace(sequence=number)) == entry.hash:
                return number
        return None

    def against_witness(self, chain: str, stored: dict[int, bytes], last: int) -> None:
        """Ask that every head that was ever witnessed is in the chain."""
        seen = self.witnessed.get(chain, [])
        self.report.count("entries not yet witnessed", max(0, last - (seen[-1].sequence if seen else 0)))
        wrong = next((s for s in seen if s.sequence in stored and stored[s.sequence] != s.hash), None)
        if wrong is not None:
            self.report.fault("rewritten", chain, wrong.sequence, source=_mark(wrong.checkpoint))
        beyond = [s for s in seen if s.sequence > last]
        if beyond:
            self.unreached[chain] = beyond[0].checkpoint
            known = beyond[-1]
            self.report.fault(
                "truncated", chain, last, last=last, known=known.sequence, source=_mark(known.checkpoint)
            )

    def explain(self, entries: Iterable[Entry]) -> None:
        """Say of each changed entry whether it was copied from another chain, or changed in place."""
        origins: dict[bytes, tuple[str, int]] = {}
        if self.unexplained:
            for entry in entries:
                if entry.hash in self.unexplained and entry_hash(entry) == entry.hash:
                    origins[entry.hash] = (entry.chain, entry.sequence)
        for digest, places in self.unexplained.items():
            for chain, sequence in places:
                origin = origins.get(digest)
                if origin is None:
                    self.report.fault("changed", chain, sequence)
                else:
                    self.report.fault("replayed", chain, sequence, known=origin[1], source=origin[0])


def _mark(checkpoint: int) -> str:
    """Return how sentences name a checkpoint."""
    return f"checkpoint {checkpoint}"


# --- witnesses ---------------------------------------------------------------------------------------


class Witness:
    """The files of one witness: a folder, or a mapping of names to contents."""

    def __init__(self, name: str, files: dict[str, bytes] | Path, until: int | None = None) -> None:
        """Read from `files`, file by file when it is asked; nothing later than checkpoint `until`."""
        self.name = name
        self._files = files
        names = [path.name for path in files.iterdir()] if isinstance(files, Path) else list(files)
        matches = (re.fullmatch(r"(\d{10,})\.json", name) for name in names)
        held = sorted(int(match[1]) for match in matches if match)
        self.sequences = [sequence for sequence in held if until is None or sequence <= until]

    def read(self, sequence: int, kind: str) -> bytes | None:
        """Return the content of the file of this checkpoint, None where it is missing."""
        name = f"{sequence:010d}.{kind}"
        if isinstance(self._files, Path):
            path = self._files / name
            return path.read_bytes() if path.is_file() else None
        return self._files.get(name)


class Replay:
    """Follows one witness from its first checkpoint to its last."""

    def __init__(self, report: Report, keys: dict[str, Ed25519PublicKey]) -> None:
        """Accept signatures of `keys`, by key id."""
        self.report = report
        self.keys = keys
        self.hashes: dict[int, bytes] = {}
        self.witnessed: dict[str, list[Seen]] = {}
        self.chains: list[str] = []
        self.places: dict[str, int] = {}
        self.tree = Tree()
        self.complete = True

    def run(self, witness: Witness) -> None:
        """Check every checkpoint of the witness."""
        if not witness.sequences:
            self.report.fault("missing-checkpoint", "", 1, last=1, source=witness.name)
            return
        before, previous = 0, ZERO
        for sequence in witness.sequences:
            if sequence != before + 1:
                self.report.fault(
                    "missing-checkpoint", "", before + 1, last=sequence - 1, source=witness.name
                )
                self.complete = False
            document = self.document(witness, sequence)
            if document is None:
                self.complete = False
            else:
                digest = self.hashes[sequence]
                if sequence == before + 1 and previous and document["previous"] != previous.hex():
                    self.report.fault(
                        "split-view", "", before or sequence, source=f"{witness.name}, {sequence}"
                    )
                self.heads(witness, sequence, document)
                previous = digest
            before = sequence
            if document is None:
                previous = b""
            self.report.count("checkpoints")

    def document(self, witness: Witness, sequence: int) -> dict[str, Any] | None:
        """Return the document of a checkpoint when it can be read; its signature is checked."""
        content = witness.read(sequence, "json") or b""
        try:
            outer = json.loads(content)
            document, signature = outer["checkpoint"], bytes.fromhex(outer["signature"])
            encoded = _dump(document).encode()
            numbers = [document[name] for name in ("sequence", "size", "changed")]
            texts = [document[name] for name in ("format", "root", "previous", "heads", "key", "at")]
            if not all(type(number) is int for number in numbers) or not all(type(t) is str for t in texts):
                raise ValueError("wrong kinds")
            if not all(_digest.fullmatch(document[name]) for name in ("root", "previous", "heads")):
                raise ValueError("not a digest")
        except (ValueError, KeyError, TypeError, RecursionError):
            self.report.fault("malformed", "", sequence, source=f"{witness.name}, {sequence:010d}.json")
            return None
        try:
            parse(content)
        except NotCanonical:
            self.report.fault("other-encoding", "", sequence)
        if document["sequence"] != sequence or document["format"] != "khue-checkpoint-1":
            self.report.fault("replayed", "", sequence, known=document["sequence"], source=witness.name)
            return None
        signed = fields(b"khue-checkpoint-1", encoded)
        self.hashes[sequence] = hashlib.sha256(signed).digest()
        key = self.keys.get(document["key"])
        if key is None:
            self.report.fault("unknown-key", "", sequence, source=witness.name)
        else:
            try:
                key.verify(signature, signed)
                self.report.count("signatures verified")
            except InvalidSignature:
                self.report.fault("bad-signature", "", sequence, source=witness.name)
        return document  # type: ignore[no-any-return]

    def heads(self, witness: Witness, sequence: int, document: dict[str, Any]) -> None:
        """Move the heads forward by this checkpoint and compare size and root."""
        content = witness.read(sequence, "heads")
        if content is None or hashlib.sha256(content).hexdigest() != document["heads"]:
            self.report.fault("heads-changed", "", sequence, source=witness.name)
            self.complete = False
            return
        if "recovers" in document and not self.recover(witness, sequence, document["recovers"]):
            return
        lines = content.splitlines()
        for line in lines:
            try:
                ordinal, chain, number, digest = parse(line)
                head = Seen(sequence, number, bytes.fromhex(digest))
                sane = type(ordinal) is int and type(number) is int and type(chain) is str and number > 0
            except (ValueError, TypeError):
                sane = False
            if not sane:
                self.report.fault("malformed", "", sequence, source=f"{witness.name}, {sequence:010d}.heads")
                self.complete = False
                return
            self.head(ordinal, chain, head)
        self.report.count("heads witnessed", len(lines))
        if self.complete:
            self.root(sequence, document)

    def recover(self, witness: Witness, sequence: int, back: Any) -> bool:
        """Go back to the heads of checkpoint `back`: a restore that was declared. Note what was given up."""
        if type(back) is not int or not 0 <= back < sequence:
            self.report.fault("malformed", "", sequence, source=f"{witness.name}, {sequence:010d}.json")
            self.complete = False
            return False
        given_up = 0
        for chain, seen in self.witnessed.items():
            given_up += sum(s.checkpoint > back for s in seen)
            self.witnessed[chain] = [s for s in seen if s.checkpoint <= back]
        # Places are given in the order of appearance, so what is left is the beginning of the list.
        self.chains = [chain for chain in self.chains if self.witnessed[chain]]
        self.witnessed = {chain: self.witnessed[chain] for chain in self.chains}
        self.tree = Tree()
        for ordinal, chain in enumerate(self.chains):
            last = self.witnessed[chain][-1]
            self.tree.put(ordinal, leaf_hash(leaf_data(chain, last.sequence, last.hash)))
        if (sequence, back, given_up) not in self.report.recoveries:  # a second witness says the same
            self.report.recoveries.append((sequence, back, given_up))
        return True

    def head(self, ordinal: int, chain: str, head: Seen) -> None:
        """Move one head forward."""
        known = self.witnessed.get(chain)
        if known is None:
            if self.complete and ordinal != len(self.chains):
                self.report.fault("misplaced-head", chain, head.checkpoint, source=str(ordinal))
                self.complete = False
            self.witnessed[chain] = [head]
            self.places[chain] = ordinal
            self.chains.append(chain)
        else:
            if self.complete and self.places[chain] != ordinal:
                self.report.fault("misplaced-head", chain, head.checkpoint, source=str(ordinal))
                self.complete = False
            if head.sequence <= known[-1].sequence:
                self.report.fault("rolled-back", chain, head.sequence, known=head.checkpoint)
            known.append(head)
        if self.complete:
            self.tree.put(ordinal, leaf_hash(leaf_data(chain, head.sequence, head.hash)))

    def root(self, sequence: int, document: dict[str, Any]) -> None:
        """Compare size and root with the heads; where they differ, say how."""
        size, root = len(self.chains), bytes.fromhex(document["root"])
        claimed = document["size"]
        unbound = self.tree.root()
        if claimed != size or (root != bound_root(size, unbound) and self.other_size(root, unbound, size)):
            self.report.fault("wrong-size", "", sequence, last=claimed, known=size)
        elif root != bound_root(size, unbound):
            confused = root in self.confused_roots(size)
            self.report.fault("leaf-node-confusion" if confused else "wrong-root", "", sequence)

    @staticmethod
    def other_size(root: bytes, unbound: bytes, size: int) -> bool:
        """Return whether the root is the right one bound to another size, or to none."""
        return root == unbound or any(root == bound_root(other, unbound) for other in range(2 * size + 16))

    def confused_roots(self, size: int) -> set[bytes]:
        """Return the roots that come out when leaves and nodes are not told apart."""
        leaves = []
        for chain in self.chains:
            head = self.witnessed[chain][-1]
            leaves.append(leaf_data(chain, head.sequence, head.hash))

        def plain(left: bytes, right: bytes) -> bytes:
            return hashlib.sha256(left + right).digest()

        def as_leaf(left: bytes, right: bytes) -> bytes:
            return leaf_hash(left + right)

        bare = [hashlib.sha256(data).digest() for data in leaves]
        right = [leaf_hash(data) for data in leaves]
        as_node = [hashlib.sha256(b"\x01" + data).digest() for data in leaves]
        roots = [tree_root(*case) for case in ((bare, plain), (bare,), (right, plain), (right, as_leaf))]
        roots += [tree_root(as_node), tree_root([leaf_hash(leaf) for leaf in right])]
        roots += [tree_root(level) for level in self.node_levels(right)]
        return {bound for root in roots for bound in (root, bound_root(size, root))}

    @staticmethod
    def node_levels(leaves: list[bytes]) -> Iterator[list[bytes]]:
        """Yield each level of nodes, hashed again as if they were the leaves."""
        level = leaves
        while len(level) > 1:
            pairs = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
            level = pairs + level[len(pairs) * 2 :]
            yield [leaf_hash(node) for node in level]


def compare_witnesses(report: Report, first: Replay, names: list[str], others: list[Replay]) -> None:
    """Ask that all witnesses were shown the same checkpoints."""
    for name, other in zip(names[1:], others, strict=True):
        for sequence in sorted(first.hashes.keys() & other.hashes.keys()):
            if first.hashes[sequence] != other.hashes[sequence]:
                report.fault("split-view", "", sequence, source=f"{names[0]}, {name}")
                break
        behind = max(first.hashes, default=0) - max(other.hashes, default=0)
        if abs(behind) > BEHIND_ALLOWED:
            short = name if behind > 0 else names[0]
            low = min(max(first.hashes, default=0), max(other.hashes, default=0))
            report.fault("missing-checkpoint", "", low + 1, last=low + abs(behind), source=short)


def look_for_old_backup(report: Report, chains: Chains, replay: Replay, own: Mark | None) -> None:
    """Tell an old backup from entries cut off one by one, and a lost checkpoint from both."""
    latest = max(replay.hashes, default=0)
    if own is not None:
        known = replay.hashes.get(own.sequence)
        if known is not None and known != own.hash:
            report.fault("split-view", "", own.sequence, source="database")
        if own.sequence < latest:
            report.fault("old-backup", "", own.sequence, known=latest)
            return
        if own.sequence > latest + BEHIND_ALLOWED:
            report.fault("missing-checkpoint", "", latest + 1, last=own.sequence, source="witness")
    if len(chains.unreached) < 2:
        return
    state = min(chains.unreached.values()) - 1
    moved = {chain for chain, seen in replay.witnessed.items() if seen[-1].checkpoint > state}
    if moved <= chains.unreached.keys():
        report.fault("old-backup", "", state, known=latest)


def verify(
    entries: Callable[[], Iterable[Entry]],
    witnesses: list[Witness],
    keys: list[Ed25519PublicKey],
    *,
    own_checkpoint: Mark | None = None,
    rows: Iterable[tuple[str, Mark]] = (),
) -> Report:
    """Check entries against witnesses and return the report.

    entries         called once or twice; gives the entries by chain (bytes of UTF-8) and sequence
    own_checkpoint  the last checkpoint the database itself knows
    rows            chain and head as the rows that carry chains know them
    """
    report = Report()
    known = {key_id(key): key for key in keys}
    replays = [Replay(report, known)]
    for position, witness in enumerate(witnesses):
        if position:
            # What a second witness holds is read only to be compared: faults of its own files are its own.
            replays.append(Replay(report, known))
        replays[position].run(witness)
    compare_witnesses(report, replays[0], [witness.name for witness in witnesses], replays[1:])
    chains = Chains(report, replays[0].witnessed)
    chains.run(entries())
    chains.explain(entries() if chains.unexplained else ())
    for chain, head in rows:
        found = chains.heads.get(chain, Mark(0, ZERO))
        if head != found:
            report.fault("row-differs", chain, head.sequence, known=head.sequence, last=found.sequence)
        report.count("rows compared")
    if witnesses:
        look_for_old_backup(report, chains, replays[0], own_checkpoint)
    return report


# --- reading -----------------------------------------------------------------------------------------


def key_id(key: Ed25519PublicKey) -> str:
    """Return the name of a public key."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()


def read_key(path: Path) -> Ed25519PublicKey:
    """Return the Ed25519 public key of a PEM file."""
    key = load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise TypeError(f"{path}: not an Ed25519 key")
    return key


class Export:
    """An export file; reads it line by line, as often as it is asked."""

    def __init__(self, path: Path) -> None:
        """Read from `path`."""
        self.path = path
        self.own_checkpoint: Mark | None = None
        self.rows: list[tuple[str, Mark]] = []
        self.trailer: dict[str, Any] | None = None
        self.unreadable: list[int] = []

    def entries(self) -> Iterator[Entry]:
        """Yield the entries; header, heads and trailer are kept aside."""
        self.rows, self.trailer, self.unreadable = [], None, []
        with open(self.path, "rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    entry = self.line(json.loads(line))
                except (ValueError, KeyError, TypeError):
                    self.unreadable.append(number)
                    continue
                if entry is not None:
                    yield entry

    def line(self, value: dict[str, Any]) -> Entry | None:
        """Return the entry of a line, None for a line of another kind."""
        match value["kind"]:
            case "entry":
                return entry_from(value)
            case "head":
                mark = Mark(int(value["sequence"]), bytes.fromhex(value["hash"]))
                self.rows.append((value["chain"], mark))
            case "header" if value.get("checkpoint"):
                own = value["checkpoint"]
                self.own_checkpoint = Mark(int(own["sequence"]), bytes.fromhex(own["hash"]))
            case "trailer":
                self.trailer = value
        return None


def entry_from(value: dict[str, Any]) -> Entry:
    """Return the entry of a line of an export or of a vector."""
    body = base64.b64decode(value["body_base64"]) if "body_base64" in value else value["body"].encode()
    chain, sequence, act, at = value["chain"], value["sequence"], value["act"], value["at"]
    if type(sequence) is not int or not -(2**63) <= sequence < 2**63:
        raise ValueError("no such sequence")
    f"{chain}{act}{at}".encode()  # a lone surrogate is refused here, not in the middle of a chain
    if not all(type(text) is str for text in (chain, act, at)):
        raise ValueError("not a text")
    previous, digest = bytes.fromhex(value["previous"]), bytes.fromhex(value["hash"])
    return Entry(chain, sequence, previous, act, body, at, digest)


def verify_export(path: Path, witnesses: list[Witness], keys: list[Ed25519PublicKey]) -> Report:
    """Check an export file."""
    export = Export(path)
    with open(path, "rb") as lines, suppress(ValueError, KeyError, TypeError):
        export.line(json.loads(lines.readline()))  # unreadable, it is counted with the other lines below
    heads: list[tuple[str, Mark]] = []

    def rows() -> Iterator[tuple[str, Mark]]:
        heads.extend(export.rows)
        yield from heads

    report = verify(export.entries, witnesses, keys, own_checkpoint=export.own_checkpoint, rows=rows())
    for number in export.unreadable:
        report.fault("malformed", "", number, source=f"{path}:{number}")
    told = (export.trailer or {}).get("entries")
    if told != report.counts.get("entries", 0):
        found = report.counts.get("entries", 0)
        report.fault("truncated", "", found, last=found, known=told or "?", source=str(path))
    return report


MOMENT_SQL = """to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


def verify_database(dsn: str, witnesses: list[Witness], keys: list[Ed25519PublicKey]) -> Report:
    """Check the tables of a database, all in one snapshot. Needs psycopg; row-level scope is opened whole."""
    import psycopg

    with psycopg.connect(dsn) as connection:
        connection.execute("set transaction isolation level repeatable read read only")
        connection.execute("select set_config('khue.all', 'on', true)")
        return verify_connection(connection, witnesses, keys)


def verify_connection(connection: Any, witnesses: list[Witness], keys: list[Ed25519PublicKey]) -> Report:
    """Check the tables that a psycopg connection sees, inside its present transaction."""

    def entries() -> Iterator[Entry]:
        query = (
            f"copy (select chain, sequence::int8, previous, act, body, {MOMENT_SQL}, hash"
            ' from ledger_entry order by chain collate "C", sequence) to stdout (format binary)'
        )
        with connection.cursor() as cursor, cursor.copy(query) as copy:
            copy.set_types(["varchar", "int8", "bytea", "varchar", "bytea", "text", "bytea"])
            for row in copy.rows():
                yield Entry(*row)

    row = connection.execute(
        "select sequence, hash from ledger_checkpoint order by sequence desc limit 1"
    ).fetchone()
    own = Mark(row[0], bytes(row[1])) if row else Mark(0, ZERO)
    return verify(entries, witnesses, keys, own_checkpoint=own, rows=row_heads(connection))


def row_heads(connection: Any) -> Iterator[tuple[str, Mark]]:
    """Yield chain and head of every row that carries a chain.

    These are the tables with the columns ledger_seq and ledger_head; the chain's key stands in the
    column chain_key, or is the table's name, a colon and the row's uid.
    """
    found = connection.execute(
        "select c.oid::regclass::text, c.relname, 'chain_key' = any(array_agg(a.attname::text))"
        " from pg_class c join pg_attribute a on a.attrelid = c.oid and not a.attisdropped"
        " where c.relkind in ('r', 'p') and not c.relispartition"
        " and a.attname in ('chain_key', 'uid', 'ledger_seq', 'ledger_head')"
        " group by c.oid having count(*) filter (where a.attname like 'ledger%') = 2"
        " and count(*) >= 3 order by 2"
    ).fetchall()
    for table, name, keyed in found:
        key = "chain_key" if keyed else f"'{name}:' || uid"
        query = f"select {key}, ledger_seq, ledger_head from {table} where ledger_seq > 0"
        for chain, sequence, digest in connection.execute(query):
            yield chain, Mark(sequence, bytes(digest))


# --- the program -------------------------------------------------------------------------------------


def print_report(report: Report, *, language: str, most: int, as_json: bool) -> None:
    """Print faults and counts."""
    if as_json:
        listed = [
            {"fault": f.name, "chain": f.chain, "sequence": f.sequence, "sentence": f.sentence(language)}
            for f in report.faults
        ]
        whole = {"faults": listed, "counts": report.counts, "recoveries": report.recoveries}
        print(json.dumps(whole, ensure_ascii=False, indent=1))
        return
    for fault in report.faults[:most]:
        place = f"{fault.chain or '-'} {fault.sequence}"
        print(f"{fault.name}\t{place}\t{fault.sentence(language)}")
    if len(report.faults) > most:
        print(f"… +{len(report.faults) - most}")
    for sequence, back, given_up in report.recoveries:
        print(f"recovery\t- {sequence}\t" + RECOVERY[language == "en"].format(sequence, back, given_up))
    for name, number in report.counts.items():
        print(f"{name}: {number}")
    print(f"faults: {len(report.faults)}")


def main(arguments: list[str] | None = None) -> int:
    """Run the program and return its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--entries", type=Path, help="export file, JSON lines")
    source.add_argument("--dsn", help="PostgreSQL connection string; needs psycopg")
    parser.add_argument("--witness", type=Path, action="append", default=[], help="witness folder")
    parser.add_argument("--key", type=Path, action="append", default=[], help="Ed25519 public key, PEM")
    parser.add_argument("--until", type=int, help="an older export: leave out checkpoints after this one")
    parser.add_argument("--lang", choices=("vi", "en"), default="vi")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--most", type=int, default=1000, help="print at most so many faults")
    options = parser.parse_args(arguments)
    if options.witness and not options.key:
        parser.error("--witness needs --key: without the key a witness proves nothing")
    try:
        keys = [read_key(path) for path in options.key]
        witnesses = [Witness(str(folder), folder, options.until) for folder in options.witness]
        if options.dsn:
            report = verify_database(options.dsn, witnesses, keys)
        else:
            report = verify_export(options.entries, witnesses, keys)
    except (OSError, ValueError, TypeError, ImportError) as error:
        print(f"verifier: {error}", file=sys.stderr)
        return 2
    print_report(report, language=options.lang, most=options.most, as_json=options.json)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
