"""Settings every installation shares. What differs comes from the environment, read here and nowhere else."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from khue.settings import providers

SOURCE = Path(__file__).resolve().parents[1]
HOME = Path(os.environ.get("KHUE_HOME", "var")).resolve()
"""Everything this installation keeps: embedded database, files, secrets, exports."""


def database(url: str) -> dict[str, object]:
    """Return Django's form of a PostgreSQL address; `host` may be a socket folder or several hosts."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured("DATABASE_URL must begin with postgresql://")
    query = dict(parse_qsl(parts.query))
    host = query.pop("host", None) or parts.hostname or ""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or query.pop("port", "") or ""),
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": query,
    }


def secret(name: str) -> str:
    """Return a secret from the environment, else from `HOME/secrets`, made there at first use."""
    if value := os.environ.get(f"KHUE_{name.upper()}"):
        return value
    path = HOME / "secrets" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(handle, "w") as sink:
            sink.write(secrets.token_urlsafe(50))
    return path.read_text().strip()


def signing_key(name: str) -> str:
    """Return an RSA key in PEM from `HOME/secrets`, made there at first use, for signing identity tokens."""
    path = HOME / "secrets" / f"{name}.pem"
    if not path.exists():
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(handle, "wb") as sink:
            sink.write(pem)
    return path.read_text()


SECRET_KEY = secret("secret_key")
DEBUG = False
ALLOWED_HOSTS = [host for host in os.environ.get("KHUE_HOSTS", "").split(",") if host]
DATABASES = {"default": database(os.environ.get("DATABASE_URL", "postgresql://khue_app@/khue"))}
"""`default` connects as the application role; `khue migrate` runs with DATABASE_OWNER_URL in its place."""

INSTALLED_APPS = [
    "khue.kernel.database",
    "khue.kernel.accounts",
    "khue.kernel.permissions",
    "khue.kernel.audit",
    "khue.kernel.ledger",
    "khue.kernel.events",
    "khue.kernel.jobs",
    "khue.kernel.files",
    "khue.kernel.codes",
    "khue.kernel.calendar",
    "khue.register.orgs",
    "khue.register.people",
    "khue.register.staff",
    "khue.register.schooling",
    "khue.register.fields",
    "khue.school.teaching",
    "khue.school.timetable",
    "khue.school.gradebook",
    "khue.school.transcripts",
    "khue.school.contactbook",
    "khue.province.quality",
    "khue.province.law",
    "khue.province.periods",
    "khue.gateway.exchange",
    "khue.gateway.sync",
    "khue.gateway.oneroster",
    "khue.gateway.opendata",
    "khue.gateway.portal",
    "khue.web",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",
    "django_htmx",
    "pgtrigger",
    "pghistory",
    "procrastinate.contrib.django",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "allauth.idp.oidc",
]
INSTALLED_APPS = [app for app in INSTALLED_APPS if not app.startswith("khue.") or (SOURCE.parent / app.replace(".", "/") / "apps.py").exists()]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "khue.web.middleware.SecurityHeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "khue.web.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "khue.kernel.permissions.middleware.ActorMiddleware",
    "khue.web.repeats.RepeatMiddleware",
    "khue.web.middleware.ErrorMiddleware",
]

ROOT_URLCONF = "khue.web.urls"
WSGI_APPLICATION = "khue.web.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "khue.web.context.shell",
            ],
            "builtins": ["khue.web.templatetags.khue"],
        },
    }
]

AUTH_USER_MODEL = "accounts.Account"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
     "OPTIONS": {"user_attributes": ("username", "name", "email", "phone")}},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]  # fmt: skip
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

LANGUAGE_CODE = "vi"
LANGUAGES = [("vi", _("Tiếng Việt")), ("en", "English")]
LOCALE_PATHS = [SOURCE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Ho_Chi_Minh"
DATE_FORMAT = "d/m/Y"
FORMAT_MODULE_PATH = ["khue.settings.formats"]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "khue_cache"}}

SESSION_ENGINE = "khue.kernel.accounts.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_USE_SESSIONS = False
CSRF_FAILURE_VIEW = "khue.web.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20000
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20

# Sign-in (django-allauth)
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_ADAPTER = "khue.web.adapters.AccountAdapter"
MFA_ADAPTER = "khue.web.adapters.SecondFactorAdapter"
SOCIALACCOUNT_ADAPTER = "khue.web.adapters.SocialAccountAdapter"
_TRUSTED, KHUE_SIGN_IN_ORIGINS = (
    providers.read(Path(os.environ["KHUE_IDENTITY_PROVIDERS"])) if os.environ.get("KHUE_IDENTITY_PROVIDERS") else ([], [])
)
"""Where the form of an outside sign-in leads; the Content-Security-Policy names them."""
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": _TRUSTED}}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_USER_DISPLAY = "khue.web.adapters.display"
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_LOGIN_ON_PASSWORD_RESET = False
ACCOUNT_RATE_LIMITS = {"login_failed": "10/5m/key,200/5m/ip", "login": "600/m/ip"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Khuê"
USERSESSIONS_TRACK_ACTIVITY = False
IDP_OIDC_PRIVATE_KEY = signing_key("oidc")
IDP_OIDC_ADAPTER = "khue.web.adapters.IdentityAdapter"
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = 3600

# Khuê
KHUE_HOME = HOME
KHUE_FILES = HOME / "files"
KHUE_KEYS = HOME / "keys"
KHUE_SIGNERS = os.environ.get("KHUE_SIGNERS", "")
"""Where signing keys come from, as "module:function" (see kernel.sealing.keyring); empty: nowhere, or the demo's authority."""
KHUE_WITNESSES = [Path(path) for path in os.environ.get("KHUE_WITNESSES", str(HOME / "witness")).split(":") if path]
KHUE_SECOND_FACTOR = os.environ.get("KHUE_SECOND_FACTOR", "on") == "on"
"""Acts that ask for a second factor refuse without one; only the demo turns it off."""
KHUE_DEMO = False
KHUE_OUTGOING_NETWORKS = tuple(filter(None, os.environ.get("KHUE_OUTGOING_NETWORKS", "").split(",")))
"""Private networks (10.20.0.0/16) that channels and subscriptions may connect to; public addresses always, this machine never."""
KHUE_PUBLIC_URL = os.environ.get("KHUE_PUBLIC_URL", "http://127.0.0.1:8000")
KHUE_PROVINCE = os.environ.get("KHUE_PROVINCE", "86")
"""Code of the province (QĐ 19/2025/QĐ-TTg); 86 is Vĩnh Long."""

NINJA_PAGINATION_PER_PAGE = 100
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("KHUE_LOG", "WARNING")},
    "loggers": {"django.request": {"level": "ERROR"}, "khue": {"level": "INFO"}},
}
SILENCED_SYSTEM_CHECKS: list[str] = []
KHUE_NUMBER_KEY = secret("number_key")
"""Key of the personal numbers' encryption and blind index; kept apart from the database and its backups."""
