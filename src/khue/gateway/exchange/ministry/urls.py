"""Addresses of the ministry's file."""

from django.urls import path

from khue.gateway.exchange.ministry import views

app_name = "ministry"
urlpatterns = [
    path("", views.index, name="index"),
    path("nhan/", views.take, name="take"),
    path("nhan/<uuid:uid>/", views.taken, name="taken"),
    path("<uuid:uid>/", views.report, name="report"),
    path("<uuid:uid>/tep/", views.package, name="package"),
]
