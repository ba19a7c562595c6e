"""Words and patterns in texts."""

import pandas as pd

lines = pd.Series(
    [
        "2026-01-02 ERROR disk /dev/sda1 full (97%)",
        "2026-01-02 INFO user=anna login from 10.0.0.7",
        "2026-01-03 WARN disk /dev/sdb2 slow (81%)",
        "2026-01-03 INFO user=ben login from 10.0.0.9",
        "2026-01-04 ERROR user=anna locked",
    ]
)
parts = lines.str.extract(r"^(?P<day>\S+) (?P<level>\w+) (?P<message>.*)$")
parts["user"] = parts["message"].str.extract(r"user=(\w+)")
parts["percent"] = parts["message"].str.extract(r"\((\d+)%\)").astype("float64")
print(parts.to_string())
print(parts.groupby("level")["percent"].max().to_string())
print(pd.crosstab(parts["day"], parts["level"]).to_string())
words = lines.str.lower().str.findall(r"[a-z]{4,}").explode().value_counts()
print(words.sort_index().sort_values(ascending=False, kind="stable").head(4).to_string())
