"""What every app stands on. The kernel knows no class and no learner."""
