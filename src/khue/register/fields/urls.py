"""Addresses of the catalogue, of what a school is, and of the fields of schools, classes and people."""

from django.urls import path

from khue.register.fields import views

app_name = "fields"
urlpatterns = [
    path("danh-muc-du-lieu/", views.catalogue, name="catalogue"),
]
