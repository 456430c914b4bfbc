"""Sets of posts: opened once a place, changed by version, undone and opened again."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from khue.register.staff import bulk
from khue.register.staff.models import Post
from tests import factories

pytestmark = pytest.mark.usefixtures("everything")
DAY = date(2025, 9, 5)


def test_posts_are_opened_changed_undone_and_opened_again():
    here = factories.school()
    one, two = factories.person("Lê An", school=here), factories.person("Lê Bình", school=here)
    made = bulk.open_posts([{"person_id": one.pk, "position": "principal"}, {"person_id": two.pk, "short_name": "Bình T"}], school_id=here.pk, from_day=DAY)
    assert Post.objects.get(pk=made[one.pk]).position == "principal" and Post.objects.get(pk=made[two.pk]).position == "teacher"
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.open_posts([{"person_id": one.pk}], school_id=here.pk, from_day=DAY)
    assert bulk.change_posts([{"id": made[two.pk], "version": 1, "subject_code": "toan"}, {"id": made[one.pk], "version": 5, "position": "other"}]) == {made[two.pk]: 2}
    assert bulk.undo_posts([(made[two.pk], 1)]) == set() and bulk.undo_posts([(made[two.pk], 2)]) == {made[two.pk]}
    rows = {row["post_id"]: row for row in bulk.posts_of(here.pk, on=DAY)}
    assert rows[made[one.pk]]["is_open"] and not rows[made[two.pk]]["is_open"] and rows[made[two.pk]]["short_name"] == "Bình T"
    assert bulk.reopen_posts([(made[two.pk], 3)], from_day=DAY) == {made[two.pk]}
