"""What to do about a module that is not there; imported when one is missing."""

import sys

_BEGIN = "_eryx_install"

# Packages that are called otherwise than their modules.
_PACKAGES = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "Crypto": "pycryptodome",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "jwt": "pyjwt",
    "markdown_it": "markdown-it-py",
    "OpenSSL": "pyopenssl",
    "PIL": "pillow",
    "pptx": "python-pptx",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}

# Those that are made of compiled code, which takes a wheel for sandboxes.
_COMPILED = {
    *("contourpy", "cryptography", "cv2", "Crypto", "fitz", "lxml", "matplotlib", "numba", "numpy"),
    *(
        "orjson",
        "pandas",
        "PIL",
        "polars",
        "psutil",
        "pyarrow",
        "pydantic_core",
        "scipy",
        "shapely",
    ),
    *("skimage", "sklearn", "tensorflow", "tokenizers", "torch"),
}


def advice(error: ModuleNotFoundError) -> str | None:
    """How to get what a program has missed; None for what no package has."""
    if not isinstance(error.name, str):
        return None
    top = error.name.partition(".")[0]
    if not top.isidentifier() or top.startswith("_") or top in sys.stdlib_module_names:
        return None
    if top != error.name and top in sys.modules:
        return None  # the package is there, and has no such part
    from _eryx_runtime import namespaces

    package = _PACKAGES.get(top, top.replace("_", "-").lower())
    if _BEGIN in namespaces._declared.callbacks:
        return f"`import eryx; eryx.install({package!r})` may bring the package {package}."
    lines = (
        f"There is no module {top!r} in this sandbox, which has what its host has given it:"
        f" `eryx --with {package}`, or eryx.SandboxFactory(requirements=[{package!r}])."
    )
    if top in _COMPILED:
        lines += (
            f" It has compiled code: eryx-science may have it, or `eryx build-wheel {package}`."
        )
    return lines
