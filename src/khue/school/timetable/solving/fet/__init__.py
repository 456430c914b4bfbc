"""FET's file format: reading and writing data and timetables."""
