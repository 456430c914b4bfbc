"""OneRoster 1.2: rostering and gradebook over REST, and the CSV bundle both ways."""
