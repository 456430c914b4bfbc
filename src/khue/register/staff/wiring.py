"""What this app registers with the kernel: relations, rights, menu entries, jobs, listeners."""

from khue.kernel import homes

homes.declare("staff", __file__)
