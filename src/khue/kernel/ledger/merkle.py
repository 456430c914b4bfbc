"""The Merkle tree over all heads, as in RFC 6962, with the number of leaves bound into the root.

A leaf is SHA-256(0x00 || data), a node SHA-256(0x01 || left || right), the empty tree SHA-256 of
nothing; a last node without a partner goes up unchanged, which is RFC 6962's split at the largest
power of two. What is signed is SHA-256(0x02 || size || root), size as eight bytes, big-endian, so that
neither a node can stand for a leaf nor a tree of one size for another.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence

WIDTH = 32
EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf's data."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two neighbouring hashes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def bound_root(size: int, root: bytes) -> bytes:
    """Return the root that is signed: the tree's root together with its number of leaves."""
    return hashlib.sha256(b"\x02" + struct.pack(">Q", size) + root).digest()


class Tree:
    """A tree whose leaves are appended and replaced; changing k of n leaves costs about k log n hashes.

    The levels are kept whole, 64 bytes a leaf in all, so a million heads fit in 64 MB.
    """

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        """Build the tree over the hashes of leaves, in their order."""
        self._levels: list[bytearray] = [bytearray().join(leaves)]
        self._dirty: set[int] = set(range(len(self)))

    def __len__(self) -> int:
        """Return the number of leaves."""
        return len(self._levels[0]) // WIDTH

    def leaf(self, index: int) -> bytes:
        """Return the hash of the leaf at `index`."""
        return bytes(self._levels[0][index * WIDTH : (index + 1) * WIDTH])

    def put(self, index: int, leaf: bytes) -> None:
        """Set the leaf at `index`, or append it where `index` is the number of leaves."""
        if not 0 <= index <= len(self) or len(leaf) != WIDTH:
            raise IndexError(index)
        self._levels[0][index * WIDTH : (index + 1) * WIDTH] = leaf
        self._dirty.add(index)

    def root(self) -> bytes:
        """Return the signed form of the root: see `bound_root`."""
        if not len(self):
            return bound_root(0, EMPTY)
        self._settle()
        return bound_root(len(self), bytes(self._levels[-1]))

    def path(self, index: int) -> list[bytes]:
        """Return the neighbours from the leaf at `index` up to the root, for `includes`."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        self._settle()
        neighbours = []
        for level in self._levels[:-1]:
            at = (index ^ 1) * WIDTH
            if at < len(level):
                neighbours.append(bytes(level[at : at + WIDTH]))
            index //= 2
        return neighbours

    def _settle(self) -> None:
        """Recompute the nodes above the leaves that changed."""
        dirty, depth = self._dirty, 0
        while len(self._levels[depth]) > WIDTH:
            below = self._levels[depth]
            if depth + 1 == len(self._levels):
                self._levels.append(bytearray())
                dirty = set(range(len(below) // WIDTH))
            above = self._levels[depth + 1]
            parents = {index // 2 for index in dirty}
            for parent in sorted(parents):
                pair = bytes(below[parent * 2 * WIDTH : (parent * 2 + 2) * WIDTH])
                node = node_hash(pair[:WIDTH], pair[WIDTH:]) if len(pair) > WIDTH else pair
                above[parent * WIDTH : (parent + 1) * WIDTH] = node
            dirty, depth = parents, depth + 1
        self._dirty = set()


def includes(*, leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Return whether `leaf`, a leaf's hash, stands at `index` in the tree of `size` leaves with `root`.

    The path must have exactly the length that index and size ask for, so a node never passes as a leaf.
    """
    if not 0 <= index < size:
        return False
    computed, neighbours, width = leaf, iter(path), size
    try:
        while width > 1:
            if index % 2:
                computed = node_hash(next(neighbours), computed)
            elif index + 1 < width:
                computed = node_hash(computed, next(neighbours))
            index, width = index // 2, (width + 1) // 2
    except StopIteration:
        return False
    return next(neighbours, None) is None and bound_root(size, computed) == root
