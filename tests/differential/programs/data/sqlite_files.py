"""A database in a file: reopened, attached, several connections, URI, blobs."""

import os
import sqlite3
from contextlib import closing

with closing(sqlite3.connect("shop.db")) as db:
    db.execute("create table item (id integer primary key, name text, body blob)")
    with db:
        db.executemany(
            "insert into item (name, body) values (?, zeroblob(?))", [("pen", 4), ("cup", 8)]
        )
    with db.blobopen("item", "body", 1) as blob:
        blob.write(b"ab")
        blob[3] = 0x7A
        blob.seek(0)
        print(blob.read(), len(blob))
print(os.path.getsize("shop.db") > 0, open("shop.db", "rb").read(15))
a = sqlite3.connect("shop.db", isolation_level=None)
b = sqlite3.connect("shop.db", timeout=0)
a.execute("begin immediate")
a.execute("insert into item (name) values ('mug')")
try:
    b.execute("insert into item (name) values ('jar')")
except sqlite3.OperationalError as error:
    print(error)
a.execute("commit")
print(b.execute("select name from item order by id").fetchall())
b.execute("insert into item (name) values ('jar')")
b.rollback()
a.execute("attach 'other.db' as o")
a.execute("create table o.copy as select id, name from item")
a.execute("savepoint s")
a.execute("delete from item")
a.execute("rollback to s")
a.execute("release s")
print(
    a.execute("select count(*) from o.copy join item using (id)").fetchone(),
    sorted(name for name in os.listdir() if name.endswith(".db")),
)
ro = sqlite3.connect("file:shop.db?mode=ro", uri=True)
try:
    ro.execute("delete from item")
except sqlite3.OperationalError as error:
    print(error)
try:
    sqlite3.connect("file:none.db?mode=rw", uri=True)
except sqlite3.OperationalError as error:
    print(error)
open("text.db", "w").write("this is not a database, but it is long enough to look at" * 20)
try:
    sqlite3.connect("text.db").execute("select * from x")
except sqlite3.DatabaseError as error:
    print(error)
print(
    a.execute("pragma integrity_check").fetchone(),
    a.execute("pragma journal_mode").fetchone(),
    a.execute("pragma user_version = 5").fetchall(),
    a.execute("pragma user_version").fetchone(),
)
a.execute("vacuum")
data = a.serialize()
m = sqlite3.connect(":memory:")
m.deserialize(data)
print(m.execute("select count(*) from item").fetchone(), sqlite3.paramstyle, sqlite3.apilevel)
modern = sqlite3.connect("shop.db", autocommit=False)
modern.execute("update item set name = upper(name)")
modern.rollback()
print(modern.execute("select name from item where id = 1").fetchone(), modern.in_transaction)
for each in (a, b, ro, m, modern):
    each.close()
