"""Addresses of transcripts."""

from django.urls import path

from khue.school.transcripts import views

app_name = "transcripts"
urlpatterns = [
    path("hoc-ba/", views.index, name="index"),
    path("hoc-ba/lop/<uuid:uid>/", views.class_sheet, name="class"),
    path("hoc-ba/lop/<uuid:uid>/lap/", views.prepare, name="prepare"),
    path("hoc-ba/lop/<uuid:uid>/ky/<slug:step>/", views.approve, name="approve"),
    path("hoc-ba/<uuid:uid>/", views.transcript, name="transcript"),
    path("hoc-ba/<uuid:uid>/tep/<slug:kind>/", views.copy, name="copy"),
    path("hoc-ba/<uuid:uid>/sua/", views.correct, name="correct"),
    path("hoc-ba/<uuid:uid>/tra-lai/", views.send_back, name="send-back"),
    path("hoc-ba/<uuid:uid>/thu-hoi/", views.revoke, name="revoke"),
]
