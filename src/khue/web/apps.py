"""Shell, components, error pages, API mount, addresses."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The outermost ring."""

    name = "khue.web"
    label = "web"

    def ready(self) -> None:
        """Listen to how sessions are signed in."""
        from khue.web import strength

        strength.connect()
