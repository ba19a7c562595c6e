"""minidom and sax: navigating, editing, pretty printing, event handlers."""

import xml.sax
from xml.dom import minidom
from xml.sax.saxutils import XMLGenerator, escape, quoteattr, unescape

doc = minidom.parseString("<r a='1'><b>text</b><!--c--><b id='2'/>tail</r>")
r = doc.documentElement
print(
    r.tagName,
    r.getAttribute("a"),
    r.hasAttribute("z"),
    [n.nodeName for n in r.childNodes],
    r.firstChild.firstChild.data,
    [n.getAttribute("id") for n in doc.getElementsByTagName("b")],
    r.lastChild.nodeValue,
    r.childNodes[0].nextSibling.data,
    r.attributes.items(),
)
e = doc.createElement("new")
e.setAttribute("k", "<\"&'>")
e.appendChild(doc.createTextNode("a < b"))
r.insertBefore(e, r.firstChild)
r.removeChild(r.childNodes[1])
print(
    r.toxml(),
    doc.toprettyxml(indent="  "),
    doc.toxml(encoding="utf-8"),
    r.cloneNode(deep=True).toxml() == r.toxml(),
    r.childNodes[0],
)
for attempt in (
    lambda: minidom.parseString("<a>"),
    lambda: r.removeChild(e.firstChild),
    lambda: r.appendChild("x"),
    lambda: doc.appendChild(doc.createElement("second")),
    lambda: minidom.parseString(""),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)


class Handler(xml.sax.ContentHandler):
    def startElement(self, name, attrs):
        print("start", name, dict(attrs))

    def endElement(self, name):
        print("end", name)

    def characters(self, content):
        print("text", repr(content))


xml.sax.parseString(b"<a x='1'>hi<b/>there &lt;</a>", Handler())
try:
    xml.sax.parseString(b"<a><b></a>", Handler())
except xml.sax.SAXParseException as error:
    print(error.getMessage(), error.getLineNumber(), error.getColumnNumber())
import io

out = io.StringIO()
g = XMLGenerator(out)
g.startDocument()
g.startElement("a", {"b": '"<'})
g.characters("x & y")
g.endElement("a")
print(
    out.getvalue(),
    escape("<&>", {"x": "y"}),
    unescape("&lt;&amp;"),
    quoteattr('it\'s "q"'),
    quoteattr("a\nb"),
)
