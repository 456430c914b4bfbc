"""The services of the standard over REST, and the page of bundles."""
