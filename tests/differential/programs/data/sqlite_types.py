"""What SQLite does to types: affinity, dates, booleans, blobs, NULL order, big integers."""

import sqlite3

db = sqlite3.connect(":memory:")
db.execute("create table t (i integer, r real, t text, b blob, n numeric, x)")
for value in (
    1,
    1.0,
    1.5,
    "1",
    "1.50",
    "abc",
    b"1",
    None,
    True,
    2**62,
    -0.0,
    "",
    "é",
    float("inf"),
):
    row = db.execute(
        "insert into t values (?1, ?1, ?1, ?1, ?1, ?1) returning i, r, t, b, n, x, typeof(i), typeof(r), typeof(t), typeof(n)",
        (value,),
    ).fetchone()
    print(repr(value), row)
print(
    db.execute("select x from t order by x limit 6").fetchall(),
    db.execute("select count(*), count(x), sum(i), total(r), max(t) from t").fetchone(),
    db.execute(
        "select null = null, null is null, 1 = '1', '1' < 2, 'a' < 'B', 'a' = 'A' collate nocase, 5 / 2, 5 / 2.0, -5 % 3, 1 / 0, cast('12abc' as integer), cast(3.9 as integer), true + true"
    ).fetchone(),
)
for value in (2**63, float("nan"), [], object(), {}, 1j, "\udc80"):
    try:
        print(db.execute("select ?", (value,)).fetchone())
    except Exception as error:
        print(type(error).__name__, str(error).split(" at 0x")[0])
print(
    db.execute(
        "select date('2024-02-29', '+1 year'), time('12:00', '-90 minutes'), datetime(0, 'unixepoch'), strftime('%j %W %w', '2024-12-31'), unixepoch('2000-01-01'), date('nope')"
    ).fetchone()
)
db.text_factory = bytes
print(db.execute("select 'é'").fetchone())
