"""Escaping for HTML, XML, URLs, shells, JSON and regular expressions."""

import html
import json
import re
import shlex
import urllib.parse
from xml.sax import saxutils

for text in (
    "plain",
    "a < b & c > d",
    "\"quoted\" 'single'",
    "é 日 😀",
    "line\nbreak\ttab",
    "100% $HOME `x` \\",
    "&amp; &#65;",
    "</script>",
):
    print(
        html.escape(text),
        saxutils.escape(text),
        saxutils.quoteattr(text),
        urllib.parse.quote(text),
        urllib.parse.quote_plus(text),
        shlex.quote(text),
        json.dumps(text),
        re.escape(text),
        repr(text),
        ascii(text),
        sep=" | ",
    )
    assert html.unescape(html.escape(text)) == html.unescape(text) or "&" in text
    assert urllib.parse.unquote(urllib.parse.quote(text)) == text
    assert json.loads(json.dumps(text)) == text
    assert shlex.split(shlex.quote(text)) == [text]
    assert re.fullmatch(re.escape(text), text)
