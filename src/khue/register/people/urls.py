"""Addresses of files that may be of one person."""

from django.urls import path

from khue.register.people import views

app_name = "people"
urlpatterns = [
    path("ho-so-trung/", views.doubles, name="doubles"),
    path("ho-so-trung/chua-co-so/", views.without_number, name="without-number"),
    path("ho-so-trung/tim/", views.search, name="search-doubles"),
    path("ho-so-trung/<uuid:uid>/", views.double, name="double"),
    path("ho-so-trung/<uuid:uid>/hai-nguoi/", views.apart, name="apart"),
    path("gop-ho-so/", views.merges, name="merges"),
    path("gop-ho-so/<uuid:uid>/", views.merge, name="merge"),
    path("gop-ho-so/<uuid:uid>/tach-lai/", views.undo, name="undo-merge"),
    path("hoc-sinh/<uuid:uid>/ho-so-giong/", views.candidates, name="candidates"),
]
