"""What programs show: display() and the methods of IPython's protocol."""

from __future__ import annotations

import base64
import pickle
import struct
import zlib

import pytest

import eryx

PICTURE = """
class Picture:
    def __init__(self, data): self.data = data
    def __repr__(self): return "Picture()"
    def _repr_png_(self): return self.data
"""


def png(width: int, height: int) -> bytes:
    """A picture that is one."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class TestDisplay:
    def test_objects_come_in_order(self) -> None:
        done = eryx.Sandbox().execute("display(1, 'a')\ndisplay([2])")
        assert [shown.mime for shown in done.display] == [
            {"text/plain": "1"},
            {"text/plain": "'a'"},
            {"text/plain": "[2]"},
        ]

    def test_methods_of_the_protocol(self) -> None:
        code = """
class A:
    def __repr__(self): return "A"
    def _repr_html_(self): return "<b>"
    def _repr_markdown_(self): return "**b**"
    def _repr_svg_(self): return "<svg/>"
    def _repr_jpeg_(self): return b"j"
    def _repr_latex_(self): return "$b$"
    def _repr_json_(self): return {"b": [1]}
    def _repr_png_(self): return None
    def _repr_pdf_(self): 1 / 0
display(A())
"""
        (shown,) = eryx.Sandbox().execute(code).display
        assert shown.mime == {
            "text/plain": "A",
            "text/html": "<b>",
            "text/markdown": "**b**",
            "image/svg+xml": "<svg/>",
            "image/jpeg": base64.b64encode(b"j").decode(),
            "text/latex": "$b$",
            "application/json": {"b": [1]},
        }
        assert shown.read("image/jpeg") == b"j"
        assert shown.read("text/html") == b"<b>"
        assert shown.read("application/json") == b'{"b": [1]}'
        with pytest.raises(KeyError):
            shown.read("image/png")

    def test_mimebundle_with_metadata(self) -> None:
        code = """
class A:
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": "a", "image/png": b"p"}, {"image/png": {"width": 3, "height": 4}}
display(A())
"""
        (shown,) = eryx.Sandbox().execute(code).display
        assert shown.mime == {"text/plain": "a", "image/png": "cA=="}
        assert shown.text == "[image/png 3x4]"

    def test_raw_data_and_choices(self) -> None:
        code = """
display({"text/html": "<i>", "text/plain": "i"}, raw=True, metadata={"isolated": True})
display({"text/html": "<i>", "text/plain": "i"}, raw=True, exclude=["text/html"])
display({"text/html": "<i>", "text/plain": "i"}, raw=True, include=["text/html"])
"""
        done = eryx.Sandbox().execute(code)
        assert [list(shown.mime) for shown in done.display] == [
            ["text/html", "text/plain"],
            ["text/plain"],
            ["text/html"],
        ]
        assert done.display[0].metadata == {"isolated": True}
        with pytest.raises(eryx.ExecutionError, match="takes dicts of data"):
            eryx.Sandbox().execute("display(1, raw=True)")

    def test_value_is_shown_if_there_is_more_to_it_than_text(self) -> None:
        done = eryx.Sandbox().execute(f"{PICTURE}Picture(data)", inputs={"data": png(8, 6)})
        (shown,) = done.display
        assert shown.read("image/png") == png(8, 6)
        assert done.value_repr == "Picture()"
        assert done.text == "Picture()\n[image/png 8x6]"
        assert eryx.Sandbox().execute("[1]").display == []

    def test_open_figures_are_shown(self) -> None:
        """By what stands in for matplotlib here: the same names, and nothing behind them."""
        code = """
import sys, types
figure = types.ModuleType("matplotlib.figure")
pyplot = types.ModuleType("matplotlib.pyplot")
class Figure:
    def savefig(self, target, format, bbox_inches): target.write(b"drawn")
figure.Figure = Figure
figures = {1: Figure()}
pyplot.get_fignums = lambda: list(figures)
pyplot.figure = figures.get
pyplot.close = lambda figure: figures.clear()
sys.modules |= {"matplotlib.figure": figure, "matplotlib.pyplot": pyplot}
"""
        session = eryx.Session()
        (shown,) = session.execute(code).display
        assert shown.read("image/png") == b"drawn"
        assert session.execute("len(figures)").value == 0

    def test_limit(self) -> None:
        limits = eryx.ResourceLimits(max_display_bytes=100)
        done = eryx.Sandbox(resource_limits=limits).execute("display('a' * 200); display(1)")
        assert [shown.mime for shown in done.display] == [{"text/plain": "1"}]
        assert done.display_truncated
        assert done.text == "1\n[1 displays left out]"
        done = eryx.Sandbox().execute("for i in range(1_200): display(i)")
        assert len(done.display) == 1_000
        assert done.display_truncated

    def test_what_a_guest_writes_by_hand_is_left_out(self) -> None:
        code = """
import _eryx
from _eryx_runtime.numbers import REPORT_DISPLAY
for text in (b"", b"[]", b"{}", b"{", b'{"data": 1, "metadata": {}}'):
    _eryx.report(REPORT_DISPLAY, text)
_eryx.report(REPORT_DISPLAY, b'{"data": {}, "metadata": {}}\\n')
display(1)
"""
        done = eryx.Sandbox().execute(code)
        assert [shown.mime for shown in done.display] == [{}, {"text/plain": "1"}]
        assert done.display[0].text == "[nothing]"

    def test_an_error_has_what_was_shown_before(self) -> None:
        with pytest.raises(eryx.ExecutionError) as caught:
            eryx.Sandbox().execute("print('a'); display(1)\n1 / 0")
        error = caught.value
        assert [shown.mime for shown in error.display] == [{"text/plain": "1"}]
        assert error.text.startswith("a\n1\nTraceback")
        assert error.text.count("ZeroDivisionError") == 1

    def test_secrets_are_taken_out(self) -> None:
        sandbox = eryx.Sandbox(
            secrets={"KEY": {"value": "real-value", "allowed_hosts": ["example.com"]}}
        )
        done = sandbox.execute("import os\ndisplay(os.environ['KEY'])\n[os.environ['KEY']]")
        assert "[REDACTED]" in done.display[0].mime["text/plain"]
        assert "[REDACTED]" in (done.value_repr or "")

    def test_a_callback_may_have_the_name(self) -> None:
        sandbox = eryx.Sandbox(callbacks=[{"name": "display", "fn": lambda: 5}])
        assert sandbox.execute("await display()").value == 5

    def test_copies(self) -> None:
        done = eryx.Sandbox().execute("display(1)\n'v'")
        again = pickle.loads(pickle.dumps(done))
        assert again == done
        assert (again.value, again.display) == ("v", done.display)

    def test_what_answers_to_every_name_has_no_pictures(self) -> None:
        code = "import unittest.mock\nunittest.mock.MagicMock()"
        done = eryx.Sandbox().execute(code)
        assert done.display == []
        assert (done.value_repr or "").startswith("<MagicMock")

    def test_an_object_may_show_itself(self) -> None:
        code = """
class A:
    def __init__(self, fails): self.fails = fails
    def __repr__(self): return "A"
    def _repr_html_(self): return "<i>"
    def _ipython_display_(self):
        if self.fails:
            1 / 0
        display({"text/html": "<b>"}, raw=True)
display(A(False), A(True))
A(False)
"""
        shown = eryx.Sandbox().execute(code).display
        assert [each.mime.get("text/html") for each in shown] == ["<b>", "<i>", "<b>"]


class TestProgramsForNotebooks:
    """IPython.display, where IPython is not there, and plotly's show()."""

    def test_objects_of_ipython(self) -> None:
        code = """
from IPython.display import HTML, JSON, SVG, Image, Latex, Markdown, Math, Pretty, display
display(HTML("<b>"), Markdown("# a"), SVG("<svg/>"), JSON({"a": 1}), Latex("$a$"), Math("a"))
with open("p.png", "wb") as file:
    file.write(data)
display(Image(data, width=8), Image("p.png"), Image(url="https://x/?a&b"))
Pretty("as it is")
"""
        data = png(8, 6)
        done = eryx.Session().execute(code, inputs={"data": data})
        text = base64.b64encode(data).decode()
        expected = [
            {"text/html": "<b>"},
            {"text/markdown": "# a"},
            {"image/svg+xml": "<svg/>"},
            {"application/json": {"a": 1}},
            {"text/latex": "$a$"},
            {"text/latex": "$\\displaystyle a$"},
            {"image/png": text},
            {"image/png": text},
            {"text/html": '<img src="https://x/?a&amp;b"/>'},
        ]
        found = [dict(shown.mime) for shown in done.display]
        for each in found:
            del each["text/plain"]
        assert found == expected
        assert done.display[6].metadata == {"image/png": {"width": 8}}
        assert done.value_repr == "as it is"

    def test_there_is_no_shell(self) -> None:
        code = "import IPython\nfrom IPython import get_ipython\nget_ipython() is None"
        assert eryx.Sandbox().execute(code).value is True
        with pytest.raises(eryx.ExecutionError, match=r"No module named 'IPython\.core'"):
            eryx.Sandbox().execute("import IPython.core")

    def test_a_package_is_taken_in_its_place(self) -> None:
        session = eryx.Session()
        session.files.write_text("IPython/__init__.py", "mine = 1")
        assert session.execute("import IPython\nIPython.mine").value == 1
        with pytest.raises(eryx.ExecutionError, match=r"No module named 'IPython\.absent'"):
            session.execute("import IPython.absent")

    def test_show_of_plotly(self) -> None:
        """With the part of it that is asked; the package itself was tried by hand."""
        session = eryx.Session()
        files = session.files
        files.write_text("plotly/__init__.py", "")
        files.write_text(
            "plotly/io/__init__.py", "from plotly.io._renderers import renderers, show"
        )
        files.write_text(
            "plotly/io/_renderers.py",
            "class ExternalRenderer: pass\n"
            "class Renderers(dict): default = ''\n"
            "renderers = Renderers()\n"
            "def show(figure):\n"
            "    if renderers.default: renderers[renderers.default].render(figure.data)\n",
        )
        files.write_text(
            "plotly/graph_objects.py",
            "import json, plotly.io\n"
            "class Figure:\n"
            "    def __init__(self, data, skip_invalid=False): self.data = data\n"
            "    def __repr__(self): return 'Figure'\n"
            "    def show(self): plotly.io.show(self)\n"
            "    def to_json(self): return json.dumps(self.data)\n",
        )
        code = "from plotly.graph_objects import Figure\nFigure({'data': [1]}).show()"
        (shown,) = session.execute(code).display
        assert shown.mime == {
            "text/plain": "Figure",
            "application/vnd.plotly.v1+json": {"data": [1]},
        }


class TestForOthers:
    def test_text_is_cut_in_the_middle(self) -> None:
        done = eryx.Sandbox().execute("print('a' * 500 + 'b' * 500)")
        text = done.to_text(100)
        assert len(text) == 100
        assert text.startswith("aaa")
        assert text.endswith("bbb")
        assert "characters left out" in text
        assert done.to_text(3) == "aaa"
        with pytest.raises(ValueError, match="must not be negative"):
            done.to_text(-1)

    def test_dict_is_json(self) -> None:
        import json

        done = eryx.Sandbox(trace=True).execute("x = 1\ndisplay(2)\n{'a': x}")
        document = json.loads(json.dumps(done.to_dict()))
        assert document["value"] == {"a": 1}
        assert document["display"] == [{"mime": {"text/plain": "2"}, "metadata": {}}]
        assert document["trace"][0]["event"]
        with pytest.raises(eryx.ExecutionError) as caught:
            eryx.Sandbox().execute("1 / 0")
        document = json.loads(json.dumps(caught.value.to_dict()))
        assert document["exc_type"] == "ZeroDivisionError"
        assert document["error"]["type"] == "ExecutionError"

    def test_notebooks_get_the_last_display(self) -> None:
        done = eryx.Sandbox().execute("display({'text/html': '<b>'}, raw=True)")
        data, metadata = done._repr_mimebundle_()
        assert data == {"text/html": "<b>", "text/plain": "[text/html]"}
        assert metadata == {}
