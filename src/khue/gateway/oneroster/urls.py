"""Addresses: the standard's own under /ims/oneroster, ours for the bundles."""

from django.urls import path

from khue.gateway.oneroster import pages, views

app_name = "oneroster"
urlpatterns = [
    path("ims/oneroster/rostering/v1p2/<path:rest>", views.rostering, name="rostering"),
    path("ims/oneroster/gradebook/v1p2/<path:rest>", views.gradebook, name="gradebook"),
    path("oneroster/", pages.index, name="index"),
    path("oneroster/xuat/", pages.ask, name="ask"),
    path("oneroster/goi/<uuid:uid>/", pages.take, name="bundle"),
]
