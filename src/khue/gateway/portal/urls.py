"""Public addresses."""

from django.urls import path

from khue.gateway.portal import views

app_name = "portal"
urlpatterns = [
    path("xac-minh/", views.enter, name="enter"),
    path("xac-minh/<str:token>/", views.verify, name="verify"),
]
