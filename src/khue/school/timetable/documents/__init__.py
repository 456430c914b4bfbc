"""The timetable on paper and as a workbook: one sheet a class, teacher or room."""
