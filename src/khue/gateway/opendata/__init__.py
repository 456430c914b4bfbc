"""Open data without a sign-in: code lists and the school network, at stable addresses."""
