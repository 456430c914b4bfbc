"""Addresses of the teaching assignment."""

from django.urls import path

from khue.school.teaching import views

app_name = "teaching"

urlpatterns = [
    path("phan-cong/", views.board, name="board"),
    path("phan-cong/lop/<uuid:uid>/<slug:subject>/", views.assign, name="assign"),
    path("phan-cong/<uuid:uid>/", views.change, name="change"),
]
