"""Every address. An app's urls.py is found by its name; the API is mounted under /api/v1."""

from __future__ import annotations

from importlib.util import find_spec

from django.conf import settings
from django.urls import include, path, re_path

from khue.web import api

APPS = [app for app in settings.INSTALLED_APPS if app.startswith("khue.")]

urlpatterns = [
    path("tai-khoan/", include("allauth.urls")),
    path("", include("allauth.idp.urls")),
    path("api/v1/", api.api.urls),
    re_path(r"^api/(?P<rest>.*)$", api.unknown, name="api-unknown"),
    *[path("", include(f"{app}.urls")) for app in APPS if app != "khue.web" and find_spec(f"{app}.urls")],
]

handler404 = "khue.web.errors.not_found"
handler500 = "khue.web.errors.failed"
