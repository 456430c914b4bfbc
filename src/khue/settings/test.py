"""The test suite: fast hashing, files in a throw-away folder, everything else as in production."""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("KHUE_HOME", tempfile.mkdtemp(prefix="khue-test-"))

from khue.settings.base import *  # noqa: F403

ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
KHUE_DEMO = True
MIDDLEWARE = [name for name in MIDDLEWARE if "whitenoise" not in name]
