"""Addresses of the gradebook."""

from django.urls import path

from khue.school.gradebook.views import registers

app_name = "gradebook"

urlpatterns = [
    path("so-diem/", registers.index, name="index"),
    path("so-diem/<uuid:uid>/", registers.register, name="register"),
    path("so-diem/<uuid:uid>/luu/", registers.save, name="save"),
    path("so-diem/<uuid:uid>/hs/<uuid:learner>/", registers.line, name="line"),
]
