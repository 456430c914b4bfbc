"""Entries, the chains that no other row carries, checkpoints and the witnesses' receipts.

The table of entries is partitioned by school year in the migration; the model only maps it, and
`entries.append` is the one place that inserts.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.rows import Guard, Row, Scope
from khue.kernel.ledger import canonical


class Chained(models.Model):
    """A row that heads a chain of entries: the row its services lock anyway.

    The chain's key is the table's name, a colon and the row's uid. The columns are moved by
    `ledger.append` only; a frozen row lists them as `thawed`.
    """

    ledger_seq = models.PositiveIntegerField(_("số mục sổ cái"), default=0, editable=False)
    ledger_head = models.BinaryField(_("đầu chuỗi sổ cái"), default=bytes(32), editable=False)

    class Meta:
        abstract = True


class Entry(models.Model):
    """One entry of one chain; `body` is the canonical document that the hash covers.

    previous, hash  32 bytes
    sequence        from 1, without gaps
    school_year     of the chain's row, else of the moment; the partition
    """

    guard = Guard(append_only=True, scope=Scope(school="school_id", person="person_id"))

    pk = models.CompositePrimaryKey("id", "school_year")
    id = models.BigIntegerField(editable=False)
    school_year = models.PositiveSmallIntegerField(_("năm học (năm bắt đầu)"))
    chain = models.CharField(_("chuỗi"), max_length=120, db_collation="C")
    sequence = models.PositiveIntegerField(_("số thứ tự"))
    previous = models.BinaryField(_("băm của mục trước"))
    act = models.CharField(_("việc"), max_length=80)
    body = models.BinaryField(_("nội dung"))
    at = models.DateTimeField(_("lúc"))
    hash = models.BinaryField(_("băm"))
    school_id = models.BigIntegerField(_("trường"), null=True)
    person_id = models.BigIntegerField(_("người liên quan"), null=True)

    class Meta:
        db_table = "ledger_entry"
        verbose_name = _("mục sổ cái")
        constraints = [
            models.UniqueConstraint(fields=["chain", "sequence", "school_year"], name="ledger_one_entry"),
        ]

    @property
    def document(self) -> dict[str, Any]:
        """Return what was written: {"actor": …, "data": …}."""
        return dict(canonical.decode(bytes(self.body)))


class Chain(Row, Chained):
    """The head of a chain that no other row carries: rights, exports, regulation versions of one school or of all."""

    guard = Guard(coded=("uid", "chain_key", "school_id"), scope=Scope(school="school_id"))

    chain_key = models.CharField(_("khoá chuỗi"), max_length=120, unique=True, db_collation="C")
    school_id = models.BigIntegerField(_("trường"), null=True)

    class Meta:
        verbose_name = _("chuỗi sổ cái")


class Checkpoint(models.Model):
    """One signed checkpoint. `document` and `heads` are the bytes that went to the witnesses.

    last_entry_id     largest id of the entries it saw
    transactions      number of the first transaction not yet begun when it looked: once all below have
                      ended, no entry up to last_entry_id can still appear
    settled_entry_id  it saw every entry up to this id; the next one reads from here
    """

    guard = Guard(append_only=True)

    sequence = models.PositiveIntegerField(_("số thứ tự"), primary_key=True)
    at = models.DateTimeField(_("lúc"))
    size = models.PositiveIntegerField(_("số chuỗi"))
    changed = models.PositiveIntegerField(_("số chuỗi thay đổi"))
    document = models.BinaryField(_("văn bản"))
    signature = models.BinaryField(_("chữ ký"))
    hash = models.BinaryField(_("băm"))
    heads = models.BinaryField(_("các đầu chuỗi đã đổi"))
    last_entry_id = models.BigIntegerField(_("mục cuối đã xét"))
    transactions = models.BigIntegerField(_("mốc giao dịch"))
    settled_entry_id = models.BigIntegerField(_("mục cuối đã xét đủ"))

    class Meta:
        verbose_name = _("mốc kiểm chứng")


class Receipt(models.Model):
    """A witness has a checkpoint: it left the machine."""

    guard = Guard(append_only=True)

    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, related_name="receipts", verbose_name=_("mốc"))
    witness = models.CharField(_("bên giữ mốc"), max_length=300)
    body = models.JSONField(_("biên nhận"), default=dict)
    stored_at = models.DateTimeField(_("lúc ghi"), db_default=Now())

    class Meta:
        verbose_name = _("biên nhận mốc")
        constraints = [models.UniqueConstraint(fields=["checkpoint", "witness"], name="ledger_one_receipt")]


class WitnessedHead(models.Model):
    """The place of each chain in the tree and its head at the latest checkpoint; rebuilt state, no evidence."""

    guard = Guard()

    ordinal = models.PositiveIntegerField(_("vị trí trong cây"), primary_key=True)
    chain = models.CharField(_("chuỗi"), max_length=120, unique=True, db_collation="C")
    sequence = models.PositiveIntegerField(_("số thứ tự"))
    hash = models.BinaryField(_("băm"))

    class Meta:
        db_table = "ledger_witnessed_head"
        verbose_name = _("đầu chuỗi đã chốt")
