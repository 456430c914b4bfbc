"""Addresses of the catalogue, of what a school is, and of the fields of schools, classes and people."""

from django.urls import path

from khue.register.fields import views

app_name = "fields"
PLACES = {"school": "don-vi/<uuid:uid>/du-lieu/", "class": "lop/<uuid:uid>/du-lieu/", "staff": "nhan-su/<uuid:uid>/ho-so/", "learner": "hoc-sinh/<uuid:uid>/ho-so/"}
urlpatterns = [
    path("danh-muc-du-lieu/", views.catalogue, name="catalogue"),
    path("danh-muc-du-lieu/them/", views.extend, name="extend"),
    path("danh-muc-du-lieu/ban-ghi/<slug:kind>/", views.records, name="records"),
    path("don-vi/<uuid:uid>/toan-canh/", views.whole, name="whole"),
    *[path(place, views.file, {"object_": object_}, name=object_) for object_, place in PLACES.items()],
    *[path(f"{place}sua/<slug:section>/", views.edit, {"object_": object_}, name=f"edit-{object_}") for object_, place in PLACES.items()],
    *[
        path(f"{PLACES[object_]}ban-ghi/<slug:kind>/them/", views.add_record, {"object_": object_}, name=f"add-{object_}")
        for object_ in ("school", "staff", "learner")
    ],
    *[
        path(f"{PLACES[object_]}dong-thoi-gian/", views.timeline, {"object_": object_}, name=f"timeline-{object_}")
        for object_ in ("staff", "learner")
    ],
    path("ban-ghi/<uuid:uid>/sua/", views.change_record, name="change-record"),
    path("ban-ghi/<uuid:uid>/rut/", views.withdraw_record, name="withdraw-record"),
]
