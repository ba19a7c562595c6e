"""Training for profile-guided optimisation: what programs use of the standard library."""

import ast
import base64
import bisect
import copy
import csv
import datetime
import decimal
import fractions
import hashlib
import heapq
import io
import json
import math
import os
import pathlib
import pickle
import random
import re
import statistics
import string
import struct
import textwrap
import traceback
import uuid
import zlib

TEXT = """It is a truth universally acknowledged, that a single man in possession of a good fortune,
must be in want of a wife. However little known the feelings or views of such a man may be on his
first entering a neighbourhood, this truth is so well fixed: 1813-01-28, jane@example.org, +44. """


def strings():
    words = TEXT.split() * 40
    counts = {}
    for word in words:
        word = word.strip(string.punctuation).lower()
        counts[word] = counts.get(word, 0) + 1
    lines = [f"{word:<20}|{count:>6,d}|{count / len(words):8.3%}" for word, count in counts.items()]
    joined = "\n".join(lines)
    swapped = joined.replace("a", "ä").upper().title().swapcase().encode("utf-8").decode("utf-8")
    found = [joined.find(word) for word in counts] + [joined.count("e"), joined.rfind("|")]
    parts = ["%s=%d" % pair for pair in counts.items()]  # noqa: UP031
    parts += ["{} {!r}".format(*pair) for pair in counts.items()]
    table = str.maketrans("aeiou", "AEIOU")
    built = ""
    for number in range(2000):
        built += chr(97 + number % 26)
    return len(swapped), sum(found), len(parts), joined.translate(table)[::-1], built.isalpha()


def expressions():
    text = TEXT * 20
    found = re.findall(r"\b(\w+)ed\b", text) + re.findall(r"\d{4}-\d\d-\d\d", text)
    replaced = re.sub(r"(?P<user>\w+)@(?P<host>[\w.]+)", r"\g<host> at \g<user>", text)
    pieces = re.split(r"[,.;:]\s*", text)
    pattern = re.compile(r"^\s*(?:a|the|it)\b.*?(man|truth)(?=\W)", re.I | re.M)
    tokens = re.compile(r"(?P<name>[a-z_]\w*)|(?P<number>\d+(?:\.\d+)?)|(?P<space>\s+)|(.)", re.I)
    kinds = [match.lastgroup for match in tokens.finditer(text)]
    return len(found), len(replaced), len(pieces), len(pattern.findall(text)), len(kinds)


def serialisation():
    data = {
        "users": [
            {"id": n, "name": f"user{n}", "score": n / 3, "tags": ["a"], "ok": n > 9, "no": None}
            for n in range(300)
        ],
        "text": TEXT + 'äöü\n\t"quoted" \u2603',
    }
    encoded = json.dumps(data, indent=1, sort_keys=True) + json.dumps(data, ensure_ascii=False)
    decoded = json.loads(json.dumps(data))
    pickled = pickle.loads(pickle.dumps(data))
    copied = copy.deepcopy(data)
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerows([n, f"name {n}", n * 1.5, 'with "quotes"'] for n in range(400))
    rows = list(csv.reader(io.StringIO(stream.getvalue())))
    packed = b"".join(struct.pack("<IHd4s", n, n % 100, n / 2, b"abcd") for n in range(500))
    unpacked = list(struct.iter_unpack("<IHd4s", packed))
    squeezed = zlib.decompress(zlib.compress(encoded.encode()))
    armoured = base64.b64decode(base64.b64encode(squeezed))
    digest = hashlib.sha256(armoured).hexdigest() + hashlib.md5(armoured).hexdigest()
    return decoded == pickled == copied, len(rows), len(unpacked), digest


def numbers():
    generator = random.Random(7)
    values = [generator.gauss(10, 3) for _ in range(2000)]
    generator.shuffle(values)
    summary = statistics.mean(values), statistics.stdev(values), statistics.median(values)
    total = decimal.Decimal(0)
    for n in range(1, 400):
        total += decimal.Decimal(n) / decimal.Decimal("7.25")
    ratio = sum((fractions.Fraction(1, n) for n in range(1, 60)), fractions.Fraction())
    waves = [math.sin(n / 10) * math.exp(-n / 500) + math.sqrt(n) for n in range(3000)]
    heap = []
    for value in values:
        heapq.heappush(heap, value)
    ordered = [heapq.heappop(heap) for _ in range(len(heap))]
    places = [bisect.bisect(ordered, value) for value in values[:500]]
    return summary, total, ratio, sum(waves), sum(places), generator.choices("abc", k=10)


def times():
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    days = [start + datetime.timedelta(days=n, hours=n % 24) for n in range(400)]
    texts = [day.isoformat() for day in days] + [day.strftime("%d.%m.%Y %H:%M") for day in days]
    parsed = [datetime.datetime.fromisoformat(text) for text in texts[:400]]
    different = str(uuid.uuid4()) != str(uuid.uuid4())
    return parsed == days, (days[-1] - days[0]).total_seconds(), different


def files():
    folder = pathlib.Path("/tmp/training")
    folder.mkdir(exist_ok=True)
    for number in range(20):
        path = folder / f"file{number}.txt"
        path.write_text(TEXT * 5)
        with path.open() as stream:
            lines = [line.rstrip() for line in stream]
        path.write_bytes(path.read_bytes()[: len(lines) * 10])
    sizes = [entry.stat().st_size for entry in os.scandir(folder)]
    for path in sorted(folder.glob("*.txt")):
        path.unlink()
    folder.rmdir()
    return sum(sizes)


def compiling():
    source = textwrap.dedent(
        '''
        import math
        class Thing:
            """A thing."""
            def __init__(self, value: int = 3, *more, **named):
                self.value = [v for v in range(value) if v % 2] or {"a": 1, **named}
            async def later(self):
                async with self as other:
                    return await other.later()
        def function(a, b, /, c=1, *, d):
            for i in range(a):
                while b > i:
                    b -= 1
                    if b == c and d: break
                else:
                    continue
            try:
                return f"{a!r:>10} {b + c} {'nested'}"
            except (ValueError, TypeError) as error:
                raise RuntimeError("x") from error
            finally:
                print(*range(3), sep=", ")
        '''
    )
    for _ in range(15):
        exec(compile(source * 3, "<training>", "exec"), {})
    tree = ast.parse(source)
    names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    try:
        compile("def broken(:", "<training>", "exec")
    except SyntaxError:
        text = traceback.format_exc()
    return len(names), ast.unparse(tree)[:20], len(text)


for _ in range(4):
    strings()
    expressions()
    serialisation()
    numbers()
    times()
    files()
    compiling()
for module in ("argparse", "html", "http.client", "logging", "sqlite3", "unittest", "urllib.parse"):
    __import__(module)
print(*range(2000))
