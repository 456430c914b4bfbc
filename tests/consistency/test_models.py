"""Every table with personal data is behind the second wall, and every app says what it is for."""

from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection

from khue.kernel.database.guards import guard_of, guarded_models

ROOT = Path(__file__).resolve().parents[2]
PERSONAL = {"learner_id", "person_id", "guardian_id", "personal_number", "born_on"}
OPEN = {
    "accounts_account": "accounts point to a person; read only by sign-in and by actor-first queries",
}


def columns(model):
    return {field.column for field in model._meta.concrete_fields}


@pytest.mark.parametrize("model", guarded_models(), ids=lambda m: m._meta.label)
def test_personal_data_is_scoped(model):
    if columns(model) & PERSONAL and model._meta.db_table not in OPEN:
        assert guard_of(model).scope is not None, f"{model._meta.label} holds personal data without a scope"


@pytest.mark.django_db
def test_the_database_holds_every_scope():
    with connection.cursor() as cursor:
        cursor.execute("select tablename, count(*) from pg_policies group by 1")
        policies = dict(cursor.fetchall())
        cursor.execute("select relname from pg_class where relrowsecurity")
        enabled = {name for (name,) in cursor.fetchall()}
    for model in guarded_models():
        if guard_of(model).scope is not None:
            assert model._meta.db_table in enabled and policies.get(model._meta.db_table, 0) >= 4, model._meta.label


@pytest.mark.parametrize("app", [a for a in apps.get_app_configs() if a.name.startswith("khue.")], ids=lambda a: a.label)
def test_every_app_says_what_it_is_for(app):
    readme = Path(app.path) / "README.md"
    if app.name.startswith("khue.kernel."):
        readme = ROOT / "src" / "khue" / "kernel" / "README.md"
    assert readme.exists() and len(readme.read_text()) > 200, f"{readme} is missing or says nothing"
