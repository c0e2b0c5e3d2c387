"""Writes the workbooks of this folder, with openpyxl, xlsxwriter, xlwt, odfpy and msoffcrypto-tool."""

import datetime as dt
import struct
import zipfile

import openpyxl
import openpyxl.chart
import xlsxwriter
import xlwt
from msoffcrypto.format.ooxml import OOXMLFile
from odf import opendocument, table, text

DAY, NOON = dt.date(2026, 1, 2), dt.datetime(2026, 1, 2, 12, 34, 56, 789000)

# Every type, and mixtures of them; xlsxwriter.
book = xlsxwriter.Workbook("types.xlsx", {"default_date_format": "yyyy-mm-dd"})
sheet = book.add_worksheet("Types")
stamp = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
clock = book.add_format({"num_format": "hh:mm"})
hours = book.add_format({"num_format": "[h]:mm:ss"})
names = ["whole", "number", "flag", "day", "moment", "clock", "hours", "text", "code", "mixed", "empty", ""]
sheet.write_row(0, 0, names)
rows = [
    (1, 1.5, True, DAY, NOON, 0.25, 1.5, "x", "00123", 7, None, "a"),
    (-9007199254740992, 1e300, False, dt.date(1900, 1, 1), dt.datetime(2026, 1, 3), 0.75, 0.5, "ä\n\"b\"", "1e5", "seven", None, None),
    (None, 2, None, dt.date(9999, 12, 31), None, 0, None, " ", "", True, None, None),
    (3, -0.1, True, None, NOON, None, 2, "x", "7", 0.1 + 0.2, None, "b"),
]
formats = [None, None, None, None, stamp, clock, hours] + [None] * 5
for row, cells in enumerate(rows, 1):
    for column, cell in enumerate(cells):
        if cell is None:
            continue
        if isinstance(cell, str):
            sheet.write_string(row, column, cell)
        elif isinstance(cell, dt.date) and formats[column] is None:
            sheet.write_datetime(row, column, cell)
        else:
            sheet.write(row, column, cell, formats[column])
# Formatted, but empty.
sheet.write_blank(8, 3, None, stamp)
book.close()

# Several sheets: a table below a title, errors, formulas, nothing, no header; openpyxl.
book = openpyxl.Workbook()
sheet = book.active
sheet.title = "Sales"
for row in [("region", "amount"), ("north", 10), ("south", 20), (None, None), ("east", 30)]:
    sheet.append(row)
sheet = book.create_sheet("Report 2026")
sheet["B1"] = "Sales by year"
for row, cells in enumerate([("id", 2025, 2026), (1, 10, 11.5), (2, 20, 21)], 3):
    for column, cell in enumerate(cells, 2):
        sheet.cell(row, column, cell)
sheet["B7"] = "all figures in EUR"
sheet = book.create_sheet("Errors")
for row in [("n", "ratio"), (1, 0.5), (2, "#DIV/0!"), (3, "#N/A")]:
    sheet.append(row)
book.create_sheet("Empty")
sheet = book.create_sheet("Plain")
for row in [(1, "a"), (2, "b")]:
    sheet.append(row)
book.create_chartsheet("Chart").add_chart(openpyxl.chart.BarChart())
book.save("sheets.xlsx")

# The calendar that begins in 1904; openpyxl.
book = openpyxl.Workbook()
book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
book.active.append(("day", "moment"))
book.active.append((DAY, NOON))
book.save("mac.xlsx")

# A workbook of 1997; xlwt.
book = xlwt.Workbook()
sheet = book.add_sheet("Old")
for column, name in enumerate(["n", "x", "day", "flag", "note"]):
    sheet.write(0, column, name)
date = xlwt.easyxf(num_format_str="YYYY-MM-DD")
for row, (n, x, note) in enumerate([(1, 0.5, "a"), (2, 1.5, "ä"), (70000, -1, None)], 1):
    sheet.write(row, 0, n)
    sheet.write(row, 1, x)
    sheet.write(row, 2, DAY + dt.timedelta(days=row), date)
    sheet.write(row, 3, row % 2 == 1)
    if note:
        sheet.write(row, 4, note)
book.add_sheet("Other").write(2, 1, "below")
book.save("old.xls")

# OpenDocument; odfpy.
book = opendocument.OpenDocumentSpreadsheet()
sheet = table.Table(name="Blatt 1")


def cell(kind=None, shown="", repeated=None, **value):
    values = {"valuetype": kind, **value} if kind else {}
    if repeated:
        values["numbercolumnsrepeated"] = repeated
    made = table.TableCell(**values)
    if shown:
        made.addElement(text.P(text=shown))
    return made


def add(cells, **values):
    row = table.TableRow(**values)
    for made in cells:
        row.addElement(made)
    sheet.addElement(row)


add([cell("string", name) for name in ["n", "day", "moment", "clock", "hours", "flag", "note"]] + [cell(repeated=1000)])
add([
    cell("float", "1", value=1), cell("date", "2026-01-02", datevalue="2026-01-02"),
    cell("date", "2026-01-02 12:34:56", datevalue="2026-01-02T12:34:56"), cell("time", "06:30:00", timevalue="PT06H30M00S"),
    cell("time", "30:00:00", timevalue="PT30H00M00S"), cell("boolean", "TRUE", booleanvalue="true"),
    cell("string", "a  b"),
])
add([cell("float", "2,5", value=2.5), cell(repeated=5), cell("string", "twice")], numberrowsrepeated=2)
add([cell(repeated=1024)], numberrowsrepeated=1048572)
book.spreadsheet.addElement(sheet)
book.save("open.ods")

# A workbook of binary parts, record by record ([MS-XLSB]), since no library writes them.


def record(kind, data=b""):
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    return head + bytes([len(data)]) + data


def wide(shown):
    return struct.pack("<I", len(shown)) + shown.encode("utf-16-le")


def binary_cell(kind, column, data):
    return record(kind, struct.pack("<II", column, 0) + data)


def binary_row(row, *cells):
    return record(0, struct.pack("<I", row) + bytes(13)) + b"".join(cells)


relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
relations = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
parts = {
    "[Content_Types].xml": "<Types/>",
    "_rels/.rels": relations.format(f'<Relationship Id="rId1" Type="{relation}/officeDocument" Target="xl/workbook.bin"/>'),
    "xl/_rels/workbook.bin.rels": relations.format(
        f'<Relationship Id="rId1" Type="{relation}/worksheet" Target="worksheets/sheet1.bin"/>'
    ),
    "xl/workbook.bin": record(0x83) + record(0x8F) + record(0x9C, struct.pack("<II", 0, 1) + wide("rId1") + wide("Binary"))
    + record(0x90) + record(0x84),
    "xl/worksheets/sheet1.bin": record(0x81) + record(0x94, struct.pack("<IIII", 0, 2, 0, 2)) + record(0x91)
    + binary_row(0, *[binary_cell(6, column, wide(name)) for column, name in enumerate(["n", "x", "flag"])])
    + binary_row(1, binary_cell(2, 0, struct.pack("<i", 7 << 2 | 2)), binary_cell(5, 1, struct.pack("<d", 1.5)), binary_cell(4, 2, b"\1"))
    + binary_row(2, binary_cell(2, 0, struct.pack("<i", -1 << 2 | 2)), binary_cell(6, 1, wide("none")))
    + record(0x92) + record(0x82),
}
with zipfile.ZipFile("binary.xlsb", "w", zipfile.ZIP_DEFLATED) as target:
    for name, data in parts.items():
        target.writestr(name, data)

# A sheet that is longer than the limit, as the directory says.
with zipfile.ZipFile("sheets.xlsx") as source, zipfile.ZipFile("long.xlsx", "w", zipfile.ZIP_DEFLATED) as target:
    for part in source.infolist():
        target.writestr(part, source.read(part))
data = bytearray(open("long.xlsx", "rb").read())
at = data.rfind(b"xl/worksheets/sheet1.xml") - 46
assert data[at:at + 4] == b"PK\1\2"
data[at + 24:at + 28] = (600 << 20).to_bytes(4, "little")
open("long.xlsx", "wb").write(data)

# A password.
with open("mac.xlsx", "rb") as source, open("locked.xlsx", "wb") as target:
    OOXMLFile(source).encrypt("secret", target)
