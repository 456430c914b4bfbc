"""Keeps the guards in step with the schema."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class DatabaseConfig(AppConfig):
    """Makes the functions the schema uses before each migrate, and runs `guards.sync` once after it."""

    name = "khue.kernel.database"
    label = "kernel_database"

    def ready(self) -> None:
        """Connect to the beginning and the end of `migrate`."""
        pre_migrate.connect(_before_migrate, sender=self, dispatch_uid="khue.functions")
        post_migrate.connect(_after_migrate, sender=self, dispatch_uid="khue.guards")


def _before_migrate(sender: AppConfig, using: str, **kwargs: object) -> None:
    from django.db import connections

    from khue.kernel.database import guards

    with connections[using].cursor() as cursor:
        cursor.execute(guards.FUNCTIONS)


def _after_migrate(sender: AppConfig, using: str, **kwargs: object) -> None:
    from django.db import connections

    from khue.kernel.database import guards

    guards.sync(connections[using])
