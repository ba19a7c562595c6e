"""The same settings as INI, JSON, XML and TOML, converted from one to the other."""

import configparser
import io
import json
import tomllib
import xml.etree.ElementTree as ET

settings = {
    "server": {"host": "example.org", "port": 80, "tls": True},
    "paths": {"root": "/srv/ü", "temp": ""},
}
ini = configparser.ConfigParser()
ini.read_dict({s: {k: str(v) for k, v in o.items()} for s, o in settings.items()})
out = io.StringIO()
ini.write(out)
print(out.getvalue())
root = ET.Element("settings")
for section, options in settings.items():
    node = ET.SubElement(root, section)
    for key, value in options.items():
        ET.SubElement(node, "option", name=key, type=type(value).__name__).text = str(value)
ET.indent(root)
text = ET.tostring(root, encoding="unicode")
print(text)
KINDS = {"str": lambda t: t or "", "int": int, "bool": lambda t: t == "True"}
back = {
    s.tag: {o.get("name"): KINDS[o.get("type")](o.text) for o in s} for s in ET.fromstring(text)
}
print(
    back == settings,
    json.dumps(back, ensure_ascii=False),
    json.loads(json.dumps(settings)) == settings,
)


def toml(data):
    for section, options in data.items():
        yield f"[{section}]"
        for key, value in options.items():
            yield f"{key} = {json.dumps(value, ensure_ascii=False)}"


print(
    tomllib.loads("\n".join(toml(settings))) == settings,
    {s: dict(ini[s]) for s in ini.sections()},
    ini.getboolean("server", "tls"),
    ini.getint("server", "port"),
)
