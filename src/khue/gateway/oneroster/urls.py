"""Addresses: the standard's own under /ims/oneroster, ours for the bundles."""

from django.urls import path

from khue.gateway.oneroster.views import bundles, rest

app_name = "oneroster"
urlpatterns = [
    path("ims/oneroster/rostering/v1p2/<path:rest>", rest.rostering, name="rostering"),
    path("ims/oneroster/gradebook/v1p2/<path:rest>", rest.gradebook, name="gradebook"),
    path("oneroster/", bundles.index, name="index"),
    path("oneroster/xuat/", bundles.ask, name="ask"),
    path("oneroster/goi/<uuid:uid>/", bundles.take, name="bundle"),
]
