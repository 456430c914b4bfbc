"""School years as the province dates them."""
