"""A Python tool for LangChain, and a middleware whose programs call other tools.

>>> tool = PythonTool()
>>> tool.invoke({"code": "sum(range(10))"})
'45'
"""

from __future__ import annotations

from eryx.ext import _shared

try:
    from eryx.ext.langchain._middleware import CodeMiddleware
    from eryx.ext.langchain._tool import PythonTool
except ImportError as error:
    raise _shared.missing("langchain", "langchain", error) from error

__all__ = ["CodeMiddleware", "PythonTool"]
