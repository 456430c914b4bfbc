"""Stored files."""

from django.apps import AppConfig


class FilesConfig(AppConfig):
    """Content-addressed files."""

    name = "khue.kernel.files"
    label = "files"
