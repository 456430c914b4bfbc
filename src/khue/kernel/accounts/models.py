"""Accounts and activations. An account is not a person: it signs in, and points to one."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.rows import Guard, Row


class AccountManager(BaseUserManager["Account"]):
    """Creates accounts; a new one has no usable password until it is activated."""

    use_in_migrations = False

    def get_by_natural_key(self, username: str | None) -> Account:
        """Return the account by its sign-in name, whatever the case."""
        return self.get(username__iexact=username)

    def create_user(self, username: str, email: str = "", password: str | None = None, **fields: object) -> Account:
        """Create an account; without `password` it can only be entered by an activation."""
        account = self.model(username=username.lower(), email=email, **fields)
        account.set_password(password) if password else account.set_unusable_password()
        account.save(using=self._db)
        return account


class Account(AbstractBaseUser, Row):
    """Who signs in: a person, or a partner system (`is_system`)."""

    guard = Guard(coded=("uid", "username"))

    username = models.CharField(_("tên đăng nhập"), max_length=60, unique=True)
    name = models.CharField(_("họ và tên"), max_length=120)
    email = models.EmailField(_("thư điện tử"), blank=True)
    phone = models.CharField(_("điện thoại"), max_length=20, blank=True)
    person_id = models.BigIntegerField(
        _("nhân thân"), null=True, blank=True, db_index=True,
        help_text=_("Khoá của người trong sổ; kernel không biết bảng người."),
    )  # fmt: skip
    is_active = models.BooleanField(_("đang dùng"), default=True)
    is_system = models.BooleanField(_("là hệ thống đối tác"), default=False)
    language = models.CharField(_("ngôn ngữ"), max_length=5, default="vi")

    objects = AccountManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name = _("tài khoản")
        verbose_name_plural = _("tài khoản")

    def __str__(self) -> str:
        return self.username

    def get_full_name(self) -> str:
        """Return the person's name, as other libraries ask for it."""
        return self.name

    # Libraries ask these of a user; rights are right x place x time in `khue.kernel.permissions`.
    is_staff = False
    is_superuser = False

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Return False: no right comes from Django's own tables."""
        return False

    def has_module_perms(self, app_label: str) -> bool:
        """Return False: there is no administration site."""
        return False


class Activation(Row):
    """A single-use code that lets a person take an account into her hands; only its hash is kept."""

    guard = Guard()

    account = models.ForeignKey(Account, models.PROTECT, related_name="activations", verbose_name=_("tài khoản"))
    code_hash = models.CharField(_("mã (băm)"), max_length=64, unique=True)
    expires_at = models.DateTimeField(_("hết hạn lúc"))
    used_at = models.DateTimeField(_("dùng lúc"), null=True)
    made_by = models.ForeignKey(Account, models.PROTECT, related_name="+", null=True, verbose_name=_("người cấp"))

    class Meta:
        verbose_name = _("mã kích hoạt")


class IdempotencyKey(models.Model):
    """The first answer to an unsafe request, kept so that a repeat gets the same bytes."""

    guard = Guard(deletable=True)

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("tài khoản"))
    key = models.CharField(_("khoá"), max_length=80)
    body_hash = models.CharField(_("băm nội dung"), max_length=64)
    status = models.PositiveSmallIntegerField(_("mã trả lời"), null=True)
    headers = models.JSONField(_("đầu mục"), default=dict)
    body = models.BinaryField(_("nội dung"), null=True)
    made_at = models.DateTimeField(_("lúc tạo"), db_default=Now())

    class Meta:
        verbose_name = _("khoá lặp")
        constraints = [models.UniqueConstraint(fields=["account", "key"], name="accounts_one_answer_a_key")]
