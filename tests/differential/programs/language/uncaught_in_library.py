"""An error that is raised inside the standard library."""

import json
import statistics

print(statistics.mean([1, 2]))
print(json.loads("[1, 2"))
