"""``python -m eryx``."""

import sys

from eryx._cli import main

if __name__ == "__main__":
    sys.exit(main())
