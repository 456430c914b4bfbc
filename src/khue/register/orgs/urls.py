"""Addresses of the tree of units."""

from django.urls import path

from khue.register.orgs import changes, views

app_name = "orgs"
urlpatterns = [
    path("don-vi/", views.tree, name="tree"),
    path("don-vi/so-lieu/", views.counts, name="counts"),
    path("don-vi/tim/", views.find, name="find"),
    path("don-vi/nhanh/<uuid:uid>/", views.branch, name="branch"),
    path("don-vi/sap-xep/<uuid:uid>/", views.reform, name="reform"),
    path("don-vi/sap-xep/<uuid:uid>/truong/<uuid:question>/", views.decide, name="decide"),
    path("don-vi/<uuid:uid>/", views.unit, name="unit"),
    path("don-vi/<uuid:uid>/lap-don-vi/", changes.open_under, name="open"),
    path("don-vi/<uuid:uid>/doi-ten/", changes.rename, name="rename"),
    path("don-vi/<uuid:uid>/doi-cap-tren/", changes.move, name="move"),
    path("don-vi/<uuid:uid>/sua/", changes.attributes, name="attributes"),
    path("don-vi/<uuid:uid>/dong/", changes.close, name="close"),
]
