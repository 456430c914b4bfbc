"""What a learner brought from a former class of the year."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """A column that is null for nearly everybody: no row is rewritten."""

    dependencies = [("gradebook", "0002_line_storage")]

    operations = [
        migrations.AddField(
            model_name="line", name="carried", field=models.JSONField(null=True, verbose_name="điểm mang theo từ lớp cũ")
        ),
    ]
