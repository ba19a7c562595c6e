"""Without a network sockets are objects that cannot connect."""

import socket
import urllib.error
import urllib.parse
from urllib.request import Request

print(
    socket.inet_aton("1.2.3.4"),
    socket.inet_ntoa(b"\x7f\0\0\1"),
    socket.htons(1),
    socket.ntohl(1),
    socket.AF_INET != socket.AF_INET6,
    socket.SOCK_STREAM != socket.SOCK_DGRAM,
    socket.inet_pton(socket.AF_INET6, "::1"),
)
for bad in ("1.2.3", "x", "1.2.3.999"):
    try:
        print(socket.inet_pton(socket.AF_INET, bad))
    except OSError as error:
        print(error)
r = Request("http://user@example.org:81/p?q#f", data=b"x", headers={"x-thing": "1"}, method="PUT")
print(
    r.full_url,
    r.host,
    r.selector,
    r.type,
    r.get_method(),
    r.get_header("X-thing"),
    r.has_header("X-thing"),
    r.header_items(),
    r.data,
)
for bad in ("nope", "", "unknown://x"):
    try:
        Request(bad)
        print("made", bad)
    except ValueError as error:
        print(error)
error = urllib.error.HTTPError("http://x", 404, "Not Found", {}, None)
print(error, error.code, error.reason, urllib.error.URLError("why"))
