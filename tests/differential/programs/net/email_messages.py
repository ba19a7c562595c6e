"""email: building, parsing, multipart, headers, addresses, encodings."""

import email
import email.policy
from email.header import Header, decode_header, make_header
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr, getaddresses, parseaddr, parsedate_to_datetime

m = EmailMessage()
m["Subject"] = "Grüße from here"
m["From"] = "Ann <ann@example.org>"
m["To"] = "bob@example.org, Cy Ü <cy@example.org>"
m["Date"] = parsedate_to_datetime("Fri, 01 Mar 2024 12:00:00 +0100")
m.set_content("Hello\nWörld\n")
m.add_alternative("<p>Hello</p>", subtype="html")
m.add_attachment(b"\x00\x01", maintype="application", subtype="octet-stream", filename="ü.bin")
m.set_boundary("BOUND")
for number, part in enumerate(m.walk()):
    if part.is_multipart():
        part.set_boundary(f"B{number}")
print(m.as_string())
back = email.message_from_bytes(m.as_bytes(), policy=email.policy.default)
print(
    back["subject"],
    back["to"].addresses,
    [p.get_content_type() for p in back.walk()],
    back.get_body(("plain",)).get_content(),
    [a.get_filename() for a in back.iter_attachments()],
    back["date"].datetime,
)
old = email.message_from_string(
    "From: a@b\nSubject: =?utf-8?b?w6k=?= =?latin-1?q?=E9?=\nX-Long: one\n two\nContent-Type: text/plain; charset=utf-8\n\nbody\n"
)
print(
    old["subject"],
    str(make_header(decode_header(old["subject"]))),
    repr(old["x-long"]),
    old.get_payload(),
    old.get_content_charset(),
    old.keys(),
    old.get("none", "d"),
    old.is_multipart(),
)
mp = MIMEMultipart("mixed", boundary="XX")
mp["Subject"] = Header("äöü", "utf-8")
mp.attach(MIMEText("text é", "plain", "utf-8"))
print(mp.as_string())
print(
    parseaddr('"Last, First" <x@y.z> (c)'),
    formataddr(("Ann B.", "a@b.c")),
    formataddr(("É", "a@b.c")),
    getaddresses(["a@b, C D <e@f>"]),
    format_datetime(parsedate_to_datetime("1 Jan 2024 00:00:00 GMT")),
    parseaddr("not an address"),
)
for attempt in (
    lambda: m.__setitem__("Subject", "again"),
    lambda: m.__setitem__("X", "a\nb"),
    lambda: parsedate_to_datetime("nope"),
    lambda: EmailMessage().set_content(5),
    lambda: email.message_from_string(5),
    lambda: m.add_related("x"),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
broken = email.message_from_string(
    "Content-Type: multipart/mixed; boundary=b\n\nno parts", policy=email.policy.default
)
print(broken.defects, broken.is_multipart())
