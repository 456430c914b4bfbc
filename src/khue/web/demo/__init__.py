"""The demo province: invented, small, repeatable. The same seed gives the same people.

`generate` writes the spreadsheets a school would bring; `path` walks them through the platform, from import to
signed transcripts and the ministry's file; `commands` offers `khue demo`.
"""
