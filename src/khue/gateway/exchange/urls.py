"""Addresses of imports."""

from django.urls import include, path

from khue.gateway.exchange import views

app_name = "exchange"

urlpatterns = [
    path("xuat-bo/", include("khue.gateway.exchange.ministry.urls")),
    path("nhap-du-lieu/", views.batches, name="batches"),
    path("nhap-du-lieu/<uuid:uid>/", views.batch, name="batch"),
    path("nhap-du-lieu/<uuid:uid>/ghep-cot/", views.columns, name="columns"),
    path("nhap-du-lieu/<uuid:uid>/kiem-tra/", views.check, name="check"),
    path("nhap-du-lieu/<uuid:uid>/ghi/", views.apply, name="apply"),
    path("nhap-du-lieu/<uuid:uid>/hoan-tac/", views.undo, name="undo"),
    path("nhap-du-lieu/<uuid:uid>/ket-qua/", views.result, name="result"),
]
