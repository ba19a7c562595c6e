"""Modules inside of a zip file on sys.path."""

import importlib
import pkgutil
import sys
import zipfile

with zipfile.ZipFile("code.zip", "w") as z:
    z.writestr(
        "zipped_module.py",
        "VALUE = 5\ndef where():\n    return __name__, __file__.split('/')[-2:]\n",
    )
    z.writestr("zipped_package/__init__.py", "")
    z.writestr("zipped_package/inner.py", "X = 'inner'\n")
    z.writestr("zipped_package/data.txt", "some data")
sys.path.insert(0, "code.zip")
import zipped_module
from zipped_package import inner

print(
    zipped_module.VALUE,
    zipped_module.where(),
    inner.X,
    pkgutil.get_data("zipped_package", "data.txt"),
    sorted(m.name for m in pkgutil.iter_modules(["code.zip"])),
    type(zipped_module.__loader__).__name__,
)
import importlib.resources

print(
    importlib.resources.files("zipped_package").joinpath("data.txt").read_text(),
    pkgutil.resolve_name("zipped_package.inner:X"),
)
try:
    importlib.import_module("zipped_package.nothing")
except ImportError as error:
    print(error)
