# needs pydantic, orjson, msgpack, pyyaml, lxml, regex
"""An order comes in as XML, JSON and YAML; it is checked, compared and written out again."""

import datetime as dt
from decimal import Decimal

import lxml.etree
import msgpack
import orjson
import pydantic
import regex
import yaml


class Item(pydantic.BaseModel):
    name: str = pydantic.Field(min_length=2)
    price: Decimal = pydantic.Field(gt=0, decimal_places=2)
    count: int = 1
    tags: list[str] = []


class Order(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")

    number: int
    day: dt.date
    items: list[Item]

    @pydantic.computed_field
    @property
    def total(self) -> Decimal:
        return sum((item.price * item.count for item in self.items), Decimal(0))


XML = """<?xml version="1.0" encoding="ISO-8859-1"?>
<order number="7" day="2026-11-30">
  <item name="Käse" price="3.50" count="2"><tag>food</tag><tag>cold</tag></item>
  <item name="Brot" price="2.20"/>
</order>""".encode("latin-1")

tree = lxml.etree.fromstring(XML)
data = {
    **tree.attrib,
    "items": [{**item.attrib, "tags": item.xpath("tag/text()")} for item in tree.iter("item")],
}
order = Order.model_validate(data)
print(order.total, order.day.isoformat(), [item.name for item in order.items])

text = order.model_dump_json(exclude={"total"})
print(text)
assert Order.model_validate_json(text) == order
print(orjson.dumps(order.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS).decode())
packed = msgpack.packb(order.model_dump(mode="json"))
print(len(packed), msgpack.unpackb(packed)["items"][0]["tags"])

document = yaml.dump(orjson.loads(text), Dumper=yaml.CSafeDumper, allow_unicode=True)
print(document, end="")
assert yaml.load(document, Loader=yaml.CSafeLoader) == orjson.loads(text)

try:
    Order.model_validate(
        {"number": "x", "day": "2026-13-01", "items": [{"name": "a", "price": -1}]}
    )
except pydantic.ValidationError as error:
    for fault in error.errors():
        print(".".join(map(str, fault["loc"])), fault["type"])

style = lxml.etree.XSLT(
    lxml.etree.XML(
        """<x:stylesheet version="1.0" xmlns:x="http://www.w3.org/1999/XSL/Transform">
<x:template match="order"><list sum="{sum(item/@price)}"><x:for-each select="item">
<x:sort select="@name"/><li><x:value-of select="@name"/></li></x:for-each></list></x:template>
</x:stylesheet>"""
    )
)
print(lxml.etree.tostring(style(tree), encoding="unicode"))
print(regex.findall(r"\p{Lu}\p{Ll}+", "Käse und Brot, ÄPFEL nicht"), end=" ")
print(regex.search(r"(?:cheese){e<=2}", "some chese here")[0])
