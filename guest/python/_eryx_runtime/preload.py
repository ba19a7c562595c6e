"""Modules that a new sandbox has imported already: they are in the image, and cost it no time.

Behind each: what it adds to the image, and what importing it would take without being there; each
measured alone (its own imports count too) on a 2-core machine. The image is 9.9 MB without any.
"""

MODULES = (
    # The runtime needs these, or asyncio does.
    "asyncio",
    "collections.abc",
    "contextlib",
    "dataclasses",
    "enum",
    "functools",
    "heapq",
    "inspect",
    "io",
    "itertools",
    "json",
    "logging",
    "math",
    "operator",
    "os",
    "random",
    "re",
    "string",
    "textwrap",
    "time",
    "traceback",
    "typing",
    # Programs often begin with these.
    "argparse",  # 216 KiB, 7.0 ms
    "base64",  # 32 KiB, 1.1 ms
    "calendar",  # 164 KiB, 2.0 ms
    "copy",
    "csv",  # 20 KiB, 1.2 ms
    "datetime",  # 56 KiB, 0.6 ms
    "decimal",  # 160 KiB, 6.2 ms
    "difflib",  # 36 KiB, 1.3 ms
    "fractions",  # 180 KiB, 2.6 ms
    "gzip",  # 20 KiB, 1.8 ms
    "hashlib",  # 96 KiB, 1.1 ms
    "html",  # 208 KiB, 6.0 ms
    "pathlib",  # 304 KiB, 11.6 ms
    "pickle",  # 132 KiB, 2.3 ms
    "pprint",  # 96 KiB, 1.0 ms
    "secrets",  # 128 KiB, 1.6 ms
    "shutil",  # 68 KiB, 7.0 ms
    "sqlite3",  # 52 KiB, 5.8 ms
    "statistics",  # 380 KiB, 8.4 ms
    "struct",  # 56 KiB, 0.7 ms
    "tempfile",  # 264 KiB, 7.6 ms
    "urllib.parse",  # 332 KiB, 7.8 ms
    "uuid",  # 52 KiB, 5.6 ms
    "xml.etree.ElementTree",  # 176 KiB, 6.8 ms
    "zoneinfo",  # 212 KiB, 3.1 ms
    # Left out, because few programs use them and they are large: http.client (936 KiB, 28 ms),
    # urllib.request (1.4 MiB, 29 ms), unittest (728 KiB, 12 ms), zipfile (644 KiB, 8 ms).
)
