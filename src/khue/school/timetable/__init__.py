"""What has to be taught, the solver that places it, and the published timetable with its changes."""
