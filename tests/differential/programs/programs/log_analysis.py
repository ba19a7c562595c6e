"""Parses an access log: counts statuses, finds the slowest paths, groups errors by hour."""

import re
from collections import Counter, defaultdict
from datetime import datetime

LOG = """
10.0.0.1 - - [01/Mar/2024:10:00:01 +0000] "GET /index.html HTTP/1.1" 200 1043 0.012
10.0.0.2 - ann [01/Mar/2024:10:00:03 +0000] "POST /login HTTP/1.1" 302 0 0.210
10.0.0.1 - - [01/Mar/2024:10:59:59 +0000] "GET /missing HTTP/1.1" 404 209 0.004
10.0.0.3 - - [01/Mar/2024:11:10:00 +0000] "GET /report?year=2023 HTTP/1.1" 500 0 3.501
garbage line that does not match
10.0.0.2 - ann [01/Mar/2024:11:12:13 +0000] "GET /index.html HTTP/1.1" 304 0 0.001
10.0.0.4 - - [01/Mar/2024:12:00:00 +0000] "DELETE /item/5 HTTP/1.1" 403 12 0.02
10.0.0.3 - - [01/Mar/2024:12:30:00 +0000] "GET /report?year=2024 HTTP/1.1" 500 0 2.75
"""
LINE = re.compile(
    r'(?P<ip>\S+) - (?P<user>\S+) \[(?P<when>[^]]+)\] "(?P<method>\w+) (?P<path>[^ ?]+)\S* [^"]*" (?P<status>\d{3}) (?P<size>\d+) (?P<time>[\d.]+)'
)

statuses = Counter()
times = defaultdict(list)
errors_by_hour = defaultdict(set)
bad = []
for number, line in enumerate(LOG.strip().splitlines(), 1):
    match = LINE.fullmatch(line)
    if not match:
        bad.append((number, line))
        continue
    entry = match.groupdict()
    when = datetime.strptime(entry["when"], "%d/%b/%Y:%H:%M:%S %z")
    statuses[int(entry["status"]) // 100] += 1
    times[entry["path"]].append(float(entry["time"]))
    if entry["status"] >= "400":
        errors_by_hour[when.hour].add(entry["ip"])

print("by class:", {f"{k}xx": v for k, v in sorted(statuses.items())})
for path, values in sorted(times.items(), key=lambda kv: -max(kv[1])):
    print(f"{path:<14}{len(values):>3} {sum(values) / len(values):>8.3f}s max {max(values):.3f}s")
print({hour: sorted(ips) for hour, ips in sorted(errors_by_hour.items())})
print("unparsed:", bad)
