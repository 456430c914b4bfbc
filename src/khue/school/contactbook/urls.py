"""Addresses of the family pages."""

from django.urls import path

from khue.school.contactbook import views

app_name = "contactbook"
urlpatterns = [
    path("gia-dinh/", views.children, name="children"),
    path("gia-dinh/<uuid:uid>/", views.child, name="child"),
    path("gia-dinh/<uuid:uid>/thong-tin/", views.details, name="details"),
    path("gia-dinh/de-nghi/<uuid:uid>/rut/", views.withdraw, name="withdraw"),
    path("de-nghi-gia-dinh/", views.changes, name="changes"),
    path("de-nghi-gia-dinh/<uuid:uid>/", views.change, name="change"),
]
