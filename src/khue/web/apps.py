"""Shell, components, error pages, API mount, addresses."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The outermost ring."""

    name = "khue.web"
    label = "web"
