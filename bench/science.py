"""numpy, pandas and others in sandboxes against native Python and other sandboxes.

``python bench/science.py --native COMMAND [--other COMMAND]``: Pythons of which one has them
from PyPI at the same versions, and the other is a sandbox that runs the file that it is given.
Needs eryx-science. Times are the shortest of several, in milliseconds; each runs on one thread.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
import statistics
import subprocess
import tempfile
import time

from eryx import ResourceLimits, science

_HEAD = """
import time, json
begin = time.perf_counter()
import {module}
imported = (time.perf_counter() - begin) * 1e3

def best(function, count=7):
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return min(times) * 1e3
"""

_NUMPY = """
import numpy as np
rng = np.random.default_rng(1)
a, b = rng.standard_normal((256, 256)), rng.standard_normal((256, 256))
v, w = rng.standard_normal(1_000_000), rng.standard_normal(1_000_000)
i = rng.integers(0, 1000, 1_000_000)
f = v.astype("f4")
ten = np.ones(10)
measured = {
    "arange().sum()": lambda: np.arange(1e6).sum(),
    "sum": lambda: v.sum(),
    "add": lambda: v + w,
    "multiply f4": lambda: f * f,
    "sin": lambda: np.sin(v),
    "exp": lambda: np.exp(v),
    "sqrt(abs)": lambda: np.sqrt(np.abs(v)),
    "v[v > 0.5]": lambda: v[v > 0.5],
    "sort f8": lambda: np.sort(v),
    "sort i8": lambda: np.sort(i),
    "argsort": lambda: np.argsort(v),
    "unique": lambda: np.unique(i),
    "bincount": lambda: np.bincount(i),
    "matmul 256": lambda: a @ b,
    "solve 256": lambda: np.linalg.solve(a, b),
    "svd 100": lambda: np.linalg.svd(a[:100, :100]),
    "fft 2^18": lambda: np.fft.fft(v[:262144]),
    "standard_normal": lambda: rng.standard_normal(1_000_000),
    "rand": lambda: np.random.rand(1_000_000),
    "cumsum": lambda: np.cumsum(v),
    "std": lambda: v.std(),
    "einsum": lambda: np.einsum("ij,jk->ik", a, b),
    "1000 small adds": lambda: [ten + ten for _ in range(1000)],
}
"""

_PANDAS = """
import io
import numpy as np, pandas as pd
rng = np.random.default_rng(3)
n = 200_000
frame = pd.DataFrame({
    "k": rng.integers(0, 500, n), "x": rng.standard_normal(n), "y": rng.standard_normal(n),
    "s": rng.choice(["aa", "bb", "cc", "dd"], n),
})
csv = frame.head(20_000).to_csv(index=False)
other = pd.DataFrame({"k": np.arange(500), "w": rng.standard_normal(500)})
times = pd.date_range("2026-01-01", periods=50_000, freq="min")
measured = {
    "groupby mean": lambda: frame.groupby("k")[["x", "y"]].mean(),
    "groupby text": lambda: frame.groupby("s").agg({"x": ["sum", "std"], "y": "max"}),
    "merge": lambda: frame.merge(other, on="k"),
    "sort_values": lambda: frame.sort_values(["k", "x"]),
    "read_csv": lambda: pd.read_csv(io.StringIO(csv)),
    "to_csv": lambda: frame.head(20_000).to_csv(index=False),
    "rolling mean": lambda: frame["x"].rolling(50).mean(),
    "rolling median": lambda: frame["x"].head(20_000).rolling(50).median(),
    "value_counts": lambda: frame["k"].value_counts(),
    "str.upper": lambda: frame["s"].head(50_000).str.upper(),
    "resample": lambda: pd.Series(range(50_000), index=times).resample("h").sum(),
    "to_datetime": lambda: pd.to_datetime(pd.Series(times[:5000].astype(str))),
    "pivot_table": lambda: frame.pivot_table(index="k", columns="s", values="x", aggfunc="mean"),
    "JSON": lambda: pd.read_json(io.StringIO(frame.head(5000).to_json())),
    "describe": lambda: frame.describe(),
}
"""

_FORMATS = """
import io, json, datetime
import lxml.etree, msgpack, orjson, pydantic, regex, tiktoken, yaml

class Address(pydantic.BaseModel):
    street: str
    city: str = pydantic.Field(min_length=2)

class Person(pydantic.BaseModel):
    name: str
    age: int = pydantic.Field(ge=0)
    born: datetime.date
    tags: list[str]
    address: Address

people = [
    {"name": f"Ada {n}", "age": n % 90, "born": "1990-04-05", "tags": ["a", "b", str(n)],
     "address": {"street": f"Street {n}", "city": "Bonn"}}
    for n in range(1000)
]
text = json.dumps(people)
adapter = pydantic.TypeAdapter(list[Person])
checked = adapter.validate_python(people)
packed = msgpack.packb(people)
few = yaml.dump(people[:50], Dumper=yaml.CSafeDumper)
xml = "<people>" + "".join(
    f'<p name="{p["name"]}" age="{p["age"]}"><city>Bonn</city><t>x &amp; y</t></p>' for p in people
) + "</people>"
tree = lxml.etree.fromstring(xml)
style = lxml.etree.XSLT(lxml.etree.XML('''<x:stylesheet version="1.0"
    xmlns:x="http://www.w3.org/1999/XSL/Transform"><x:template match="people"><l>
    <x:for-each select="p[@age &gt; 40]"><x:sort select="@name"/><i><x:value-of select="@name"/></i>
    </x:for-each></l></x:template></x:stylesheet>'''))
prose = "Some words, MORE words and names@example.org in Ünder Numbers 12345. " * 400
ranks = {bytes([n]): n for n in range(256)}
for n in range(len(prose) - 1):
    ranks.setdefault(prose[n:n + 2].encode(), len(ranks))
encoding = tiktoken.Encoding(
    "own", pat_str=r"\\p{L}+|\\p{N}+|[^\\p{L}\\p{N}]+", mergeable_ranks=ranks, special_tokens={}
)
measured = {
    "pydantic validate": lambda: adapter.validate_python(people),
    "pydantic from JSON": lambda: adapter.validate_json(text),
    "pydantic dump": lambda: adapter.dump_python(checked),
    "pydantic to JSON": lambda: adapter.dump_json(checked),
    "orjson dumps": lambda: orjson.dumps(people),
    "orjson loads": lambda: orjson.loads(text),
    "msgpack packb": lambda: msgpack.packb(people),
    "msgpack unpackb": lambda: msgpack.unpackb(packed),
    "YAML load": lambda: yaml.load(few, Loader=yaml.CSafeLoader),
    "YAML dump": lambda: yaml.dump(people[:50], Dumper=yaml.CSafeDumper),
    "XML parse": lambda: lxml.etree.fromstring(xml),
    "XML write": lambda: lxml.etree.tostring(tree),
    "XPath": lambda: tree.xpath("//p[@age > 40]/@name"),
    "XSLT": lambda: style(tree),
    "regex words": lambda: regex.findall(r"\\p{Lu}\\p{Ll}+", prose),
    "regex fuzzy": lambda: regex.findall(r"(?:nambers){e<=1}", prose[:4000]),
    "tiktoken encode": lambda: encoding.encode(prose),
}
"""

_MATPLOTLIB = """
import io, os
begin = time.perf_counter()
import matplotlib.pyplot as plt
if not "eryx" in plt.rcParams._get("backend"):
    plt.switch_backend("agg")
imported = (time.perf_counter() - begin) * 1e3 + imported
begin = time.perf_counter()
plt.plot([1, 3, 2])
plt.savefig(io.BytesIO())
plt.close()
first = (time.perf_counter() - begin) * 1e3
import numpy as np
rng = np.random.default_rng(4)
x = np.linspace(0, 10, 1000)
walk = rng.standard_normal(100_000).cumsum()
picture = rng.random((300, 300))
points = rng.standard_normal((2, 5000))

def drawn(draw, kind="png", **options):
    def run():
        figure, axes = plt.subplots()
        draw(axes)
        figure.savefig(io.BytesIO(), format=kind, **options)
        plt.close(figure)
    return run

def labelled(axes):
    for n in range(5):
        axes.plot(x, np.sin(x + n), label=f"line {n}")
    axes.set(title="$\\\\frac{a}{b} + \\\\sqrt{x}$", xlabel="time", ylabel="value")
    axes.legend()
    axes.grid()

surface = np.sin(x[:200, None]) * np.cos(x[None, :200] * 3)
measured = {
    "lines, text": drawn(labelled),
    "lines, SVG": drawn(labelled, "svg"),
    "lines, PDF": drawn(labelled, "pdf"),
    "lines, tight": drawn(labelled, bbox_inches="tight"),
    "100k points": drawn(lambda axes: axes.plot(walk)),
    "scatter 5k": drawn(lambda axes: axes.scatter(*points, c=points[0], s=9)),
    "hist": drawn(lambda axes: axes.hist(walk, bins=60)),
    "imshow": drawn(lambda axes: axes.imshow(picture)),
    "contourf": drawn(lambda axes: axes.contourf(surface, 12)),
    "bars": drawn(lambda axes: axes.bar(range(40), walk[:40])),
}
"""

_SCIPY = """
import numpy as np
from scipy import fft, integrate, interpolate, linalg, ndimage, optimize, signal, spatial, stats
from scipy import sparse, special
from scipy.sparse import csgraph, linalg as sparse_linalg
rng = np.random.default_rng(5)
a = rng.standard_normal((200, 200))
spd = a @ a.T + 200 * np.eye(200)
v = rng.standard_normal(100_000)
x = np.linspace(0, 10, 500)
y = 3 * np.exp(-x) + 0.1 * rng.standard_normal(500)
points = rng.random((5000, 3))
tree = spatial.cKDTree(points)
image = rng.random((300, 300))
grid = sparse.diags_array([-1.0, -1.0, 4.0, -1.0, -1.0], offsets=[-60, -1, 0, 1, 60],
                          shape=(3600, 3600), format="csc")
roads = sparse.random_array((1000, 1000), density=0.01, rng=rng, format="csr")
b, c = signal.butter(4, 0.2)
costs, limits = rng.random(60), rng.random((40, 60))
measured = {
    "solve 200": lambda: linalg.solve(spd, a, assume_a="pos"),
    "eig 200": lambda: linalg.eig(a),
    "svd 200": lambda: linalg.svd(a),
    "expm 200": lambda: linalg.expm(a / 20),
    "schur 200": lambda: linalg.schur(a),
    "minimize": lambda: optimize.minimize(optimize.rosen, np.full(8, 1.3)),
    "curve_fit": lambda: optimize.curve_fit(lambda t, p, q: p * np.exp(-q * t), x, y),
    "linprog": lambda: optimize.linprog(-costs, A_ub=limits, b_ub=np.ones(40)),
    "quad": lambda: integrate.quad(lambda t: np.exp(-t * t), -5, 5),
    "solve_ivp": lambda: integrate.solve_ivp(lambda t, s: [s[1], -s[0]], (0, 20), [1, 0]),
    "CubicSpline": lambda: interpolate.CubicSpline(x, y)(v[:50_000]),
    "fft": lambda: fft.fft(v),
    "filtfilt": lambda: signal.filtfilt(b, c, v),
    "convolve": lambda: signal.fftconvolve(v, v[:1000]),
    "spsolve": lambda: sparse_linalg.spsolve(grid, np.ones(3600)),
    "eigsh": lambda: sparse_linalg.eigsh(grid, k=4, sigma=0),
    "sparse product": lambda: grid @ grid,
    "dijkstra": lambda: csgraph.dijkstra(roads, indices=range(20)),
    "KDTree": lambda: tree.query(points, k=5),
    "Delaunay": lambda: spatial.Delaunay(points[:1000]),
    "cdist": lambda: spatial.distance.cdist(points[:1000], points[:1000]),
    "gamma": lambda: special.gamma(v),
    "jv": lambda: special.jv(2, np.abs(v)),
    "norm.ppf": lambda: stats.norm.ppf(np.abs(v) % 1),
    "ttest": lambda: stats.ttest_ind(v[:50_000], v[50_000:]),
    "gaussian_kde": lambda: stats.gaussian_kde(v[:1000])(x),
    "gaussian_filter": lambda: ndimage.gaussian_filter(image, 3),
    "label": lambda: ndimage.label(image > 0.6),
}
"""

_TAIL = """
times = {"import": imported, **{name: best(f) for name, f in measured.items()}}
if "first" in globals():
    times["first plot"] = first
print(json.dumps(times))
"""

_GROUPS = {
    "numpy": _NUMPY,
    "pandas": _PANDAS,
    "matplotlib": _MATPLOTLIB,
    "formats": _FORMATS,
    "scipy": _SCIPY,
}
# The packages of a group, and the module whose import is measured.
_PACKAGES = {
    "numpy": ("numpy",),
    "pandas": ("pandas",),
    "matplotlib": ("matplotlib",),
    "formats": ("pydantic", "orjson", "msgpack", "pyyaml", "lxml", "regex", "tiktoken"),
    "scipy": ("scipy",),
}
_USES = {
    "numpy": "import numpy as np; print(np.arange(10).sum())",
    "pandas": "import pandas as pd; print(pd.DataFrame({'a': [1, 2]}).sum())",
    "matplotlib": "import matplotlib.pyplot as plt; plt.plot([1, 3, 2]); plt.show()",
    "formats": "import orjson; print(orjson.loads(b'[1]'))",
    "scipy": "from scipy import stats; print(stats.norm.cdf(0))",
}
_LIMITS = ResourceLimits(execution_timeout_ms=600_000, max_memory_bytes=2 << 30)

Times = dict[str, float]


def _program(group: str) -> str:
    return _HEAD.format(module=_PACKAGES[group][0]) + _GROUPS[group] + _TAIL


def _by_command(command: str, program: str) -> Times:
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(program)
        file.flush()
        done = subprocess.run(
            [*shlex.split(command), file.name],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )
    found: Times = json.loads(done.stdout.splitlines()[-1])
    return found


def _inside(group: str, program: str) -> Times:
    made = science.factory(*_PACKAGES[group], imports=[])
    done = made.create_sandbox(resource_limits=_LIMITS).execute(program)
    found: Times = json.loads(done.stdout.splitlines()[-1])
    return found


def _mean(values: list[float]) -> float:
    return math.exp(statistics.fmean(map(math.log, values)))


def _shortest(runs: list[Times]) -> Times:
    return {name: min(run[name] for run in runs) for name in runs[0]}


def _report(group: str, native: Times, own: Times, other: Times | None) -> None:
    print(f"\n{group}, ms: native, sandbox, sandbox / native, other / native")
    for name, time_native in native.items():
        line = f"{name:18s} {time_native:9.3f} {own[name]:9.3f} {own[name] / time_native:7.2f}"
        print(line + (f" {other[name] / time_native:7.2f}" if other else ""))
    names = [name for name in native if name not in ("import", "first plot")]
    means = [
        _mean([times[name] / native[name] for name in names]) for times in (own, other) if times
    ]
    print(f"geometric mean of {len(names)} without the import:", *(f"{mean:.2f}" for mean in means))


def _creation(group: str) -> None:
    made = science.factory(*_PACKAGES[group])
    times = []
    for _ in range(40):
        begin = time.perf_counter()
        made.create_sandbox().execute(_USES[group])
        times.append((time.perf_counter() - begin) * 1e3)
    median = statistics.median(times)
    size = made.size_bytes / 1e6
    print(f"{group}: create, sum, drop {median:.3f} ms (median of 40); factory of {size:.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--native", required=True, metavar="COMMAND")
    parser.add_argument("--other", metavar="COMMAND", help="a sandbox that runs a file")
    parser.add_argument("--runs", type=int, default=3, help="of each, in turn (3)")
    known = [name for name, needed in _PACKAGES.items() if all(map(science.find, needed))]
    parser.add_argument("groups", nargs="*", default=known, help="all whose packages are there")
    options = parser.parse_args()
    for group in options.groups:
        program = _program(group)
        native: list[Times] = []
        own: list[Times] = []
        other: list[Times] = []
        for _ in range(options.runs):
            native.append(_by_command(options.native, program))
            own.append(_inside(group, program))
            if options.other:
                other.append(_by_command(options.other, program))
        _report(group, _shortest(native), _shortest(own), _shortest(other) if other else None)
        _creation(group)


if __name__ == "__main__":
    main()
