"""A parser of a config language by a state machine with line numbers in errors."""

import re

TEXT = """# servers
[web]
host = "a.example"  # trailing
ports = [80, 443,
         8080]
on = yes
[web.limits]
rate = 1.5
name = 'it''s'
"""


class ConfigError(Exception):
    def __init__(self, line, message):
        super().__init__(f"line {line}: {message}")


def value(text, line):
    text = text.strip()
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    if re.fullmatch(r"-?\d*\.\d+", text):
        return float(text)
    if text in ("yes", "no"):
        return text == "yes"
    if m := re.fullmatch(r'"((?:[^"\\]|\\.)*)"', text):
        return m[1]
    if m := re.fullmatch(r"'((?:[^']|'')*)'", text):
        return m[1].replace("''", "'")
    if text.startswith("[") and text.endswith("]"):
        return [value(part, line) for part in text[1:-1].split(",") if part.strip()]
    raise ConfigError(line, f"cannot read {text!r}")


def parse(text):
    result, section, pending, begun = {}, None, "", 0
    for number, line in enumerate(text.splitlines(), 1):
        line = re.sub(r"\s+#.*|^#.*", "", line)
        if pending:
            pending += " " + line.strip()
            if not pending.rstrip().endswith("]"):
                continue
            line, number, pending = pending, begun, ""
        if not line.strip():
            continue
        if m := re.fullmatch(r"\[([\w.]+)\]", line):
            section = result
            for part in m[1].split("."):
                section = section.setdefault(part, {})
        elif "=" in line:
            if section is None:
                raise ConfigError(number, "no section yet")
            key, _, rest = line.partition("=")
            if rest.strip().startswith("[") and not rest.strip().endswith("]"):
                pending, begun = line, number
                continue
            section[key.strip()] = value(rest, number)
        else:
            raise ConfigError(number, f"what is {line!r}?")
    if pending:
        raise ConfigError(begun, "never closed")
    return result


print(parse(TEXT))
for bad in ("a = 1", "[s]\nwhat", "[s]\n\na = [1,\n2", "[s]\nx = 1x", "[s]\nx = 'a"):
    try:
        print(parse(bad))
    except ConfigError as error:
        print(error)
