"""What programs for notebooks expect: IPython.display, and a show() of plotly that shows.

The package IPython itself, if there is one, is taken in place of what is here.
"""

import importlib.machinery
import os
from types import ModuleType
from typing import Any

from _eryx_runtime import displays
from _eryx_runtime.displays import display

_Bundle = dict[str, Any]


class DisplayObject:
    """Data of one kind: text, or bytes of a picture, given as such or as the name of a file."""

    _mime = "text/plain"
    _is_text = True

    def __init__(
        self,
        data: Any = None,
        url: str | None = None,
        filename: str | os.PathLike[str] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        if isinstance(data, os.PathLike):
            data, filename = None, data
        if data is None and filename is None and url is not None:
            raise ValueError(f"{type(self).__name__} cannot fetch {url}: give it the data")
        if data is None and filename is not None:
            with open(filename, "rb") as file:
                data = file.read()
            if self._is_text:
                data = data.decode()
        self.data = data
        self.metadata = metadata or {}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        if self.data is None:
            return None
        metadata = {self._mime: self.metadata} if self.metadata else {}
        return {self._mime: self.data}, metadata

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object>"


class TextDisplayObject(DisplayObject):
    """Text of one kind."""


class Pretty(TextDisplayObject):
    """Text as it is."""

    def __repr__(self) -> str:
        return str(self.data)


class HTML(TextDisplayObject):
    """HTML."""

    _mime = "text/html"

    def __html__(self) -> str:
        return str(self.data)


class Markdown(TextDisplayObject):
    """Markdown."""

    _mime = "text/markdown"


class Latex(TextDisplayObject):
    """LaTeX."""

    _mime = "text/latex"


class Math(Latex):
    """A formula of LaTeX, without the marks around it."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        text = str(self.data).strip("$")
        return {self._mime: f"$\\displaystyle {text}$"}, {}


class SVG(DisplayObject):
    """A picture as SVG."""

    _mime = "image/svg+xml"


class Javascript(TextDisplayObject):
    """JavaScript."""

    _mime = "application/javascript"


class JSON(DisplayObject):
    """What JSON can hold."""

    _mime = "application/json"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        import json

        data = json.loads(self.data) if isinstance(self.data, (str, bytes)) else self.data
        return {self._mime: data}, {self._mime: self.metadata} if self.metadata else {}


_PICTURES = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)


class Image(DisplayObject):
    """A picture: bytes of PNG, JPEG, GIF or WebP, a file, or where a browser finds it."""

    _is_text = False

    def __init__(
        self,
        data: Any = None,
        url: str | None = None,
        filename: str | os.PathLike[str] | None = None,
        format: str | None = None,
        embed: bool | None = None,
        width: int | None = None,
        height: int | None = None,
        metadata: dict[str, Any] | None = None,
        **others: Any,
    ) -> None:
        if isinstance(data, str):
            data, url, filename = (None, data, filename) if "://" in data else (None, url, data)
        self.url, self.format = url, format
        self.width, self.height = width, height
        super().__init__(data, None, filename, metadata)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        sizes = {"width": self.width, "height": self.height}
        sizes = {name: size for name, size in sizes.items() if size is not None}
        if self.data is None:
            from html import escape

            attributes = "".join(f' {name}="{size}"' for name, size in sizes.items())
            return {"text/html": f'<img src="{escape(self.url or "")}"{attributes}/>'}, {}
        data = bytes(self.data)
        found = [mime for start, mime in _PICTURES if data.startswith(start)]
        named = f"image/{self.format}".replace("jpg", "jpeg") if self.format else "image/png"
        mime = found[0] if found else named
        about = {**self.metadata, **sizes}
        return {mime: data}, {mime: about} if about else {}


class IFrame:
    """A page in a page."""

    def __init__(self, src: str, width: Any, height: Any, **others: Any) -> None:
        self.src, self.width, self.height = src, width, height

    def _repr_html_(self) -> str:
        from html import escape

        return (
            f'<iframe width="{self.width}" height="{self.height}" src="{escape(self.src)}"'
            ' frameborder="0" allowfullscreen></iframe>'
        )


def publish_display_data(
    data: _Bundle, metadata: dict[str, Any] | None = None, **others: Any
) -> None:
    """Show data by its kind."""
    display(data, metadata=metadata, raw=True)


def clear_output(wait: bool = False) -> None:
    """Do nothing: what was shown has been shown."""


def get_ipython() -> None:
    """Give the shell of IPython, which is not there."""


def _own_display() -> _Bundle:
    names = {
        found.__name__: found
        for found in (
            *(DisplayObject, TextDisplayObject, Pretty, HTML, Markdown, Latex, Math, SVG),
            *(Javascript, JSON, Image, IFrame, publish_display_data, clear_output, display),
        )
    }
    return {**names, "update_display": display, "__all__": sorted([*names, "update_display"])}


class _Loader:
    """Makes the modules."""

    @staticmethod
    def create_module(spec: Any) -> None:
        """Leave it to the interpreter."""

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        """Fill a module."""
        if module.__name__ == "IPython.display":
            module.__dict__.update(_own_display())
        else:
            module.__dict__.update(
                version_info=(9, 0, 0),
                __version__="9.0.0",
                get_ipython=get_ipython,
                display=display,
            )


class _PlotlyLoader(importlib.machinery.SourceFileLoader):
    """Loads plotly's module of renderers, and adds one."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the module first."""
        super().exec_module(module)
        try:
            _add_renderer(module)
        except Exception:
            pass  # a version of plotly that has other names: its show() shows nothing


def _add_renderer(module: Any) -> None:
    class Renderer(module.ExternalRenderer):  # type: ignore[misc]
        """Makes a display of a figure."""

        def render(self, fig_dict: Any) -> None:
            """Show it."""
            from plotly.graph_objects import Figure

            displays.show_plotly(Figure(fig_dict, skip_invalid=True))

    module.renderers["eryx"] = Renderer()
    if not os.environ.get("PLOTLY_RENDERER"):
        module.renderers.default = "eryx"


def find_spec(name: str, path: Any, target: Any) -> Any:
    """Find a module for an import; None for those that a package has."""
    found = importlib.machinery.PathFinder.find_spec(name, path, target)
    if name.startswith("plotly"):
        if found is not None and type(found.loader) is importlib.machinery.SourceFileLoader:
            found.loader = _PlotlyLoader(found.loader.name, found.loader.path)
        return found
    if found is not None:
        return None
    return importlib.machinery.ModuleSpec(name, _Loader, is_package=name == "IPython")  # type: ignore[arg-type]
