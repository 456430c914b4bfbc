"""Addresses of channels and subscriptions."""

from django.urls import path

from khue.gateway.sync import views

app_name = "sync"
urlpatterns = [
    path("dong-bo/", views.index, name="index"),
    path("dong-bo/moi/", views.edit, name="new"),
    path("dong-bo/<uuid:uid>/", views.channel, name="channel"),
    path("dong-bo/<uuid:uid>/sua/", views.edit, name="edit"),
    path("dong-bo/<uuid:uid>/chay/", views.run, name="run"),
    path("dong-bo/<uuid:uid>/doi-chieu/", views.reconcile, name="reconcile"),
    path("dong-bo/<uuid:uid>/thu/", views.check, name="check"),
    path("dong-bo/<uuid:uid>/gui-lai/", views.resend, name="resend"),
    path("dong-bo/tep/<uuid:uid>/", views.workbook, name="file"),
    path("bao-su-kien/", views.subscriptions, name="subscriptions"),
    path("bao-su-kien/<uuid:uid>/trang-thai/", views.subscription_state, name="subscription-state"),
    path("bao-su-kien/<uuid:uid>/gui-lai/", views.redeliver, name="redeliver"),
]
