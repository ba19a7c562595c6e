"""Real packages and a small use of each, run in sandboxes by test_real_packages.py.

docs/packages.md has a table of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent


@dataclass(frozen=True)
class Case:
    """A package (and those that it needs), a program that uses it, and what that must print."""

    package: str  # as in the lock file
    imports: str  # the module whose import is timed
    program: str
    output: str
    extra: tuple[str, ...] = ()  # further packages that the program uses
    fails: str = ""  # for what does not work: a pattern of what is said


def _case(
    package: str, imports: str, program: str, output: str, *extra: str, fails: str = ""
) -> Case:
    return Case(package, imports, dedent(program), dedent(output).strip(), extra, fails)


CASES = (
    _case(
        "anyio",
        "anyio",
        """
        import anyio
        async def worker(number, results):
            await anyio.sleep(0.001 * number)
            results.append(number)
        results = []
        async with anyio.create_task_group() as group:
            for number in (3, 1, 2):
                group.start_soon(worker, number, results)
        print(results)
        """,
        "[1, 2, 3]",
    ),
    _case(
        "attrs",
        "attrs",
        """
        import attrs
        @attrs.define(order=True)
        class Point:
            x: int = attrs.field(converter=int, validator=attrs.validators.ge(0))
            y: int = 2
        print(Point("1"), Point(1) < Point(2), attrs.asdict(Point(5)))
        try:
            Point(-1)
        except ValueError as error:
            print(str(error)[:25])
        """,
        """
        Point(x=1, y=2) True {'x': 5, 'y': 2}
        'x' must be >= 0: -1
        """,
    ),
    _case(
        "beautifulsoup4",
        "bs4",
        """
        from bs4 import BeautifulSoup
        page = "<ul><li class=a>one<li class=b>two <a href='/x'>x</a></ul>"
        soup = BeautifulSoup(page, "html.parser")
        print([item.get_text(strip=True) for item in soup.select("li.b")], soup.a["href"])
        """,
        "['twox'] /x",
    ),
    _case(
        "blinker",
        "blinker",
        """
        from blinker import signal
        ready = signal("ready")
        @ready.connect
        def receive(sender, **more):
            print("from", sender, more)
        ready.send("me", value=3)
        """,
        "from me {'value': 3}",
    ),
    _case(
        "cattrs",
        "cattrs",
        """
        import attrs, cattrs
        @attrs.define
        class Item:
            name: str
            tags: list[str]
        item = cattrs.structure({"name": "n", "tags": ["a", "b"]}, Item)
        print(item, cattrs.unstructure(item))
        """,
        "Item(name='n', tags=['a', 'b']) {'name': 'n', 'tags': ['a', 'b']}",
    ),
    _case(
        "certifi",
        "certifi",
        """
        import certifi
        with open(certifi.where()) as file:
            print("BEGIN CERTIFICATE" in file.read(), certifi.where())
        """,
        "True /site-packages/certifi/cacert.pem",
    ),
    _case(
        "charset-normalizer",
        "charset_normalizer",
        """
        from charset_normalizer import from_bytes
        text = "Всеки човек има право на образование. Oбразованието трябва да бъде безплатно."
        print(str(from_bytes(text.encode("cp1251")).best()) == text)
        """,
        "True",
    ),
    _case(
        "click",
        "click",
        """
        import click
        from click.testing import CliRunner
        @click.command()
        @click.option("--count", default=1)
        @click.argument("name")
        def hello(count, name):
            for _ in range(count):
                click.echo(f"Hello, {name}!")
        done = CliRunner().invoke(hello, ["--count", "2", "you"])
        print(done.exit_code, done.output.split("\\n"))
        """,
        "0 ['Hello, you!', 'Hello, you!', '']",
    ),
    _case(
        "docutils",
        "docutils.core",
        """
        from docutils.core import publish_parts
        parts = publish_parts("Title\\n=====\\n\\nSome *text*.", writer="html5")
        print(parts["title"], "<em>text</em>" in parts["body"])
        """,
        "Title True",
    ),
    _case(
        "flask",
        "flask",
        """
        import flask
        app = flask.Flask("app")
        @app.get("/add/<int:a>/<int:b>")
        def add(a, b):
            return {"sum": a + b}
        @app.get("/page")
        def page():
            return flask.render_template_string("<p>{{ text }}</p>", text="<&>")
        client = app.test_client()
        print(client.get("/add/2/3").json, client.get("/page").text, client.get("/x").status_code)
        """,
        "{'sum': 5} <p>&lt;&amp;&gt;</p> 404",
    ),
    _case(
        "h11",
        "h11",
        """
        import h11
        connection = h11.Connection(h11.CLIENT)
        sent = connection.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
        print(sent)
        connection.send(h11.EndOfMessage())
        connection.receive_data(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nhi")
        print(connection.next_event().status_code, bytes(connection.next_event().data))
        """,
        """
        b'GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'
        200 b'hi'
        """,
    ),
    _case(
        "httpx",
        "httpx",
        """
        import httpx
        def answer(request):
            return httpx.Response(200, json={"path": request.url.path})
        with httpx.Client(transport=httpx.MockTransport(answer)) as client:
            print(client.get("http://example.com/a?b=c").json())
        """,
        "{'path': '/a'}",
    ),
    _case(
        "humanize",
        "humanize",
        """
        import datetime, humanize
        print(humanize.intcomma(1234567), humanize.naturalsize(10**9))
        print(humanize.naturaldelta(datetime.timedelta(days=400)))
        """,
        """
        1,234,567 1.0 GB
        1 year, 1 month
        """,
    ),
    _case(
        "idna",
        "idna",
        """
        import idna
        print(idna.encode("ドメイン.テスト"), idna.decode("xn--eckwd4c7c.xn--zckzah"))
        """,
        "b'xn--eckwd4c7c.xn--zckzah' ドメイン.テスト",
    ),
    _case(
        "itsdangerous",
        "itsdangerous",
        """
        from itsdangerous import BadSignature, URLSafeSerializer
        serializer = URLSafeSerializer("key")
        token = serializer.dumps({"id": 5})
        print(serializer.loads(token))
        try:
            serializer.loads(token + "x")
        except BadSignature as error:
            print(type(error).__name__)
        """,
        """
        {'id': 5}
        BadSignature
        """,
    ),
    _case(
        "jinja2",
        "jinja2",
        """
        import jinja2
        environment = jinja2.Environment(autoescape=True)
        template = environment.from_string(
            "{% for n in names|sort %}{{ loop.index }}:{{ n }} {% endfor %}"
        )
        print(template.render(names=["b", "<a>"]))
        """,
        "1:&lt;a&gt; 2:b",
    ),
    _case(
        "jmespath",
        "jmespath",
        """
        import jmespath
        data = {"people": [{"n": "a", "age": 30}, {"n": "b", "age": 20}]}
        print(jmespath.search("people[?age > `25`].n", data))
        """,
        "['a']",
    ),
    _case(
        "lark",
        "lark",
        """
        from lark import Lark, Transformer, v_args
        grammar = '''
            ?sum: product | sum "+" product -> add
            ?product: NUMBER -> number | product "*" NUMBER -> multiply
            %import common.NUMBER
            %ignore " "
        '''
        @v_args(inline=True)
        class Calculate(Transformer):
            number = int
            def add(self, a, b): return a + b
            def multiply(self, a, b): return a * int(b)
        parser = Lark(grammar, start="sum", parser="lalr", transformer=Calculate())
        print(parser.parse("1 + 2 * 3 + 4"))
        """,
        "11",
    ),
    _case(
        "mako",
        "mako.template",
        """
        from mako.template import Template
        print(Template("% for n in range(3):\\n${n}\\\\\\n% endfor\\n").render())
        """,
        "012",
    ),
    _case(
        "markdown",
        "markdown",
        """
        import markdown
        print(markdown.markdown("# T\\n\\n|a|b|\\n|-|-|\\n|1|*2*|", extensions=["tables"])[:30])
        """,
        """
        <h1>T</h1>
        <table>
        <thead>
        <tr
        """,
    ),
    _case(
        "markdown-it-py",
        "markdown_it",
        """
        from markdown_it import MarkdownIt
        print(MarkdownIt().render("a **b** `c`"))
        """,
        "<p>a <strong>b</strong> <code>c</code></p>",
    ),
    _case(
        "markupsafe",
        "markupsafe",
        """
        from markupsafe import Markup, escape
        print(escape("<b>"), Markup("<i>%s</i>") % "&")
        """,
        "&lt;b&gt; <i>&amp;</i>",
    ),
    _case(
        "marshmallow",
        "marshmallow",
        """
        from marshmallow import Schema, ValidationError, fields
        class User(Schema):
            name = fields.Str(required=True)
            born = fields.Date()
        print(User().load({"name": "x", "born": "2001-02-03"}))
        try:
            User().load({"born": "never"})
        except ValidationError as error:
            print(sorted(error.messages))
        """,
        """
        {'name': 'x', 'born': datetime.date(2001, 2, 3)}
        ['born', 'name']
        """,
    ),
    _case(
        "more-itertools",
        "more_itertools",
        """
        import more_itertools
        print(list(more_itertools.chunked("abcde", 2)), more_itertools.first([], None))
        """,
        "[['a', 'b'], ['c', 'd'], ['e']] None",
    ),
    _case(
        "mpmath",
        "mpmath",
        """
        from mpmath import mp, quad, sin, pi
        mp.dps = 30
        print(mp.zeta(3), quad(sin, [0, pi]))
        """,
        "1.20205690315959428539973816151 2.0",
    ),
    _case(
        "networkx",
        "networkx",
        """
        import networkx as nx
        graph = nx.karate_club_graph()
        print(nx.shortest_path(graph, 0, 33), nx.diameter(graph))
        print(len(nx.community.louvain_communities(graph, seed=1)) > 1)
        """,
        """
        [0, 8, 33] 5
        True
        """,
    ),
    _case(
        "openpyxl",
        "openpyxl",
        """
        import io, openpyxl
        book = openpyxl.Workbook()
        book.active.append(["n", 1, "=B1*2"])
        file = io.BytesIO()
        book.save(file)
        again = openpyxl.load_workbook(file)
        print([cell.value for cell in again.active[1]])
        """,
        "['n', 1, '=B1*2']",
    ),
    _case(
        "packaging",
        "packaging.version",
        """
        from packaging.markers import default_environment
        from packaging.specifiers import SpecifierSet
        print("1.5" in SpecifierSet(">=1,<2"), default_environment()["sys_platform"])
        """,
        "True wasi",
    ),
    _case(
        "prettytable",
        "prettytable",
        """
        from prettytable import PrettyTable
        table = PrettyTable(["name", "n"])
        table.add_row(["日本", 1])
        print(table)
        """,
        """
        +------+---+
        | name | n |
        +------+---+
        | 日本 | 1 |
        +------+---+
        """,
    ),
    _case(
        "pydantic",
        "pydantic",
        """
        from typing import List
        from pydantic import BaseModel, ValidationError
        class Item(BaseModel):
            name: str
            sizes: List[int] = []
        print(Item(name="x", sizes=["1", 2]).json())
        try:
            Item(sizes=["a"])
        except ValidationError as error:
            print(len(error.errors()))
        """,
        """
        {"name": "x", "sizes": [1, 2]}
        2
        """,
    ),
    _case(
        "pygments",
        "pygments",
        """
        from pygments import highlight
        from pygments.formatters import HtmlFormatter
        from pygments.lexers import PythonLexer
        print(highlight("x = 1", PythonLexer(), HtmlFormatter(nowrap=True)))
        """,
        '<span class="n">x</span> <span class="o">=</span> <span class="mi">1</span>',
    ),
    _case(
        "pyparsing",
        "pyparsing",
        """
        import pyparsing as pp
        number = pp.common.integer
        expression = pp.infix_notation(number, [(sign, 2, pp.OpAssoc.LEFT) for sign in "*+"])
        print(expression.parse_string("1 + 2 * 3").as_list())
        """,
        "[[1, '+', [2, '*', 3]]]",
    ),
    _case(
        "pypdf",
        "pypdf",
        """
        import io, pypdf
        writer = pypdf.PdfWriter()
        writer.add_blank_page(200, 100)
        writer.add_metadata({"/Title": "empty"})
        file = io.BytesIO()
        writer.write(file)
        reader = pypdf.PdfReader(file)
        print(len(reader.pages), reader.metadata.title, reader.pages[0].mediabox.width)
        """,
        "1 empty 200.0",
    ),
    _case(
        "python-dateutil",
        "dateutil.parser",
        """
        from datetime import datetime
        from dateutil import parser, relativedelta, rrule
        start = parser.parse("3 Feb 2024 10:00")
        print(start + relativedelta.relativedelta(months=1))
        print([day.day for day in rrule.rrule(rrule.WEEKLY, count=3, dtstart=start)])
        """,
        """
        2024-03-03 10:00:00
        [3, 10, 17]
        """,
    ),
    _case(
        "pyyaml",
        "yaml",
        """
        import yaml
        data = yaml.safe_load("a: [1, 2.5, true]\\nb:\\n  - x: null\\n")
        print(data, yaml.safe_dump(data, default_flow_style=True), yaml.__with_libyaml__)
        """,
        """
        {'a': [1, 2.5, True], 'b': [{'x': None}]} {a: [1, 2.5, true], b: [{x: null}]}
         False
        """,
    ),
    _case(
        "requests",
        "requests",
        """
        import requests
        class Answer(requests.adapters.BaseAdapter):
            def send(self, request, **more):
                response = requests.Response()
                response.status_code, response.url, response.request = 200, request.url, request
                response._content = request.body
                return response
            def close(self):
                pass
        session = requests.Session()
        session.mount("test://", Answer())
        print(session.post("test://host/path", json={"a": 1}).json())
        """,
        "{'a': 1}",
    ),
    _case(
        "rich",
        "rich.console",
        """
        from rich.console import Console
        from rich.table import Table
        table = Table("name", "value")
        table.add_row("a", "[bold]1[/bold]")
        console = Console(width=30, force_terminal=False)
        console.print(table)
        """,
        """
        ┏━━━━━━┳━━━━━━━┓
        ┃ name ┃ value ┃
        ┡━━━━━━╇━━━━━━━┩
        │ a    │ 1     │
        └──────┴───────┘
        """,
    ),
    _case(
        "six",
        "six",
        """
        import six
        from six.moves.urllib.parse import quote
        print(six.ensure_text(b"x"), quote("a b"))
        """,
        "x a%20b",
    ),
    _case(
        "sortedcontainers",
        "sortedcontainers",
        """
        from sortedcontainers import SortedDict
        d = SortedDict({3: "c", 1: "a"})
        d[2] = "b"
        print(list(d), d.peekitem(0))
        """,
        "[1, 2, 3] (1, 'a')",
    ),
    _case(
        "sqlglot",
        "sqlglot",
        """
        import sqlglot
        print(sqlglot.transpile("SELECT TOP 3 x FROM t", read="tsql", write="postgres")[0])
        tree = sqlglot.parse_one("SELECT a + b FROM t")
        print([str(column) for column in tree.find_all(sqlglot.exp.Column)])
        """,
        """
        SELECT x FROM t LIMIT 3
        ['a', 'b']
        """,
    ),
    _case(
        "sympy",
        "sympy",
        """
        import sympy as sp
        x = sp.symbols("x")
        print(sp.integrate(sp.sin(x) * sp.exp(x), x))
        print(sp.solve(x**2 - 5 * x + 6, x), sp.factor(x**4 - 1))
        """,
        """
        exp(x)*sin(x)/2 - exp(x)*cos(x)/2
        [2, 3] (x - 1)*(x + 1)*(x**2 + 1)
        """,
    ),
    _case(
        "tabulate",
        "tabulate",
        """
        from tabulate import tabulate
        print(tabulate([["a", 1.5], ["b", 20]], headers=["n", "v"], tablefmt="github"))
        """,
        """
        | n   |    v |
        |-----|------|
        | a   |  1.5 |
        | b   | 20   |
        """,
    ),
    _case(
        "tomli-w",
        "tomli_w",
        """
        import tomli_w, tomllib
        text = tomli_w.dumps({"a": {"b": [1, 2]}})
        print(tomllib.loads(text))
        """,
        "{'a': {'b': [1, 2]}}",
    ),
    _case(
        "toolz",
        "toolz",
        """
        from toolz import groupby, pipe
        print(groupby(len, ["a", "bb", "c"]), pipe(3, str, lambda text: text * 2))
        """,
        "{1: ['a', 'c'], 2: ['bb']} 33",
    ),
    _case(
        "typing-extensions",
        "typing_extensions",
        """
        from typing_extensions import TypedDict, get_type_hints
        class Movie(TypedDict, total=False, closed=True):
            year: int
        print(get_type_hints(Movie))
        """,
        "{'year': <class 'int'>}",
    ),
    _case(
        "tzdata",
        "tzdata",
        """
        import datetime, zoneinfo
        moment = datetime.datetime(2024, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Athens"))
        print(moment.isoformat())
        """,
        "2024-07-01T12:00:00+03:00",
    ),
    _case(
        "urllib3",
        "urllib3",
        """
        import urllib3
        from urllib3.util import Retry, parse_url
        print(parse_url("HTTP://u@Example.com:81/a?b#c"), Retry(3).total)
        """,
        "http://u@example.com:81/a?b#c 3",
    ),
    _case(
        "wcwidth",
        "wcwidth",
        """
        import wcwidth
        print(wcwidth.wcswidth("コンニチハ"))
        """,
        "10",
    ),
    _case(
        "werkzeug",
        "werkzeug",
        """
        from werkzeug.test import Client
        from werkzeug.wrappers import Request, Response
        @Request.application
        def app(request):
            return Response(f"Hello {request.args['name']}")
        print(Client(app).get("/?name=x").text)
        from werkzeug.security import check_password_hash, generate_password_hash
        hashed = generate_password_hash("secret")
        print(hashed[:6], check_password_hash(hashed, "secret"))
        """,
        "Hello x\nscrypt True",
    ),
    _case(
        "xlsxwriter",
        "xlsxwriter",
        """
        import io, xlsxwriter, zipfile
        file = io.BytesIO()
        with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
            sheet = book.add_worksheet("s")
            sheet.write(0, 0, 42)
        print("xl/worksheets/sheet1.xml" in zipfile.ZipFile(file).namelist())
        """,
        "True",
    ),
)
