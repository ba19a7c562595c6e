"""Without any configuration warnings go to stderr, and a wrong format is reported there."""

import logging

logging.warning("root warning %s", 1)
logging.info("not shown")
logging.getLogger("x.y").error("error of x.y")
log = logging.getLogger("own")
log.propagate = False
log.warning("last resort")
log.addHandler(logging.NullHandler())
log.warning("nowhere")
print("done", logging.lastResort, logging.root)
