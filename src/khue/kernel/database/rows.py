"""The base of every row that lives, and the guard a model declares about itself.

A model says in one class attribute what the database must hold against everybody, and `guards.sync` makes
triggers, grants and row-level policies of it after each migration.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from khue.kernel.ids import uid7


@dataclass(frozen=True, slots=True)
class Scope:
    """Who may see a row: columns that name its school and its person.

    school      column of the school that holds the row; None where a row belongs to a person alone
    person      column of the person it is about: guardians and learners see it by this
    is_portable the person's present school sees it too, wherever it was made (the file moves with her)
    others      further columns of schools that share the row (both sides of a transfer)
    is_log      anybody may add rows, whoever may read them (acts across two schools)
    account     column of the account whose own the row is: she sees it wherever she acts (work she started)
    """

    school: str | None = "school_id"
    person: str | None = None
    is_portable: bool = False
    others: tuple[str, ...] = ()
    is_log: bool = False
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """What the database holds against every role that works here.

    coded        columns that never change once set; such a row is never deleted or truncated
    append_only  rows are inserted and never changed (ledger, audit, history)
    deletable    the application may delete rows (drafts, sessions); never together with `coded`
    frozen       SQL over OLD that says when a row may no longer change: "OLD.locked_at is not null"
    thawed       columns that may change all the same on a frozen row
    scope        row-level security; None for tables without personal data
    """

    coded: tuple[str, ...] = ()
    append_only: bool = False
    deletable: bool = False
    frozen: str | None = None
    thawed: tuple[str, ...] = ()
    scope: Scope | None = None


class Row(models.Model):
    """A row with an outside identifier, a version the database raises by each write, and its moments."""

    guard: Guard = Guard()

    uid = models.UUIDField(_("mã ngoài"), default=uid7, unique=True, editable=False)
    version = models.PositiveIntegerField(_("phiên bản"), default=1, editable=False)
    created_at = models.DateTimeField(_("lúc tạo"), db_default=Now(), editable=False)
    changed_at = models.DateTimeField(_("lúc sửa"), db_default=Now(), editable=False)

    class Meta:
        abstract = True
