"""html.escape, unescape, the parser on broken markup, entity tables."""

import html
from html.entities import codepoint2name, html5, name2codepoint
from html.parser import HTMLParser

print(html.escape("<a href='x'>\"&amp;\"</a>"), html.escape("'\"", quote=False))
for text in (
    "&lt;&gt;&amp;",
    "&#65;&#x42;&#x1F600;",
    "&eacute;&copy",
    "&notit; &not it",
    "&#0; &#x110000; &#128;",
    "&unknown; &",
    "&amp;amp;",
    "&NotEqualTilde;",
    "&#xD800;",
):
    print(repr(text), ascii(html.unescape(text)))
print(name2codepoint["euro"], codepoint2name[233], len(html5), html5["frac12;"])


class Show(HTMLParser):
    def handle_starttag(self, tag, attrs):
        print("start", tag, attrs, self.getpos())

    def handle_startendtag(self, tag, attrs):
        print("empty", tag, attrs)

    def handle_endtag(self, tag):
        print("end", tag)

    def handle_data(self, data):
        print("data", repr(data))

    def handle_comment(self, data):
        print("comment", repr(data))

    def handle_decl(self, decl):
        print("decl", decl)

    def handle_pi(self, data):
        print("pi", data)

    def unknown_decl(self, data):
        print("unknown", data)


parser = Show()
parser.feed(
    "<!DOCTYPE html><p class=a id='b' data-x=\"1 &amp; 2\" disabled>Hi &lt;b&gt; <br/><img src=x></p>\n<!-- note --><?php echo ?>"
)
parser.feed("<script>if (a < b) { '</p>' }</script><style>p > a {}</style><title>a & b</title>")
parser.feed("<![CDATA[x]]><a href=x y=>link</a ><A\n B=C>")
parser.feed("unfinished <b attr='")
parser.close()
raw = Show(convert_charrefs=False)
raw.handle_entityref = lambda name: print("entity", name)
raw.handle_charref = lambda name: print("char", name)
raw.feed("a &amp; b &#65; &#x41; & c")
raw.close()


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links = []

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.links.append(dict(attrs).get("href"))


links = Links()
links.feed('<a href="/one">1</a><a name=x>2</a><A HREF=three>3</A>')
print(links.links)
