"""Events delivered after commit."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    """The outbox."""

    name = "khue.kernel.events"
    label = "events"
