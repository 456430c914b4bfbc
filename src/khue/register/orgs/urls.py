"""Addresses of the tree of units."""

from django.urls import path

from khue.register.orgs.views import changes, tree

app_name = "orgs"
urlpatterns = [
    path("don-vi/", tree.tree, name="tree"),
    path("don-vi/so-lieu/", tree.counts, name="counts"),
    path("don-vi/tim/", tree.find, name="find"),
    path("don-vi/nhanh/<uuid:uid>/", tree.branch, name="branch"),
    path("don-vi/sap-xep/<uuid:uid>/", tree.reform, name="reform"),
    path("don-vi/sap-xep/<uuid:uid>/truong/<uuid:question>/", tree.decide, name="decide"),
    path("don-vi/<uuid:uid>/", tree.unit, name="unit"),
    path("don-vi/<uuid:uid>/lap-don-vi/", changes.open_under, name="open"),
    path("don-vi/<uuid:uid>/doi-ten/", changes.rename, name="rename"),
    path("don-vi/<uuid:uid>/doi-cap-tren/", changes.move, name="move"),
    path("don-vi/<uuid:uid>/doi-xa/", changes.commune, name="commune"),
    path("don-vi/<uuid:uid>/sua/", changes.attributes, name="attributes"),
    path("don-vi/<uuid:uid>/dong/", changes.close, name="close"),
]
