"""Learners without a personal number, by school and in the order of their names: the work-list reads them and nobody else."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

LACKING = models.Q(personal_index=None, merged_into=None)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("people", "0005_remember")]

    operations = [
        AddIndexConcurrently("person", models.Index(fields=["school_id", "sort_key"], name="people_lack_number", condition=LACKING)),
        AddIndexConcurrently("person", models.Index(fields=["sort_key", "id"], name="people_lack_number_order", condition=LACKING)),
    ]
