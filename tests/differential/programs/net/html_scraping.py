"""Links, tables and text out of an HTML page with html.parser."""

from html.parser import HTMLParser
from urllib.parse import urljoin

PAGE = """<!doctype html><html><head><title>Prices &amp; more</title><style>td {}</style></head><body>
<h1>List</h1><p>See <a href="/all?x=1&amp;y=2">all</a> or <a href='http://other.example/#z'>other</a><br>line
<table><tr><th>Name<th>Price</tr><tr><td>Tea<td>&euro;2.50</tr><tr><td>A &lt;b&gt;</td><td>7</td></tr></table>
<script>var a = "<td>no</td>";</script><!-- <a href=hidden> --><img alt="x" src=i.png></body></html>"""


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.rows, self.title, self.path = [], [], "", []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "a":
            self.links.append(urljoin("http://example.org/dir/", attrs["href"]))
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in ("br", "img"):
            self.path.append(tag)

    def handle_endtag(self, tag):
        while self.path and self.path.pop() != tag:
            pass

    def handle_data(self, data):
        if self.path and self.path[-1] == "title":
            self.title += data
        elif self.path and self.path[-1] in ("td", "th"):
            self.rows[-1][-1] += data.strip()


page = Page()
for start in range(0, len(PAGE), 50):
    page.feed(PAGE[start : start + 50])
page.close()
print(page.title, page.links, page.rows, page.path, page.getpos(), sep="\n")
