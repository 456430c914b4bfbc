"""Addresses of periods and submissions."""

from django.urls import path

from khue.province.periods import views

app_name = "periods"
urlpatterns = [
    path("ky-du-lieu/", views.index, name="index"),
    path("ky-du-lieu/moi/", views.edit, name="new"),
    path("ky-du-lieu/<uuid:uid>/", views.board, name="board"),
    path("ky-du-lieu/<uuid:uid>/sua/", views.edit, name="edit"),
    path("ky-du-lieu/<uuid:uid>/chot/", views.freeze, name="freeze"),
    path("ky-du-lieu/<uuid:uid>/ket-thuc/", views.close, name="close"),
    path("ky-du-lieu/<uuid:uid>/xac-nhan/", views.confirm, name="confirm"),
    path("ho-so-nop/<uuid:uid>/", views.submission, name="submission"),
    path("ho-so-nop/<uuid:uid>/khac/", views.difference, name="difference"),
    path("ho-so-nop/<uuid:uid>/da-ky/", views.statement, name="statement"),
    path("ho-so-nop/<uuid:uid>/ky/", views.sign, name="sign"),
    path("ho-so-nop/<uuid:uid>/<slug:what>/", views.act, name="act"),
]
