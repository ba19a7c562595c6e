import sqlite3, time
base = sqlite3.connect("/data/base.db")
base.execute("create table t (id integer primary key, r integer, at text default current_timestamp)")
for _ in range(20):
    time.sleep(61)
    base.execute("insert into t (r) values (random())")
base.commit()
print(base.execute("select r, at, hex(randomblob(4)) from t order by r").fetchall())
