"""One English word a concept: apps, models and rules speak the glossary's words."""

import csv
import re
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parents[2]


def glossary():
    with open(ROOT / "docs" / "glossary.csv", newline="", encoding="utf-8") as source:
        return {row["identifier"]: row for row in csv.DictReader(source)}


def snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def ours():
    return [m for m in apps.get_models() if m.__module__.startswith("khue.") and not hasattr(m, "pgh_tracked_model")]


def test_each_identifier_stands_once_and_has_both_languages():
    with open(ROOT / "docs" / "glossary.csv", newline="", encoding="utf-8") as source:
        rows = list(csv.DictReader(source))
    assert len({row["identifier"] for row in rows}) == len(rows)
    assert all(row["vi"] and row["en"] for row in rows)


@pytest.mark.parametrize("model", ours(), ids=lambda m: m._meta.label)
def test_models_are_named_by_the_glossary(model):
    assert snake(model.__name__) in glossary(), f"docs/glossary.csv lacks {snake(model.__name__)}"


@pytest.mark.parametrize("model", ours(), ids=lambda m: m._meta.label)
def test_models_say_what_they_are_in_vietnamese(model):
    assert str(model._meta.verbose_name) != model.__name__.lower()
    assert (model.__doc__ or "").strip() and not model.__doc__.startswith(f"{model.__name__}(")
