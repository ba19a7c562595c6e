"""ipaddress, uuid from names, http statuses, cookies, mimetypes."""

import ipaddress as ip
import mimetypes
import uuid
from http import HTTPMethod, HTTPStatus
from http.cookies import CookieError, SimpleCookie

a = ip.ip_address("192.168.0.1")
n = ip.ip_network("10.0.0.0/29")
six = ip.ip_address("2001:db8::1")
print(
    a,
    a + 1,
    int(a),
    a.is_private,
    a.packed,
    n,
    list(n.hosts()),
    n.netmask,
    n.broadcast_address,
    n.num_addresses,
    ip.ip_address("10.0.0.3") in n,
    list(n.subnets(1)),
    n.supernet(),
    six.exploded,
    six.compressed,
    six.is_global,
    ip.ip_address("::ffff:1.2.3.4").ipv4_mapped,
    ip.ip_interface("1.2.3.4/24").network,
    list(ip.summarize_address_range(ip.ip_address("1.0.0.0"), ip.ip_address("1.0.0.6"))),
    list(ip.collapse_addresses([ip.ip_network("1.0.0.0/25"), ip.ip_network("1.0.0.128/25")])),
    a.reverse_pointer,
    f"{a:b}",
    f"{six:x}",
    sorted([ip.ip_address("2.0.0.0"), a]),
    n.overlaps(ip.ip_network("10.0.0.4/30")),
    a.is_loopback,
    ip.ip_address("127.0.0.1").is_loopback,
)
for bad in ("1.2.3", "1.2.3.256", "01.2.3.4", "::g", "1:2:3", "a", "", 2**130, -1, "1.2.3.4/33"):
    try:
        print(ip.ip_address(bad))
    except ValueError as error:
        print(error)
for attempt in (
    lambda: ip.ip_network("10.0.0.1/24"),
    lambda: ip.ip_network("1.2.3.4/40"),
    lambda: a < six,
    lambda: ip.IPv4Address("255.255.255.255") + 1,
    lambda: ip.ip_network("10.0.0.1/24", strict=False),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
u = uuid.uuid5(uuid.NAMESPACE_DNS, "example.org")
print(
    u,
    uuid.uuid3(uuid.NAMESPACE_URL, "x"),
    u.hex,
    u.int,
    u.version,
    u.variant,
    u.urn,
    u.bytes[:4],
    uuid.UUID("{12345678-1234-5678-1234-567812345678}"),
    uuid.UUID(int=5),
    uuid.uuid4().version,
    uuid.uuid7().version,
    uuid.NIL,
    len(str(uuid.uuid1())),
    u == uuid.UUID(str(u)),
)
for bad in ("x", "1" * 31):
    try:
        uuid.UUID(bad)
    except ValueError as error:
        print(error)
print(
    HTTPStatus(404),
    HTTPStatus.OK.phrase,
    HTTPStatus.NOT_FOUND.description,
    HTTPMethod.GET,
    HTTPStatus.OK == 200,
    HTTPStatus(503).is_server_error,
    repr(HTTPStatus.IM_A_TEAPOT),
)
c = SimpleCookie('a=1; b="two words"; c=x%3D')
c["d"] = "5; é"
c["d"]["max-age"] = 60
c["d"]["httponly"] = True
print(c.output(), {k: v.value for k, v in c.items()}, c["a"].OutputString())
try:
    c["bad key"] = 1
except CookieError as error:
    print(error)
print(
    [
        mimetypes.guess_type(x)
        for x in ("a.html", "b.tar.gz", "c.png", "d.unknownext", "e.json", "f.PDF", "g")
    ],
    mimetypes.guess_extension("text/html"),
)
