"""Messages of several levels into a text, with an exception."""

import io
import logging

out = io.StringIO()
logging.basicConfig(stream=out, level="DEBUG", format="%(levelname)-8s %(name)s: %(message)s")
log = logging.getLogger("shop")
log.debug("debug %r", [1])
log.info("%s of %d", "one", 2)
try:
    int("x")
except ValueError:
    log.exception("failed")
log.warning("100%% sure")
print(out.getvalue())
