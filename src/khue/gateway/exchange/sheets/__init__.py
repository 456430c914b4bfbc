"""Reading spreadsheets people send: CSV in any usual encoding, XLSX, XLS and ODS, within limits, values only.

    book = sheets.open_book(content, name="danh-sach.xlsx")     # raises a SheetRefused with its sentence
    sheet = book.sheet("Lop 6A1")                               # rows of raw cells, formulas flagged
    text = cells.as_text(sheet.rows[3][2])                      # one normaliser for every cell

Nothing is evaluated, followed or written. A file is inspected before a parser sees it.
"""

from khue.gateway.exchange.sheets.cells import RawCell
from khue.gateway.exchange.sheets.limits import LIMITS, Limits, SheetRefused
from khue.gateway.exchange.sheets.reading import Book, Sheet, digest_rows, open_book

__all__ = ["LIMITS", "Book", "Limits", "RawCell", "Sheet", "SheetRefused", "digest_rows", "open_book"]
