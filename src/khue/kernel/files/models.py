"""One row a stored file; the bytes live under their SHA-256."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.rows import Guard, Row, Scope


class StoredFile(Row):
    """A file someone uploaded or the platform made. Equal bytes are stored once."""

    guard = Guard(coded=("uid", "sha256", "size"), scope=Scope(school="school_id", person="person_id", is_portable=True))

    sha256 = models.CharField(_("băm SHA-256"), max_length=64, db_index=True)
    size = models.PositiveBigIntegerField(_("số byte"))
    name = models.CharField(_("tên tệp"), max_length=200)
    content_type = models.CharField(_("loại"), max_length=100)
    purpose = models.CharField(_("dùng cho"), max_length=60)
    school_id = models.BigIntegerField(_("trường"), null=True)
    person_id = models.BigIntegerField(_("người liên quan"), null=True)
    account_id = models.BigIntegerField(_("người tải lên"), null=True)

    class Meta:
        verbose_name = _("tệp")
