"""An environment variable with a default, arguments, and exit codes of sys.exit."""

import os
import sys

print(os.environ.get("SURELY_NOT_SET", "default"), len(sys.argv), os.getenv("SURELY_NOT_SET"))
os.environ["MINE"] = "1"
print(os.environ["MINE"], "MINE" in os.environ, os.path.expandvars("$MINE-${MINE}"))
try:
    os.environ["SURELY_NOT_SET"]
except KeyError as error:
    print("KeyError", error)
sys.exit(0)
