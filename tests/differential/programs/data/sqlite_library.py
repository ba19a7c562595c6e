"""A library in SQLite: foreign keys, joins, triggers, views, transactions, full reports."""

import sqlite3

db = sqlite3.connect(":memory:")
db.executescript("""
pragma foreign_keys = on;
create table author (id integer primary key, name text unique not null);
create table book (id integer primary key, title text, author integer references author on delete cascade, year integer check (year > 1000));
create table loan (book integer primary key references book, who text, day text default '2024-01-01');
create table log (what text);
create trigger logged after insert on loan begin insert into log values (new.who || ' has ' || (select title from book where id = new.book)); end;
create view shelf as select b.title, a.name, l.who is not null as lent from book b join author a on a.id = b.author left join loan l on l.book = b.id;
""")
with db:
    db.executemany("insert into author (name) values (?)", [("Lem",), ("Woolf",)])
    db.executemany(
        "insert into book (title, author, year) values (?, (select id from author where name = ?), ?)",
        [("Solaris", "Lem", 1961), ("Orlando", "Woolf", 1928), ("The Waves", "Woolf", 1931)],
    )
    db.execute("insert into loan (book, who) values (2, 'Ann')")
print(
    db.execute("select * from shelf order by title").fetchall(),
    db.execute("select what from log").fetchall(),
)
for statement, values in (
    ("insert into loan (book, who) values (?, ?)", (2, "Bob")),
    ("insert into loan (book, who) values (?, ?)", (99, "Bob")),
    ("insert into book (title, year) values (?, ?)", ("Old", 900)),
    ("insert into author (name) values (?)", (None,)),
    ("delete from author where name = ?", ("Woolf",)),
    ("update book set nope = ?", (1,)),
):
    try:
        with db:
            db.execute(statement, values)
        print("done")
    except sqlite3.Error as error:
        print(type(error).__name__, error)
print(
    db.execute(
        "select a.name, count(b.id), min(year), group_concat(title, '; ') from author a left join book b on b.author = a.id group by a.id having count(*) > 0 order by 2 desc"
    ).fetchall()
)
print(
    db.execute(
        "select case when year < 1930 then 'old' else 'new' end age, count(*) from book group by age union all select 'all', count(*) from book"
    ).fetchall(),
    db.execute(
        "select title from book where title like '%o%' and year in (1928, 1961) order by random() limit 0"
    ).fetchall(),
    db.execute("explain query plan select * from book where id = 1").fetchall()[0][-1],
)
db.execute("insert into log values ('x') on conflict do nothing")
print(
    db.execute("select upper(what), length(what), instr(what, 'a') from log limit 2").fetchall(),
    db.in_transaction,
    db.execute("select changes(), last_insert_rowid()").fetchone(),
)
