"""Reads a messy CSV, cleans it, pivots it, writes TSV and fixed-width text."""

import csv
import io
from collections import defaultdict

RAW = 'Name ; Dept;Salary\nAnn;IT;"1.200,50"\n;IT;900\nBob;;1000\n"Eve ""E""";HR;n/a\nAnn;IT;300\n'


def number(text):
    try:
        return float(text.replace(".", "").replace(",", "."))
    except ValueError:
        return None


rows, problems = [], []
reader = csv.DictReader(io.StringIO(RAW), delimiter=";")
reader.fieldnames = [f.strip().lower() for f in reader.fieldnames]
for row in reader:
    row["salary"] = number(row["salary"])
    missing = [k for k, v in row.items() if v in ("", None)]
    if missing:
        problems.append((reader.line_num, missing))
    else:
        rows.append(row)
print(rows, problems)
pivot = defaultdict(float)
for row in rows:
    pivot[row["dept"], row["name"]] += row["salary"]
out = io.StringIO(newline="")
w = csv.writer(out, "excel-tab")
w.writerow(["dept", "name", "total"])
w.writerows([*key, f"{value:.2f}"] for key, value in sorted(pivot.items()))
print(repr(out.getvalue()))
for (dept, name), value in pivot.items():
    print(f"{dept:5.5}{name:>10.8}{value:012.2f}")
