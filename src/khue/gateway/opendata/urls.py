"""Addresses of open data: they are printed in others' programs, so they never change."""

from django.urls import path, register_converter

from khue.gateway.opendata import views


class FormConverter:
    """csv or json, after the last dot of an address."""

    regex = "csv|json"

    def to_python(self, value: str) -> str:
        """Return it as it is."""
        return value

    def to_url(self, value: str) -> str:
        """Return it as it is."""
        return value


register_converter(FormConverter, "opendataform")
app_name = "opendata"
urlpatterns = [
    path("du-lieu-mo/", views.index, name="index"),
    path("du-lieu-mo/data.json", views.catalogue, name="catalogue"),
    path("du-lieu-mo/ghi-cong.txt", views.notice, name="notice"),
    path("du-lieu-mo/truong.<opendataform:form>", views.schools, name="schools"),
    path("du-lieu-mo/danh-muc/<slug:code>.<opendataform:form>", views.code_list, name="list"),
]
