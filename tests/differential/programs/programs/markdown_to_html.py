"""A little Markdown: headings, lists, emphasis, links, code, escaping."""

import html
import re

TEXT = """# Title & more

A *short* paragraph with **bold**, `code <b>` and a [link](http://example.org/?a=1&b=2)
that goes over two lines.

## List

- one
- two *items*
    - not nested here
- three

1. first
2. second

> quoted **text**
> goes on

```
if a < b:
    print("*no*")
```
"""


def inline(text):
    codes = []

    def keep(match):
        codes.append(match[1])
        return f"\0{len(codes) - 1}\0"

    text = html.escape(re.sub(r"`([^`]+)`", keep, text), quote=False)
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
    text = re.sub(r"\*(.+?)\*", r"<em>\1</em>", text)
    text = re.sub(r"\[([^]]+)\]\(([^)]+)\)", r'<a href="\2">\1</a>', text)
    return re.sub("\0(\\d+)\0", lambda m: f"<code>{html.escape(codes[int(m[1])])}</code>", text)


def blocks(text):
    for block in re.split(r"\n{2,}", text.strip()):
        lines = block.split("\n")
        if match := re.fullmatch(r"(#+) (.*)", block):
            level = len(match[1])
            yield f"<h{level}>{inline(match[2])}</h{level}>"
        elif block.startswith("```"):
            yield f"<pre>{html.escape('\n'.join(lines[1:-1]))}</pre>"
        elif all(re.match(r"\s*- ", line) for line in lines):
            yield (
                "<ul>" + "".join(f"<li>{inline(line.strip()[2:])}</li>" for line in lines) + "</ul>"
            )
        elif all(re.match(r"\d+\. ", line) for line in lines):
            yield (
                "<ol>"
                + "".join(f"<li>{inline(line.split('. ', 1)[1])}</li>" for line in lines)
                + "</ol>"
            )
        elif block.startswith("> "):
            yield f"<blockquote>{inline(' '.join(line.removeprefix('> ') for line in lines))}</blockquote>"
        else:
            yield f"<p>{inline(' '.join(lines))}</p>"


print("\n".join(blocks(TEXT)))
