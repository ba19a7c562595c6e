"""urllib.parse: splitting, joining, quoting, query strings."""

from urllib.parse import (
    parse_qs,
    parse_qsl,
    quote,
    quote_plus,
    unquote,
    unquote_plus,
    unquote_to_bytes,
    urldefrag,
    urlencode,
    urljoin,
    urlparse,
    urlsplit,
    urlunsplit,
)

for url in (
    "https://user:p%40ss@example.org:8080/a/b;x?q=1&r=2#frag",
    "//host/path",
    "mailto:a@b.c",
    "file:///etc/x",
    "http://[::1]:80/",
    "HTTP://EXAMPLE.ORG",
    "a/b?c",
    "",
    "http://ex.org?x",
    "urn:isbn:123",
    "http://a:b:c@d/",
):
    p = urlsplit(url)
    print(url, tuple(p), p.hostname, p.username, p.password, p.geturl())
for base, ref in (
    ("http://a/b/c/d", "../x"),
    ("http://a/b/c", "/x"),
    ("http://a/b", "//h/y"),
    ("http://a/b?q", "?z"),
    ("http://a/b", "#f"),
    ("http://a/b/", "c/./d/../e"),
    ("http://a", "b"),
    ("http://a/b", "http://c"),
    ("http://a/b/c", "../../../x"),
    ("", "x"),
):
    print(base, ref, urljoin(base, ref))
print(
    quote("a b/ü?&=~"),
    quote("a/b", safe=""),
    quote_plus("a b&c"),
    unquote("a%20b%C3%BC%zz"),
    unquote_plus("a+b%2B"),
    unquote("%ff").encode(),
    unquote_to_bytes("%ff"),
    quote(b"\xff"),
    quote("é", encoding="latin-1"),
)
print(
    urlencode({"a": 1, "b": "x y", "c": ["p", "q"]}),
    urlencode([("a", "é"), ("a", 2)]),
    urlencode({"c": ["p", "q"]}, doseq=True),
    parse_qs("a=1&a=2&b=&c"),
    parse_qs("a=1&b=", keep_blank_values=True),
    parse_qsl("a=%20+x;b=2&c=3"),
    parse_qsl("a;b", separator=";", keep_blank_values=True),
    urldefrag("http://a/b#c"),
    urlunsplit(("http", "h", "p", "q", "f")),
    urlparse("http://h/p;params?q").params,
    urlsplit("http://h:99/")._replace(netloc="x").geturl(),
)
for attempt in (
    lambda: urlsplit("http://h:x/").port,
    lambda: urlsplit("http://h:99999/").port,
    lambda: urlsplit("http://[::1"),
    lambda: urlsplit("http://[nope]/"),
    lambda: urlencode(5),
    lambda: quote(5),
    lambda: parse_qs("a", strict_parsing=True),
    lambda: parse_qsl("a=1&b=2", max_num_fields=1),
    lambda: urljoin("a", b"b"),
    lambda: unquote(None),
    lambda: urlsplit("http://a\u2100b/"),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
