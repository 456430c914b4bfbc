"""What this app registers: the reader of records for snapshots, its rights, its jobs, its menu entry."""

from khue.gateway.sync import records
from khue.province.periods.records import READERS, STANDARD

READERS.add(STANDARD, records.read)
