"""What this app registers with the kernel: nothing; its pages are for everybody."""
