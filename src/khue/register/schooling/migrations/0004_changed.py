"""Which placements were written since a moment: for counts as they were known then."""

from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):

    atomic = False

    dependencies = [("schooling", "0003_school_plans")]

    operations = [
        AddIndexConcurrently("placement", BrinIndex(fields=["changed_at"], autosummarize=True, name="schooling_place_changed")),
    ]
