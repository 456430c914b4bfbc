"""Addresses of the family pages."""

from django.urls import path

from khue.school.contactbook import views

app_name = "contactbook"
urlpatterns = [
    path("gia-dinh/", views.children, name="children"),
    path("gia-dinh/<uuid:uid>/", views.child, name="child"),
]
