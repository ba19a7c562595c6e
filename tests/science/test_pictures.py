"""matplotlib and Pillow in sandboxes: what is drawn comes out as displays and files."""

from __future__ import annotations

import struct
import zlib
from functools import cache
from pathlib import Path

import pytest

import eryx
from eryx import science
from native import sources
from toolchain.cache import Cache, default_root
from toolchain.lock import load_lock

pytestmark = [pytest.mark.sample, pytest.mark.needs("matplotlib")]

PLOT = "import matplotlib.pyplot as plt\n"


@cache
def factory() -> eryx.SandboxFactory:
    return science.factory("numpy", "matplotlib")


def run(code: str, **options: object) -> eryx.ExecuteResult:
    return factory().create_sandbox().execute(code, **options)  # type: ignore[arg-type]


def pixels(data: bytes) -> tuple[int, int, bytes]:
    """Width, height and the colours of a PNG picture of 8 bits, red to blue or to transparency."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    packed, place = b"", 8
    while place < len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        body = data[place + 8 : place + 8 + size]
        (check,) = struct.unpack_from(">I", data, place + 8 + size)
        assert check == zlib.crc32(kind + body)
        if kind == b"IHDR":
            width, height, depth, color, *_ = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            packed += body
        place += 12 + size
    assert depth == 8
    channels = {2: 3, 6: 4}[color]
    raw = zlib.decompress(packed)
    before = bytearray(width * channels)
    rows = bytearray()
    for line in range(height):
        start = line * (width * channels + 1)
        method, row = raw[start], bytearray(raw[start + 1 : start + 1 + width * channels])
        for i in range(len(row)):
            left = row[i - channels] if i >= channels else 0
            above, corner = before[i], before[i - channels] if i >= channels else 0
            guess = left + above - corner
            near = min((left, above, corner), key=lambda each: abs(guess - each))
            row[i] = (row[i] + (0, left, above, (left + above) // 2, near)[method]) & 255
        before = row
        for i in range(0, len(row), channels):
            rows += row[i : i + 3]
    return width, height, bytes(rows)


class TestDisplays:
    """plt.show(), figures that are left open, and objects with pictures of their own."""

    def test_show_shows_each_figure_and_closes_it(self) -> None:
        done = run(
            PLOT + "plt.figure(figsize=(4, 2), dpi=100, facecolor='red')\nplt.show()\n"
            "display('between')\nplt.plot([1, 3, 2])\nplt.show()\n[plt.get_fignums()]"
        )
        first, between, second = done.display
        assert between.mime == {"text/plain": "'between'"}
        assert first.mime["text/plain"] == "<Figure size 400x200 with 0 Axes>"
        width, height, colors = pixels(first.read("image/png"))
        assert colors == b"\xff\0\0" * (width * height)
        width, height, colors = pixels(second.read("image/png"))
        assert 500 < width < 600
        assert 380 < height < 480
        # Something was drawn: the line is in matplotlib's first colour.
        assert colors.count(b"\x1f\x77\xb4") > 100
        assert done.value == [[]]

    def test_figures_left_open_are_shown_at_the_end(self) -> None:
        session = factory().create_session()
        done = session.execute(
            PLOT + "plt.plot([1, 2])\nfigure, axes = plt.subplots(1, 2)\nprint(1)"
        )
        assert done.stdout == "1"
        assert [shown.mime["text/plain"] for shown in done.display] == [
            "<Figure size 640x480 with 1 Axes>",
            "<Figure size 640x480 with 2 Axes>",
        ]
        # A figure that was shown can be drawn again, as in a notebook.
        done = session.execute("axes[0].set_title('again')\nfigure")
        assert [list(shown.mime) for shown in done.display] == [["text/plain", "image/png"]]

    def test_a_figure_shows_itself(self) -> None:
        done = run(PLOT + "figure, axes = plt.subplots()\nfigure.show()")
        assert len(done.display) == 1

    def test_a_backend_that_the_program_asks_for(self) -> None:
        """show() has nothing to do then, and says nothing; what is open comes at the end."""
        done = run(f"import matplotlib\nmatplotlib.use('Agg')\n{PLOT}plt.plot([1])\nplt.show()")
        assert len(done.display) == 1
        assert done.stderr == ""

    def test_what_cannot_be_drawn_is_an_error(self) -> None:
        with pytest.raises(eryx.ExecutionError, match=r"ValueError|ParseException"):
            run(PLOT + r"plt.title('$\\nothing$')" + "\nplt.show()")
        done = run(PLOT + r"plt.title('$\\nothing$')")
        assert "figure 1 cannot be drawn: " in done.stderr

    def test_sizes_count(self) -> None:
        code = PLOT + "for _ in range(3):\n    plt.plot([1])\n    plt.show()"
        limits = eryx.ResourceLimits(max_display_bytes=30_000, execution_timeout_ms=60_000)
        done = factory().create_sandbox(resource_limits=limits).execute(code)
        assert 1 <= len(done.display) < 3
        assert done.display_truncated

    def test_pictures_of_pillow(self) -> None:
        done = run("from PIL import Image\nImage.new('RGB', (8, 6), 'blue')")
        (shown,) = done.display
        assert pixels(shown.read("image/png")) == (8, 6, b"\0\0\xff" * 48)
        assert done.text.endswith("[image/png 8x6]")

    @pytest.mark.needs("pandas")
    def test_frames_of_pandas(self) -> None:
        made = science.factory("pandas")
        code = "import pandas as pd\npd.DataFrame({'a': [1, 2]})"
        (shown,) = made.create_sandbox().execute(code).display
        assert "<table" in shown.mime["text/html"]
        assert list(shown.mime) == ["text/plain", "text/html"]

    def test_figures_of_plotly(self) -> None:
        """They are the value of a cell, or displayed: show() wants a browser."""
        lock, cache = load_lock(), Cache(default_root())
        names = ("plotly", "narwhals")
        wheels = [sources.wheel(name, lock, cache, sources.TESTS) for name in names]
        wheels.append(sources.wheel("packaging", lock, cache))
        made = eryx.SandboxFactory(packages=[*map(str, wheels)])
        limits = eryx.ResourceLimits(max_memory_bytes=1 << 28, execution_timeout_ms=120_000)
        code = "import plotly.graph_objects as go\ngo.Figure(go.Bar(x=['a', 'b'], y=[1, 3]))"
        (shown,) = made.create_sandbox(resource_limits=limits).execute(code).display
        (bars,) = shown.mime["application/vnd.plotly.v1+json"]["data"]
        assert (bars["type"], bars["y"]) == ("bar", [1, 3])
        assert "<script" in shown.mime["text/html"]

    def test_a_sandbox_without_it_has_none_of_it(self) -> None:
        code = "import sys\nprint([name for name in sys.modules if 'figures' in name])"
        assert eryx.Sandbox().execute(code).stdout == "[]"


class TestFiles:
    def test_kinds(self) -> None:
        code = PLOT + (
            "plt.plot([1, 3, 2], label='line')\nplt.legend()\nplt.title('$x^2$')\n"
            "for kind in ('png', 'svg', 'pdf', 'jpg'):\n    plt.savefig(f'plot.{kind}')\n"
            "plt.close()"
        )
        done = run(code)
        files = {change.path: done.read(change.path) for change in done.files}
        made = {Path(name).suffix: data for name, data in files.items() if "/plot." in name}
        width, height, colors = pixels(made[".png"])
        assert (width, height) == (640, 480)
        assert colors.count(b"\x1f\x77\xb4") > 100
        assert made[".svg"].startswith(b"<?xml")
        assert made[".svg"].rstrip().endswith(b"</svg>")
        assert made[".pdf"].startswith(b"%PDF-1.4")
        assert made[".pdf"].rstrip().endswith(b"%%EOF")
        assert made[".jpg"].startswith(b"\xff\xd8\xff")
        # Neither fonts nor settings have been looked for, or kept.
        assert {Path(name).parts[1] for name in files} == {"data"}
        assert done.display == []

    def test_the_list_of_fonts_is_what_would_be_found(self) -> None:
        code = """
import matplotlib.font_manager as fonts
def entries(found):
    return sorted({(e.fname, e.index, e.name, e.style, str(e.weight)) for e in found})
kept = fonts.fontManager
found = fonts.FontManager()
print(len(kept.ttflist), len(kept.afmlist))
print(entries(kept.ttflist) == entries(found.ttflist))
print(entries(kept.afmlist) == entries(found.afmlist))
print(fonts.FontManager.__version__ == kept._version)
"""
        assert run(code).stdout.split("\n") == ["40 61", "True", "True", "True"]

    def test_text_is_shaped(self) -> None:
        """By Raqm and HarfBuzz: Arabic letters are joined, and read from the right."""
        code = """
from PIL import features
print(features.version("raqm"), features.version("freetype2"))
from matplotlib import ft2font
print(ft2font.__freetype_version__, ft2font.__freetype_build_type__)
"""
        assert run(code).stdout.split("\n") == ["0.10.5 2.14.3", "2.14.3 local"]


class TestState:
    def test_forks_and_rollbacks_in_the_middle_of_a_figure(self) -> None:
        session = factory().create_session()
        session.execute(
            PLOT + "keep = plt.figure(figsize=(2, 2))\naxes = keep.subplots()\n"
            "axes.plot([1, 3, 2])\nplt.close(keep)"
        )
        point = session.checkpoint()
        draw = "axes.set_title('fork'); keep"
        fork = session.fork()
        first = fork.execute(draw).display[0].read("image/png")
        plain = session.execute("keep").display[0].read("image/png")
        assert pixels(first) != pixels(plain)
        session.execute("axes.clear()")
        session.rollback(point)
        assert session.execute("keep").display[0].read("image/png") == plain
        assert session.execute(draw).display[0].read("image/png") == first

    def test_exceptions_of_its_modules_in_c(self) -> None:
        code = """
import numpy as np
import contourpy, kiwisolver
from matplotlib.tri import Triangulation
x = kiwisolver.Variable("x")
solver = kiwisolver.Solver()
solver.addConstraint(x == 1)
for attempt in (
    lambda: contourpy.contour_generator(z=[[0, 1], [1, 0]]).filled(2, 1),
    lambda: solver.addConstraint(x == 2),
    lambda: Triangulation([0, 1, 2], [0, 1, 2]),
    lambda: __import__("PIL.Image").Image.open(__import__("io").BytesIO(b"GIF89a")).load(),
):
    try:
        attempt()
    except Exception as error:
        print(type(error).__name__)
"""
        assert run(code).stdout.split("\n") == [
            "ValueError",
            "UnsatisfiableConstraint",
            "RuntimeError",
            "UnidentifiedImageError",
        ]
