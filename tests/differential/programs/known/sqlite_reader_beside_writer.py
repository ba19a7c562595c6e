"""SQLite locks a database as a whole, so that a reader waits for a writer."""

import sqlite3

a = sqlite3.connect("x.db", isolation_level=None)
a.execute("create table t (x)")
b = sqlite3.connect("x.db", timeout=0)
a.execute("begin immediate")
try:
    print(b.execute("select count(*) from t").fetchone())
except sqlite3.OperationalError as error:
    print(error)
