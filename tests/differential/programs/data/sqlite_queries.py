"""sqlite3 in memory: types, rows, transactions, functions, and its errors."""

import datetime
import sqlite3

db = sqlite3.connect(":memory:")
db.execute(
    "create table t (id integer primary key, name text not null unique, price real, data blob, at text)"
)
db.executemany(
    "insert into t (name, price, data) values (?, ?, ?)",
    [("a", 1.5, b"\x00\xff"), ("b", None, None), ("ç", 3, b"")],
)
db.execute("insert into t (name, price) values (:n, :p)", {"n": "d", "p": 2**40})
print(db.execute("select * from t order by id").fetchall(), db.total_changes, db.in_transaction)
db.commit()
cur = db.execute("select name, price * 2 as twice from t where price > ? order by price desc", (1,))
print(
    [d[0] for d in cur.description],
    cur.fetchone(),
    cur.fetchmany(1),
    cur.fetchall(),
    cur.fetchone(),
    cur.lastrowid,
    cur.rowcount,
)
db.row_factory = sqlite3.Row
row = db.execute("select * from t where name = 'a'").fetchone()
print(row["name"], row[2], row.keys(), dict(row), len(row), row == row, tuple(row), row["NAME"])
db.row_factory = None
with db:
    db.execute("update t set price = 9 where name = 'b'")
try:
    with db:
        db.execute("delete from t")
        raise RuntimeError("stop")
except RuntimeError as error:
    print(error, db.execute("select count(*) from t").fetchone())
db.create_function("double", 1, lambda x: x * 2, deterministic=True)


class Concat:
    def __init__(self):
        self.parts = []

    def step(self, value):
        self.parts.append(str(value))

    def finalize(self):
        return "+".join(self.parts)


db.create_aggregate("concat_all", 1, Concat)
db.create_collation("backwards", lambda a, b: (a < b) - (a > b))
print(
    db.execute("select double(21), concat_all(name) from t").fetchone(),
    db.execute("select name from t order by name collate backwards").fetchall(),
)
print(
    db.execute(
        "select typeof(1), typeof(1.0), typeof('a'), typeof(null), typeof(x'00'), 7 / 2, 7 % 3, 'a' || 'b', max(1, 2), coalesce(null, 5), upper('x'), length('é'), substr('hello', 2, 3), round(2.567, 1), 1 = 1.0, instr('abc', 'c'), printf('%05.1f', 3.14159), hex('ab'), 5 between 1 and 9, date('2024-02-28', '+2 days'), strftime('%Y/%m', '2024-03-01'), julianday('2000-01-01')"
    ).fetchone()
)
print(
    db.execute(
        "with recursive n(x) as (select 1 union all select x + 1 from n where x < 5) select group_concat(x), sum(x), avg(x) from n"
    ).fetchone(),
    db.execute("select name, row_number() over (order by price desc) from t").fetchall(),
    db.execute(
        """select json_extract('{"a": [1, {"b": 2}]}', '$.a[1].b'), json_array(1, 'x')"""
    ).fetchone(),
)
db.executescript(
    "create table u (a); insert into u values (1), (2); create index ui on u (a); create view v as select a * 10 from u;"
)
print(
    db.execute("select * from v").fetchall(),
    db.execute("select type, name from sqlite_master order by name").fetchall(),
    list(db.iterdump())[:3],
    db.execute("pragma table_info(u)").fetchall(),
)
db.execute("create virtual table docs using fts5(body)") if db.execute(
    "select sqlite_compileoption_used('ENABLE_FTS5')"
).fetchone()[0] else None
copy = sqlite3.connect(":memory:")
db.backup(copy)
print(
    copy.execute("select count(*) from t").fetchone(),
    copy.execute("insert into u values (5) returning a").fetchall(),
)
sqlite3.register_adapter(datetime.date, lambda d: d.isoformat())
sqlite3.register_converter("day", lambda b: datetime.date.fromisoformat(b.decode()))
typed = sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_DECLTYPES)
typed.execute("create table d (x day)")
typed.execute("insert into d values (?)", (datetime.date(2024, 1, 2),))
print(typed.execute("select x from d").fetchone())
attempts = [
    lambda: db.execute("selec 1"),
    lambda: db.execute("select * from nothing"),
    lambda: db.execute("select zz from t"),
    lambda: db.execute("insert into t (name) values ('a')"),
    lambda: db.execute("insert into t (price) values (1)"),
    lambda: db.execute("select ?", ()),
    lambda: db.execute("select ?", (1, 2)),
    lambda: db.execute("select :a", {"b": 1}),
    lambda: db.execute("select ?", ([],)),
    lambda: db.execute("select ?", (2**64,)),
    lambda: db.execute("select 1; select 2"),
    lambda: db.execute("select double(null)").fetchone(),
    lambda: db.execute("create table t (x)"),
    lambda: db.executemany("select 1", [()]),
    lambda: db.execute(5),
    lambda: db.execute("select 'unclosed"),
    lambda: row["zz"],
    lambda: db.execute("insert into t (id, name) values ('x', 'y')"),
    lambda: db.execute("select :a, ?", (1, 2)).fetchone(),
    lambda: db.execute("drop table zz"),
    lambda: db.execute("select count(*) from t group by").fetchone(),
    lambda: sqlite3.connect("missing/dir/x.db"),
    lambda: (copy.close(), copy.execute("select 1")),
    lambda: db.execute("").fetchone(),
    lambda: db.execute("select 1 where").fetchone(),
    lambda: db.execute("select max(id, ) from t"),
    lambda: db.execute("insert into u values (1, 2)"),
    lambda: db.execute("pragma nonsense").fetchone(),
    lambda: db.execute("begin").execute("begin"),
]
for number, each in enumerate(attempts):
    try:
        print(number, each())
    except Exception as error:
        print(number, type(error).__name__, error, getattr(error, "sqlite_errorname", ""))
