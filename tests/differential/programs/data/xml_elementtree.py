"""ElementTree: parsing, XPath subset, building, namespaces, serialising, errors."""

import io
import xml.etree.ElementTree as ET

TEXT = """<?xml version="1.0"?>
<!DOCTYPE lib>
<lib xmlns:x="urn:x" version="1">
  <!-- note -->
  <book id="b1" x:kind="novel"><title lang="en">One &amp; Two</title><price>5.50</price></book>
  <book id="b2"><title>Drei</title><price>7</price>tail<![CDATA[<raw>]]></book>
  <x:meta>m</x:meta>
</lib>"""
root = ET.fromstring(TEXT)
print(
    root.tag,
    root.attrib,
    [c.tag for c in root],
    len(root),
    [b.get("id") for b in root.findall("book")],
    root.find("book/title").text,
    root.findtext("book[2]/price"),
    root.findtext("zz", "none"),
    [e.tag for e in root.iter()],
)
print(
    root.find("book[@id='b2']").find("price").tail,
    root.findall(".//title[@lang]"),
    [e.text for e in root.findall(".//price")],
    root.find("x:meta", {"x": "urn:x"}).text,
    root.find("{urn:x}meta").text,
    root.findall("book[title='Drei']")[0].attrib,
    root.find("book").attrib,
    "".join(root.itertext()).split(),
)
for each in root.iter("price"):
    each.text = str(float(each.text) * 2)
    each.set("currency", "EUR")
root.remove(root[0])
new = ET.SubElement(root, "book", {"id": 'b"3<'}, extra="1")
new.text = "a < b & c > d \"q\" 'r'\n"
new.append(ET.Comment("hi"))
new.append(ET.ProcessingInstruction("pi", "data"))
ET.indent(root, "\t")
print(ET.tostring(root, encoding="unicode"))
print(
    ET.tostring(ET.Element("é", a="ü")),
    ET.tostring(ET.Element("é", a="ü"), encoding="utf-8", xml_declaration=True),
    ET.tostring(ET.fromstring("<a><b/><c></c></a>"), short_empty_elements=False),
    ET.tostring(ET.fromstring("<a>x<b/>y</a>"), method="text"),
    ET.tostring(ET.fromstring("<p>x<br/></p>"), method="html"),
    ET.canonicalize("<a z='1' b = \"2\"><c/></a>"),
)
out = io.BytesIO()
ET.ElementTree(root).write(out, encoding="utf-16")
print(len(out.getvalue()) > 10, ET.fromstring(out.getvalue()).tag)
for event, element in ET.iterparse(
    io.BytesIO(b"<r xmlns='u'><a>1</a><b/></r>"), events=("start", "end", "start-ns", "comment")
):
    print(event, element if isinstance(element, tuple) else element.tag)
p = ET.XMLPullParser(["end"])
p.feed("<a><b>1</b>")
print([(e, x.tag) for e, x in p.read_events()])
p.feed("</a>")
p.close()
print(
    [(e, x.tag) for e, x in p.read_events()],
    ET.fromstringlist(["<a>", "</a>"]).tag,
    ET.XML("<q/>").tag,
    ET.iselement(root),
    ET.dump(ET.XML("<d>1</d>")),
)
for bad in (
    "",
    "<a>",
    "<a></b>",
    "<a b></a>",
    "<a b='1' b='2'/>",
    "<a/><b/>",
    "text",
    "<a>&nope;</a>",
    "<a>\x00</a>",
    "<1/>",
    "<a b=1/>",
    "<a><!-- -- --></a>",
    "<x:a/>",
    "<a>&#0;</a>",
    "<?xml version='1.0' encoding='nope'?><a/>",
    "<a \n <",
    "<!DOCTYPE a [<!ENTITY e 'v'>]><a>&e;</a>",
):
    try:
        print(repr(bad), ET.fromstring(bad).text)
    except (ET.ParseError, LookupError, ValueError) as error:
        print(repr(bad), type(error).__name__, error, getattr(error, "position", ""))
for attempt in (
    lambda: ET.tostring(5),
    lambda: root.append("x"),
    lambda: root.find("book["),
    lambda: root.find("//x"),
    lambda: root.remove(ET.Element("q")),
    lambda: ET.Element(5) is None,
    lambda: ET.tostring(ET.Element("a", {"b": 5})),
    lambda: root[99],
    lambda: ET.SubElement(5, "a"),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, str(error).split(" at 0x")[0])
builder = ET.TreeBuilder()
builder.start("a", {"k": "v"})
builder.data("text")
builder.end("a")
print(
    ET.tostring(builder.close()),
    ET.tostring(ET.fromstring("<a xmlns='urn:d' xmlns:p='urn:p'><p:b p:c='1'/></a>")),
)
