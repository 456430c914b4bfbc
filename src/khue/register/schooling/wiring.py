"""What this app registers with the kernel: relations, rights, menu entries, jobs, listeners."""
