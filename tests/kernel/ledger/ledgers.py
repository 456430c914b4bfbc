"""A small ledger for the tests, the attacks on it, and what the verifier has to say to each.

A ledger is what an auditor is handed: the lines of an export and the files of the witnesses. Each
attack of `BAD` takes the sound ledger and spoils it the way somebody with that power could.
"""

from __future__ import annotations

import copy
import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from khue.kernel.ledger import canonical, checkpoints, merkle
from khue.kernel.ledger.chain import ZERO, Head, entry_hash

KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"published key of the vectors").digest())
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"key nobody was told of").digest())
START = datetime(2026, 1, 15, 0, 0, tzinfo=UTC)

REGISTER = "gradebook_register:0199c0de-0001-7000-8000-000000000001"
SECOND = "gradebook_register:0199c0de-0002-7000-8000-000000000002"
RIGHTS = "ledger_chain:rights"
EXPORTS = "ledger_chain:exports"

Files = dict[str, bytes]
Expected = list[tuple[str, str, int]]


@dataclass
class Ledger:
    """Lines of an export and the witnesses' files."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    witnesses: list[Files] = field(default_factory=list)
    raw: dict[int, str] = field(default_factory=dict)
    """line number -> text that stands there instead of the line"""
    export_size: int | None = None

    def entries(self, chain: str | None = None) -> list[dict[str, Any]]:
        """Return the entry lines, of one chain or of all."""
        return [x for x in self.lines if x["kind"] == "entry" and chain in (None, x["chain"])]

    def find(self, chain: str, sequence: int) -> dict[str, Any]:
        """Return one entry's line."""
        return next(x for x in self.entries(chain) if x["sequence"] == sequence)

    def remove(self, *lines: dict[str, Any]) -> None:
        """Take entry lines out and let the trailer count what is left."""
        self.lines = [x for x in self.lines if not any(x is line for line in lines)]
        self.settle()

    def insert(self, line: dict[str, Any]) -> None:
        """Add an entry line where its chain and sequence belong."""
        places = [i for i, x in enumerate(self.lines) if x["kind"] == "entry" and _key(x) <= _key(line)]
        self.lines.insert(places[-1] + 1, line)
        self.settle()

    def settle(self) -> None:
        """Let the trailer count the entries that are there."""
        self.lines[-1]["entries"] = len(self.entries())

    def text(self) -> list[str]:
        """Return the lines as the export writes them."""
        written = [json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in self.lines]
        return [self.raw.get(number, line) for number, line in enumerate(written)][: self.export_size]


def _key(line: dict[str, Any]) -> tuple[bytes, int]:
    return line["chain"].encode(), line["sequence"]


def _entry(chain: str, sequence: int, previous: str, act: str, data: Any, minute: float) -> dict[str, Any]:
    at = canonical.moment(START + timedelta(minutes=minute))
    body = canonical.encode({"actor": {"person": "P-07", "role": "subject-teacher"}, "data": data})
    return sealed(
        {"kind": "entry", "chain": chain, "sequence": sequence, "previous": previous, "act": act,
         "body": body.decode(), "at": at}
    )  # fmt: skip


def sealed(line: dict[str, Any]) -> dict[str, Any]:
    """Return the line with the hash that its other fields ask for."""
    line["hash"] = entry_hash(
        chain=line["chain"],
        sequence=line["sequence"],
        previous=bytes.fromhex(line["previous"]),
        act=line["act"],
        body=line["body"].encode(),
        at=line["at"],
    ).hex()
    return line


PLAN: list[tuple[str, str, Any, int]] = [
    # chain, act, data, number of the checkpoint that first sees it; 9 for none yet
    (REGISTER, "gradebook.mark.set", {"learner": "L-01", "slot": "regular-1", "value": 75}, 1),
    (REGISTER, "gradebook.mark.set", {"learner": "L-02", "slot": "regular-1", "value": 80}, 1),
    (SECOND, "gradebook.mark.set", {"learner": "L-31", "slot": "midterm", "value": 60}, 1),
    (RIGHTS, "permissions.granted", {"right": "gradebook.close", "to": "Đỗ Thị Thu Hà"}, 1),
    (REGISTER, "gradebook.mark.set", {"learner": "L-01", "slot": "regular-1", "value": 85}, 2),
    (SECOND, "gradebook.mark.set", {"learner": "L-32", "slot": "midterm", "value": 95}, 2),
    (EXPORTS, "exchange.export.made", {"rows": 45, "purpose": "báo cáo học kỳ"}, 2),
    (REGISTER, "gradebook.comment.set", {"learner": "L-02", "text": "Em có tiến bộ, cần cố gắng hơn."}, 3),
    (REGISTER, "gradebook.register.closed", {"average_of": 2}, 4),
    (SECOND, "gradebook.mark.set", {"learner": "L-31", "slot": "final", "value": 70}, 4),
    (RIGHTS, "permissions.ended", {"right": "gradebook.close", "to": "Đỗ Thị Thu Hà"}, 4),
    (SECOND, "gradebook.mark.set", {"learner": "L-32", "slot": "final", "value": None}, 9),
]


def sound(*, checkpoints_made: int = 4, plan: list[tuple[str, str, Any, int]] | None = None) -> Ledger:
    """Return the ledger as it should be after so many checkpoints and the entries that follow."""
    ledger, state = Ledger(witnesses=[{}]), checkpoints.State()
    heads: dict[str, Head] = {}
    lines: list[dict[str, Any]] = []
    rows = plan or PLAN
    for number in range(1, checkpoints_made + 1):
        for position, (chain, act, data, seen) in enumerate(rows):
            if seen == number:
                lines.append(_next(chain, act, data, position, heads))
        at = START + timedelta(minutes=10 * number)
        publish(ledger.witnesses[0], checkpoints.make(state, heads.values(), signing_key=KEY, at=at))
    if checkpoints_made == max(number for _, _, _, number in rows if number != 9):
        for position, (chain, act, data, seen) in enumerate(rows):
            if seen == 9:
                lines.append(_next(chain, act, data, position, heads))
    known = {"sequence": state.sequence, "hash": state.hash.hex()} if checkpoints_made else None
    header = {"kind": "header", "format": "khue-ledger-export-1", "checkpoint": known}
    tail = [
        {"kind": "head", "chain": head.chain, "sequence": head.sequence, "hash": head.hash.hex()}
        for head in sorted(heads.values(), key=lambda head: head.chain)
    ]
    ledger.lines = [header, *sorted(lines, key=_key), *tail, {"kind": "trailer", "entries": len(lines)}]
    return ledger


def _next(chain: str, act: str, data: Any, position: int, heads: dict[str, Head]) -> dict[str, Any]:
    head = heads.get(chain, Head(chain, 0, ZERO))
    line = _entry(chain, head.sequence + 1, head.hash.hex(), act, data, position)
    heads[chain] = Head(chain, line["sequence"], bytes.fromhex(line["hash"]))
    return line


def publish(files: Files, made: checkpoints.SignedCheckpoint) -> None:
    """Put a checkpoint among a witness's files."""
    files[f"{made.sequence:010d}.json"] = made.file()
    files[f"{made.sequence:010d}.heads"] = made.heads


def document(files: Files, sequence: int) -> dict[str, Any]:
    """Return a checkpoint's document."""
    return dict(json.loads(files[f"{sequence:010d}.json"])["checkpoint"])


def sign(files: Files, sequence: int, changed: dict[str, Any], key: Ed25519PrivateKey = KEY) -> None:
    """Replace a checkpoint by one whose holder of the key signs whatever is put before him."""
    heads = files[f"{sequence:010d}.heads"]
    signed = checkpoints.SignedCheckpoint(changed, key.sign(checkpoints.signed_bytes(changed)), heads)
    files[f"{sequence:010d}.json"] = signed.file()


def sign_again(files: Files, sequence: int, **changes: Any) -> None:
    """Sign a checkpoint anew with some fields changed, and all later ones so that they follow it."""
    changed = document(files, sequence) | changes
    sign(files, sequence, changed)
    follow(files, sequence, changed)


def follow(files: Files, sequence: int, changed: dict[str, Any]) -> None:
    """Sign the checkpoints after `sequence` anew so that they name it."""
    while f"{sequence + 1:010d}.json" in files:
        sequence += 1
        changed = document(files, sequence) | {"previous": checkpoints.document_hash(changed).hex()}
        sign(files, sequence, changed)


def all_heads(files: Files, until: int) -> list[Head]:
    """Return the heads in the order of the tree as checkpoint `until` saw them."""
    known: dict[int, Head] = {}
    for sequence in range(1, until + 1):
        known.update(checkpoints.read_heads(files[f"{sequence:010d}.heads"]))
    return [known[ordinal] for ordinal in sorted(known)]


# --- attacks -----------------------------------------------------------------------------------------

Attack = Callable[[Ledger], Expected]
BAD: dict[str, tuple[str, Attack]] = {}


def attack(sentence: str) -> Callable[[Attack], Attack]:
    """Put an attack into `BAD` under its name."""

    def register(function: Attack) -> Attack:
        BAD[function.__name__.replace("_", "-")] = (sentence, function)
        return function

    return register


def drop_row_heads(ledger: Ledger) -> None:
    """Leave out what the rows say of their heads: the witness alone must find it."""
    ledger.lines = [line for line in ledger.lines if line["kind"] != "head"]


def rows_follow(ledger: Ledger) -> None:
    """Let the attacker also set the heads in the rows, as a superuser can."""
    for line in ledger.lines:
        if line["kind"] == "head":
            entries = ledger.entries(line["chain"])
            last = max(entries, key=lambda entry: entry["sequence"]) if entries else None
            line["sequence"] = last["sequence"] if last else 0
            line["hash"] = last["hash"] if last else ZERO.hex()


@attack("The last two entries of a register are deleted and the register's row is set back.")
def truncated_chain(ledger: Ledger) -> Expected:
    ledger.remove(*ledger.entries(REGISTER)[-2:])
    rows_follow(ledger)
    return [("truncated", REGISTER, 3)]


@attack("An entry no witness has seen yet is deleted; the register's row still names it.")
def truncated_unseen(ledger: Ledger) -> Expected:
    ledger.remove(ledger.entries(SECOND)[-1])
    return [("row-differs", SECOND, 4)]


@attack("All entries of a chain are deleted.")
def truncated_whole_chain(ledger: Ledger) -> Expected:
    ledger.remove(*ledger.entries(EXPORTS))
    rows_follow(ledger)
    return [("missing-chain", EXPORTS, 1)]


@attack("The export file ends in the middle.")
def truncated_file(ledger: Ledger) -> Expected:
    ledger.export_size = 9
    return [
        ("truncated", "", 8),
        ("missing-chain", EXPORTS, 1),
        ("missing-chain", RIGHTS, 2),
    ]


@attack("Two entries of a register exchange their numbers.")
def reordered_numbers(ledger: Ledger) -> Expected:
    two, three = ledger.find(REGISTER, 2), ledger.find(REGISTER, 3)
    two["sequence"], three["sequence"] = 3, 2
    first, second = ledger.lines.index(two), ledger.lines.index(three)
    ledger.lines[first], ledger.lines[second] = three, two
    return [("reordered", REGISTER, 2), ("reordered", REGISTER, 3), ("rewritten", REGISTER, 2)]


@attack("Two lines of the export exchange their places.")
def reordered_lines(ledger: Ledger) -> Expected:
    first = ledger.lines.index(ledger.find(REGISTER, 2))
    ledger.lines[first], ledger.lines[first + 1] = ledger.lines[first + 1], ledger.lines[first]
    return [("reordered", REGISTER, 2)]


@attack("Chains of the export do not come in the order of their keys.")
def reordered_chains(ledger: Ledger) -> Expected:
    moved = ledger.entries(REGISTER)
    rest = [line for line in ledger.lines if not any(line is m for m in moved)]
    at = rest.index(ledger.entries(SECOND)[0])
    ledger.lines = [*rest[: at + 4], *moved, *rest[at + 4 :]]
    return [("reordered", REGISTER, 1)]


@attack("An entry in the middle of a register is deleted.")
def gap_in_the_middle(ledger: Ledger) -> Expected:
    ledger.remove(ledger.find(REGISTER, 4))
    return [("gap", REGISTER, 4)]


@attack("The first entries of a register are deleted.")
def gap_at_the_beginning(ledger: Ledger) -> Expected:
    ledger.remove(ledger.find(SECOND, 1))
    return [("gap", SECOND, 1)]


@attack("An entry stands twice in the export.")
def replayed_line(ledger: Ledger) -> Expected:
    ledger.insert(copy.deepcopy(ledger.find(REGISTER, 3)))
    return [("replayed", REGISTER, 3)]


@attack("An old entry is written again at the end of its register, under a new number.")
def replayed_under_a_new_number(ledger: Ledger) -> Expected:
    ledger.insert(ledger.find(REGISTER, 2) | {"sequence": 6})
    rows_follow(ledger)
    return [("replayed", REGISTER, 6)]


@attack("An entry of one register is copied to the end of another.")
def replayed_in_another_register(ledger: Ledger) -> Expected:
    ledger.insert(ledger.find(REGISTER, 1) | {"chain": SECOND, "sequence": 5})
    rows_follow(ledger)
    return [("replayed", SECOND, 5)]


@attack("A mark is raised in the stored body of an entry.")
def changed_body(ledger: Ledger) -> Expected:
    entry = ledger.find(SECOND, 1)
    entry["body"] = entry["body"].replace('"value":60', '"value":90')
    return [("changed", SECOND, 1)]


@attack("The act of an entry is changed.")
def changed_act(ledger: Ledger) -> Expected:
    ledger.find(RIGHTS, 1)["act"] = "permissions.refused"
    return [("changed", RIGHTS, 1)]


@attack("An entry is dated back by a day.")
def changed_moment(ledger: Ledger) -> Expected:
    entry = ledger.find(REGISTER, 5)
    entry["at"] = entry["at"].replace("2026-01-15", "2026-01-14")
    return [("changed", REGISTER, 5)]


@attack("A body is changed to bytes that are no text at all.")
def changed_to_bytes(ledger: Ledger) -> Expected:
    entry = ledger.find(REGISTER, 1)
    del entry["body"]
    entry["body_base64"] = "//79"
    return [("changed", REGISTER, 1)]


@attack("A mark is raised and the entry's own hash computed anew, its followers left alone.")
def changed_body_and_hash(ledger: Ledger) -> Expected:
    entry = ledger.find(REGISTER, 3)
    entry["body"] = entry["body"].replace('"value":85', '"value":100')
    sealed(entry)
    return [("broken-link", REGISTER, 4), ("rewritten", REGISTER, 3)]


@attack("A register is written anew from a raised mark on: all hashes and links fit.")
def rewritten_history(ledger: Ledger) -> Expected:
    previous = ZERO.hex()
    for entry in ledger.entries(REGISTER):
        entry["body"] = entry["body"].replace('"value":80', '"value":100')
        entry["previous"] = previous
        previous = sealed(entry)["hash"]
    rows_follow(ledger)
    return [("rewritten", REGISTER, 2)]


@attack("A body is stored with spaces, as another JSON writer would.")
def other_encoding_of_a_body(ledger: Ledger) -> Expected:
    entry = ledger.find(REGISTER, 2)
    entry["body"] = json.dumps(json.loads(entry["body"]), ensure_ascii=False)
    return [("other-encoding", REGISTER, 2)]


@attack("A name is stored in decomposed form (NFD).")
def other_encoding_of_a_name(ledger: Ledger) -> Expected:
    entry = ledger.find(RIGHTS, 1)
    entry["body"] = unicodedata.normalize("NFD", entry["body"])
    return [("other-encoding", RIGHTS, 1)]


@attack("An entry was hashed over a body with a fraction, which the encoder refuses.")
def other_encoding_hashed(ledger: Ledger) -> Expected:
    entry = ledger.find(SECOND, 4)
    entry["body"] = entry["body"].replace("null", "8.5")
    sealed(entry)
    rows_follow(ledger)
    return [("other-encoding", SECOND, 4)]


@attack("An old backup is put back: the database ends at checkpoint 2, the witness holds 4.")
def old_backup(ledger: Ledger) -> Expected:
    ledger.lines = sound(checkpoints_made=2).lines
    return [
        ("truncated", REGISTER, 3),
        ("truncated", RIGHTS, 1),
        ("truncated", SECOND, 2),
        ("old-backup", "", 2),
    ]


@attack("An old backup is put back and the checkpoints the database knew are hidden.")
def old_backup_without_checkpoints(ledger: Ledger) -> Expected:
    expected = old_backup(ledger)
    ledger.lines[0]["checkpoint"] = None
    return expected


@attack("An old backup is put back, work goes on, and new checkpoints are signed over it.")
def old_backup_continued(ledger: Ledger) -> Expected:
    plan = [(c, a, {"other": d} if seen > 2 else d, seen) for c, a, d, seen in PLAN]
    other = sound(plan=plan)
    ledger.lines = other.lines
    return [
        ("rewritten", REGISTER, 4),
        ("rewritten", RIGHTS, 2),
        ("rewritten", SECOND, 3),
        ("split-view", "", 4),
    ]


@attack("Two witnesses are shown different checkpoints from the third on, all signed.")
def split_view_between_witnesses(ledger: Ledger) -> Expected:
    plan = [(c, a, {"other": d} if seen > 2 else d, seen) for c, a, d, seen in PLAN]
    ledger.witnesses.append(sound(plan=plan).witnesses[0])
    return [("split-view", "", 3)]


@attack("A checkpoint is replaced by another that is signed as well; the next names the first one.")
def split_view_in_time(ledger: Ledger) -> Expected:
    files = ledger.witnesses[0]
    changed = document(files, 2) | {"at": canonical.moment(START)}
    sign(files, 2, changed)
    return [("split-view", "", 2)]


@attack("The key's holder signs a head that never was in the register.")
def split_view_of_a_head(ledger: Ledger) -> Expected:
    files = ledger.witnesses[0]
    lines = list(checkpoints.read_heads(files["0000000003.heads"]))
    forged = [(ordinal, Head(head.chain, head.sequence, bytes(31) + b"\x07")) for ordinal, head in lines]
    files["0000000003.heads"] = checkpoints.heads_file(forged)
    tree = merkle.Tree(merkle.leaf_hash(head.leaf()) for head in all_heads(files, 3))
    digest = hashlib.sha256(files["0000000003.heads"]).hexdigest()
    sign_again(files, 3, heads=digest, root=tree.root().hex())
    ledger.lines[0]["checkpoint"] = None
    return [("rewritten", REGISTER, 4)]


@attack("A checkpoint claims a chain more than there are, and its root is bound to that size.")
def wrong_size(ledger: Ledger) -> Expected:
    files = ledger.witnesses[0]
    tree = merkle.Tree(merkle.leaf_hash(head.leaf()) for head in all_heads(files, 4))
    unbound = bytes(tree._levels[-1]) if tree.root() else b""
    sign_again(files, 4, size=5, root=merkle.bound_root(5, unbound).hex())
    ledger.lines[0]["checkpoint"] = None
    return [("wrong-size", "", 4)]


@attack("A checkpoint's root is the tree's, without the size bound into it.")
def wrong_size_unbound(ledger: Ledger) -> Expected:
    files = ledger.witnesses[0]
    tree = merkle.Tree(merkle.leaf_hash(head.leaf()) for head in all_heads(files, 4))
    tree.root()
    sign_again(files, 4, root=bytes(tree._levels[-1]).hex())
    ledger.lines[0]["checkpoint"] = None
    return [("wrong-size", "", 4)]


def _plain_root(level: list[bytes]) -> bytes:
    while len(level) > 1:
        pairs = [hashlib.sha256(level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


@attack("A root is made without the prefixes that tell leaves from nodes.")
def leaf_node_confusion(ledger: Ledger) -> Expected:
    files = ledger.witnesses[0]
    heads = all_heads(files, 4)
    root = _plain_root([hashlib.sha256(head.leaf()).digest() for head in heads])
    sign_again(files, 4, root=merkle.bound_root(len(heads), root).hex())
    ledger.lines[0]["checkpoint"] = None
    return [("leaf-node-confusion", "", 4)]


@attack("A root is made over the nodes of the tree as if they were its leaves.")
def leaf_node_confusion_of_nodes(ledger: Ledger) -> Expected:
    files = ledger.witnesses[0]
    heads = all_heads(files, 4)
    leaves = [merkle.leaf_hash(head.leaf()) for head in heads]
    nodes = [merkle.node_hash(leaves[0], leaves[1]), merkle.node_hash(leaves[2], leaves[3])]
    root = merkle.node_hash(*(merkle.leaf_hash(node) for node in nodes))
    sign_again(files, 4, root=merkle.bound_root(len(heads), root).hex())
    ledger.lines[0]["checkpoint"] = None
    return [("leaf-node-confusion", "", 4)]


@attack("A root that has nothing to do with the heads is signed.")
def wrong_root(ledger: Ledger) -> Expected:
    sign_again(ledger.witnesses[0], 3, root=hashlib.sha256(b"anything").hexdigest())
    ledger.lines[0]["checkpoint"] = None
    return [("wrong-root", "", 3)]


@attack("One bit of a signature is turned.")
def bad_signature(ledger: Ledger) -> Expected:
    files = ledger.witnesses[0]
    outer = json.loads(files["0000000003.json"])
    flipped = bytearray.fromhex(outer["signature"])
    flipped[10] ^= 1
    files["0000000003.json"] = canonical.encode(outer | {"signature": flipped.hex()})
    return [("bad-signature", "", 3)]


@attack("A field of a checkpoint is changed under its signature.")
def bad_signature_of_a_field(ledger: Ledger) -> Expected:
    files = ledger.witnesses[0]
    outer = json.loads(files["0000000004.json"])
    outer["checkpoint"]["at"] = canonical.moment(START)
    files["0000000004.json"] = canonical.encode(outer)
    return [("bad-signature", "", 4), ("split-view", "", 4)]


@attack("A checkpoint is signed with a key the auditor was not given.")
def unknown_key(ledger: Ledger) -> Expected:
    files = ledger.witnesses[0]
    changed = document(files, 4) | {"key": checkpoints.key_id(OTHER_KEY.public_key())}
    sign(files, 4, changed, OTHER_KEY)
    ledger.lines[0]["checkpoint"] = None
    return [("unknown-key", "", 4)]


@attack("A checkpoint in the middle is missing.")
def missing_checkpoint(ledger: Ledger) -> Expected:
    for kind in ("json", "heads"):
        del ledger.witnesses[0][f"0000000002.{kind}"]
    return [("missing-checkpoint", "", 2)]


@attack("The latest checkpoints are missing at the witness; the database knows them.")
def missing_checkpoints_at_the_end(ledger: Ledger) -> Expected:
    for sequence in (2, 3, 4):
        for kind in ("json", "heads"):
            del ledger.witnesses[0][f"{sequence:010d}.{kind}"]
    return [("missing-checkpoint", "", 2)]


@attack("The witness's folder is empty.")
def missing_checkpoints_all(ledger: Ledger) -> Expected:
    ledger.witnesses[0].clear()
    return [("missing-checkpoint", "", 1), ("missing-checkpoint", "", 1)]


@attack("A line of a file of heads is changed under the signed digest.")
def heads_changed(ledger: Ledger) -> Expected:
    files = ledger.witnesses[0]
    files["0000000002.heads"] = files["0000000002.heads"].replace(b",3,", b",2,")
    return [("heads-changed", "", 2)]


@attack("A file of heads is missing.")
def heads_missing(ledger: Ledger) -> Expected:
    del ledger.witnesses[0]["0000000004.heads"]
    return [("heads-changed", "", 4)]


@attack("A signed checkpoint takes a register back to an earlier entry.")
def rolled_back(ledger: Ledger) -> Expected:
    files = ledger.witnesses[0]
    earlier = ledger.find(REGISTER, 1)
    place = next(o for o, head in checkpoints.read_heads(files["0000000001.heads"]) if head.chain == REGISTER)
    files["0000000003.heads"] = checkpoints.heads_file(
        [(place, Head(REGISTER, 1, bytes.fromhex(earlier["hash"])))]
    )
    tree = merkle.Tree(merkle.leaf_hash(head.leaf()) for head in all_heads(files, 3))
    digest = hashlib.sha256(files["0000000003.heads"]).hexdigest()
    sign_again(files, 3, heads=digest, root=tree.root().hex())
    ledger.lines[0]["checkpoint"] = None
    return [("rolled-back", REGISTER, 1)]


@attack("A signed checkpoint puts a chain in another one's place of the tree.")
def misplaced_head(ledger: Ledger) -> Expected:
    files = ledger.witnesses[0]
    lines = list(checkpoints.read_heads(files["0000000003.heads"]))
    files["0000000003.heads"] = checkpoints.heads_file([(2, head) for _, head in lines])
    digest = hashlib.sha256(files["0000000003.heads"]).hexdigest()
    sign_again(files, 3, heads=digest)
    ledger.lines[0]["checkpoint"] = None
    return [("misplaced-head", REGISTER, 3)]


@attack("An old checkpoint is shown again under a later number.")
def replayed_checkpoint(ledger: Ledger) -> Expected:
    files = ledger.witnesses[0]
    for kind in ("json", "heads"):
        files[f"0000000004.{kind}"] = files[f"0000000003.{kind}"]
    return [("replayed", "", 4)]


@attack("A checkpoint's file cannot be read.")
def malformed_checkpoint(ledger: Ledger) -> Expected:
    ledger.witnesses[0]["0000000002.json"] = b'{"checkpoint": '
    return [("malformed", "", 2)]


@attack("A checkpoint's file is written in another encoding of the same document.")
def other_encoding_of_a_checkpoint(ledger: Ledger) -> Expected:
    files = ledger.witnesses[0]
    files["0000000002.json"] = json.dumps(json.loads(files["0000000002.json"]), indent=1).encode()
    return [("other-encoding", "", 2)]


@attack("A line of the export cannot be read.")
def malformed_line(ledger: Ledger) -> Expected:
    number = ledger.lines.index(ledger.find(EXPORTS, 1))
    ledger.raw[number] = ledger.text()[number][:-5]
    return [
        ("missing-chain", EXPORTS, 1),
        ("row-differs", EXPORTS, 1),
        ("malformed", "", number + 1),
        ("truncated", "", 11),
    ]


@attack("The head in a register's row is set to another value.")
def row_differs(ledger: Ledger) -> Expected:
    row = next(x for x in ledger.lines if x["kind"] == "head" and x["chain"] == RIGHTS)
    row["hash"] = bytes(31).hex() + "05"
    return [("row-differs", RIGHTS, 2)]


# --- sound ledgers -----------------------------------------------------------------------------------


def _one_behind() -> Ledger:
    ledger = sound()
    ledger.witnesses.append({k: v for k, v in ledger.witnesses[0].items() if not k.startswith("0000000004")})
    return ledger


def _without_rows() -> Ledger:
    ledger = sound()
    drop_row_heads(ledger)
    return ledger


def _quiet() -> Ledger:
    plan = [(chain, act, data, 4 if seen == 3 else seen) for chain, act, data, seen in PLAN]
    return sound(plan=plan)


RECOVERIES = "recoveries"


def _recovered(*, forged: bool = False) -> Ledger:
    """The database went back to checkpoint 2, which was declared with checkpoint 5, and work went on."""
    ledger = sound(checkpoints_made=2)
    files = sound().witnesses[0]
    if forged:
        previous = ZERO.hex()
        for entry in ledger.entries(REGISTER):
            entry["body"] = entry["body"].replace('"value":80', '"value":100')
            entry["previous"] = previous
            previous = sealed(entry)["hash"]
    state = checkpoints.State()
    for sequence in (1, 2):
        digest = checkpoints.document_hash(document(files, sequence))
        state.adopt(sequence, digest, files[f"{sequence:010d}.heads"])
    heads: dict[str, Head] = {}
    for entry in ledger.entries():
        heads[entry["chain"]] = Head(entry["chain"], entry["sequence"], bytes.fromhex(entry["hash"]))
    work = [
        (RECOVERIES, "ledger.recovered", {"to": 2, "until": 4, "reason": "cháy máy chủ"}),
        (REGISTER, "gradebook.mark.set", {"learner": "L-01", "slot": "regular-1", "value": 90}),
        (SECOND, "gradebook.mark.set", {"learner": "L-31", "slot": "final", "value": 75}),
    ]
    for position, (chain, act, data) in enumerate(work):
        ledger.insert(_next(chain, act, data, 50 + position, heads))
    state.sequence, state.hash = 4, checkpoints.document_hash(document(files, 4))
    at = START + timedelta(minutes=60)
    made = checkpoints.make(state, heads.values(), signing_key=KEY, at=at, recovers=2)
    publish(files, made)
    ledger.witnesses = [files]
    ledger.lines[0]["checkpoint"] = {"sequence": 5, "hash": made.hash.hex()}
    drop_row_heads(ledger)
    return ledger


@attack("A declared recovery is used to hide that a mark of before was changed.")
def recovery_with_a_changed_past(ledger: Ledger) -> Expected:
    forged = _recovered(forged=True)
    ledger.lines, ledger.witnesses = forged.lines, forged.witnesses
    return [("rewritten", REGISTER, 2)]


@attack("A recovery names a checkpoint that is yet to come.")
def recovery_to_the_future(ledger: Ledger) -> Expected:
    sign_again(ledger.witnesses[0], 4, recovers=7)
    ledger.lines[0]["checkpoint"] = None
    return [("malformed", "", 4)]


GOOD: dict[str, tuple[str, Callable[[], Ledger]]] = {
    "whole": ("Four chains, four checkpoints, one entry no checkpoint has seen yet.", sound),
    "without-rows": ("The same without the heads of the rows.", _without_rows),
    "two-witnesses": ("A second witness has not received the last checkpoint yet.", _one_behind),
    "recovered": ("After a restore the loss of two checkpoints is declared; work goes on.", _recovered),
    "quiet-minute": ("A checkpoint over heads that did not change.", _quiet),
    "empty": ("Nothing was written; one checkpoint over no heads.", lambda: sound(checkpoints_made=1, plan=[
        (REGISTER, "never", None, 2)])),
}  # fmt: skip


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the path and content of each ledger vector."""
    for name, (sentence, build) in GOOD.items():
        yield f"ledgers/good/{name}.json", written(name, sentence, build(), [])
    for name, (sentence, spoil) in BAD.items():
        ledger = sound()
        expected = spoil(ledger)
        yield f"ledgers/bad/{name}.json", written(name, sentence, ledger, expected)


def written(name: str, sentence: str, ledger: Ledger, expected: Expected) -> dict[str, Any]:
    """Return a ledger as its vector file holds it."""
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {
        "name": name,
        "says": sentence,
        "key": pem.decode(),
        "export": ledger.text(),
        "witnesses": [{n: content.decode() for n, content in sorted(w.items())} for w in ledger.witnesses],
        "expected": [{"fault": f, "chain": chain, "sequence": number} for f, chain, number in expected],
    }
