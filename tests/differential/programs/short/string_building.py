"""Building text by join, +=, StringIO, f-strings and format."""

import io

out = io.StringIO()
text = ""
for n in range(5):
    out.write(f"{n},")
    text += "%d;" % n
print(
    out.getvalue(),
    text,
    ",".join(map(str, range(5))),
    "".join(reversed("abc")),
    "{}-{}".format(*"ab"),
    "-".join("abc").replace("-", "", 1),
)
