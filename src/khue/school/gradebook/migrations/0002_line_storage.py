"""What Django has no words for: room for updates in place, and the range of the regular marks."""

from django.db import migrations

FORWARD = """
alter table gradebook_line set (fillfactor = 75);
alter table gradebook_line drop constraint if exists gradebook_regular_in_range;
alter table gradebook_line add constraint gradebook_regular_in_range
  check (0 <= all (regular) and 100 >= all (regular));
"""
BACK = """
alter table gradebook_line reset (fillfactor);
alter table gradebook_line drop constraint if exists gradebook_regular_in_range;
"""


class Migration(migrations.Migration):
    """Updates of a line stay on its page (no index moves); a regular mark is 0 to 100 tenths or none."""

    dependencies = [("gradebook", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACK)]
