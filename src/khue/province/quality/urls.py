"""Addresses of data quality."""

from django.urls import path

from khue.province.quality import views

app_name = "quality"
urlpatterns = [
    path("chat-luong-du-lieu/", views.index, name="index"),
    path("chat-luong-du-lieu/kiem-tra/", views.run, name="run"),
    path("chat-luong-du-lieu/tien-do/", views.entering, name="entering"),
    path("chat-luong-du-lieu/so-dinh-danh/", views.numbers, name="numbers"),
    path("chat-luong-du-lieu/han/", views.deadline, name="deadline"),
    path("chat-luong-du-lieu/quy-tac/<slug:code>/", views.rule, name="rule"),
    path("chat-luong-du-lieu/quy-tac/<slug:code>/sua/", views.edit_rule, name="edit-rule"),
]
