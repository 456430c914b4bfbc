"""What units are called and under whom they lie begins to be known by date: each row as it stands, since it was written."""

from django.db import migrations

from khue.kernel.database.known import remember


def names_and_ties(apps, schema_editor):
    remember(schema_editor, "orgs_unitname", "orgs_unitnamehistory")
    remember(schema_editor, "orgs_unittie", "orgs_unittiehistory")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orgs", "0002_known_time")]

    operations = [migrations.RunPython(names_and_ties, migrations.RunPython.noop)]
