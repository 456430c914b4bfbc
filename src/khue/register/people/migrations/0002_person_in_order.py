"""People in the order of their names: the first of a common word are found without reading them all."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial")]

    operations = [
        migrations.AddIndex(model_name="person", index=models.Index(fields=["sort_key", "id"], name="people_in_order")),
    ]
