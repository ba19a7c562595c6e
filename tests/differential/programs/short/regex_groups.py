"""Named groups, optional groups, backreferences, greedy and lazy."""

import re

m = re.match(r"(?P<a>\w+)(?:-(?P<b>\d+))?", "abc")
print(
    m.groupdict(),
    m.groups("x"),
    m["a"],
    re.findall(r"<.+?>", "<a><b>"),
    re.findall(r"<.+>", "<a><b>"),
    re.sub(r"(\w)\1", r"[\1]", "aabbc"),
    re.split(r"\W+", "a, b; c"),
    re.search(r"\bcat\b", "concat cat").start(),
    bool(re.fullmatch(r"[a-z]{2,3}", "abcd")),
)
