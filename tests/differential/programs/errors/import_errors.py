"""What is said of imports that fail."""

for source in (
    "import nothing_there",
    "import os.nothing",
    "from os import nothing",
    "from os import pth",
    "import numpy_not_here as np",
    "from math import sine",
    "from collections import Mapping",
    "from json import load_s",
    "import json.decode",
    "from . import x",
    "from .x import y",
    "from __future__ import print",
    "from datetime import timedeltas",
    "import asyncio.task",
    "from typing import Lisst",
    "from re import Regex",
    "import string.templat",
    "__import__(1)",
    "import sys.path",
    "from sys import pth",
    "from functools import cach",
    "import urllib; urllib.parsed",
    "from itertools import izip",
    "from string import letters",
    "import random; random.rand",
    "import math; math.squareroot(4)",
    "import time; time.clock()",
    "import os; os.getcwdu()",
    "import string; string.maketrans",
    "import collections; collections.Iterable",
    "import inspect; inspect.getargspec",
    "import imp",
    "import distutils",
    "import asyncore",
    "import cgi",
    "import telnetlib",
    "import pipes",
    "from asyncio import coroutine",
    "import unittest; unittest.makeSuite",
    "import ast; ast.Num",
    "import locale; locale.format",
):
    try:
        exec(source)
        print(source, "-> works")
    except Exception as error:
        text = str(error).split(" (/")[0]
        print(source, "->", type(error).__name__, text)
