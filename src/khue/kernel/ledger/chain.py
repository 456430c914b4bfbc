"""The rule that links entries to chains, and how a chain's head becomes a leaf of the tree.

A chain is named by a key (`gradebook_register:0199c0de-…`); its entries are numbered from 1 without
gaps, and each hash covers the one before. Fields are length-delimited, so no two different entries
have the same preimage, and begin with a tag, so no entry can pass for a head or a checkpoint.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

ZERO = bytes(32)
"""What the first entry of a chain names as its predecessor."""

ENTRY_TAG = b"khue-entry-1"
HEAD_TAG = b"khue-head-1"

_length = struct.Struct(">Q").pack


def delimited(*fields: bytes) -> bytes:
    """Return the fields one after the other, each behind its length as eight bytes, big-endian."""
    return b"".join([part for field in fields for part in (_length(len(field)), field)])


def entry_hash(*, chain: str, sequence: int, previous: bytes, act: str, body: bytes, at: str) -> bytes:
    """Return the 32-byte hash of one entry.

    sequence  1 for the first entry of the chain, then without gaps
    previous  hash of the entry before; 32 zero bytes for the first
    body      canonical bytes of the entry's document
    at        the moment as `canonical.moment` writes it
    """
    return hashlib.sha256(
        delimited(ENTRY_TAG, chain.encode(), _length(sequence), previous, act.encode(), body, at.encode())
    ).digest()


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a chain at some moment: its number and its hash."""

    chain: str
    sequence: int
    hash: bytes

    def leaf(self) -> bytes:
        """Return the bytes that the tree hashes as this head's leaf."""
        return delimited(HEAD_TAG, self.chain.encode(), _length(self.sequence), self.hash)
