"""Family ties begin to be known by date: each as it stands, since it was written."""

from django.db import migrations

from khue.kernel.database.known import remember


def ties(apps, schema_editor):
    remember(schema_editor, "people_kinship", "people_kinshiphistory")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("people", "0004_known_time")]

    operations = [migrations.RunPython(ties, migrations.RunPython.noop)]
