"""Who signs in, and how an account comes into its person's hands."""
