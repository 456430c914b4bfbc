"""Pages: the catalogue, one school, the files of schools, classes and people, records."""

from khue.register.fields.views.files import edit, file, timeline
from khue.register.fields.views.listing import catalogue, extend, records
from khue.register.fields.views.school import whole
from khue.register.fields.views.single import add_record, change_record, withdraw_record

__all__ = [
    "add_record", "catalogue", "change_record", "edit", "extend", "file", "records", "timeline", "whole", "withdraw_record",
]  # fmt: skip
