"""Every address. An app's urls.py is found by its name; the API is mounted under /api/v1."""

from __future__ import annotations

from importlib.util import find_spec

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path, re_path

from khue.web import activation, api, views

APPS = [app for app in settings.INSTALLED_APPS if app.startswith("khue.")]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("tim/", views.search, name="search"),
    path("viec-cua-toi/", views.jobs, name="my-jobs"),
    path("viec/<uuid:uid>/", views.job, name="job"),
    path("viec/<uuid:uid>/dung/", views.stop_job, name="job-stop"),
    path("vai-tro/", views.act_as, name="role"),
    path("ngon-ngu/", views.language, name="language"),
    path("ngoai-tuyen/", views.offline, name="offline"),
    path("sw.js", views.worker, name="worker"),
    path("_components", views.components, name="components"),
    path("tai-khoan/", include("khue.web.account_urls")),
    path("kich-hoat/", activation.activate, name="activate"),
    path("", include("allauth.idp.urls")),
    *[path("", include(f"{app}.urls")) for app in APPS if app != "khue.web" and find_spec(f"{app}.urls")],
]

urlpatterns += [
    path("api/v1/", api.api.urls),
    re_path(r"^api/(?P<rest>.*)$", api.unknown, name="api-unknown"),
]

handler400 = "khue.web.errors.bad_request"
handler403 = "khue.web.errors.refused"
handler404 = "khue.web.errors.not_found"
handler500 = "khue.web.errors.failed"
