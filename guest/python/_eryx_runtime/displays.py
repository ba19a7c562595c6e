"""What a program shows: objects as Jupyter has them, by the methods that IPython asks for."""

import base64
import builtins
import json
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import _eryx
from _eryx_runtime.numbers import REPORT_DISPLAY

# In the order in which IPython has them.
_METHODS = (
    ("_repr_html_", "text/html"),
    ("_repr_markdown_", "text/markdown"),
    ("_repr_svg_", "image/svg+xml"),
    ("_repr_png_", "image/png"),
    ("_repr_jpeg_", "image/jpeg"),
    ("_repr_pdf_", "application/pdf"),
    ("_repr_latex_", "text/latex"),
    ("_repr_json_", "application/json"),
    ("_repr_javascript_", "application/javascript"),
)

# Characters of a repr() that are shown; of a longer one the middle is left out.
_MOST_CHARACTERS = 10_000

# Containers with more are not shown whole.
_MOST_ITEMS = 1_000

_PLAIN = frozenset((bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset))
_ITEMS = frozenset((list, tuple, dict, set, frozenset))

_OF_NOTEBOOKS = frozenset(("IPython", "IPython.display", "plotly.io._renderers"))

_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=repr).encode
_base64 = base64.b64encode
_modules = sys.modules

_Bundle = tuple[dict[str, Any], dict[str, Any]]


def text_of(value: object) -> str:
    """Its repr(), cut in the middle; never an exception."""
    try:
        if type(value) in _ITEMS and len(value) > _MOST_ITEMS:  # type: ignore[arg-type]
            text = _start_of(value)
        elif type(value) in (str, bytes) and len(value) > _MOST_CHARACTERS:  # type: ignore[arg-type]
            text = f"{value[:_MOST_CHARACTERS]!r}..."  # type: ignore[index]
        else:
            text = repr(value)
    except Exception as error:
        return f"<{type(value).__name__} object: its repr() failed: {type(error).__name__}>"
    if len(text) > _MOST_CHARACTERS:
        half = _MOST_CHARACTERS // 2
        text = f"{text[:half]} ... {len(text) - 2 * half} characters ... {text[-half:]}"
    return text


def _start_of(value: Any) -> str:
    """The first items of a large container."""
    import itertools

    items = value.items() if type(value) is dict else value
    first = list(itertools.islice(items, _MOST_ITEMS))
    shown = repr(type(value)(first))
    return f"{shown[:-1]}, ... {len(value)} in all{shown[-1]}"


def _answers_all(value: object) -> bool:
    """Whether a value has attributes of any name, as mocks have: they mean nothing then."""
    try:
        return getattr(value, "_ipython_canary_method_should_not_exist_", None) is not None
    except Exception:
        return True


def _from_method(value: object, name: str) -> Any:
    """What a method of the protocol gives; None if there is none, or it fails."""
    try:
        method: Callable[[], Any] | None = getattr(value, name, None)
        if method is None or isinstance(value, type):
            return None
        return method()
    except Exception:
        return None


def _text(value: Any) -> Any:
    """A part of a bundle as JSON can hold it."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _base64(value).decode()
    return value


def _add(bundle: _Bundle, mime: str, part: Any) -> None:
    """Takes what a method gave: data, or data and metadata."""
    if part is None:
        return
    data, metadata = bundle
    if isinstance(part, tuple) and len(part) == 2:
        part, about = part
        if about:
            metadata[mime] = about
    data[mime] = _text(part)


def _figure_class() -> type | None:
    module = _modules.get("matplotlib.figure")
    found = getattr(module, "Figure", None)
    return found if isinstance(found, type) else None


def _picture(figure: Any) -> bytes:
    import io

    target = io.BytesIO()
    figure.savefig(target, format="png", bbox_inches="tight")
    return target.getvalue()


def _is_of_plotly(value: object) -> bool:
    return "plotly" in _modules and str(type(value).__module__).startswith("plotly.")


def _add_plotly(data: dict[str, Any], value: Any) -> None:
    """What plotly shows in a notebook, and nowhere else: the figure for who draws it."""
    try:
        data.setdefault("application/vnd.plotly.v1+json", json.loads(value.to_json()))
    except Exception:
        pass


def bundle_of(value: object) -> _Bundle:
    """What there is to show of an object: data by its kind, and metadata."""
    data: dict[str, Any] = {"text/plain": text_of(value)}
    bundle: _Bundle = data, {}
    if type(value) in _PLAIN or _answers_all(value):
        return bundle
    whole = _from_method(value, "_repr_mimebundle_")
    if isinstance(whole, tuple) and len(whole) == 2:
        whole, about = whole
        if isinstance(about, Mapping):
            bundle[1].update(about)
    if isinstance(whole, Mapping):
        for mime, part in whole.items():
            _add((data, bundle[1]), str(mime), part)
    for name, mime in _METHODS:
        if mime not in data:
            _add(bundle, mime, _from_method(value, name))
    figure = _figure_class()
    if figure is not None and isinstance(value, figure) and "image/png" not in data:
        try:
            data["image/png"] = _text(_picture(value))
        except Exception:
            pass
    if _is_of_plotly(value):
        _add_plotly(data, value)
    return bundle


def _report(bundle: _Bundle) -> None:
    data, metadata = bundle
    try:
        text = _encode({"data": data, "metadata": metadata})
    except (ValueError, TypeError, RecursionError):
        text = _encode({"data": {"text/plain": data.get("text/plain", "")}, "metadata": {}})
    _eryx.report(REPORT_DISPLAY, text.encode("utf-8", "backslashreplace"))


def display(
    *objects: object,
    include: object = None,
    exclude: object = None,
    metadata: Mapping[str, Any] | None = None,
    raw: bool = False,
    **others: object,
) -> None:
    """Show objects to the one who runs the program: pictures, tables, HTML, and anything else.

    As IPython's: asks an object for _repr_mimebundle_(), _repr_png_(), _repr_html_() and so on.
    raw: the objects are dicts of data by MIME type themselves.
    """
    for value in objects:
        if not raw and _shows_itself(value):
            continue
        if raw:
            if not isinstance(value, Mapping):
                raise TypeError("display(raw=True) takes dicts of data by MIME type")
            data = {str(mime): _text(part) for mime, part in value.items()}
            bundle: _Bundle = data, {}
        else:
            bundle = bundle_of(value)
        kinds = bundle[0]
        if include is not None:
            for mime in [mime for mime in kinds if mime not in include]:  # type: ignore[operator]
                del kinds[mime]
        if exclude is not None:
            for mime in [mime for mime in kinds if mime in exclude]:  # type: ignore[operator]
                del kinds[mime]
        if metadata:
            bundle[1].update(metadata)
        _report(bundle)


def show_value(value: object) -> None:
    """Show the value of a program, if there is more to it than text."""
    if type(value) in _PLAIN or _shows_itself(value):
        return
    bundle = bundle_of(value)
    if len(bundle[0]) > 1:
        _report(bundle)


def _shows_itself(value: object) -> bool:
    """Let an object show itself, if it is one that does, and tell whether it has."""
    method = getattr(type(value), "_ipython_display_", None)
    if method is None or _is_of_plotly(value) or _answers_all(value):
        return False
    try:
        method(value)
    except Exception:
        return False
    return True


def show_plotly(figure: object) -> None:
    """Show a figure of plotly, as its show() does in a notebook."""
    _report(bundle_of(figure))


def show_figure(figure: Any) -> None:
    """Show a figure of matplotlib. What is raised while it is drawn comes out."""
    picture = _text(_picture(figure))
    _report(({"text/plain": text_of(figure), "image/png": picture}, {}))


def show_figures() -> None:
    """Show the figures of matplotlib that are open, and close them."""
    pyplot = _modules.get("matplotlib.pyplot")
    if type(pyplot) is not ModuleType:
        return
    try:
        for number in pyplot.get_fignums():
            figure = pyplot.figure(number)
            try:
                show_figure(figure)
            except Exception as error:
                said = f"figure {number} cannot be drawn: {type(error).__name__}: {error}"
                print(said, file=sys.stderr)
            pyplot.close(figure)
    except Exception:
        pass  # it is not what it seems, or half imported


class _Notebooks:
    """Finds what programs for notebooks import, where no package has it."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> Any:
        """Be asked by an import."""
        if name not in _OF_NOTEBOOKS:
            return None
        from _eryx_runtime import notebooks

        return notebooks.find_spec(name, path, target)


def install() -> None:
    """Give programs the function."""
    display.__module__ = "eryx"
    builtins.display = display  # type: ignore[attr-defined]
    # Before the finder of files, which is asked by it first.
    sys.meta_path.insert(-1, _Notebooks)  # type: ignore[arg-type]
