"""Storage of files by content: written and fsynced under a random name, then linked to their SHA-256.

The committed row makes a file visible; bytes without a row are swept, never trusted.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from khue.kernel.files.models import StoredFile


def folder() -> Path:
    """Return the root of the store."""
    return Path(settings.KHUE_FILES)


def path_of(sha256: str) -> Path:
    """Return where the bytes with this hash lie."""
    return folder() / sha256[:2] / sha256[2:4] / sha256


def write(content: bytes) -> str:
    """Store bytes durably (file and folder fsynced) and return their SHA-256; storing twice is harmless."""
    digest = hashlib.sha256(content).hexdigest()
    target = path_of(digest)
    if target.exists() and target.stat().st_size == len(content):
        return digest
    _made(target.parent)
    temporary = target.parent / f".{secrets.token_hex(8)}"
    with open(temporary, "wb") as sink:
        sink.write(content)
        sink.flush()
        os.fsync(sink.fileno())
    os.replace(temporary, target)
    _sync(target.parent)
    return digest


def _sync(path: Path) -> None:
    """Bring the names in a folder onto the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _made(path: Path) -> None:
    """Make a folder and those above it that are missing, each with its name on the disk."""
    if path.exists():
        return
    _made(path.parent)
    path.mkdir(exist_ok=True)
    _sync(path.parent)


def store(
    content: bytes, *, name: str, content_type: str, purpose: str,
    school_id: int | None = None, person_id: int | None = None, account_id: int | None = None,
) -> StoredFile:  # fmt: skip
    """Store bytes and return their row, in the caller's transaction."""
    from khue.kernel.files.models import StoredFile

    return StoredFile.objects.create(
        sha256=write(content), size=len(content), name=name[:200], content_type=content_type, purpose=purpose,
        school_id=school_id, person_id=person_id, account_id=account_id,
    )  # fmt: skip


class DamagedFile(Exception):
    """The bytes on disk are missing or not those of the row."""


def read(stored: StoredFile) -> bytes:
    """Return the bytes of a stored file, checked against its hash; raises DamagedFile."""
    try:
        content = path_of(stored.sha256).read_bytes()
    except FileNotFoundError as error:
        raise DamagedFile(stored.sha256) from error
    if hashlib.sha256(content).hexdigest() != stored.sha256:
        raise DamagedFile(stored.sha256)
    return content


def forget(digests: set[str], *, purpose: str) -> int:
    """Remove the bytes of files kept for one purpose only and return how many went; their rows stay as a record.

    What another purpose keeps under the same hash stays. Reading what went raises DamagedFile.
    """
    from khue.kernel.files.models import StoredFile

    others = StoredFile.objects.filter(sha256__in=digests).exclude(purpose=purpose).values_list("sha256", flat=True)
    gone = 0
    for digest in digests - set(others):
        if path_of(digest).exists():
            path_of(digest).unlink()
            gone += 1
    return gone
