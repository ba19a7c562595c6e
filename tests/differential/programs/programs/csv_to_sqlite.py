"""Loads a CSV into SQLite, asks some questions of it, writes a report as CSV and JSON."""

import csv
import io
import json
import sqlite3
from pathlib import Path

Path("sales.csv").write_text(
    'date,region,product,units,price\n2024-01-05,North,"Widget, large",10,2.50\n2024-01-07,South,Gadget,3,19.99\n'
    '2024-02-01,North,Gadget,7,19.99\n2024-02-11,East,Widget,,2.00\n2024-02-15,South,"Say ""hi"" card",100,0.10\n',
    encoding="utf-8",
)
db = sqlite3.connect("sales.db")
db.row_factory = sqlite3.Row
db.execute(
    "create table sale (id integer primary key, date text, region text, product text, units integer, price real)"
)
with open("sales.csv", newline="", encoding="utf-8") as file, db:
    db.executemany(
        "insert into sale (date, region, product, units, price) values (:date, :region, :product, nullif(:units, ''), :price)",
        csv.DictReader(file),
    )
for row in db.execute(
    "select region, count(*) n, sum(units * price) total, avg(price) mean from sale group by region order by total desc"
):
    print(f"{row['region']:<8}{row['n']:>3}{row['total'] or 0:>10.2f}{row['mean']:>8.3f}")
months = db.execute(
    "select substr(date, 1, 7) as month, sum(units) as units from sale group by 1"
).fetchall()
print(json.dumps([dict(row) for row in months], indent=2))
out = io.StringIO()
writer = csv.writer(out)
cursor = db.execute(
    "select product, units, round(price, 1) from sale where units is not null order by product"
)
writer.writerow([d[0] for d in cursor.description])
writer.writerows(cursor)
print(out.getvalue())
print(
    db.execute("select product from sale where product like '%\"hi\"%'").fetchone()[0],
    Path("sales.db").exists(),
)
db.close()
db.execute("select 1")
