"""Addresses of the law: the shelf and examples for everybody, the tools for the province."""

from django.urls import path

from khue.province.law.views import public, tools

app_name = "law"

urlpatterns = [
    path("phap-ly/", public.index, name="shelf"),
    path("phap-ly/danh-muc.json", public.index_data, name="shelf-data"),
    path("phap-ly/vi-du/", public.circulars, name="circulars"),
    path("phap-ly/vi-du/<slug:slug>/", public.examples, name="examples"),
    path("phap-ly/so-sanh/", tools.compare, name="compare"),
    path("phap-ly/so-sanh/<uuid:uid>/", tools.comparison, name="comparison"),
    path("phap-ly/tinh-lai/", tools.recompute, name="recompute"),
    path("phap-ly/tinh-lai/<uuid:uid>/", tools.recomputation, name="recomputation"),
    path("phap-ly/<slug:slug>/", public.instrument, name="instrument"),
    path("phap-ly/<slug:slug>.json", public.instrument_data, name="instrument-data"),
]
