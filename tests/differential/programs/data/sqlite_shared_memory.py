"""Databases in memory that two connections share by name."""

import sqlite3

a = sqlite3.connect("file:shared?mode=memory&cache=shared", uri=True)
b = sqlite3.connect("file:shared?mode=memory&cache=shared", uri=True)
a.execute("create table t (x)")
a.execute("insert into t values (5)")
a.commit()
print(b.execute("select x from t").fetchall())
c = sqlite3.connect(":memory:")
try:
    c.execute("select x from t")
except sqlite3.OperationalError as error:
    print(error)
b.execute("insert into t values (6)")
b.commit()
a.close()
print(b.execute("select sum(x) from t").fetchone())
