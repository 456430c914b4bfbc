"""Making checkpoints: read what is new, sign, commit, publish. Only the signer process can read the key.

The checkpoint is committed before it is published, so a kill between the two leaves one that the next run
publishes; a witness never gets two checkpoints under one number. A witness that already holds the number we
are about to make knows a later state than this database: an old backup was put back, and nothing is signed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from khue.kernel import faults
from khue.kernel.database import scope
from khue.kernel.errors import DomainError
from khue.kernel.ledger import canonical, checkpoints, merkle
from khue.kernel.ledger.chain import Head
from khue.kernel.ledger.entries import append, chain_for
from khue.kernel.ledger.models import Checkpoint, Entry, Receipt, WitnessedHead
from khue.kernel.permissions.actors import system_actor

QUIET = timedelta(hours=1)
"""A checkpoint over unchanged heads is made this long after the last one, to show that the signer lives."""

PATIENCE = timedelta(hours=4)
"""So long may entries go unwitnessed before publishing, closing and sealing stop."""

MOST_HEADS = 50_000
"""Heads in one checkpoint; more are spread over several made one after the other."""

PRIVATE_KEY, PUBLIC_KEY = "ledger-signing.pem", "ledger-public.pem"
_LOCK = 0x4C45444745  # "LEDGE"


class NoRecentCheckpoint(DomainError):
    """What was written can no longer be proved to the outside; closing, publishing and sealing wait."""

    code, status = "ledger.no-recent-checkpoint", 503
    title = _("Việc khoá sổ, công bố và ký tạm dừng vì dữ liệu chưa được gửi tới bên giữ mốc kiểm chứng.")
    advice = _("Vẫn nhập điểm được như thường. Hãy báo người quản trị hệ thống, rồi làm lại việc này sau.")


class OldDatabase(Exception):
    """A witness knows a later checkpoint than this database: an old backup was put back."""


class NothingToRecover(Exception):
    """No witness knows a later checkpoint than this database."""


class KeyMissing(Exception):
    """Checkpoints were signed before, but the key is not there: it must be restored, not replaced."""


@dataclass(frozen=True, slots=True)
class Done:
    """What one run did: checkpoints made, receipts got, witnesses that could not be reached."""

    made: int
    receipts: int
    unreachable: tuple[str, ...] = ()


# --- key


def key_path() -> Path:
    """Return where the private key is kept; the web process must not be able to read it."""
    return Path(os.environ.get("KHUE_LEDGER_KEY", Path(settings.KHUE_KEYS) / PRIVATE_KEY))


def make_key(path: Path) -> Ed25519PrivateKey:
    """Make the signing key, readable by its owner only, and the public key beside it.

    Raises FileExistsError where there is one: a key is never replaced in silence.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = Ed25519PrivateKey.generate()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path.with_name(PUBLIC_KEY).write_bytes(public)
    return key


def read_key() -> Ed25519PrivateKey:
    """Return the signing key; on a fresh installation it is made. Raises KeyMissing."""
    path = key_path()
    if not path.exists():
        if Checkpoint.objects.exists():
            raise KeyMissing(str(path))
        return make_key(path)
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyMissing(f"{path} holds another kind of key")
    return key


# --- witnesses


def witnesses() -> list[checkpoints.FolderWitness]:
    """Return the configured witnesses."""
    return [checkpoints.FolderWitness(folder) for folder in settings.KHUE_WITNESSES]


# --- the run

_remembered: checkpoints.State | None = None


def checkpoint(now: datetime, *, quiet: timedelta = QUIET) -> Done:
    """Sign what is new, publish what is not yet published, and return what was done.

    quiet  how long unchanged heads go without a checkpoint; zero makes one now

    Runs outside of other transactions; a second run at the same time finds nothing to do. Raises
    OldDatabase, KeyMissing.
    """
    made = 0
    while True:
        _refuse_an_old_database()
        with scope.opened(everything=True):
            if not _alone():
                break
            more = _make(now, quiet if not made else timedelta.max)
        if more is None:
            break
        made += 1
        faults.hit("ledger.checkpoint.after_commit")
        if not more:
            break
    receipts, unreachable = _publish()
    return Done(made, receipts, unreachable)


def recover(now: datetime, *, reason: str) -> Done:
    """Go on after a restore that lost checkpoints: declare it to the witnesses, with its reason, and sign.

    What the witnesses know of the lost time stays with them; verifiers name the recovery for ever. Raises
    NothingToRecover, WitnessRefused where the witnesses do not agree, KeyMissing.
    """
    latest = {witness.name: witness.latest() for witness in witnesses()}
    end = max(latest.values(), default=0)
    foremost = next((witness for witness in witnesses() if latest[witness.name] == end), None)
    with scope.opened(everything=True):
        last = Checkpoint.objects.order_by("-sequence").first()
        known = last.sequence if last else 0
        if foremost is None or end <= known:
            raise NothingToRecover(f"witnesses end at {end}, this database at {known}")
        for sequence in range(known + 1, end + 1):  # what one witness missed of the lost time it gets now
            for witness in witnesses():
                witness.publish(foremost.read(sequence))
        if _alone():
            _declare(now, reason, last, foremost.read(end))
    receipts, unreachable = _publish()
    return Done(1, receipts, unreachable)


def _declare(now: datetime, reason: str, last: Checkpoint | None, end: checkpoints.SignedCheckpoint) -> None:
    """Add the entry and the checkpoint that say that what came after `last` is given up."""
    global _remembered
    known = last.sequence if last else 0
    body = {"to": known, "until": end.sequence, "reason": reason}
    actor = system_actor("khue ledger recover")
    append(chain_for("recoveries"), act="ledger.recovered", body=body, actor=actor, at=now)
    state = _state(last)
    _remembered = None
    state.sequence, state.hash = end.sequence, end.hash
    _sign(now, state, *_new_heads(_reading(last)), recovers=known)


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _make(now: datetime, quiet: timedelta) -> bool | None:
    """Add the next checkpoint; return whether heads are left for another one, None when none was due."""
    global _remembered
    last = Checkpoint.objects.order_by("-sequence").defer("heads").first()
    before = _reading(last)
    heads, reading = _new_heads(before)
    state = _state(last)
    ahead = [h for h in heads if h.chain not in state.heads or state.heads[h.chain][1] < h.sequence]
    if not ahead and last is not None and now - last.at < quiet:
        return None
    _remembered = None  # forgotten unless the commit is reached with this very state
    some, rest = ahead[:MOST_HEADS], ahead[MOST_HEADS:]
    _sign(now, state, some, before if rest else reading)  # what is left is read again from where we began
    transaction.on_commit(lambda: _remember(state))
    return bool(rest)


def _sign(
    now: datetime,
    state: checkpoints.State,
    heads: Sequence[Head],
    reading: _Reading,
    *,
    recovers: int | None = None,
) -> None:
    """Add the checkpoint that moves `state` forward to `heads`."""
    signed = checkpoints.make(state, heads, signing_key=read_key(), at=now, recovers=recovers)
    Checkpoint.objects.create(
        sequence=signed.sequence,
        at=now,
        size=len(state.tree),
        changed=signed.document["changed"],
        document=canonical.encode(signed.document),
        signature=signed.signature,
        hash=signed.hash,
        heads=signed.heads,
        last_entry_id=reading.last_entry_id,
        transactions=reading.transactions,
        settled_entry_id=reading.settled_entry_id,
    )
    faults.hit("ledger.checkpoint.after_insert")
    _write_heads(state, heads)


def _reading(last: Checkpoint | None) -> _Reading:
    return _Reading(last.last_entry_id, last.transactions, last.settled_entry_id) if last else _Reading()


def _remember(state: checkpoints.State) -> None:
    global _remembered
    _remembered = state


def _state(last: Checkpoint | None) -> checkpoints.State:
    """Return the state after the last checkpoint: the remembered one, or read from the heads' table."""
    if last is None:
        return checkpoints.State()
    digest = bytes(last.hash)
    if _remembered is not None and (_remembered.sequence, _remembered.hash) == (last.sequence, digest):
        return _remembered
    state = checkpoints.State(sequence=last.sequence, hash=digest)
    rows = WitnessedHead.objects.order_by("ordinal").values_list("ordinal", "chain", "sequence", "hash")
    for ordinal, chain, sequence, head in rows.iterator(chunk_size=20_000):
        known = Head(chain, sequence, bytes(head))
        state.heads[chain] = (ordinal, sequence, known.hash)
        state.tree.put(ordinal, merkle.leaf_hash(known.leaf()))
    return state


@dataclass(frozen=True, slots=True)
class _Reading:
    """Where a run stood; the columns of Checkpoint say what the three numbers mean."""

    last_entry_id: int = 0
    transactions: int = 0
    settled_entry_id: int = 0


def _new_heads(before: _Reading) -> tuple[list[Head], _Reading]:
    """Return the heads of chains with entries since the last run, and where this run stands.

    An entry gets its id before it is committed, so a small id may appear after a larger one. Each run
    reads again from the last id below which nothing can appear any more. The lower bound of open
    transactions is asked before the entries are read and the upper after: that errs on the safe side.
    Numbers beyond the present are those of a cluster this database was restored from: they have ended.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint,"
            " pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
        )
        oldest, beyond = cursor.fetchone()
        ended = Checkpoint.objects.filter(Q(transactions__lte=oldest) | Q(transactions__gt=beyond))
        settled = ended.order_by("-sequence").values_list("last_entry_id", flat=True).first() or 0
        cursor.execute(
            "select distinct on (chain) chain, sequence, hash, max(id) over () from ledger_entry"
            " where id > %s order by chain, sequence desc",
            [before.settled_entry_id],
        )
        rows = cursor.fetchall()
        cursor.execute("select pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        (following,) = cursor.fetchone()
    largest = max(rows[0][3] if rows else 0, before.last_entry_id)
    heads = [Head(chain, sequence, bytes(digest)) for chain, sequence, digest, _ in rows]
    return heads, _Reading(largest, following, max(settled, before.settled_entry_id))


def _write_heads(state: checkpoints.State, heads: Sequence[Head]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into ledger_witnessed_head (ordinal, chain, sequence, hash)"
            " select * from unnest(%s::int4[], %s::text[], %s::int4[], %s::bytea[])"
            " on conflict (ordinal) do update set sequence = excluded.sequence, hash = excluded.hash",
            [
                [state.heads[head.chain][0] for head in heads],
                [head.chain for head in heads],
                [head.sequence for head in heads],
                [head.hash for head in heads],
            ],
        )


def _refuse_an_old_database() -> None:
    with scope.opened(everything=True):
        last = Checkpoint.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0
    for witness in witnesses():
        if witness.holds(last + 1):
            raise OldDatabase(f"{witness.name} holds checkpoint {last + 1}, this database ends at {last}")


def _publish() -> tuple[int, tuple[str, ...]]:
    """Give each witness what it has no receipt for, in order; return receipts got and who was not reached."""
    receipts, unreachable = 0, []
    for witness in witnesses():
        try:
            receipts += _publish_to(witness)
        except OSError as error:
            unreachable.append(f"{witness.name}: {error.strerror or error}")
    return receipts, tuple(unreachable)


def _publish_to(witness: checkpoints.Witness) -> int:
    """Publish to one witness and return how many receipts it gave."""
    with scope.opened(everything=True):
        known = Receipt.objects.filter(witness=witness.name).order_by("-checkpoint_id")
        after = known.values_list("checkpoint_id", flat=True).first() or 0
        due = list(
            Checkpoint.objects.filter(sequence__gt=after)
            .order_by("sequence")
            .values_list("sequence", flat=True)
        )
    for sequence in due:
        with scope.opened(everything=True):
            row = Checkpoint.objects.get(sequence=sequence)
        document = canonical.decode(bytes(row.document))
        receipt = witness.publish(
            checkpoints.SignedCheckpoint(document, bytes(row.signature), bytes(row.heads))
        )
        faults.hit("ledger.checkpoint.after_publish")
        with scope.opened(everything=True):
            Receipt.objects.bulk_create(
                [Receipt(checkpoint_id=sequence, witness=witness.name, body=receipt)], ignore_conflicts=True
            )
    return len(due)


# --- the guard


def require_recent_checkpoint(now: datetime) -> None:
    """Return if what was written up to four hours ago has left the machine; else raise NoRecentCheckpoint.

    For closing, publishing, sealing and issuing; entering marks goes on. A ledger that is younger than
    four hours needs no checkpoint yet.
    """
    newest = (
        Checkpoint.objects.filter(receipts__isnull=False)
        .order_by("-sequence")
        .values_list("at", flat=True)
        .first()
    )
    if newest is None:
        newest = Entry.objects.order_by("id").values_list("at", flat=True).first()
    if newest is not None and now - newest > PATIENCE:
        raise NoRecentCheckpoint(since=newest.isoformat(), hours=int(PATIENCE.total_seconds() // 3600))
