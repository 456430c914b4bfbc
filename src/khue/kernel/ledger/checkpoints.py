"""Checkpoints: signed statements about all heads, and the folder outside the machine that keeps them.

A checkpoint is a canonical document that names its predecessor and the heads that changed since. Its
hash and its signature (Ed25519) cover the same tagged bytes. A witness folder holds for each sequence

    0000000001.json         {"checkpoint": {...}, "signature": "<128 hex digits>"}, canonical
    0000000001.heads        one canonical line a changed head: [ordinal, chain, sequence, hash]

The ordinal is the head's place in the tree; a chain gets it when it is first witnessed and keeps it
for ever, so a checkpoint costs what has changed, not what there is. New chains of one checkpoint
follow each other in the order of their keys.

After a restore that lost the latest checkpoints, one with "recovers" goes on: it names the last checkpoint
as its predecessor, and its heads build on the state of the checkpoint it recovers. Verifiers say so aloud.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from . import canonical, merkle
from .chain import ZERO, Head, delimited

FORMAT = "khue-checkpoint-1"
TAG = FORMAT.encode()


class WitnessRefused(Exception):
    """The witness already holds something else under this sequence: the histories have parted."""


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """One checkpoint as it leaves the machine."""

    document: Mapping[str, Any]
    signature: bytes
    heads: bytes

    @property
    def sequence(self) -> int:
        """Return its number; the first is 1."""
        return int(self.document["sequence"])

    @property
    def hash(self) -> bytes:
        """Return the hash that the next checkpoint names."""
        return document_hash(self.document)

    def file(self) -> bytes:
        """Return the content of its file in a witness."""
        return canonical.encode({"checkpoint": self.document, "signature": self.signature.hex()})


@dataclass(slots=True)
class State:
    """What the next checkpoint builds on: the tree, the place of each chain, the last hash."""

    sequence: int = 0
    hash: bytes = ZERO
    tree: merkle.Tree = field(default_factory=merkle.Tree)
    heads: dict[str, tuple[int, int, bytes]] = field(default_factory=dict)
    """chain -> (ordinal, sequence, hash of its witnessed head)"""

    def take(self, heads: Iterable[Head]) -> list[tuple[int, Head]]:
        """Move the known heads forward and return those that changed with their ordinals, in order.

        A head that is not ahead of the known one changes nothing: heads only grow.
        """
        changed: list[tuple[int, Head]] = []
        for head in sorted(heads, key=lambda head: head.chain.encode()):
            known = self.heads.get(head.chain)
            if known is not None and head.sequence <= known[1]:
                continue
            ordinal = len(self.heads) if known is None else known[0]
            self.heads[head.chain] = (ordinal, head.sequence, head.hash)
            self.tree.put(ordinal, merkle.leaf_hash(head.leaf()))
            changed.append((ordinal, head))
        return sorted(changed, key=lambda item: item[0])

    def adopt(self, sequence: int, document_digest: bytes, heads: bytes) -> None:
        """Take over a checkpoint that was made before, when the state is rebuilt after a start."""
        for ordinal, head in read_heads(heads):
            self.heads[head.chain] = (ordinal, head.sequence, head.hash)
            self.tree.put(ordinal, merkle.leaf_hash(head.leaf()))
        self.sequence, self.hash = sequence, document_digest


def document_hash(document: Mapping[str, Any]) -> bytes:
    """Return the hash of a checkpoint's document."""
    return hashlib.sha256(signed_bytes(document)).digest()


def signed_bytes(document: Mapping[str, Any]) -> bytes:
    """Return the bytes that a checkpoint's hash and signature cover."""
    return delimited(TAG, canonical.encode(document))


def key_id(key: Ed25519PublicKey) -> str:
    """Return the name of a public key: SHA-256 of its 32 raw bytes, in hex."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()


def heads_file(changed: Iterable[tuple[int, Head]]) -> bytes:
    """Return the content of the file of changed heads, by ordinal."""
    return b"".join(
        canonical.encode([ordinal, head.chain, head.sequence, head.hash.hex()]) + b"\n"
        for ordinal, head in changed
    )


def read_heads(content: bytes) -> Iterator[tuple[int, Head]]:
    """Yield ordinal and head of each line of a file of changed heads."""
    for line in content.splitlines():
        ordinal, chain, sequence, digest = canonical.decode(line)
        yield ordinal, Head(chain, sequence, bytes.fromhex(digest))


def make(
    state: State,
    heads: Iterable[Head],
    *,
    signing_key: Ed25519PrivateKey,
    at: datetime,
    recovers: int | None = None,
) -> SignedCheckpoint:
    """Return the next checkpoint over the known heads moved forward to `heads`; `state` moves along.

    recovers  the checkpoint whose heads the state holds, where later ones were lost and given up
    """
    changed = state.take(heads)
    content = heads_file(changed)
    document = {
        "format": FORMAT,
        "sequence": state.sequence + 1,
        "at": canonical.moment(at),
        "size": len(state.tree),
        "changed": len(changed),
        "root": state.tree.root().hex(),
        "previous": state.hash.hex(),
        "heads": hashlib.sha256(content).hexdigest(),
        "key": key_id(signing_key.public_key()),
    }
    if recovers is not None:
        document["recovers"] = recovers
    signed = SignedCheckpoint(document, signing_key.sign(signed_bytes(document)), content)
    state.sequence, state.hash = signed.sequence, signed.hash
    return signed


class Witness(Protocol):
    """Somebody outside the machine who keeps checkpoints and never lets one be replaced."""

    name: str

    def holds(self, sequence: int) -> bool:
        """Return whether it has a checkpoint of this number."""

    def latest(self) -> int:
        """Return the largest number it has, 0 when it has none."""

    def read(self, sequence: int) -> SignedCheckpoint:
        """Return what it keeps under this number. Raises OSError, NotCanonical."""

    def publish(self, checkpoint: SignedCheckpoint) -> dict[str, Any]:
        """Keep the checkpoint and return the receipt. Raises WitnessRefused, or OSError to retry."""


class FolderWitness:
    """A folder as witness: a mounted share, a removable disk, a directory another host collects."""

    def __init__(self, folder: str | Path) -> None:
        """Use `folder`, which is created when it is missing."""
        self.folder = Path(folder)
        self.name = f"folder:{self.folder}"

    def holds(self, sequence: int) -> bool:
        """Return whether the folder has a checkpoint of this number."""
        return (self.folder / f"{sequence:010d}.json").exists()

    def latest(self) -> int:
        """Return the largest number in the folder, 0 when it is empty."""
        if not self.folder.is_dir():
            return 0
        names = (re.fullmatch(r"(\d{10,})\.json", name) for name in os.listdir(self.folder))
        return max((int(name[1]) for name in names if name), default=0)

    def read(self, sequence: int) -> SignedCheckpoint:
        """Return what the folder keeps under this number. Raises OSError, NotCanonical."""
        outer = canonical.decode((self.folder / f"{sequence:010d}.json").read_bytes())
        heads = (self.folder / f"{sequence:010d}.heads").read_bytes()
        return SignedCheckpoint(outer["checkpoint"], bytes.fromhex(outer["signature"]), heads)

    def publish(self, checkpoint: SignedCheckpoint) -> dict[str, Any]:
        """Write both files so that they are whole or absent, the checkpoint last, and read them back.

        Doing it twice is harmless. Raises WitnessRefused where the folder holds another checkpoint
        under the same sequence, and OSError where the folder cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        stem = f"{checkpoint.sequence:010d}"
        content = checkpoint.file()
        for name, wanted in ((f"{stem}.heads", checkpoint.heads), (f"{stem}.json", content)):
            path = self.folder / name
            if not path.exists():
                _write_durably(path, wanted)
            elif path.read_bytes() != wanted:
                raise WitnessRefused(f"{path} holds something else")
        return {
            "witness": self.name,
            "sequence": checkpoint.sequence,
            "checkpoint": checkpoint.hash.hex(),
            "sha256": hashlib.sha256((self.folder / f"{stem}.json").read_bytes()).hexdigest(),
        }


def _write_durably(path: Path, content: bytes) -> None:
    """Write a file that is whole or absent after a power cut: fsync the file, link it, fsync its folder.

    The name is taken by a link, which never replaces a file that somebody wrote in between.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(draft, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError as error:
        if path.read_bytes() != content:
            raise WitnessRefused(f"{path} holds something else") from error
    except OSError:
        # A share without hard links: the rename is as atomic, it only cannot refuse an existing file.
        if path.exists():
            raise
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
