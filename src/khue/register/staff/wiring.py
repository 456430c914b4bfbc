"""What this app registers with the kernel: relations, rights, menu entries, jobs, listeners."""

from khue.kernel import homes
from khue.register.staff import merging  # noqa: F401 - says what keeps two files apart

homes.declare("staff", __file__)
