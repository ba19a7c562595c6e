"""An HTTP request and a chunked answer, parsed from bytes."""

RAW = b"POST /path?q=1 HTTP/1.1\r\nHost: example.org\r\nContent-Type: text/plain; charset=utf-8\r\nX-Two: a\r\nX-Two: b\r\nContent-Length: 6\r\n\r\ngr\xc3\xbc\xc3\x9fEXTRA"


def parse(data):
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, version = first.split(" ", 2)
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError(f"no colon in {line!r}")
        headers.setdefault(name.strip().lower(), []).append(value.strip())
    length = int(headers.get("content-length", ["0"])[-1])
    return method, target, version, headers, body[:length]


print(parse(RAW), parse(RAW)[4].decode())
for bad in (
    b"",
    b"GET /\r\n\r\n",
    b"GET / HTTP/1.1\r\nbroken\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
):
    try:
        print(parse(bad))
    except ValueError as error:
        print(error)


def chunks(data):
    while data:
        size, _, data = data.partition(b"\r\n")
        n = int(size, 16)
        if not n:
            return
        yield data[:n]
        data = data[n + 2 :]


print(b"".join(chunks(b"4\r\nWiki\r\n6\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\n\r\n")))
from email.message import Message
from http.client import responses

m = Message()
m["content-type"] = 'text/html; charset=latin-1; q="a b"'
print(
    m.get_content_charset(),
    m.get_content_type(),
    m.get_param("q"),
    responses[418],
    responses.get(999),
)
