"""What the database holds against the application role."""

from datetime import date

import pytest
from django.db import Error, connection, transaction

from khue.kernel.database import scope
from khue.kernel.database.fields import period
from khue.register.orgs.models import Unit
from khue.register.people.models import Person


@pytest.fixture
def school(everything):
    return Unit.objects.create(code="86000001", kind="school", name="Trường THCS Nguyễn Huệ", valid=period(date(2000, 1, 1)))


def refused(statement, values=()):
    with pytest.raises(Error) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
    return str(error.value)


def test_we_are_the_application_role(everything):
    with connection.cursor() as cursor:
        cursor.execute("select current_user, rolsuper or rolbypassrls from pg_roles where rolname = current_user")
        assert cursor.fetchone() == ("khue_app", False)


def test_a_code_never_changes(school):
    assert "never changes" in refused("update orgs_unit set code = 'x' where id = %s", [school.pk])
    Unit.objects.filter(pk=school.pk).update(name="Trường THCS Quang Trung")
    school.refresh_from_db()
    assert school.version == 2


@pytest.mark.parametrize("statement", ["delete from orgs_unit", "truncate orgs_unit cascade", "drop table orgs_unit", "alter table orgs_unit disable trigger all"])
def test_coded_rows_cannot_be_removed(school, statement):
    assert "permission denied" in refused(statement) or "must be owner" in refused(statement)


def test_without_a_scope_nothing_is_visible(db, everything):
    Person.objects.create(code="8600000016", name="Nguyễn Văn An", sort_key="x", school_id=1)
    with scope.opened():
        assert not Person.objects.exists()
    with scope.opened(schools=[2]):
        assert not Person.objects.exists()
        assert "row-level security" in refused("insert into people_person (code, name, sort_key, uid, born_precision, sex, ethnic_group, nationality, birth_place, commune_code, address, phone, email, version, facts, school_id) values ('9','x','x',gen_random_uuid(),'day','0','','','','','','','',1,'{}',1)")
    with scope.opened(schools=[1]):
        assert Person.objects.count() == 1
    assert Person.objects.count() == 1
